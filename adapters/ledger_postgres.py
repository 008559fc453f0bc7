"""The ledger in PostgreSQL: consumption by hour, beside readings that lie in a store of their own.

Plain SQL, for the databases that speak as PostgreSQL does; columns travel as binary COPY. The hours are one table by
ranges of time, its rows keyed by point and hour; their days are kept in one transaction with them. Which readings are
new is noted around each write to the store (`marks_postgres`), since no transaction holds both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

from adapters.binary_copy import Columns, copy_in, copy_out
from adapters.ledger_citus import distribute
from adapters.ledger_days_postgres import add_to_days, change_of
from adapters.ledger_fitting import fitting, index_by_hour
from adapters.ledger_registers import LedgerRegisters
from adapters.ledger_sql import AS_SUMS, SUMS, Where, amounts_over, sums_over
from adapters.ledger_tables_postgres import HOUR_COLUMNS, HOUR_KINDS, SCHEMA, SUM_KINDS, Spans, changing_tables
from adapters.marks_postgres import PostgresMarks
from adapters.postgres_address import LOST, PostgresAddress, told
from adapters.readings_marked import MarkedReadings
from adapters.registers_recent import REMEMBERED_MB
from adapters.series_store import SeriesStore
from energy.errors import NotHeld, StoreError
from energy.hours import Doubt, Hours, Small, Sums, Whole
from energy.ports import LEDGER_PARTS, Basis, Marks, Numbers, RegisterStore, Revision, Revisions
from energy.readings import Point
from energy.series import Floats

# Revisions are numbered in the order in which they can be seen, so that who follows passes over none.
_REVISIONS_LOCK = 5208219163725061978
# So long a revision is told to those who follow; who was away for longer begins anew.
_TOLD_FOR_S = 600
# Rows that go are asked for once each: what is remembered of one answers for no other (`enable_memoize`).
_SETTINGS = {"application_name": "jieneng ledger", "search_path": "ledger", "jit": "off", "enable_memoize": "off"}
_PATIENCE_S = 600.0


@asynccontextmanager
async def open_postgres_ledger(
    address: str, readings: RegisterStore, remembered_mb: int = REMEMBERED_MB, *, alone: bool = False
) -> AsyncIterator[tuple[MarkedReadings, PostgresLedger]]:
    """The ledger in the database at an address, made if it is not there; and the readings, to be written through.

    remembered_mb : how much memory registers of the last weeks may take. alone : nobody else has it open meanwhile;
    StoreError where somebody has.
    """
    at = PostgresAddress.parse(address, "ledger")
    pool = await at.pool(await fitting(at, _SETTINGS, _PATIENCE_S), _PATIENCE_S)
    try:
        async with changing_tables(pool) as connection:
            await connection.execute(SCHEMA)
            await index_by_hour(connection)
        async with PostgresMarks(pool, at, alone=alone) as marks:
            await distribute(partial(changing_tables, pool))
            ledger = PostgresLedger(pool, marks, readings, remembered_mb)
            marked = MarkedReadings(readings, marks, ledger.recent)
            if isinstance(readings, SeriesStore):
                await readings.tell_of_again(marked.mark)
            yield marked, ledger
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"ledger: {told(error)}") from error
    finally:
        await pool.close()


class PostgresLedger:
    """Fulfils `Ledger`. What is written to `readings` is known here by the marks that `MarkedReadings` makes."""

    def __init__(self, pool: Any, marks: PostgresMarks, readings: RegisterStore, remembered_mb: int) -> None:
        self._pool, self._marks, self._readings = pool, marks, readings
        self._registers = LedgerRegisters(marks, readings, remembered_mb)
        self.recent = self._registers.recent
        self._spans = Spans()
        self._is_one_of_several = False

    @property
    def points(self) -> Sequence[Point]:
        return self._marks.points

    def number(self, point: Point) -> int | None:
        return self._marks.number(point)

    # -- what must be made anew -----------------------------------------------------------------------------------

    async def hold(self, parts: Collection[int]) -> None:
        self._is_one_of_several = True
        # While others held them their marks were not seen here.
        self.recent.forget()
        async with self._transaction() as connection:
            await self._marks.hold(connection, parts)

    async def revisions(self, after: int | None) -> Revisions:
        waiting_s = await self._marks.learn()
        async with self._connection() as connection:
            ends = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM revisions"
            first, last = await connection.fetchrow(ends)
            if after is None or after == last:
                return Revisions(last, waiting_s=waiting_s)
            if not first - 1 <= after < last:
                return Revisions(last, lost=True, waiting_s=waiting_s)
            rows = await connection.fetch(
                "SELECT points, hours FROM revisions WHERE id > $1 AND id <= $2 AND made_by <> $3 ORDER BY id",
                after,
                last,
                self._marks.me,
            )
        made = [Revision(np.array(points, np.int64), np.array(hours, np.int64)) for points, hours in rows]
        return Revisions(last, made, waiting_s=waiting_s)

    async def marks(self, parts: Collection[int] | None = None, *, shown: bool = False) -> Marks:
        found = await self._marks.marks(parts, self._readings.shown_after_s if shown else None)
        self.recent.changed(found.point.tolist(), found.from_ms.tolist())
        return found

    async def bases(self) -> dict[int, Basis]:
        async with self._connection() as connection:
            rows = await connection.fetch("SELECT point, register, price FROM bases")
        return {point: Basis(register, price) for point, register, price in rows}

    async def settle(self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None = None) -> None:
        async with self._transaction() as connection:
            await self._must_go_on(connection)
            await self._marks.forget(connection, upto, parts)
            await self._must_hold(connection, np.array(list(bases), np.int64))
            columns = list(bases), [b.register for b in bases.values()], [b.price for b in bases.values()]
            await connection.execute(
                "INSERT INTO bases SELECT * FROM unnest($1::integer[], $2::text[], $3::text[]) "
                "ON CONFLICT (point) DO UPDATE SET register = excluded.register, price = excluded.price",
                *columns,
            )

    # -- registers ------------------------------------------------------------------------------------------------

    async def counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        return await self._registers.counts(points, from_ms)

    async def registers(self, points: Numbers, from_ms: int) -> tuple[Small, Whole, Floats]:
        return await self._registers.registers(points, from_ms)

    async def last_before(self, point: int, before_ms: int) -> int | None:
        return await self._registers.last_before(point, before_ms)

    # -- hours ----------------------------------------------------------------------------------------------------

    async def revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        incoming = await asyncio.to_thread(_incoming, fresh)
        point, hour = np.asarray(stale[0], np.int32), np.asarray(stale[1], np.int32)
        with self._told():
            await self._spans.make(self._pool, fresh.hour)
        async with self._transaction() as connection:
            points = np.unique(np.r_[point, fresh.point])
            await self._must_go_on(connection)
            await self._must_hold(connection, points)
            gone = await self._remove(connection, point, hour)
            if len(fresh):
                await copy_in(connection, "hour_rows", incoming, "ledger")
            await add_to_days(connection, await asyncio.to_thread(change_of, gone, fresh))
            await self._tell(connection, points, np.unique(np.r_[hour, fresh.hour]))

    async def _must_go_on(self, connection: Any) -> None:
        """At the beginning of a transaction: be sure that nobody had or has the ledger for himself meanwhile."""
        try:
            await self._marks.must_go_on(connection)
        except NotHeld:
            self.recent.forget()
            raise

    async def _must_hold(self, connection: Any, points: npt.NDArray[Any]) -> None:
        """Within a transaction: be sure that nobody else revises these points."""
        if self._is_one_of_several and len(points):
            await self._marks.must_hold(connection, np.unique(points % LEDGER_PARTS).tolist())

    async def _tell(self, connection: Any, points: npt.NDArray[Any], hours: npt.NDArray[Any]) -> None:
        """At the end of a transaction: tell those who follow what it changes."""
        await connection.execute(f"SELECT pg_advisory_xact_lock({_REVISIONS_LOCK})")
        insert = "INSERT INTO revisions (made_by, points, hours) VALUES ($1, $2, $3)"
        await connection.execute(insert, self._marks.me, points.tolist(), hours.tolist())

    async def _remove(self, connection: Any, point: Small, hour: Small) -> Hours:
        """Take rows away; those that were there."""
        if len(point) == 0:
            return Hours.none()
        await connection.execute("CREATE TEMP TABLE stale (point integer, hour integer) ON COMMIT DROP")
        await copy_in(connection, "stale", {"point": point, "hour": hour}, "pg_temp")
        await connection.execute("ANALYZE stale")
        returning = ", ".join(f"t.{name}" for name in HOUR_KINDS)
        gone = await copy_out(
            connection,
            "DELETE FROM hour_rows t USING stale s WHERE t.point = s.point AND t.hour = s.hour "
            f"AND t.hour BETWEEN {int(hour.min())} AND {int(hour.max())} "
            f"AND t.point BETWEEN {int(point.min())} AND {int(point.max())} RETURNING {returning}",
            HOUR_KINDS,
        )
        return Hours(**gone)

    async def hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        where = f"{Where(points)} AND hour >= {int(from_hour)} AND hour < {int(to_hour)}"
        async with self._connection() as connection:
            found = Hours(
                **await copy_out(connection, f"SELECT {HOUR_COLUMNS} FROM hour_rows WHERE {where}", HOUR_KINDS)
            )
        return found if np.all(found.key[1:] > found.key[:-1]) else found.take(np.argsort(found.key, kind="stable"))

    async def amounts(self, points: Numbers, from_hour: int, to_hour: int, known_ms: int) -> tuple[Small, Small, Whole]:
        rows = amounts_over("hour_rows", points, from_hour, to_hour, known_ms)
        async with self._connection() as connection:
            found = await copy_out(connection, rows, {n: HOUR_KINDS[n] for n in ("point", "hour", "amount")})
        return found["point"], found["hour"], found["amount"]

    async def totals(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        return await self._sums("point", sums_over(str(Where(points)), int(from_hour), int(to_hour)))

    async def curve(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        where = f"{Where(points)} AND hour >= {int(from_hour)} AND hour < {int(to_hour)}"
        return await self._sums("hour", f"SELECT hour, {AS_SUMS} FROM hours WHERE {where}")

    async def days(self, points: Numbers, from_day: int, to_day: int) -> Sums:
        where = f"{Where(points)} AND day >= {int(from_day)} AND day < {int(to_day)}"
        return await self._sums("day", f"SELECT * FROM days WHERE {where}")

    async def _sums(self, by: str, rows: str) -> Sums:
        summed = f"SELECT {by}::bigint AS of, {SUMS} FROM ({rows}) AS r GROUP BY {by} HAVING sum(rows) <> 0"
        async with self._connection() as connection:
            found = await copy_out(connection, f"{summed} ORDER BY {by}", SUM_KINDS)
        return Sums(**found)

    # -- doubts ---------------------------------------------------------------------------------------------------

    async def doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        new = [d for d in doubts if d.to_ms >= from_ms[d.point]]
        columns = [[getattr(d, name) for d in new] for name in ("point", "kind", "from_ms", "to_ms")]
        async with self._transaction() as connection:
            await self._must_go_on(connection)
            await self._must_hold(connection, np.array(list(from_ms), np.int64))
            await connection.execute(
                "DELETE FROM doubts d USING unnest($1::integer[], $2::bigint[]) AS since (point, from_ms) "
                "WHERE d.point = since.point AND d.to_ms >= since.from_ms",
                list(from_ms),
                list(from_ms.values()),
            )
            await connection.execute(
                "INSERT INTO doubts SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[])",
                *columns,
            )

    async def doubts(self, points: Numbers, from_ms: int, to_ms: int) -> list[Doubt]:
        async with self._connection() as connection:
            rows = await connection.fetch(
                f"SELECT point, kind, from_ms, to_ms FROM doubts WHERE {Where(points)} "
                f"AND to_ms >= {int(from_ms)} AND from_ms < {int(to_ms)} ORDER BY from_ms, point"
            )
        return [Doubt(*row) for row in rows]

    async def reached(self, job: str) -> int | None:
        async with self._connection() as connection:
            found = await connection.fetchval("SELECT at_ms FROM progress WHERE job = $1", job)
        return None if found is None else int(found)

    async def reach(self, jobs: Mapping[str, int]) -> None:
        async with self._transaction() as connection:
            await self._marks.must_be_in(connection)
            await connection.execute(
                "INSERT INTO progress SELECT * FROM unnest($1::text[], $2::bigint[]) "
                "ON CONFLICT (job) DO UPDATE SET at_ms = excluded.at_ms",
                list(jobs),
                list(jobs.values()),
            )

    async def maintain(self, now_ms: int) -> None:
        """The database keeps its own order; what was told to those who follow is let go of when it is old."""
        async with self._connection() as connection:
            await connection.execute(
                "DELETE FROM revisions WHERE made_at < clock_timestamp() - $1 * interval '1 second' "
                "AND id < (SELECT max(id) FROM revisions)",
                float(_TOLD_FOR_S),
            )

    # -- connections ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        with self._told():
            async with self._pool.acquire() as connection:
                yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, *LOST) as error:
            raise StoreError(f"ledger: {told(error)}") from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        """All or nothing, on disk at the end."""
        async with self._connection() as connection, connection.transaction():
            yield connection


def _incoming(fresh: Hours) -> Columns:
    """The rows as they are kept; ValueError where columns differ in length."""
    if len({len(column) for column in fresh.columns().values()}) != 1:
        raise StoreError("ledger: the columns of a revision differ in length")
    return {name: np.asarray(getattr(fresh, name), kind) for name, kind in HOUR_KINDS.items()}
