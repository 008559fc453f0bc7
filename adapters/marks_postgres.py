"""Which readings the ledger in PostgreSQL does not hold yet, and the numbers of the points.

No transaction holds the store of the readings and the ledger both. So a write is announced before it begins, and marked
when it is over: whoever dies in between leaves its announcement, which is taken for a mark by who comes next. An
announcement is of a live writer while that one holds the lock of its number.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import asyncpg
import numpy as np

from adapters.postgres_address import LOST, PostgresAddress, told
from energy.errors import StoreError
from energy.hours import Whole
from energy.ports import Marks
from energy.quantities import Kind, quantity
from energy.readings import Point, ReadingColumns

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger.points (
    id integer PRIMARY KEY, meter text NOT NULL, quantity text NOT NULL, UNIQUE (meter, quantity));
CREATE SEQUENCE IF NOT EXISTS ledger.mark_numbers;
CREATE TABLE IF NOT EXISTS ledger.marks (
    id bigint PRIMARY KEY DEFAULT nextval('ledger.mark_numbers'), writer bigint, points integer[] NOT NULL,
    from_ms bigint[] NOT NULL);
"""
# Marks are numbered in the order in which they can be seen, so that none is settled that was not read.
_LOCK = 5208219163725061975


@dataclass(frozen=True, slots=True)
class Announced:
    """A write that is under way: its number, the counters among its points, and the first instant of each."""

    id: int
    points: Sequence[int]
    from_ms: Sequence[int]


class PostgresMarks:
    """Points by their numbers, announcements and marks. A context: within it this process is a live writer."""

    def __init__(self, pool: Any, at: PostgresAddress) -> None:
        self._pool, self._at = pool, at
        self._points: list[Point] = []
        self._numbers: dict[Point, int] = {}
        self._writer, self._alive = 0, cast(Any, None)

    async def __aenter__(self) -> Self:
        async with self._locked() as connection:
            await connection.execute(_SCHEMA)
        await self._live()
        await self._inherit()
        async with self._locked() as connection:
            await self._learn(connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._alive.close()

    @property
    def points(self) -> Sequence[Point]:
        return self._points

    def number(self, point: Point) -> int | None:
        return self._numbers.get(point)

    async def marks(self) -> Marks:
        """Points with new readings, and since when."""
        async with self._locked() as connection:
            await self._learn(connection)
            rows = await connection.fetch(
                "SELECT point, min(since), max(id) FROM marks m, unnest(m.points, m.from_ms) AS of (point, since) "
                "WHERE writer IS NULL GROUP BY point ORDER BY point"
            )
        last = max((int(r[2]) for r in rows), default=0)
        return Marks(last, np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64))

    async def forget(self, connection: Any, upto: int) -> None:
        """Within a transaction: what was marked up to there is worked in."""
        await connection.execute("DELETE FROM marks WHERE id <= $1 AND writer IS NULL", upto)

    async def announce(self, columns: ReadingColumns) -> Announced | None:
        """Note that readings are about to be written; what to give to `confirm`. None where none of them counts."""
        await self._number(columns)
        points, from_ms = (column.tolist() for column in self._counted(columns))
        if not points:
            return None
        if self._alive.is_closed():
            await self._live()
        async with self._locked() as connection:
            insert = "INSERT INTO marks (writer, points, from_ms) VALUES ($1, $2, $3) RETURNING id"
            return Announced(await connection.fetchval(insert, self._writer, points, from_ms), points, from_ms)

    async def confirm(self, announced: Announced | None, *, new: bool) -> None:
        """The write is over; it is marked where it brought something that is `new`."""
        if announced is None:
            return
        async with self._locked() as connection:
            await connection.execute("DELETE FROM marks WHERE id = $1", announced.id)
            if new:
                insert = "INSERT INTO marks (points, from_ms) VALUES ($1, $2)"
                await connection.execute(insert, announced.points, announced.from_ms)

    async def _live(self) -> None:
        """Be a live writer, under a number of one's own, for as long as this connection holds."""
        self._writer = secrets.randbits(62)
        self._alive = await self._at.connect({"application_name": "jieneng ledger writer"}, None)
        await self._alive.execute("SELECT pg_advisory_lock($1)", self._writer)

    async def _inherit(self) -> None:
        """Take what dead writers announced for marks."""
        async with self._locked() as connection:
            for (writer,) in await connection.fetch("SELECT DISTINCT writer FROM marks WHERE writer IS NOT NULL"):
                if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", writer):
                    await connection.execute(
                        "WITH left_behind AS (DELETE FROM marks WHERE writer = $1 RETURNING points, from_ms) "
                        "INSERT INTO marks (points, from_ms) SELECT points, from_ms FROM left_behind",
                        writer,
                    )

    async def _learn(self, connection: Any) -> None:
        """Points that other processes have numbered."""
        known = len(self._points)
        rows = await connection.fetch("SELECT meter, quantity FROM points WHERE id >= $1 ORDER BY id", known)
        # Another task may have learnt the same meanwhile.
        for meter, name in rows[len(self._points) - known :]:
            self._numbers[Point(meter, name)] = len(self._points)
            self._points.append(Point(meter, name))

    async def _number(self, columns: ReadingColumns) -> None:
        """Number the points that have none, and learn what is committed of it."""
        used = [columns.points[i] for i in np.unique(columns.index).tolist()]
        if all(p in self._numbers for p in used):
            return
        async with self._locked() as connection:
            await self._learn(connection)
            fresh = [p for p in used if p not in self._numbers]
            first = len(self._points)
            await connection.execute(
                "INSERT INTO points SELECT * FROM unnest($1::integer[], $2::text[], $3::text[])",
                list(range(first, first + len(fresh))),
                [p.meter for p in fresh],
                [p.quantity for p in fresh],
            )
        async with self._locked() as connection:
            await self._learn(connection)

    def _counted(self, columns: ReadingColumns) -> tuple[Whole, Whole]:
        """The counters among the points, and the first instant of each; the ledger holds nothing else."""
        wanted = [i for i in np.unique(columns.index).tolist() if _is_counter(columns.points[i])]
        first = np.full(len(columns.points), np.iinfo(np.int64).max, np.int64)
        np.minimum.at(first, columns.index, columns.taken_at_ms)
        numbers = np.array([self._numbers[columns.points[i]] for i in wanted], np.int64)
        return numbers, first[wanted]

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Any]:
        """A transaction beside no other one of marks."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield connection
        except (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST) as error:
            raise StoreError(f"ledger: {told(error)}") from error


def _is_counter(point: Point) -> bool:
    return quantity(point.quantity).kind is Kind.COUNTER
