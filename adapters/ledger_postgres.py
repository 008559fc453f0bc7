"""The ledger in PostgreSQL: consumption by hour, beside readings that lie in a store of their own.

Plain SQL, for the databases that speak as PostgreSQL does; columns travel as binary COPY. The hours are one table by
ranges of time, its rows keyed by point and hour; their days are kept in one transaction with them. Which readings are
new is noted around each write to the store (`marks_postgres`), since no transaction holds both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields
from functools import partial
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

from adapters.binary_copy import Columns, packed, unpacked
from adapters.ledger_citus import distribute
from adapters.ledger_fitting import fitting, index_by_hour
from adapters.ledger_sql import AS_SUMS, COLUMNS, SUMS, Where, amounts_over, sums_over
from adapters.marks_postgres import PostgresMarks
from adapters.postgres_address import LOST, PostgresAddress, told
from adapters.readings_marked import MarkedReadings
from adapters.registers_recent import RecentRegisters, Registers
from adapters.series_store import SeriesStore
from energy.errors import StoreError
from energy.hours import UNPRICED, Doubt, Hours, Small, Sums, Whole, by_day
from energy.ports import (
    LEDGER_PARTS,
    Basis,
    Marks,
    Numbers,
    RegisterStore,
    Revision,
    Revisions,
)
from energy.readings import LAST_MS, Point
from energy.series import Floats

_HOUR_KINDS: dict[str, type[np.integer]] = {
    "point": np.int32, "hour": np.int32,
    "amount": np.int64, "first_half": np.int64, "estimated": np.int64, "cost": np.int64,
    "measured_ms": np.int32, "estimated_ms": np.int32, "manual_ms": np.int32, "disputed_ms": np.int32,
}  # fmt: skip
_COLUMNS = ", ".join(_HOUR_KINDS)
_SUM_KINDS = {f.name: np.int64 for f in fields(Sums)}
# Hours of a table of its own: 92 days.
_SPAN_HOURS = 92 * 24
_SQL = {np.int32: "integer", np.int64: "bigint"}
_SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.hour_rows (
    {", ".join(f"{name} {_SQL[kind]} NOT NULL" for name, kind in _HOUR_KINDS.items())}, PRIMARY KEY (point, hour)
) PARTITION BY RANGE (hour);
CREATE OR REPLACE VIEW ledger.hours AS SELECT {_COLUMNS.replace("cost", f"nullif(cost, '{UNPRICED}'::bigint) AS cost")}
    FROM ledger.hour_rows;
CREATE TABLE IF NOT EXISTS ledger.days (
    point integer NOT NULL, day integer NOT NULL, {", ".join(f"{c} bigint NOT NULL" for c in COLUMNS)},
    PRIMARY KEY (point, day));
CREATE TABLE IF NOT EXISTS ledger.bases (point integer PRIMARY KEY, register text NOT NULL, price text NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.doubts (
    point integer NOT NULL, kind text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL);
CREATE INDEX IF NOT EXISTS doubts_of_points ON ledger.doubts (point, to_ms);
CREATE TABLE IF NOT EXISTS ledger.progress (job text PRIMARY KEY, at_ms bigint NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.revisions (
    id bigserial PRIMARY KEY, made_by bigint NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    points integer[] NOT NULL, hours integer[] NOT NULL);
"""
# Revisions are numbered in the order in which they can be seen, so that who follows passes over none.
_REVISIONS_LOCK = 5208219163725061978
# So long a revision is told to those who follow; who was away for longer begins anew.
_TOLD_FOR_S = 600
# Whoever opens the ledger makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061974
# Rows that go are asked for once each: what is remembered of one answers for no other (`enable_memoize`).
_SETTINGS = {"application_name": "jieneng ledger", "search_path": "ledger", "jit": "off", "enable_memoize": "off"}
_PATIENCE_S = 600.0


@asynccontextmanager
async def open_postgres_ledger(
    address: str, readings: RegisterStore
) -> AsyncIterator[tuple[MarkedReadings, PostgresLedger]]:
    """The ledger in the database at an address, made if it is not there; and the readings, to be written through."""
    at = PostgresAddress.parse(address, "ledger")
    pool = await at.pool(await fitting(at, _SETTINGS, _PATIENCE_S), _PATIENCE_S)
    try:
        async with _alone(pool) as connection:
            await connection.execute(_SCHEMA)
            await index_by_hour(connection)
        async with PostgresMarks(pool, at) as marks:
            await distribute(partial(_alone, pool))
            ledger = PostgresLedger(pool, marks, readings)
            marked = MarkedReadings(readings, marks, ledger.recent)
            if isinstance(readings, SeriesStore):
                await readings.tell_of_again(marked.mark)
            yield marked, ledger
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreError(f"ledger: {told(error)}") from error
    finally:
        await pool.close()


@asynccontextmanager
async def _alone(pool: Any) -> AsyncIterator[Any]:
    """A transaction that changes what tables there are, beside no other one."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


class PostgresLedger:
    """Fulfils `Ledger`. What is written to `readings` is known here by the marks that `MarkedReadings` makes."""

    def __init__(self, pool: Any, marks: PostgresMarks, readings: RegisterStore) -> None:
        self._pool, self._marks, self._readings = pool, marks, readings
        self.recent = RecentRegisters(self._registers)
        self._spans: set[int] = set()
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
        numbers = np.unique(np.asarray(points, np.int64))
        # All readings of all points would be too many to be remembered.
        near = await self.recent.look(numbers, from_ms) if from_ms > 0 else numbers[:0]
        known = self.recent.spans(near, from_ms)
        others = numbers[~np.isin(numbers, known[0])]
        spans = await self._readings.spans([self.points[n] for n in others.tolist()], from_ms)
        both = zip(known, (others[spans.index], spans.n, spans.first_ms, spans.last_ms), strict=True)
        joined = [np.concatenate(pair) for pair in both]
        number, n, first_ms, last_ms = (column[np.argsort(joined[0], kind="stable")] for column in joined)
        return number, n, first_ms, last_ms

    async def registers(self, points: Numbers, from_ms: int) -> tuple[Small, Whole, Floats]:
        numbers = np.unique(np.asarray(points, np.int64))
        known = await self.recent.remembered(numbers, from_ms)
        found = self.recent.registers(known, from_ms)
        if len(known) == len(numbers):
            return found
        others = await self._registers(numbers[~np.isin(numbers, known)].tolist(), from_ms)
        if len(known) == 0:
            return others
        number = np.concatenate([found[0], others[0]])
        order = np.argsort(number, kind="stable")
        return number[order], np.concatenate([found[1], others[1]])[order], np.concatenate([found[2], others[2]])[order]

    async def _registers(self, numbers: Sequence[int], from_ms: int) -> Registers:
        """The same from the store; numbers ascend."""
        found = await self._readings.readings([self.points[n] for n in numbers], from_ms, LAST_MS + 1)
        found = found.take(found.counted)
        # The store leaves out points that it never saw.
        own = np.array([self.number(p) for p in found.points], np.int32)
        return own[found.index], found.taken_at_ms, found.value

    async def last_before(self, point: int, before_ms: int) -> int | None:
        return await self._readings.last_before(self.points[point], before_ms)

    # -- hours ----------------------------------------------------------------------------------------------------

    async def revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        incoming = await asyncio.to_thread(_incoming, fresh)
        point, hour = np.asarray(stale[0], np.int32), np.asarray(stale[1], np.int32)
        await self._make_room(fresh.hour)
        async with self._transaction() as connection:
            points = np.unique(np.r_[point, fresh.point])
            await self._must_hold(connection, points)
            gone = await self._remove(connection, point, hour)
            if len(fresh):
                await _copy(connection, "hour_rows", incoming)
            await _add_to_days(connection, await asyncio.to_thread(_change, gone, fresh))
            await self._tell(connection, points, np.unique(np.r_[hour, fresh.hour]))

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
        await _copy(connection, "stale", {"point": point, "hour": hour}, schema="pg_temp")
        await connection.execute("ANALYZE stale")
        returning = ", ".join(f"t.{name}" for name in _HOUR_KINDS)
        gone = await _read(
            connection,
            "DELETE FROM hour_rows t USING stale s WHERE t.point = s.point AND t.hour = s.hour "
            f"AND t.hour BETWEEN {int(hour.min())} AND {int(hour.max())} "
            f"AND t.point BETWEEN {int(point.min())} AND {int(point.max())} RETURNING {returning}",
            _HOUR_KINDS,
        )
        return Hours(**gone)

    async def _make_room(self, hour: Small) -> None:
        """Tables for the ranges of time that have none; in a transaction of its own, since to make one waits for
        everybody who reads or writes hours, and on Citus may not come after rows in the same."""
        missing = set(np.unique(hour // _SPAN_HOURS).tolist()) - self._spans
        if not missing:
            return
        with self._told():
            async with _alone(self._pool) as connection:
                for span in sorted(missing):
                    await connection.execute(
                        f"CREATE TABLE IF NOT EXISTS hour_rows_{span} PARTITION OF hour_rows "
                        f"FOR VALUES FROM ({span * _SPAN_HOURS}) TO ({(span + 1) * _SPAN_HOURS})"
                    )
        self._spans |= missing

    async def hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        where = f"{Where(points)} AND hour >= {int(from_hour)} AND hour < {int(to_hour)}"
        async with self._connection() as connection:
            found = Hours(**await _read(connection, f"SELECT {_COLUMNS} FROM hour_rows WHERE {where}", _HOUR_KINDS))
        return found if np.all(found.key[1:] > found.key[:-1]) else found.take(np.argsort(found.key, kind="stable"))

    async def amounts(self, points: Numbers, from_hour: int, to_hour: int, known_ms: int) -> tuple[Small, Small, Whole]:
        rows = amounts_over("hour_rows", points, from_hour, to_hour, known_ms)
        async with self._connection() as connection:
            found = await _read(connection, rows, {n: _HOUR_KINDS[n] for n in ("point", "hour", "amount")})
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
            found = await _read(connection, f"{summed} ORDER BY {by}", _SUM_KINDS)
        return Sums(**found)

    # -- doubts ---------------------------------------------------------------------------------------------------

    async def doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        new = [d for d in doubts if d.to_ms >= from_ms[d.point]]
        columns = [[getattr(d, name) for d in new] for name in ("point", "kind", "from_ms", "to_ms")]
        async with self._transaction() as connection:
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
        async with self._connection() as connection:
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
    return {name: np.asarray(getattr(fresh, name), kind) for name, kind in _HOUR_KINDS.items()}


def _change(gone: Hours, fresh: Hours) -> dict[str, npt.NDArray[Any]]:
    """What a revision adds to each day of each point; less than nothing where rows were taken away."""
    parts = []
    for rows, sign in ((gone, -1), (fresh, 1)):
        point, days = by_day(rows)
        parts.append(np.stack([point, days.of, *(sign * getattr(days, c) for c in COLUMNS)]))
    both = np.concatenate(parts, axis=1)
    key = (both[0] << 32) + both[1]
    order = np.argsort(key, kind="stable")
    both, key = both[:, order], key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, np.int64)
    added = np.add.reduceat(both[2:], starts, axis=1) if len(key) else both[2:]
    told_by = {"point": both[0][starts].astype(np.int32), "day": both[1][starts].astype(np.int32)}
    changed = np.any(added != 0, axis=0)
    columns = told_by | dict(zip(COLUMNS, added, strict=True))
    return {name: column[changed] for name, column in columns.items()}


async def _add_to_days(connection: Any, change: Columns) -> None:
    if len(change["point"]) == 0:
        return
    await connection.execute("CREATE TEMP TABLE change (LIKE days) ON COMMIT DROP")
    await _copy(connection, "change", change, schema="pg_temp")
    added = ", ".join(f"{c} = days.{c} + excluded.{c}" for c in COLUMNS)
    await connection.execute(
        f"INSERT INTO days SELECT * FROM change ORDER BY point, day ON CONFLICT (point, day) DO UPDATE SET {added}"
    )
    if np.any(change["rows"] < 0):
        await connection.execute(
            "DELETE FROM days d USING change c WHERE d.point = c.point AND d.day = c.day AND d.rows = 0"
        )


async def _copy(connection: Any, table: str, columns: Columns, schema: str = "ledger") -> None:
    source = await asyncio.to_thread(packed, columns)
    await connection.copy_to_table(table, source=source, columns=list(columns), format="binary", schema_name=schema)


async def _read(connection: Any, query: str, kinds: Mapping[str, type[np.generic]]) -> dict[str, npt.NDArray[Any]]:
    """What a query answers, whose columns are of these types and never NULL."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await connection.copy_from_query(query, output=take, format="binary")
    return await asyncio.to_thread(lambda: unpacked(b"".join(parts), kinds))
