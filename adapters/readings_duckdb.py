"""Readings in a DuckDB file: the embedded store.

Two tables of the same rows: `recent` takes readings as they come; `closed` holds runs sorted by point and time, which
are whole days that `maintain` has moved there, and large batches such as those of an import. No primary key: a
batch is matched against the range of time that it covers, which costs less than an index and keeps the file a fifth of
the size. One process owns the file; its threads share it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from sys import intern
from typing import Any, TypeVar

import duckdb
import numpy as np
import numpy.typing as npt

from adapters.batches import Deduplicated, Newest, deduplicate
from energy.errors import StoreError
from energy.numbering import Numbering, OwnNumbers
from energy.ports import Spans, Written
from energy.quantities import Kind, quantity
from energy.readings import LAST_MS, Point, Quality, ReadingColumns, Reason
from energy.series import Curve, step_for

_SCHEMA = """
CREATE TABLE IF NOT EXISTS points (id INTEGER, meter VARCHAR NOT NULL, quantity VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS recent (
    point INTEGER NOT NULL, taken_at_ms BIGINT NOT NULL, value DOUBLE NOT NULL,
    quality UTINYINT NOT NULL, reason UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS closed (
    point INTEGER NOT NULL, taken_at_ms BIGINT NOT NULL, value DOUBLE NOT NULL,
    quality UTINYINT NOT NULL, reason UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS marks (id BIGINT NOT NULL, point INTEGER NOT NULL, from_ms BIGINT NOT NULL);
CREATE OR REPLACE VIEW readings AS SELECT * FROM closed UNION ALL SELECT * FROM recent;
"""
# Bad values are none, and of what was taken while the clock was set nobody knows the place in the order of readings.
COUNTED = f"quality < {int(Quality.BAD)} AND reason <> {Reason.CLOCK_STEPPED.code}"
_COLUMNS = "point, taken_at_ms, value, quality, reason"
# DuckDB takes NaN of a numpy column for NULL; here it stands for a meter that gave no value, and is kept as it is.
_VALUE = "coalesce(rows.value, 'nan'::DOUBLE)"
_DAY_MS = 86_400_000
# Closed days that are moved together are sorted over this span, so that a year's curve touches few row groups.
_SORT_SPAN_MS = 32 * _DAY_MS

# A batch of that many rows is a sorted run worth keeping as it is.
_LARGE_BATCH = 65_536

T = TypeVar("T")
Columns = Mapping[str, npt.NDArray[Any]]


@asynccontextmanager
async def open_duckdb(path: Path, *, memory_mb: int = 2048) -> Any:
    """The store in this file, made if it is not there; StoreError where another process or a full disk is before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store = await asyncio.to_thread(DuckDBReadings, path, memory_mb)
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)


class DuckDBReadings:
    """Fulfils `RegisterStore`. Writes go through one thread, reads through two, each on a cursor of its own."""

    shown_after_s = 0.0

    def __init__(self, path: Path, memory_mb: int) -> None:
        self._path = path
        try:
            self._connection = duckdb.connect(str(path), config={"memory_limit": f"{memory_mb}MB"})
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                raise StoreError(
                    f"{path} is in use by another process, probably a running gateway: one process owns the file. "
                    "Stop it first, or name another file"
                ) from error
            raise StoreError(f"{path} cannot be opened: {error}") from error
        self._connection.execute(_SCHEMA)
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="store-read")
        self._lock = threading.Lock()
        rows = self._connection.execute("SELECT id, meter, quantity FROM points ORDER BY id").fetchall()
        self._points = Numbering(Point(intern(meter), intern(name)) for _, meter, name in rows)
        self._ids = OwnNumbers(self._points.numbers)
        self._saved = len(self._points)
        self._mark = int(self._connection.execute("SELECT coalesce(max(id), 0) FROM marks").fetchall()[0][0])
        self._latest = Newest(len(self._points))
        self._load_latest()

    def close(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        self._connection.close()

    # -- writing ---------------------------------------------------------------------------------------------------

    async def write(self, columns: ReadingColumns) -> Written:
        return await self._in(self._writing, self._write, columns)

    def heard(self, columns: ReadingColumns) -> None:
        """Nobody else writes into the file."""

    async def learn(self, meters: Sequence[str]) -> None:
        """Nobody else writes to the file."""

    async def maintain(self, now_ms: int) -> None:
        await self._in(self._writing, self._close_days, now_ms)

    def _write(self, columns: ReadingColumns) -> Written:
        if len(columns) == 0:
            return Written(0, 0)
        point = self._ids.rows(columns)
        self._latest.grow(len(self._points))
        batch = deduplicate(columns, point)
        with self.transaction() as connection:
            self._register(connection)
            late = batch.taken_at_ms <= self._latest.instants()[batch.point]
            stored = _insert(connection, batch, late)
            if stored:
                self._mark_changed(connection, batch)
        self._saved = len(self._points)
        self._latest.advance(batch)
        if stored == len(columns):
            return Written(stored, 0)
        conflicting = _taken(self._connection, columns, point)
        return Written(stored, len(columns) - stored - len(conflicting), conflicting)

    def _mark_changed(self, connection: duckdb.DuckDBPyConnection, batch: Deduplicated) -> None:
        """Note since when each point has new readings: what is made of them is made anew."""
        self._mark += 1
        first = np.flatnonzero(np.r_[True, batch.point[1:] != batch.point[:-1]])
        marks_ = {"point": batch.point[first], "from_ms": batch.taken_at_ms[first]}  # noqa: F841 - found by its name
        connection.execute(f"INSERT INTO marks SELECT {self._mark}, point, from_ms FROM marks_")

    def _register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Save the points that are new; those of a transaction that was rolled back are still to be saved."""
        if self._saved < len(self._points):
            known = connection.execute("SELECT count(*) FROM points").fetchall()[0][0]
            fresh = {  # noqa: F841 - DuckDB finds it by its name
                "id": np.arange(known, len(self._points), dtype=np.int32),
                "meter": np.array([point.meter for point in self._points[known:]]),
                "quantity": np.array([point.quantity for point in self._points[known:]]),
            }
            connection.execute("INSERT INTO points SELECT id, meter, quantity FROM fresh")

    def _close_days(self, now_ms: int) -> None:
        until = now_ms // _DAY_MS * _DAY_MS
        with self.transaction() as connection:
            connection.execute(
                f"INSERT INTO closed SELECT {_COLUMNS} FROM recent WHERE taken_at_ms < {until} "
                f"ORDER BY taken_at_ms // {_SORT_SPAN_MS}, point, taken_at_ms"
            )
            connection.execute(f"DELETE FROM recent WHERE taken_at_ms < {until}")
        self._connection.execute("CHECKPOINT")

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All or nothing; in the thread that writes."""
        self._connection.execute("BEGIN")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    # -- for the ledger, which lies in the same file ------------------------------------------------------------------

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    @property
    def numbered(self) -> Sequence[Point]:
        """Every point, at its number."""
        return self._points

    def number(self, point: Point) -> int | None:
        return self._points.find(point) if point in self._points else None

    async def change(self, call: Callable[..., T], *args: Any) -> T:
        """Call it in the thread that writes; StoreError where it fails."""
        return await self._in(self._writing, call, *args)

    async def read(self, call: Callable[..., T], *args: Any) -> T:
        """Call it in a thread that reads; StoreError where it fails."""
        return await self._in(self._reading, call, *args)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def points(self) -> list[Point]:
        return list(self._points)

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        if points is None:
            return self._latest.columns(self._points, np.arange(len(self._latest.instants()), dtype=np.int32))
        return self._latest.columns(*self._points.among(points))

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        return await self._in(self._reading, self._readings, points, from_ms, to_ms)

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        return await self._in(self._reading, self._spans, points, from_ms)

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        return await self._in(self._reading, self.last_instant, self._points.find(point), before_ms)

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        return await self._in(self._reading, self._curves, points, from_ms, to_ms, rows, origin_ms)

    def _readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        known, numbers = self._points.among(points)
        found = self.select(
            f"SELECT {_COLUMNS} FROM readings WHERE {_in_range(numbers.tolist(), from_ms, to_ms)} "
            "ORDER BY point, taken_at_ms"
        )
        position = np.zeros(len(self._points) + 1, np.int32)
        position[numbers] = np.arange(len(known))
        columns = ReadingColumns.of(
            known,
            position[found["point"]],
            found["taken_at_ms"],
            found["value"],
            found["quality"],
            found["reason"],
        )
        return columns.take(np.argsort(columns.index, kind="stable"))

    def _spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        position = {self._points.find(p): i for i, p in enumerate(points)}
        found = self.select(
            "SELECT point, count(*) AS n, min(taken_at_ms) AS first, max(taken_at_ms) AS last FROM readings "
            f"WHERE {_in_range(list(position), from_ms, LAST_MS + 1)} GROUP BY point"
        )
        index = np.array([position[number] for number in found["point"].tolist()], np.int64)
        order = np.argsort(index)
        return Spans(index[order], *(found[name].astype(np.int64)[order] for name in ("n", "first", "last")))

    def last_instant(self, number: int, before_ms: int) -> int | None:
        """The instant of the last reading of a point before, that counts; in a thread that reads."""
        found = self.select(
            f"SELECT coalesce(max(taken_at_ms), -1) AS t FROM readings WHERE point = {int(number)} "
            f"AND taken_at_ms < {int(before_ms)} AND {COUNTED}"
        )
        return None if found["t"][0] < 0 else int(found["t"][0])

    def _curves(self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, origin_ms: int) -> list[Curve]:
        step_ms = step_for(from_ms, to_ms, rows)
        made: dict[Point, Curve] = {}
        for kind in Kind:
            of_kind = [p for p in points if quantity(p.quantity).kind is kind]
            made |= self._reduced(of_kind, kind, from_ms, to_ms, step_ms, origin_ms, rows)
        return [made[p] for p in points]

    def _reduced(
        self, points: list[Point], kind: Kind, from_ms: int, to_ms: int, step_ms: int, origin_ms: int, rows: int
    ) -> dict[Point, Curve]:
        known, numbers = self._points.among(points)
        # DuckDB divides towards zero: with the origin before all readings that is downwards.
        origin_ms = (from_ms - origin_ms) // step_ms * step_ms + origin_ms
        wanted = _in_range(numbers.tolist(), from_ms, to_ms) + f" AND quality < {int(Quality.BAD)}"
        columns = (
            "min(value) AS low, avg(value) AS mean, max(value) AS high"
            if kind is Kind.GAUGE
            else "arg_min(value, taken_at_ms) AS first, arg_max(value, taken_at_ms) AS last"
        )
        found = self.select(
            f"SELECT point, (taken_at_ms - {origin_ms}) // {step_ms} AS step, {columns}, count(*) AS n, "
            f"max(quality) AS worst FROM readings WHERE {wanted} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        curves = {p: _curve(p, kind, found, self._points.find(p), step_ms, origin_ms) for p in points}
        few = {p for p, number in zip(known, numbers.tolist(), strict=True) if _count(found, number) <= rows}
        if few:
            curves |= self._raw(sorted(few), from_ms, to_ms)
        return curves

    def _raw(self, points: list[Point], from_ms: int, to_ms: int) -> dict[Point, Curve]:
        found = self._readings(points, from_ms, to_ms)
        curves: dict[Point, Curve] = {}
        for i, point in enumerate(points):
            own = found.take((found.index == i) & (found.quality < Quality.BAD))
            uncertain = bool(np.any(own.quality == Quality.UNCERTAIN))
            kind = quantity(point.quantity).kind
            curves[point] = Curve.raw(point, kind, own.taken_at_ms, own.value, uncertain=uncertain)
        return curves

    def select(self, sql: str) -> Columns:
        with self._connection.cursor() as cursor:
            return {k: np.asarray(v) for k, v in cursor.execute(sql).fetchnumpy().items()}

    def _load_latest(self) -> None:
        newest = "SELECT point, max(taken_at_ms) AS t, arg_max(value, taken_at_ms) AS v, "
        newest += "arg_max(quality, taken_at_ms) AS q, arg_max(reason, taken_at_ms) AS r FROM "
        self._latest.load(self.select(newest + "recent GROUP BY point"))
        # A late reading lies in `recent` though a newer one is closed already.
        last_closed = self.select("SELECT coalesce(max(taken_at_ms), -1) AS t FROM closed")["t"][0]
        doubtful = self._latest.before(int(last_closed))
        if doubtful:
            listed = ", ".join(map(str, doubtful))
            self._latest.load(self.select(f"{newest} closed WHERE point IN ({listed}) GROUP BY point"))

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, call, *args)
        except duckdb.Error as error:
            raise StoreError(f"{self._path}: {error}") from error


def _in_range(numbers: Sequence[int], from_ms: int, to_ms: int) -> str:
    listed = ", ".join(map(str, numbers)) or "-1"
    return f"point IN ({listed}) AND taken_at_ms >= {int(from_ms)} AND taken_at_ms < {int(to_ms)}"


def _insert(connection: duckdb.DuckDBPyConnection, batch: Deduplicated, late: npt.NDArray[np.bool_]) -> int:
    """Add the rows whose instant is free. Only of those that are `late`, no newer than what their point has, is it
    looked up: it is a look through all that other points have of those instants."""
    table = "closed" if len(batch) >= _LARGE_BATCH else "recent"
    stored = 0
    for some, new in ((batch.take(~late), ""), (batch.take(late), "WHERE NOT EXISTS ({there})")):
        if len(some):
            rows, (low, high) = some.rows(), some.range_ms  # noqa: F841 - DuckDB finds `rows` by its name
            there = (
                "SELECT 1 FROM readings r WHERE r.point = rows.point AND r.taken_at_ms = rows.taken_at_ms "
                f"AND r.taken_at_ms BETWEEN {low} AND {high}"
            )
            insert = f"INSERT INTO {table} SELECT point, taken_at_ms, {_VALUE}, quality, reason FROM rows "
            stored += int(connection.execute(insert + new.format(there=there)).fetchall()[0][0])
    return stored


def _taken(connection: duckdb.DuckDBPyConnection, columns: ReadingColumns, point: npt.NDArray[np.int32]) -> list[int]:
    """Positions of the rows of a written batch whose instant holds another value; (n,) `point` numbers theirs."""
    rows = {  # noqa: F841 - DuckDB finds it by its name
        "position": np.arange(len(columns)),
        "point": point,
        "taken_at_ms": columns.taken_at_ms,
        "value": columns.value,
        "quality": columns.quality,
    }
    low, high = int(columns.taken_at_ms.min()), int(columns.taken_at_ms.max())
    found = connection.execute(
        "SELECT rows.position FROM rows JOIN readings r ON r.point = rows.point AND r.taken_at_ms = rows.taken_at_ms "
        f"WHERE r.taken_at_ms BETWEEN {low} AND {high} "
        f"AND (r.value IS DISTINCT FROM {_VALUE} OR r.quality <> rows.quality) ORDER BY rows.position"
    ).fetchnumpy()
    return [int(i) for i in found["position"]]


def _count(found: Columns, number: int) -> int:
    return int(found["n"][found["point"] == number].sum())


def _curve(point: Point, kind: Kind, found: Columns, number: int, step_ms: int, origin_ms: int) -> Curve:
    own = found["point"] == number
    none = np.empty(0)
    t_ms = found["step"][own].astype(np.int64) * step_ms + origin_ms
    uncertain = bool(np.any(found["worst"][own] == Quality.UNCERTAIN))
    if kind is Kind.GAUGE:
        low, mean, high = found["low"][own], found["mean"][own], found["high"][own]
        return Curve(point, kind, step_ms, t_ms, low, mean, high, none, none, uncertain)
    return Curve(point, kind, step_ms, t_ms, none, none, none, found["first"][own], found["last"][own], uncertain)
