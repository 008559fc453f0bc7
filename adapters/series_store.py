"""Readings in a server of series that neither refuses a second value of an instant nor knows what is newest.

Who writes of a meter is one process at a time. It knows the newest instant of each point, so that only late rows have
to be looked up before they are written; what the newest readings are is told from memory. Curves, spans and the rest
are made from the rows of a range. How rows are put into the server and got from it is what each adapter adds.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from adapters.batches import Deduplicated, Keys, Newest, deduplicate
from energy.numbering import Numbering, OwnNumbers
from energy.ports import Spans, Written
from energy.quantities import quantity
from energy.readings import LAST_MS, Point, Quality, ReadingColumns, counted
from energy.series import Curve, reduce, step_for

_DAY_MS = 86_400_000
# The last reading of a point is looked for in ever longer spans.
LATELY_MS = (2 * _DAY_MS, 40 * _DAY_MS)
# So long what was handed over is remembered, and so many rows at most.
_LATELY_S, _MOST_LATELY = 60.0, 2_000_000
# The readings of so many points are counted at a time, and parts of time are chosen to hold about so many of them.
_COUNTED, _FEW, _MANY = 100, 500_000, 5_000_000
_MONTH_MS, _YEAR_MS = 32 * _DAY_MS, 366 * _DAY_MS
# 2000-01-01: what is from before that is asked for at once.
_HARDLY_BEFORE_MS = 946_684_800_000

# Quality and reason as one number: so many reasons there can be.
FLAG_BASE = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one point by instant, each instant once; columns of length n."""

    taken_at_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.taken_at_ms)

    def last(self) -> Rows:
        """The newest row alone."""
        return Rows(self.taken_at_ms[-1:], self.value[-1:], self.quality[-1:], self.reason[-1:])

    def joined(self, other: Rows) -> Rows:
        """These rows and those of others whose instants are not among them."""
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        _, first = np.unique(np.concatenate(pairs[0]), return_index=True)
        return Rows(*(np.concatenate(pair)[first] for pair in pairs))


NOTHING = Rows(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8), np.empty(0, np.uint8))


def unflagged(flag: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """(n,) quality and reason that flags tell."""
    return (flag // FLAG_BASE).astype(np.uint8), (flag % FLAG_BASE).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Handed:
    """What was handed over in one write: when, its first and last instant, its rows in the order of their keys."""

    at_s: float
    low_ms: int
    high_ms: int
    keys: Keys
    batch: Deduplicated


class SeriesStore(ABC):
    """Fulfils `RegisterStore` over a server of series."""

    shown_after_s = 0.0

    def __init__(self) -> None:
        self._points = Numbering()
        self._ids = OwnNumbers(self._points.numbers)
        self._latest = Newest(0)
        # The newest instant that was handed over of each point, also where nobody knows whether it arrived.
        self._reached = np.empty(0, np.int64)
        # What was handed over lately, by when; and of each point the newest instant that is not among that. Rows in
        # between come in another order than they were taken, mostly by way of another process: they need not be looked
        # up at the server.
        self._lately: deque[_Handed] = deque()
        self._lately_rows = 0
        self._before = np.empty(0, np.int64)
        self._writing = asyncio.Lock()
        # What was handed over once more, and who is told of it.
        self._again: list[Deduplicated] = []
        self._tell: Callable[[ReadingColumns], Awaitable[None]] | None = None

    @abstractmethod
    async def _put(self, fresh: Deduplicated) -> Mapping[int, str]:
        """Hand rows to the server; safe there when it returns. Why it will never take some, by their position."""

    @abstractmethod
    async def _rows(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        """What is stored of known points over [from, to)."""

    def heard(self, columns: ReadingColumns) -> None:
        if len(columns):
            self._hear(deduplicate(columns, self._ids_of(columns)))

    def _hear(self, batch: Deduplicated) -> None:
        """Another process has stored this."""
        self._latest.advance(batch)
        np.maximum.at(self._before, batch.point, batch.taken_at_ms)

    @abstractmethod
    async def learn(self, meters: Sequence[str]) -> None:
        """As `RegisterStore` promises."""

    # -- writing ---------------------------------------------------------------------------------------------------

    async def write(self, columns: ReadingColumns) -> Written:
        if len(columns) == 0:
            return Written(0, 0)
        async with self._writing:
            point = self._ids_of(columns)
            batch = deduplicate(columns, point)
            taken, stored = await self._stored(batch)
            fresh = np.flatnonzero(~taken)
            why = await self._handed(batch.take(~taken)) if len(fresh) else {}
            refused = {int(fresh[position]): reason for position, reason in why.items()}
            there = np.ones(len(batch), bool)
            there[list(refused)] = False
            if there.any():
                self._latest.advance(stored.take(there))
        # Every row is judged by what is stored at its instant now.
        at = batch.places(point, columns.taken_at_ms)
        return _judged(columns, at, stored, there, refused, len(fresh) - len(refused))

    async def _handed(self, fresh: Deduplicated) -> Mapping[int, str]:
        # Before it is known whether it arrives: what failed half way is looked up when it comes again.
        np.maximum.at(self._reached, fresh.point, fresh.taken_at_ms)
        try:
            why = await self._put(fresh)
        except BaseException:
            np.maximum.at(self._before, fresh.point, fresh.taken_at_ms)
            raise
        there = np.ones(len(fresh), bool)
        there[list(why)] = False
        self._note(fresh.take(there) if why else fresh)
        return why

    async def tell_of_again(self, tell: Callable[[ReadingColumns], Awaitable[None]]) -> None:
        """Tell what the server may not have kept, and was handed over once more: until now, and from now on."""
        self._tell = tell
        await self._handed_again([])

    async def _handed_again(self, batches: Iterable[Deduplicated]) -> None:
        self._again += batches
        while self._again and self._tell is not None:
            batch = self._again[-1]
            columns = (batch.taken_at_ms, batch.value, batch.quality, batch.reason)
            await self._tell(ReadingColumns(self._points, batch.point, *columns))
            self._again.pop()

    def _note(self, batch: Deduplicated) -> None:
        """These rows are there now."""
        if len(batch) == 0:
            return
        now = time.monotonic()
        low, high = int(batch.taken_at_ms.min()), int(batch.taken_at_ms.max())
        self._lately.append(_Handed(now, low, high, batch.key, batch))
        self._lately_rows += len(batch)
        while now - self._lately[0].at_s > _LATELY_S or self._lately_rows > _MOST_LATELY:
            old = self._lately.popleft().batch
            self._lately_rows -= len(old)
            np.maximum.at(self._before, old.point, old.taken_at_ms)
            if not self._lately:
                return

    async def _stored(self, batch: Deduplicated) -> tuple[npt.NDArray[np.bool_], Deduplicated]:
        """(n,) which rows of a batch have their instant taken already; and what is, or will be, stored at each."""
        taken, value = np.zeros(len(batch), bool), batch.value.copy()
        quality, reason = batch.quality.copy(), batch.reason.copy()
        known = np.maximum(self._latest.instants()[batch.point], self._reached[batch.point])
        stored = Deduplicated(batch.point, batch.taken_at_ms, value, quality, reason)
        late = np.flatnonzero(batch.taken_at_ms <= known)
        near = batch.taken_at_ms[late] > self._before[batch.point[late]]
        self._find_lately(late[near], taken, stored)
        late = late[~near]
        if len(late):
            points = [self._points[n] for n in np.unique(batch.point[late]).tolist()]
            low, high = int(batch.taken_at_ms[late].min()), int(batch.taken_at_ms[late].max()) + 1
            for point, rows in (await self._rows(points, low, high)).items():
                own = late[batch.point[late] == self._points.find(point)]
                _, at, of = np.intersect1d(
                    batch.taken_at_ms[own], rows.taken_at_ms, assume_unique=True, return_indices=True
                )
                taken[own[at]] = True
                value[own[at]], quality[own[at]], reason[own[at]] = rows.value[of], rows.quality[of], rows.reason[of]
        return taken, stored

    def _find_lately(self, rows: npt.NDArray[np.intp], taken: npt.NDArray[np.bool_], stored: Deduplicated) -> None:
        """Of the rows at these positions, those that were handed over lately: marked, with what was stored."""
        if len(rows) == 0:
            return
        t_ms, keys = stored.taken_at_ms[rows], stored.key[rows]
        for handed in self._lately:
            within = np.flatnonzero((t_ms >= handed.low_ms) & (t_ms <= handed.high_ms))
            if len(within) == 0:
                continue
            wanted, batch = keys[within], handed.batch
            at = np.minimum(np.searchsorted(handed.keys, wanted), len(handed.keys) - 1)
            hit = np.flatnonzero(handed.keys[at] == wanted)
            if len(hit):
                of, own = at[hit], rows[within[hit]]
                taken[own] = True
                stored.value[own], stored.quality[own] = batch.value[of], batch.quality[of]
                stored.reason[own] = batch.reason[of]

    def _ids_of(self, columns: ReadingColumns) -> npt.NDArray[np.int32]:
        """(n,) the number of the point of each row."""
        ids = self._ids.rows(columns)
        self._grow()
        return ids

    def _asked(self, points: Sequence[Point]) -> Sequence[Point]:
        """These points; those that nobody has told of may be another process's."""
        self._numbers(points)
        return points

    def _numbers(self, points: Sequence[Point]) -> npt.NDArray[np.int32]:
        """(n,) the number of each point."""
        numbers = self._points.numbers(points)
        self._grow()
        return numbers

    def _grow(self) -> None:
        n = len(self._points)
        self._latest.grow(n)
        if n > len(self._reached):
            more = np.full(n - len(self._reached), -1, np.int64)
            self._reached, self._before = np.r_[self._reached, more], np.r_[self._before, more]

    def _remembered(self, found: Mapping[Point, Rows]) -> Deduplicated:
        """Readings that were there before us, as a batch."""
        n = np.fromiter(map(len, found.values()), np.intp, len(found))
        return self._remembered_rows(np.repeat(self._numbers(list(found)), n), all_of(list(found.values())))

    def _remembered_rows(self, point: npt.NDArray[np.int32], rows: Rows) -> Deduplicated:
        """Readings that were there before us, as a batch; (n,) the point of each, by number, in any order."""
        columns = (rows.taken_at_ms, rows.value, rows.quality, rows.reason)
        batch = Deduplicated(point, *columns).take(np.lexsort((rows.taken_at_ms, point)))
        self._latest.advance(batch)
        np.maximum.at(self._before, batch.point, batch.taken_at_ms)
        return batch

    async def maintain(self, now_ms: int) -> None:  # noqa: B027 - there is nothing to be done, which is no omission
        """The server keeps its own order."""

    # -- reading ---------------------------------------------------------------------------------------------------

    async def points(self) -> list[Point]:
        known = self._latest.instants()
        return [p for p, t in zip(self._points, known.tolist(), strict=True) if t >= 0]

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        if points is None:
            return self._latest.columns(self._points, np.arange(len(self._latest.instants()), dtype=np.int32))
        return self._latest.columns(*self._points.among(points))

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        found = await self._rows(self._asked(points), from_ms, to_ms)
        there = [p for p in points if p in found]
        return _columns(there, [found[p] for p in there])

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        step_ms = step_for(from_ms, to_ms, rows)
        found = await self._rows(self._asked(points), from_ms, to_ms)
        origin_ms = (from_ms - origin_ms) // step_ms * step_ms + origin_ms
        return [_curve(p, found.get(p, NOTHING), rows, step_ms, origin_ms) for p in points]

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        self._asked(points)
        found: dict[int, tuple[int, int, int]] = {}
        for some in chunks(range(len(points)), _COUNTED):
            async for part in self._backwards([points[i] for i in some], from_ms):
                there = [(i, part[points[i]].taken_at_ms) for i in some if points[i] in part]
                for i, t_ms in there:
                    if len(t_ms):
                        n, first, last = found.get(i, (0, LAST_MS, 0))
                        found[i] = n + len(t_ms), min(first, int(t_ms.min())), max(last, int(t_ms.max()))
        return Spans(*np.array([(i, *found[i]) for i in sorted(found)], np.int64).reshape(-1, 4).T)

    async def _backwards(self, points: Sequence[Point], from_ms: int) -> AsyncIterator[dict[Point, Rows]]:
        """What is stored from an instant on, the newest first, in parts: all of it would have to be held at once."""
        newest = int(self._latest.instants()[[self._points.number(p) for p in points]].max(initial=0))
        high, span_ms = LAST_MS + 1, _MONTH_MS
        low = max(newest - span_ms, from_ms)
        while high > from_ms:
            part = await self._rows(points, low, high)
            n = sum(map(len, part.values()))
            yield part
            if n < _FEW:
                span_ms = min(2 * span_ms, _YEAR_MS)
            elif n > _MANY:
                span_ms = max(span_ms // 2, _DAY_MS)
            high, low = low, max(low - span_ms, from_ms) if low > _HARDLY_BEFORE_MS else from_ms

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        self._asked([point])
        for span_ms in (*LATELY_MS, LAST_MS):
            found = (await self._rows([point], max(before_ms - span_ms, 0), before_ms)).get(point, NOTHING)
            believed = found.taken_at_ms[counted(found.quality, found.reason)]
            if len(believed):
                return int(believed[-1])
        return None


def _judged(
    columns: ReadingColumns,
    at: npt.NDArray[np.intp],
    stored: Deduplicated,
    there: npt.NDArray[np.bool_],
    refused: Mapping[int, str],
    fresh: int,
) -> Written:
    """What became of the rows of a batch; `at` is where each is in `stored`, `there` what the server has of that."""
    value = stored.value[at]
    same = (columns.value == value) | (np.isnan(columns.value) & np.isnan(value))
    other = (~same | (columns.quality != stored.quality[at])) & there[at]
    conflicting = np.flatnonzero(other).tolist()
    never = [(row, refused[int(at[row])]) for row in np.flatnonzero(~there[at]).tolist()]
    return Written(fresh, len(columns) - fresh - len(conflicting) - len(never), conflicting, never)


def added(found: dict[Point, Rows], points: Sequence[Point], batch: Deduplicated) -> None:
    """Add what was written lately. Of an instant it goes before what the server shows, which may be a part of it: the
    series that a reading is told by are not shown all at once."""
    if len(batch) == 0:
        return
    starts = np.flatnonzero(np.r_[True, batch.point[1:] != batch.point[:-1]]).tolist()
    for begin, end in pairwise([*starts, len(batch)]):
        point, rows = points[int(batch.point[begin])], slice(begin, end)
        more = Rows(batch.taken_at_ms[rows], batch.value[rows], batch.quality[rows], batch.reason[rows])
        found[point] = more.joined(found.get(point, NOTHING))


def all_of(found: Sequence[Rows]) -> Rows:
    """Rows of several points, one after the other."""
    return Rows(*(np.concatenate([getattr(rows, f.name) for rows in (NOTHING, *found)]) for f in fields(Rows)))


def _columns(points: list[Point], found: Sequence[Rows]) -> ReadingColumns:
    index = np.repeat(np.arange(len(points), dtype=np.int32), [len(rows) for rows in found])
    rows = all_of(found)
    return ReadingColumns(points, index, rows.taken_at_ms, rows.value, rows.quality, rows.reason)


def _curve(point: Point, rows: Rows, most: int, step_ms: int, origin_ms: int) -> Curve:
    good = rows.quality < Quality.BAD
    t_ms, value = rows.taken_at_ms[good], rows.value[good]
    uncertain = bool(np.any(rows.quality[good] == Quality.UNCERTAIN))
    kind = quantity(point.quantity).kind
    if len(t_ms) <= most:
        return Curve.raw(point, kind, t_ms, value, uncertain=uncertain)
    return reduce(point, kind, t_ms, value, step_ms=step_ms, origin_ms=origin_ms, uncertain=uncertain)


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """So many at a time."""
    return (items[i : i + size] for i in range(0, len(items), size))
