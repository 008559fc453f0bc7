"""Records from one database to another: every row of every table, in one transaction, counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import EnergyError
from gateway.records.database import Records
from gateway.records.schema import METADATA

_ROWS = 2000
# A database that holds rows in one of these is somebody's already.
_USED = ("sites", "user_accounts", "changes", "audit")


async def must_take_records(source: Records, target: Records) -> None:
    """EnergyError where records cannot be moved, since the target holds others."""
    async with source.reading() as old, target.reading() as new:
        await _moved_before(old, new)


async def move_records(source: Records, target: Records, tell: Callable[[str, float], None]) -> dict[str, int]:
    """All rows by table, as many as there are now in both; EnergyError where the target holds others, or they differ.

    Where all of them are there already, by a move that died later, nothing is done. Both are of this program's version.
    What is kept outside of the databases, as keys are, is not moved.
    """
    tables = METADATA.sorted_tables
    async with source.reading() as old, target.writing() as new:
        if (there := await _moved_before(old, new)) is not None:
            return there
        # What a migration put there is among the rows that come.
        for table in reversed(tables):
            await new.execute(delete(table))
        moved: dict[str, int] = {}
        for i, table in enumerate(tables):
            tell(table.name, i / len(tables))
            moved[table.name] = await _copy(old, new, table)
            await _count_on(new, table)
        counts = {table.name: await _count(new, table) for table in tables}
        if counts != moved:
            differing = [f"{name}: {moved[name]} and {counts[name]}" for name in moved if moved[name] != counts[name]]
            raise EnergyError(f"nothing was moved, since the rows differ: {', '.join(differing)}")
    return moved


async def _moved_before(old: AsyncConnection, new: AsyncConnection) -> dict[str, int] | None:
    """Rows by table of a target that holds all of the source; None of one that is empty; EnergyError of any other."""
    used = [(name, n) for name in _USED if (n := await _count(new, METADATA.tables[name])) > 0]
    if not used:
        return None
    there: dict[str, int] = {}
    for table in METADATA.sorted_tables:
        there[table.name], digest = await _digest(new, table)
        if (there[table.name], digest) != await _digest(old, table):
            name, n = used[0]
            raise EnergyError(
                f"the database to move to holds {n} rows of {name} already, and not what is to be moved; name an empty "
                "one, or drop what is there"
            )
    return there


async def _digest(connection: AsyncConnection, table: Table) -> tuple[int, int]:
    """How many rows, and what they say, in whatever order."""
    n = digest = 0
    found = await connection.stream(select(table))
    async for rows in found.partitions(_ROWS):
        n += len(rows)
        digest ^= reduce(xor, (_of_row(tuple(row)) for row in rows))
    return n, digest


def _of_row(row: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest())


async def _copy(old: AsyncConnection, new: AsyncConnection, table: Table) -> int:
    n = 0
    found = await old.stream(select(table))
    async for rows in found.mappings().partitions(_ROWS):
        values: list[dict[str, Any]] = [dict(row) for row in rows]
        await new.execute(insert(table), values)
        n += len(values)
    return n


async def _count(connection: AsyncConnection, table: Table) -> int:
    return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def _count_on(connection: AsyncConnection, table: Table) -> None:
    """Numbers that are given next come after those that came."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    names = {"table": table.name, "column": column.name}
    sequence = (await connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), names)).scalar()
    if sequence is not None:
        last = (await connection.execute(select(func.max(column)))).scalar()
        at = {"sequence": sequence, "last": last or 1, "called": last is not None}
        await connection.execute(text("SELECT setval(:sequence, :last, :called)"), at)
