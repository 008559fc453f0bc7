"""Which readings the ledger in PostgreSQL does not hold yet, and the numbers of the points.

No transaction holds the store of the readings and the ledger both. So a write is announced before it begins, and marked
when it is over: whoever dies in between leaves its announcement, which is taken for a mark by who comes next. An
announcement is of a live writer while that one holds the lock of its number.

Where several processes make the ledger, each settles the parts of the points that it holds: `parts` tells up to which
mark each is worked in. A mark goes when that is so of all parts.

Who has the ledger open holds a lock by a connection of its own, and a connection can break unnoticed. So eras are
counted: one begins when somebody comes to have the ledger alone, and when others come in again after that. Each
transaction that writes to the ledger looks whether the era is still its own, and keeps it from ending until it is over.
Marks need no such thing: one too many does no harm.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from sys import intern
from types import TracebackType
from typing import Any, Self, cast

import asyncpg
import numpy as np
import numpy.typing as npt

from adapters.postgres_address import LOST, PostgresAddress, told
from energy.errors import NotHeld, StoreError
from energy.hours import Whole
from energy.numbering import UNKNOWN, Numbering, OwnNumbers
from energy.ports import LEDGER_PARTS, Marks
from energy.quantities import Kind, quantity
from energy.readings import Point, ReadingColumns

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS ledger.points (
    id integer PRIMARY KEY, meter text NOT NULL, quantity text NOT NULL, UNIQUE (meter, quantity));
CREATE SEQUENCE IF NOT EXISTS ledger.mark_numbers;
CREATE TABLE IF NOT EXISTS ledger.marks (
    id bigint PRIMARY KEY DEFAULT nextval('ledger.mark_numbers'), writer bigint, points integer[] NOT NULL,
    from_ms bigint[] NOT NULL);
ALTER TABLE ledger.marks ADD COLUMN IF NOT EXISTS made_by bigint;
ALTER TABLE ledger.marks ADD COLUMN IF NOT EXISTS made_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE TABLE IF NOT EXISTS ledger.parts (
    part integer PRIMARY KEY CHECK (part BETWEEN 0 AND {LEDGER_PARTS - 1}),
    holder bigint NOT NULL, upto bigint NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.opened (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), era bigint NOT NULL, alone boolean NOT NULL);
INSERT INTO ledger.opened (era, alone) VALUES (0, false) ON CONFLICT (one) DO NOTHING;
"""
_WAITING = f"""
SELECT point, min(since) FROM marks m, unnest(m.points, m.from_ms) AS of (point, since)
    LEFT JOIN parts p ON p.part = point % {LEDGER_PARTS}
WHERE writer IS NULL AND m.id <= $1 AND m.id > coalesce(p.upto, 0)
    AND ($2::integer[] IS NULL OR point % {LEDGER_PARTS} = ANY($2::integer[]))
GROUP BY point ORDER BY point
"""
_WAITED = f"""
SELECT extract(epoch FROM clock_timestamp() - made_at) FROM marks m
WHERE writer IS NULL AND EXISTS (
    SELECT FROM unnest(m.points) AS point LEFT JOIN parts p ON p.part = point % {LEDGER_PARTS}
    WHERE m.id > coalesce(p.upto, 0))
ORDER BY m.id LIMIT 1
"""
# The order is that in which parts are taken, so that nobody waits for whoever waits for him.
_WORKED_IN = """
UPDATE parts SET upto = greatest(parts.upto, $3) FROM
    (SELECT part FROM parts WHERE part = ANY($1::integer[]) AND holder = $2 ORDER BY part FOR UPDATE) AS own
WHERE parts.part = own.part RETURNING parts.part
"""
_FORGOTTEN = f"""
DELETE FROM marks WHERE writer IS NULL
    AND id <= (SELECT CASE count(*) WHEN {LEDGER_PARTS} THEN min(upto) ELSE 0 END FROM parts)
"""
# Marks are numbered in the order in which they can be seen, so that none is settled that was not read.
_LOCK = 5208219163725061975
# Whoever has the ledger open holds this with the others, or alone, for as long as he lives.
_OPEN = 5208219163725061981


@dataclass(frozen=True, slots=True)
class Announced:
    """A write that is under way: its number, the counters among its points, and the first instant of each."""

    id: int
    points: Sequence[int]
    from_ms: Sequence[int]


class PostgresMarks:
    """Points by their numbers, announcements and marks. A context: within it this process is a live writer."""

    def __init__(self, pool: Any, at: PostgresAddress, *, alone: bool = False) -> None:
        self._pool, self._at, self._alone = pool, at, alone
        self._points = Numbering()
        self._numbers = OwnNumbers(self._points.find_all)
        # By number, whether the ledger follows it.
        self._counters = np.empty(0, bool)
        self._writer, self._alive = 0, cast(Any, None)
        # The era in which we came in last, whether it is over, and that in which the work at hand began: None where
        # that is void.
        self._era, self._is_out, self._work_era = 0, False, cast(int | None, None)
        self._coming_in = asyncio.Lock()
        # Of this process, whatever becomes of its connections.
        self.me = secrets.randbits(62)

    async def __aenter__(self) -> Self:
        async with self._locked() as connection:
            await connection.execute(_SCHEMA)
        await self._live()
        self._work_era = self._era
        async with self._locked() as connection:
            await self._inherit(connection)
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
        return self._points.find(point) if point in self._points else None

    async def marks(self, parts: Collection[int] | None, shown_after_s: float | None) -> Marks:
        """Points of these parts with new readings, and since when; None for all.

        shown_after_s : marks of other processes that are younger wait, and what comes after them does, too. Where it is
        given, announcements of whoever has died meanwhile are marks. Work at the ledger begins with this.
        """
        await self._be_in()
        if self._work_era is None:
            self._work_era = self._era
        async with self._locked() as connection:
            await self._learn(connection)
            if shown_after_s is not None:
                await self._inherit(connection)
            last = await connection.fetchval("SELECT max(id) FROM marks WHERE writer IS NULL") or 0
            if shown_after_s:
                young = await connection.fetchval(
                    "SELECT min(id) FROM marks WHERE writer IS NULL AND made_by IS DISTINCT FROM $1 "
                    "AND made_at > clock_timestamp() - $2 * interval '1 second'",
                    self.me,
                    shown_after_s,
                )
                last = last if young is None else young - 1
            rows = await connection.fetch(_WAITING, last, None if parts is None else list(parts))
        return Marks(last, np.array([r[0] for r in rows], np.int64), np.array([r[1] for r in rows], np.int64))

    async def forget(self, connection: Any, upto: int, parts: Collection[int] | None) -> None:
        """Within a transaction: what was marked up to there is worked in. NotHeld where a part is another's."""
        if parts is None:
            await connection.execute("DELETE FROM marks WHERE id <= $1 AND writer IS NULL", upto)
            return
        if len(await connection.fetch(_WORKED_IN, sorted(parts), self.me, upto)) < len(parts):
            raise NotHeld("ledger: points that were worked in are another process's by now")
        await connection.execute(_FORGOTTEN)

    async def hold(self, connection: Any, parts: Collection[int]) -> None:
        """Within a transaction: these parts are ours; waits for what another one is just writing."""
        await self.must_be_in(connection)
        await connection.execute(
            "INSERT INTO parts SELECT part, $2, 0 FROM unnest($1::integer[]) AS part ORDER BY part "
            "ON CONFLICT (part) DO UPDATE SET holder = excluded.holder",
            sorted(parts),
            self.me,
        )

    async def must_hold(self, connection: Any, parts: Collection[int]) -> None:
        """Within a transaction: these parts are ours until it ends. NotHeld where one is another's."""
        ask = "SELECT part FROM parts WHERE part = ANY($1::integer[]) AND holder = $2 ORDER BY part FOR SHARE"
        if len(await connection.fetch(ask, sorted(parts), self.me)) < len(parts):
            raise NotHeld("ledger: points that were to be revised are another process's by now")

    async def learn(self) -> float | None:
        """Learn the points that others have numbered; how long the oldest reading has waited [s], None for none."""
        async with self._connection() as connection:
            await self._learn(connection)
            waited = await connection.fetchval(_WAITED)
        return None if waited is None else max(float(waited), 0.0)

    async def announce(self, columns: ReadingColumns) -> Announced | None:
        """Note that readings are about to be written; what to give to `confirm`. None where none of them counts."""
        numbers = await self._number(columns)
        points, from_ms = self._first_of_counters(numbers, columns.taken_at_ms)
        if not points:
            return None
        await self._be_in()
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
                insert = "INSERT INTO marks (points, from_ms, made_by) VALUES ($1, $2, $3)"
                await connection.execute(insert, announced.points, announced.from_ms, self.me)

    async def must_be_in(self, connection: Any) -> None:
        """At the beginning of a transaction: the era in which we came in goes on until that is over, or NotHeld."""
        # Whoever begins an era waits for those that hold this row.
        if await connection.fetchval("SELECT era FROM opened FOR SHARE") != self._era:
            self._is_out = True
            if self._alone:
                raise NotHeld("ledger: others have it open by now, since the connection to it was lost; begin anew")
            raise NotHeld("ledger: a command has had it for itself, since the connection to it was lost")

    async def must_go_on(self, connection: Any) -> None:
        """The same of the work at hand, which began with `marks`; it is void where an era was begun since."""
        if self._era != self._work_era:
            self._work_era = None
            raise NotHeld("ledger: a command has had it for itself, since this work began")
        try:
            await self.must_be_in(connection)
        except NotHeld:
            # Who has lost it for himself is done for: he never begins anew.
            self._work_era = self._work_era if self._alone else None
            raise

    async def _be_in(self) -> None:
        """Come in again where the connection was lost, or somebody had the ledger alone; StoreError while he has."""
        async with self._coming_in:
            if not self._alone and (self._is_out or self._alive.is_closed()):
                self._alive.terminate()
                await self._live()

    async def _live(self) -> None:
        """Be a live writer, under a number of one's own, for as long as this connection holds."""
        self._writer = secrets.randbits(62)
        self._alive = await self._at.connect({"application_name": "jieneng ledger writer"}, None)
        try:
            await self._come_in()
            await self._begin_era()
            await self._alive.execute("SELECT pg_advisory_lock($1)", self._writer)
        except BaseException:
            self._alive.terminate()
            raise

    async def _come_in(self) -> None:
        """Have the ledger open beside others who have, or alone; StoreError where that cannot be."""
        lock = "pg_try_advisory_lock" if self._alone else "pg_try_advisory_lock_shared"
        if await self._alive.fetchval(f"SELECT {lock}({_OPEN})"):
            return
        if self._alone:
            raise StoreError("ledger: other processes have it open; stop every process of the gateway first")
        raise StoreError("ledger: a command has it for itself, such as jieneng ledger; try again when that has ended")

    async def _begin_era(self) -> None:
        """Behind the lock: a new era where we are alone, or who came before us was; waits for who is just writing."""
        begun = "UPDATE ledger.opened SET era = era + 1, alone = $1 WHERE $1 OR alone"
        await self._alive.execute(begun, self._alone)
        self._era, self._is_out = await self._alive.fetchval("SELECT era FROM ledger.opened"), False

    async def _inherit(self, connection: Any) -> None:
        """Take what dead writers announced for marks."""
        for (writer,) in await connection.fetch("SELECT DISTINCT writer FROM marks WHERE writer <> $1", self._writer):
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
        fresh = [Point(intern(meter), intern(name)) for meter, name in rows[len(self._points) - known :]]
        self._counters = np.r_[self._counters, np.array([_is_counter(point) for point in fresh], bool)]
        for point in fresh:
            self._points.number(point)

    async def _number(self, columns: ReadingColumns) -> npt.NDArray[np.int32]:
        """(n,) the number of the point of each row; points that have none are numbered, and what is committed of that
        is learnt."""
        numbers = self._numbers.rows(columns)
        if not (unknown := numbers == UNKNOWN).any():
            return numbers
        used = [columns.points[i] for i in np.unique(columns.index[unknown]).tolist()]
        async with self._locked() as connection:
            await self._learn(connection)
            fresh = [p for p in used if p not in self._points]
            first = len(self._points)
            await connection.execute(
                "INSERT INTO points SELECT * FROM unnest($1::integer[], $2::text[], $3::text[])",
                list(range(first, first + len(fresh))),
                [p.meter for p in fresh],
                [p.quantity for p in fresh],
            )
        async with self._locked() as connection:
            await self._learn(connection)
        return self._numbers.rows(columns)

    def _first_of_counters(self, numbers: npt.NDArray[np.int32], t_ms: Whole) -> tuple[list[int], list[int]]:
        """The counters among these points of rows, and the first instant of each; the ledger holds nothing else."""
        counted = self._counters[numbers]
        points, at = np.unique(numbers[counted], return_inverse=True)
        first = np.full(len(points), np.iinfo(np.int64).max, np.int64)
        np.minimum.at(first, at, t_ms[counted])
        return points.tolist(), first.tolist()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Any]:
        """A transaction beside no other one of marks."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire() as connection:
                yield connection
        except (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST) as error:
            raise StoreError(f"ledger: {told(error)}") from error


def _is_counter(point: Point) -> bool:
    return quantity(point.quantity).kind is Kind.COUNTER
