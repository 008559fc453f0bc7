"""The ledger in the file of the readings: consumption by hour, what it was made under, and what must be made anew.

As with readings, `hours_recent` takes rows as they come and `hours_closed` holds sorted runs; there is no primary key.
What the hours of a day come to stands beside them (`ledger_days_duckdb`). Which readings are new since the ledger was
made stands in `marks`, written in one transaction with the readings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields

import duckdb
import numpy as np
import numpy.typing as npt

from adapters.batches import ascending
from adapters.ledger_days_duckdb import Days
from adapters.ledger_sql import AS_SUMS, SUMS, Where, amounts_over, sums_over
from adapters.readings_duckdb import COUNTED, DuckDBReadings
from energy.hours import HOUR_MS, UNPRICED, Doubt, Hours, Small, Sums, Whole
from energy.ports import LEDGER_PARTS, Basis, Marks, Numbers, Revisions
from energy.readings import Point

_SCHEMA = """
CREATE TABLE IF NOT EXISTS hours_recent (
    point INTEGER NOT NULL, hour INTEGER NOT NULL,
    amount BIGINT NOT NULL, first_half BIGINT NOT NULL, estimated BIGINT NOT NULL, cost BIGINT,
    measured_ms INTEGER NOT NULL, estimated_ms INTEGER NOT NULL,
    manual_ms INTEGER NOT NULL, disputed_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hours_closed (
    point INTEGER NOT NULL, hour INTEGER NOT NULL,
    amount BIGINT NOT NULL, first_half BIGINT NOT NULL, estimated BIGINT NOT NULL, cost BIGINT,
    measured_ms INTEGER NOT NULL, estimated_ms INTEGER NOT NULL,
    manual_ms INTEGER NOT NULL, disputed_ms INTEGER NOT NULL);
CREATE OR REPLACE VIEW hours AS SELECT * FROM hours_closed UNION ALL SELECT * FROM hours_recent;
CREATE TABLE IF NOT EXISTS bases (point INTEGER NOT NULL, register VARCHAR NOT NULL, price VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS doubts (
    point INTEGER NOT NULL, kind VARCHAR NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS progress (job VARCHAR PRIMARY KEY, at_ms BIGINT NOT NULL);
"""
_COLUMNS = "point, hour, amount, first_half, estimated, cost, measured_ms, estimated_ms, manual_ms, disputed_ms"
_COST = f"CASE WHEN cost = {UNPRICED} THEN NULL ELSE cost END"
_PRICED = _COLUMNS.replace("cost", f"coalesce(cost, {UNPRICED}) AS cost")
# A run of that many rows is sorted well enough to stay as it is.
_LARGE = 65_536
# What is older is no longer written to, as a rule.
_SETTLED_HOURS = 24
_SORT_SPAN_HOURS = 32 * 24


class DuckDBLedger:
    """Fulfils `Ledger` over the store that owns the file."""

    def __init__(self, store: DuckDBReadings) -> None:
        self._store = store
        store.connection.execute(_SCHEMA)
        self._days = Days(store.connection)

    @property
    def points(self) -> Sequence[Point]:
        return self._store.numbered

    def number(self, point: Point) -> int | None:
        return self._store.number(point)

    # -- what must be made anew -----------------------------------------------------------------------------------

    async def hold(self, parts: Collection[int]) -> None:
        """The file is one process's, and all in it."""

    async def revisions(self, after: int | None) -> Revisions:
        """There is nobody else to change anything."""
        return Revisions(0)

    async def marks(self, parts: Collection[int] | None = None, *, shown: bool = False) -> Marks:
        return await self._store.read(self._marks, parts)

    def _marks(self, parts: Collection[int] | None) -> Marks:
        found = self._store.select(
            f"SELECT point, min(from_ms) AS from_ms, max(id) AS id FROM marks WHERE {_of_parts(parts)} "
            "GROUP BY point ORDER BY point"
        )
        last = int(found["id"].max()) if len(found["id"]) else 0
        return Marks(last, found["point"].astype(np.int64), found["from_ms"].astype(np.int64))

    async def bases(self) -> dict[int, Basis]:
        return await self._store.read(self._bases)

    def _bases(self) -> dict[int, Basis]:
        found = self._store.select("SELECT point, register, price FROM bases")
        rows = zip(found["point"].tolist(), found["register"].tolist(), found["price"].tolist(), strict=True)
        return {point: Basis(register, price) for point, register, price in rows}

    async def settle(self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None = None) -> None:
        await self._store.change(self._settle, upto, bases, parts)

    def _settle(self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None) -> None:
        with self._store.transaction() as connection:
            connection.execute(f"DELETE FROM marks WHERE id <= {int(upto)} AND {_of_parts(parts)}")
            if bases:
                connection.execute(f"DELETE FROM bases WHERE {Where(list(bases))}")
                rows = {  # noqa: F841 - DuckDB finds it by its name
                    "point": np.array(list(bases), np.int32),
                    "register": np.array([b.register for b in bases.values()], dtype=object),
                    "price": np.array([b.price for b in bases.values()], dtype=object),
                }
                connection.execute("INSERT INTO bases SELECT point, register, price FROM rows")

    # -- registers ------------------------------------------------------------------------------------------------

    async def counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        return await self._store.read(self._counts, points, from_ms)

    def _counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        found = self._store.select(
            "SELECT point, count(*) AS n, min(taken_at_ms) AS first, max(taken_at_ms) AS last FROM readings "
            f"WHERE {Where(points)} AND taken_at_ms >= {int(from_ms)} GROUP BY point ORDER BY point"
        )
        point, n, first, last = (found[name].astype(np.int64) for name in ("point", "n", "first", "last"))
        return point, n, first, last

    async def registers(
        self, points: Numbers, from_ms: int
    ) -> tuple[npt.NDArray[np.int32], Whole, npt.NDArray[np.float64]]:
        return await self._store.read(self._registers, points, from_ms)

    def _registers(self, points: Numbers, from_ms: int) -> tuple[npt.NDArray[np.int32], Whole, npt.NDArray[np.float64]]:
        found = self._store.select(
            f"SELECT point, taken_at_ms, value FROM readings WHERE {Where(points)} "
            f"AND taken_at_ms >= {int(from_ms)} AND {COUNTED}"
        )
        point, t_ms, value = found["point"], found["taken_at_ms"], found["value"]
        if not ascending(point, t_ms):
            order = np.lexsort((t_ms, point))
            point, t_ms, value = point[order], t_ms[order], value[order]
        return point, t_ms, value

    async def last_before(self, point: int, before_ms: int) -> int | None:
        return await self._store.read(self._store.last_instant, point, before_ms)

    # -- hours ----------------------------------------------------------------------------------------------------

    async def revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        await self._store.change(self._revise, stale, fresh)

    def _revise(self, stale: tuple[Numbers, Numbers], fresh: Hours) -> None:
        with self._store.transaction() as connection:
            gone = self._remove(connection, np.asarray(stale[0], np.int32), np.asarray(stale[1], np.int32))
            large = len(fresh) >= _LARGE
            if len(fresh):
                table = "hours_closed" if large else "hours_recent"
                rows = fresh.columns()  # noqa: F841 - DuckDB finds it by its name
                connection.execute(f"INSERT INTO {table} SELECT {_COLUMNS.replace('cost', _COST)} FROM rows")
            self._days.change(connection, gone, fresh, large=large)

    def _remove(
        self, connection: duckdb.DuckDBPyConnection, point: npt.NDArray[np.int32], hour: npt.NDArray[np.int32]
    ) -> Hours:
        """Take rows away; those that were there."""
        if len(point) == 0:
            return Hours.none()
        stale = {"point": point, "hour": hour}  # noqa: F841 - DuckDB finds it by its name
        span = f"hour BETWEEN {int(hour.min())} AND {int(hour.max())}"
        gone = []
        for table in ("hours_recent", "hours_closed"):
            found = connection.execute(
                f"DELETE FROM {table} t USING stale s WHERE t.point = s.point AND t.hour = s.hour "
                f"AND t.{span} AND t.point BETWEEN {int(point.min())} AND {int(point.max())} RETURNING {_PRICED}"
            )
            gone.append(_hours(found.fetchnumpy()))
        return Hours.joined(gone)

    async def hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        return await self._store.read(self._hours, points, from_hour, to_hour)

    def _hours(self, points: Numbers, from_hour: int, to_hour: int) -> Hours:
        found = self._store.select(
            f"SELECT {_PRICED} FROM hours WHERE {Where(points)} AND hour >= {int(from_hour)} AND hour < {int(to_hour)}"
        )
        rows = _hours(found)
        return rows if np.all(rows.key[1:] > rows.key[:-1]) else rows.take(np.argsort(rows.key, kind="stable"))

    async def amounts(self, points: Numbers, from_hour: int, to_hour: int, known_ms: int) -> tuple[Small, Small, Whole]:
        found = await self._store.read(self._store.select, amounts_over("hours", points, from_hour, to_hour, known_ms))
        return found["point"], found["hour"], found["amount"]

    async def totals(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        rows = sums_over(str(Where(points)), int(from_hour), int(to_hour))
        return await self._store.read(self._sums, "point", rows)

    async def curve(self, points: Numbers, from_hour: int, to_hour: int) -> Sums:
        where = f"{Where(points)} AND hour >= {int(from_hour)} AND hour < {int(to_hour)}"
        return await self._store.read(self._sums, "hour", f"SELECT hour, {AS_SUMS} FROM hours WHERE {where}")

    async def days(self, points: Numbers, from_day: int, to_day: int) -> Sums:
        where = f"{Where(points)} AND day >= {int(from_day)} AND day < {int(to_day)}"
        return await self._store.read(self._sums, "day", f"SELECT * FROM days WHERE {where}")

    def _sums(self, by: str, rows: str) -> Sums:
        found = self._store.select(
            f"SELECT {by} AS of, {SUMS} FROM ({rows}) AS r GROUP BY {by} HAVING sum(rows) <> 0 ORDER BY {by}"
        )
        return Sums(**{f.name: np.asarray(found[f.name], np.int64) for f in fields(Sums)})

    # -- doubts ---------------------------------------------------------------------------------------------------

    async def doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        await self._store.change(self._doubt, from_ms, doubts)

    def _doubt(self, from_ms: Mapping[int, int], doubts: Sequence[Doubt]) -> None:
        since = {  # noqa: F841 - DuckDB finds it by its name
            "point": np.array(list(from_ms), np.int32),
            "from_ms": np.array(list(from_ms.values()), np.int64),
        }
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM doubts d USING since s WHERE d.point = s.point AND d.to_ms >= s.from_ms")
            new = [d for d in doubts if d.to_ms >= from_ms[d.point]]
            if new:
                rows = {  # noqa: F841 - DuckDB finds it by its name
                    "point": np.array([d.point for d in new], np.int32),
                    "kind": np.array([d.kind for d in new], dtype=object),
                    "from_ms": np.array([d.from_ms for d in new], np.int64),
                    "to_ms": np.array([d.to_ms for d in new], np.int64),
                }
                connection.execute("INSERT INTO doubts SELECT point, kind, from_ms, to_ms FROM rows")

    async def doubts(self, points: Numbers, from_ms: int, to_ms: int) -> list[Doubt]:
        return await self._store.read(self._doubts, points, from_ms, to_ms)

    def _doubts(self, points: Numbers, from_ms: int, to_ms: int) -> list[Doubt]:
        found = self._store.select(
            f"SELECT point, kind, from_ms, to_ms FROM doubts WHERE {Where(points)} "
            f"AND to_ms >= {int(from_ms)} AND from_ms < {int(to_ms)} ORDER BY from_ms, point"
        )
        rows = zip(*(found[n].tolist() for n in ("point", "kind", "from_ms", "to_ms")), strict=True)
        return [Doubt(*row) for row in rows]

    # -- jobs -----------------------------------------------------------------------------------------------------

    async def reached(self, job: str) -> int | None:
        return await self._store.read(self._reached, job)

    def _reached(self, job: str) -> int | None:
        found = self._store.select("SELECT job, at_ms FROM progress")
        return dict(zip(found["job"].tolist(), found["at_ms"].tolist(), strict=True)).get(job)

    async def reach(self, jobs: Mapping[str, int]) -> None:
        await self._store.change(self._reach, jobs)

    def _reach(self, jobs: Mapping[str, int]) -> None:
        with self._store.transaction() as connection:
            for job, at_ms in jobs.items():
                connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?)", [job, at_ms])

    # -- order ----------------------------------------------------------------------------------------------------

    async def maintain(self, now_ms: int) -> None:
        await self._store.change(self._close, now_ms // HOUR_MS - _SETTLED_HOURS)

    def _close(self, until: int) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                f"INSERT INTO hours_closed SELECT {_COLUMNS} FROM hours_recent WHERE hour < {until} "
                f"ORDER BY hour // {_SORT_SPAN_HOURS}, point, hour"
            )
            connection.execute(f"DELETE FROM hours_recent WHERE hour < {until}")
            self._days.close(connection, until)


def _of_parts(parts: Collection[int] | None) -> str:
    if parts is None:
        return "true"
    return f"point % {LEDGER_PARTS} IN ({', '.join(map(str, map(int, parts)))})" if parts else "false"


def _hours(found: Mapping[str, npt.NDArray[np.generic]]) -> Hours:
    return Hours(**{name: np.asarray(found[name]) for name in _COLUMNS.split(", ")})
