"""What an older version has kept is brought up without loss, by one process at a time, on every kind of database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import date
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, select, text
from sqlalchemy import types as sql

from energy.errors import EnergyError
from gateway.records.database import HEAD, engines_at, open_records
from gateway.records.migrate import settings, upgrade
from tests.databases import NewDatabase

EARLIER = [one.revision for one in ScriptDirectory.from_config(settings()).walk_revisions() if one.revision != HEAD]
ROWS = 3
Kept = dict[str, list[dict[str, Any]]]


def tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def value(column: Column[Any], n: int) -> Any:
    """Something for the n-th row, the same as in the column that it leads to."""
    for leads_to in (key.column for key in column.foreign_keys):
        # A meter's site is that of its parent, which is a meter.
        if leads_to.table is not column.table or leads_to.name != column.name:
            return value(leads_to, n)
    match column.type:
        case sql.Boolean():
            return n % 2 == 0
        case sql.Integer():
            return n
        case sql.Float():
            return n + 0.1
        case sql.Date():
            return date(2026, 1, n)
        case sql.JSON():
            return {"表": n, "parts": [0.1, None]}
    # SQLite tells what it keeps as JSON by its type, and PostgreSQL too.
    return f"{column.table.name}.{column.name} 楼 {n}"


def fill(connection: Connection) -> Kept:
    found = tables(connection)
    for table in found:
        rows = [{column.name: value(column, n) for column in table.columns} for n in range(1, ROWS + 1)]
        connection.execute(table.insert(), rows)
    return rows_of(connection, found)


def kept(connection: Connection) -> Kept:
    return rows_of(connection, tables(connection))


def rows_of(connection: Connection, found: list[Table]) -> Kept:
    ordered = {table.name: select(table).order_by(*table.primary_key) for table in found}
    return {name: [dict(row) for row in connection.execute(rows).mappings()] for name, rows in ordered.items()}


def older(connection: Connection, revision: str) -> Kept:
    upgrade(connection, "the database", revision)
    return fill(connection)


@pytest.mark.parametrize("revision", EARLIER)
async def test_what_an_earlier_version_kept_is_there_after_the_migration(
    new_database: NewDatabase, revision: str
) -> None:
    address = new_database(empty=True)
    engines = engines_at(address)
    async with engines.writer.begin() as connection:
        before = await connection.run_sync(older, revision)
    await engines.reader.dispose()

    async with open_records(address) as records, records.reading() as connection:
        after = await connection.run_sync(kept)
        reached = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()

    assert reached == HEAD
    assert sum(len(rows) for rows in before.values()) >= ROWS * 10
    for name, rows in before.items():
        # A new column may be there besides.
        assert [{key: row[key] for key in rows[0]} for row in after[name]] == rows


def test_processes_that_migrate_at_once_do_not_collide(new_database: NewDatabase) -> None:
    program = (
        "import asyncio, sys\n"
        "from gateway.records import migrate\n"
        "from gateway.records.database import open_records\n"
        "async def main():\n"
        f"    async with open_records({new_database(empty=True)!r}): print('open')\n"
        "sys.stdin.readline()\n"
        "asyncio.run(main())\n"
    )
    command, pipe = [sys.executable, "-c", program], subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=240) for process in started]

    assert ended == [("open\n", "")] * 3


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_was(new_database: NewDatabase) -> None:
    address = new_database()
    async with open_records(address) as records, records.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(EnergyError, match=f"a newer version of Jieneng .records 9999, this one knows up to {HEAD}"):
        async with open_records(address):
            pass
    engines = engines_at(address)
    async with engines.reader.begin() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all() == ["9999"]
    await engines.reader.dispose()


async def test_gateways_that_open_a_new_database_together_both_get_it(new_database: NewDatabase) -> None:
    address = new_database(empty=True)

    async def opened() -> bool:
        async with open_records(address) as records, records.reading():
            return True

    assert await asyncio.gather(*(opened() for _ in range(4))) == [True] * 4
