"""Readings in VictoriaMetrics, one server or a cluster.

VictoriaMetrics neither refuses a second value of an instant, nor shows at once what it has taken, nor has it on its
disk when it says so: all three are made good here. Who writes is one process. It knows the newest instant of each
point, so that only late rows have to be looked up; it keeps what is younger than a minute in memory, to be seen at
once, and in a journal on its own disk, to be handed over again when either of the two was started anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import structlog

from adapters.batches import Deduplicated, Newest, deduplicate
from adapters.victoria_client import VictoriaAddress, VictoriaClient
from adapters.victoria_series import Rows, exported, import_body, newest, of_meters, rows_of, selector
from adapters.write_ahead import WriteAhead
from energy.errors import StoreError
from energy.ports import Spans, Written
from energy.quantities import quantity
from energy.readings import LAST_MS, Point, Quality, ReadingColumns, counted
from energy.series import Curve, reduce, step_for

log = structlog.get_logger()

# After that long a sample is on the server's disk and shown by it; it flushes every 5 s.
_SAFE_AFTER_S = 60.0
_LOOK_EVERY_S = 5.0
# Meters that are asked for together.
_TOGETHER = 250
_DAY_MS = 86_400_000
# The newest reading of a point is looked for in ever longer spans.
_LATELY_MS = (2 * _DAY_MS, 40 * _DAY_MS)
_FEW = 20
_AHEAD_MS = 600_000

T = TypeVar("T")


@asynccontextmanager
async def open_victoria(address: str) -> AsyncIterator[VictoriaReadings]:
    """The store at an address; StoreError where the server cannot be asked."""
    at = VictoriaAddress.parse(address)
    client, journal = VictoriaClient(at), WriteAhead(at.journal, _SAFE_AFTER_S)
    store = VictoriaReadings(client, journal)
    try:
        await store.begin()
        watching = asyncio.create_task(store.watch())
        try:
            yield store
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
    finally:
        journal.close()
        await client.close()


class VictoriaReadings:
    """Fulfils `RegisterStore`."""

    def __init__(self, client: VictoriaClient, journal: WriteAhead) -> None:
        self._client, self._journal, self._name = client, journal, client.at.name
        self._points: list[Point] = []
        self._ids: dict[Point, int] = {}
        self._latest = Newest(0)
        self._recent: deque[tuple[float, Deduplicated, bytes]] = deque()
        self._writing = asyncio.Lock()
        self._started = 0.0, 0.0

    async def begin(self) -> None:
        """Learn what is there, and hand over again what an earlier process may not have seen safe."""
        self._started = await self._client.started()
        for body in self._journal.left_behind():
            await self._client.put(body)
            for point, rows in rows_of(exported(self._name, body), 0, LAST_MS + 1).items():
                self._recent.append((time.monotonic(), self._remembered(point, rows), body))
        self._journal.forget_left_behind()
        meters = sorted(await self._client.values_of("meter", selector(self._name)))
        for some in _chunks(meters, _TOGETHER):
            await self._learn(some)

    async def watch(self) -> None:
        """Hand over what is not safe yet whenever the server was started anew."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except StoreError as error:
                log.warning("store.unseen", cause=str(error))

    async def look(self) -> None:
        """Hand over what is not safe yet if the server was started anew since the last look."""
        started = await self._client.started()
        if started[0] <= self._started[1]:
            # The same start, known a little better.
            self._started = max(started[0], self._started[0]), min(started[1], self._started[1])
            return
        async with self._writing:
            bodies = [body for _, _, body in self._recent]
            for body in bodies:
                await self._client.put(body)
            self._started = started
        log.info("store.restarted", store=str(self._client.at), batches_again=len(bodies))

    # -- writing ---------------------------------------------------------------------------------------------------

    async def write(self, columns: ReadingColumns) -> Written:
        if len(columns) == 0:
            return Written(0, 0)
        async with self._writing:
            ids = self._ids_of(columns)
            batch = deduplicate(columns, ids)
            late, value, quality = await self._stored(batch)
            fresh = batch.take(~late)
            if len(fresh):
                await self._put(fresh)
        # Every row is judged by what is stored at its instant now.
        at = np.searchsorted(batch.key, (ids[columns.index].astype(np.int64) << 43) + columns.taken_at_ms)
        same = (columns.value == value[at]) | (np.isnan(columns.value) & np.isnan(value[at]))
        conflicting = np.flatnonzero(~same | (columns.quality != quality[at])).tolist()
        return Written(len(fresh), len(columns) - len(fresh) - len(conflicting), conflicting)

    async def _put(self, fresh: Deduplicated) -> None:
        body = await asyncio.to_thread(import_body, self._name, self._points, fresh)
        await asyncio.to_thread(self._journal.keep, body)
        await self._client.put(body)
        now = time.monotonic()
        self._recent.append((now, fresh, body))
        while now - self._recent[0][0] > _SAFE_AFTER_S:
            self._recent.popleft()
        self._latest.advance(fresh)

    async def _stored(
        self, batch: Deduplicated
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """Which rows of a batch have their instant taken already; and what is, or will be, stored there: (n,) each."""
        taken, value, quality = np.zeros(len(batch), bool), batch.value.copy(), batch.quality.copy()
        late = np.flatnonzero(batch.taken_at_ms <= self._latest.instants()[batch.point])
        if len(late):
            points = [self._points[n] for n in np.unique(batch.point[late]).tolist()]
            low, high = int(batch.taken_at_ms[late].min()), int(batch.taken_at_ms[late].max()) + 1
            for point, rows in (await self._rows(points, low, high)).items():
                own = late[batch.point[late] == self._ids[point]]
                _, at, of = np.intersect1d(
                    batch.taken_at_ms[own], rows.taken_at_ms, assume_unique=True, return_indices=True
                )
                taken[own[at]] = True
                value[own[at]], quality[own[at]] = rows.value[of], rows.quality[of]
        return taken, value, quality

    def _ids_of(self, columns: ReadingColumns) -> npt.NDArray[np.int32]:
        ids = np.full(len(columns.points), -1, np.int32)
        for used in np.unique(columns.index).tolist():
            ids[used] = self._number(columns.points[used])
        self._latest.grow(len(self._points))
        return ids

    def _number(self, point: Point) -> int:
        if point not in self._ids:
            self._ids[point] = len(self._points)
            self._points.append(point)
        return self._ids[point]

    async def maintain(self, now_ms: int) -> None:
        """The server keeps its own order."""

    # -- reading ---------------------------------------------------------------------------------------------------

    async def points(self) -> list[Point]:
        known = self._latest.instants()
        return [p for p, t in zip(self._points, known.tolist(), strict=True) if t >= 0]

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        known = await self.points() if points is None else [p for p in points if p in self._ids]
        return self._latest.columns(known, np.array([self._ids[p] for p in known], np.int32))

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        known = [p for p in points if p in self._ids]
        found = await self._rows(known, from_ms, to_ms)
        return _columns(known, [found.get(p, _NOTHING) for p in known])

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        step_ms = step_for(from_ms, to_ms, rows)
        found = await self._rows([p for p in points if p in self._ids], from_ms, to_ms)
        origin_ms = (from_ms - origin_ms) // step_ms * step_ms + origin_ms
        return [_curve(p, found.get(p, _NOTHING), rows, step_ms, origin_ms) for p in points]

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        found = await self._rows([p for p in points if p in self._ids], from_ms, LAST_MS + 1)
        there = [(i, found[p].taken_at_ms) for i, p in enumerate(points) if p in found and len(found[p])]
        columns = ([i for i, _ in there], *([of(t) for _, t in there] for of in (len, np.min, np.max)))
        return Spans(*(np.array(column, np.int64) for column in columns))

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        if point not in self._ids:
            return None
        for span_ms in (*_LATELY_MS, LAST_MS):
            found = (await self._rows([point], max(before_ms - span_ms, 0), before_ms)).get(point, _NOTHING)
            believed = found.taken_at_ms[counted(found.quality, found.reason)]
            if len(believed):
                return int(believed[-1])
        return None

    async def _rows(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        """What is stored of known points over [from, to), with what the server does not show yet."""
        found = await self._shown(points, from_ms, to_ms)
        numbers = np.array(sorted({self._ids[p] for p in points}), np.int32)
        for _, batch, _ in self._recent:
            _add(found, self._points, batch.of(numbers, from_ms, to_ms))
        return found

    async def _shown(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        """What the server shows."""
        from_ms, to_ms = max(from_ms, 0), min(to_ms, LAST_MS + 1)
        found: dict[Point, Rows] = {}
        if from_ms >= to_ms:
            return found
        wanted = set(points)
        for some in _chunks(sorted(wanted), _TOGETHER):
            answer = await self._client.export(selector(self._name, some), from_ms, to_ms)
            lines = (line for line in exported(self._name, answer) if line[0] in wanted)
            found |= await asyncio.to_thread(rows_of, lines, from_ms, to_ms)
        return found

    # -- what is there at the start --------------------------------------------------------------------------------

    async def _learn(self, meters: Sequence[str]) -> None:
        """The points of these meters, and the newest reading of each."""
        missing = {Point(s["meter"], s["quantity"]) for s in await self._client.series(of_meters(self._name, meters))}
        for span_ms in _LATELY_MS:
            found = await self._newest(sorted(missing), span_ms) if missing else {}
            for point, rows in found.items():
                self._remembered(point, rows)
                missing.discard(point)
        # Of what is long gone all that there is has to be looked through.
        for some in _chunks(sorted(missing), _FEW):
            for point, rows in (await self._shown(some, 0, LAST_MS + 1)).items():
                if len(rows):
                    self._remembered(point, rows.last())

    async def _newest(self, points: Sequence[Point], span_ms: int) -> dict[Point, Rows]:
        """The last reading of each of the points within the span before now."""
        at_ms = int(time.time() * 1000) + _AHEAD_MS
        series = f"{selector(self._name, points)}[{span_ms}ms]"
        instants = await self._client.query(f"tlast_over_time({series}) keep_metric_names", at_ms)
        values = await self._client.query(f"last_over_time({series}) keep_metric_names", at_ms)
        found = rows_of(newest(self._name, instants, values), 0, LAST_MS + 1)
        return {point: rows.last() for point, rows in found.items()}

    def _remembered(self, point: Point, rows: Rows) -> Deduplicated:
        """Readings that were there before us, as a batch."""
        number = self._number(point)
        self._latest.grow(len(self._points))
        n = np.full(len(rows), number, np.int32)
        batch = Deduplicated(n, rows.taken_at_ms, rows.value, rows.quality, rows.reason)
        self._latest.advance(batch)
        return batch


_NOTHING = Rows(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8), np.empty(0, np.uint8))


def _add(found: dict[Point, Rows], points: Sequence[Point], batch: Deduplicated) -> None:
    """What was written lately, where the server does not show it yet."""
    if len(batch) == 0:
        return
    starts = np.flatnonzero(np.r_[True, batch.point[1:] != batch.point[:-1]]).tolist()
    for begin, end in pairwise([*starts, len(batch)]):
        point, rows = points[int(batch.point[begin])], slice(begin, end)
        more = Rows(batch.taken_at_ms[rows], batch.value[rows], batch.quality[rows], batch.reason[rows])
        found[point] = found.get(point, _NOTHING).joined(more)


def _columns(points: list[Point], found: Sequence[Rows]) -> ReadingColumns:
    def all_of(name: str) -> Any:
        return np.concatenate([getattr(rows, name) for rows in (_NOTHING, *found)])

    index = np.repeat(np.arange(len(points), dtype=np.int32), [len(rows) for rows in found])
    return ReadingColumns(points, index, *(all_of(n) for n in ("taken_at_ms", "value", "quality", "reason")))


def _curve(point: Point, rows: Rows, most: int, step_ms: int, origin_ms: int) -> Curve:
    good = rows.quality < Quality.BAD
    t_ms, value = rows.taken_at_ms[good], rows.value[good]
    uncertain = bool(np.any(rows.quality[good] == Quality.UNCERTAIN))
    kind = quantity(point.quantity).kind
    if len(t_ms) <= most:
        return Curve.raw(point, kind, t_ms, value, uncertain=uncertain)
    return reduce(point, kind, t_ms, value, step_ms=step_ms, origin_ms=origin_ms, uncertain=uncertain)


def _chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
