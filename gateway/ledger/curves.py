"""Sums of nodes of many counters by hour and by day, kept in memory and revised with the ledger.

A year of a city is 354 million rows of hours, and 15 million of days: too many to add up while somebody waits. What is
added up once is kept, and each revision of the ledger changes the hours and days that it touches, exactly: all sums are
of integers.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from energy.hours import Hours, Sums, Whole, by_day, day_of, days_within, each, first_hour, first_hours
from energy.ports import Ledger, Revision
from gateway.ledger.periods import joined

# Fewer counters are added up anew each time: that takes milliseconds.
_MANY = 400
_KEPT = 64
# The days of fewer counters are kept too, which is little: two years are 64 kB; and single days of theirs by hour.
_KEPT_DAYS, _KEPT_HOURS = 512, 4096
_FEW_HOURS = 48
NOTHING = np.empty(0, np.int64)
_COLUMNS = tuple(f.name for f in fields(Sums) if f.name not in ("of", "rows"))

# What adds up points over [from, to), by hour or by day.
_Adding = Callable[[Whole, int, int], Awaitable[Sums]]


@dataclass(slots=True)
class _Kept:
    """The sums of some counters from `first` on, by hour or by day: (column, n); `rows` (n,) counts what each is the
    sum of, `read` (n,) says whether it was read at all."""

    member: npt.NDArray[np.bool_]
    first: int
    sums: Whole
    rows: Whole
    read: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, points: Whole, first: int, end: int) -> _Kept:
        """Nothing yet of [first, end)."""
        member = np.zeros(int(points.max()) + 1, bool)
        member[points] = True
        n = end - first
        return cls(member, first, np.zeros((len(_COLUMNS), n), np.int64), np.zeros(n, np.int64), np.zeros(n, bool))

    @property
    def end(self) -> int:
        return self.first + len(self.rows)

    def change(self, point: Whole, added: Sums, sign: int) -> None:
        """Rows of points, each of an hour or a day, came or went."""
        own = self.member[np.minimum(point, len(self.member) - 1)] & (point < len(self.member))
        own &= (added.of >= self.first) & (added.of < self.end)
        # What was not read yet is read with the change in it.
        changed = np.flatnonzero(own)
        changed = changed[self.read[added.of[changed] - self.first]]
        at = added.of[changed] - self.first
        for i, name in enumerate(_COLUMNS):
            np.add.at(self.sums[i], at, sign * getattr(added, name)[changed])
        np.add.at(self.rows, at, sign * added.rows[changed])

    def forget(self, steps: Whole) -> None:
        """These hours or days, ascending, are to be read again."""
        if steps[-1] < self.first or steps[0] >= self.end:
            return
        at = steps[(steps >= self.first) & (steps < self.end)] - self.first
        self.read[at] = False

    def has_any(self, point: Whole) -> bool:
        """Whether any of these points is among its own."""
        return bool(self.member[point[point < len(self.member)]].any())

    def wider(self, points: Whole, low: int, high: int) -> _Kept:
        """The same, with room for [low, high)."""
        if self.first <= low and high <= self.end:
            return self
        made = _Kept.of(points, min(low, self.first), max(high, self.end))
        own = slice(self.first - made.first, self.end - made.first)
        made.sums[:, own], made.rows[own], made.read[own] = self.sums, self.rows, self.read
        return made

    def put(self, found: Sums, low: int, high: int) -> None:
        """What was read of [low, high)."""
        part = slice(low - self.first, high - self.first)
        self.sums[:, part], self.rows[part], self.read[part] = 0, 0, True
        for i, name in enumerate(_COLUMNS):
            self.sums[i, found.of - self.first] = getattr(found, name)
        self.rows[found.of - self.first] = found.rows

    def part(self, low: int, high: int) -> Sums:
        part = slice(low - self.first, high - self.first)
        there = self.rows[part] > 0
        columns = {name: column[part][there] for name, column in zip(_COLUMNS, self.sums, strict=True)}
        return Sums(of=np.arange(low, high, dtype=np.int64)[there], rows=self.rows[part][there], **columns)


class _Steps:
    """Sums by one step, hour or day: those of the sets of counters that were asked for last."""

    def __init__(self, adding: _Adding, most: int) -> None:
        self._adding, self._most = adding, most
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def covers(self, name: bytes, low: int, high: int) -> Sums | None:
        """What is there already; None where some of it is not."""
        kept = self._kept.get(name)
        if kept is None or not (kept.first <= low and high <= kept.end):
            return None
        if not kept.read[low - kept.first : high - kept.first].all():
            return None
        self._kept.move_to_end(name)
        return kept.part(low, high)

    async def read(self, name: bytes, points: Whole, low: int, high: int) -> Sums:
        """What is there, and what is not there yet out of the ledger, which must stand still meanwhile."""
        kept = self._kept[name].wider(points, low, high) if name in self._kept else _Kept.of(points, low, high)
        for since, until in _unread(kept, low, high):
            kept.put(await self._adding(points, since, until), since, until)
        self._kept[name] = kept
        self._kept.move_to_end(name)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept.part(low, high)

    def change(self, point: Whole, added: Sums, sign: int) -> None:
        for kept in self._kept.values():
            kept.change(point, added, sign)

    def forget(self, steps: Whole, point: Whole | None = None) -> None:
        """These hours or days, ascending, are to be read again, of sets that have any of the points, or of all."""
        for kept in self._kept.values():
            if point is None or kept.has_any(point):
                kept.forget(steps)

    def clear(self) -> None:
        self._kept.clear()


def _unread(kept: _Kept, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The parts of [low, high) that were not read."""
    steps = np.diff(np.r_[1, kept.read[low - kept.first : high - kept.first], 1].astype(np.int8))
    yield from zip((np.flatnonzero(steps < 0) + low).tolist(), (np.flatnonzero(steps > 0) + low).tolist(), strict=True)


class Curves:
    """Answers `Ledger.curve` and `Ledger.days`; what was asked before out of memory, the longest unasked forgotten
    first."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._hours, self._days = _Steps(ledger.curve, _KEPT), _Steps(ledger.days, _KEPT)
        self._few_days, self._few_hours = _Steps(ledger.days, _KEPT_DAYS), _Steps(ledger.curve, _KEPT_HOURS)
        # Held while the ledger is revised, and while sums are read that are to be kept.
        self._steady = asyncio.Lock()

    async def of(self, numbers: Whole, low: int, high: int) -> Sums:
        """What flowed through all of these together in each hour of [low, high) that any of them has a row of."""
        if len(numbers) >= _MANY:
            return await self._kept(self._hours, numbers, low, high)
        if high - low > _FEW_HOURS:
            return await self._ledger.curve(numbers, low, high)
        return joined([await self._kept(self._few_hours, numbers, *part) for part in _by_days(low, high)])

    async def within(self, numbers: Whole, edges: Whole) -> Sums:
        """The same over the periods between edges [half hours since the epoch], with days that lie whole within one
        period as one row each, of their first hour: added up over the periods it is the same."""
        days, hours = whole_days(edges)
        parts = [await self.of(numbers, low, high) for low, high in hours]
        for low, high in days:
            steps = self._days if len(numbers) >= _MANY else self._few_days
            found = await self._kept(steps, numbers, low, high)
            parts.append(_at_first_hours(found))
        return joined(parts) if parts else Sums.none()

    async def _kept(self, steps: _Steps, numbers: Whole, low: int, high: int) -> Sums:
        # Single days by hour go by their day too: years between two of them are not kept with them.
        name = numbers.tobytes() + (str(days_within(low, low)[1]).encode() if steps is self._few_hours else b"")
        found = steps.covers(name, low, high)
        if found is not None:
            return found
        async with self._steady:
            return await steps.read(name, numbers, low, high)

    async def forget(self, changes: Sequence[Revision]) -> None:
        """Another process has revised the ledger: what it touched is to be read again."""
        async with self._steady:
            for change in changes:
                hours, days = np.unique(change.hours), np.unique(day_of(change.hours))
                for steps, touched in self._all_steps(hours, days):
                    steps.forget(touched, change.points)

    async def forget_all(self) -> None:
        """The ledger may be another everywhere."""
        async with self._steady:
            for steps, _ in self._all_steps():
                steps.clear()

    def _all_steps(self, hours: Whole = NOTHING, days: Whole = NOTHING) -> Iterator[tuple[_Steps, Whole]]:
        """What is kept, each with the hours or days that it is kept by."""
        yield from ((self._hours, hours), (self._few_hours, hours), (self._days, days), (self._few_days, days))

    async def revise(self, stale: Hours, fresh: Hours) -> None:
        """Revise the ledger, and the sums with it."""
        async with self._steady:
            await self._ledger.revise((stale.point, stale.hour), fresh)
            for rows, sign in ((stale, -1), (fresh, 1)):
                if len(rows):
                    self._hours.change(rows.point.astype(np.int64), each(rows), sign)
                    point, days = by_day(rows)
                    self._days.change(point, days, sign)
                    # To look for each of them in each of many sets would take longer than to read some days again.
                    self._few_days.forget(np.unique(days.of))
                    self._few_hours.forget(np.unique(rows.hour))


def whole_days(edges: Whole) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Of the time between edges of periods [half hours], the days [first, end) of the ledger that lie whole within one
    period, and the hours [from, to) that are left.

    >>> whole_days(np.array([2 * 16, 2 * 40, 2 * 70]))
    ([(1, 3)], [(64, 70)])
    """
    low, high = int(edges[0] // 2), int(-(-edges[-1] // 2))
    days: list[tuple[int, int]] = []
    for start, stop in zip((-(-edges[:-1] // 2)).tolist(), (edges[1:] // 2).tolist(), strict=True):
        first, end = days_within(start, stop)
        if first < end and days and days[-1][1] == first:
            days[-1] = days[-1][0], end
        elif first < end:
            days.append((first, end))
    bounds = [low, *(hour for day in days for hour in map(first_hour, day)), high]
    return days, [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True) if a < b]


def _by_days(low: int, high: int) -> Iterator[tuple[int, int]]:
    """[low, high) cut where days of the ledger begin."""
    while low < high:
        end = min(first_hour(days_within(low, low)[1] + 1), high)
        yield low, end
        low = end


def _at_first_hours(days: Sums) -> Sums:
    return replace(days, of=first_hours(days.of))
