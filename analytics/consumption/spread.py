"""From the steps of counters to half hours.

A short step flows evenly. Over a gap the total is what the register says; which half hour it falls into is an estimate,
made by what the meter itself used at that time of day before the gap, and marked so. Whole millionths are shared out by
cumulative rounding: the half hours of a step add up to it exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import Verdict
from analytics.consumption.limits import HOUR_MS, WEEK_MS, Whole
from energy.series import Floats, Instants

HALF_MS = HOUR_MS // 2
# A step that takes longer is a gap: a meter read by the hour is not read to the second.
GAP_MS = HOUR_MS + HOUR_MS // 12
_DAY_SLOTS = 48


@dataclass(frozen=True, slots=True)
class ManySteps:
    """Steps of p points, by point and time; columns of length n as in `Steps`."""

    points: int
    point: npt.NDArray[np.integer]
    start_ms: Instants
    end_ms: Instants
    amount: Whole
    verdict: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HalfHours:
    """What is known of s half hours from the half hour `first` on [half hours since the epoch], of p points.

    amount, estimated : (p, s) what flowed, and the part of it that is spread over a gap [millionths].
    measured_ms, estimated_ms, manual_ms, disputed_ms : (p, s) of its time, how much is known in which way.
    """

    first: int
    amount: Whole
    estimated: Whole
    measured_ms: Whole
    estimated_ms: Whole
    manual_ms: Whole
    disputed_ms: Whole


def half_hours(found: ManySteps, first: int, count: int, *, zone_offset_ms: int = 0) -> HalfHours:
    """Spread steps over half hours; what lies outside [first, first + count) is cut off.

    `zone_offset_ms` says which half hours are the same time of the same kind of day, for estimates.
    """
    duration = found.end_ms - found.start_ms
    disputed = (found.verdict == Verdict.DISPUTED) | (found.verdict == Verdict.UNKNOWN)
    gap = ~disputed & (duration > GAP_MS)
    manual = found.verdict == Verdict.MANUAL
    even = _Grid(found, first, count)
    short = ~gap & ~disputed
    amount = even.spread(short, found.amount)
    measured_ms = even.spread(short & ~manual, duration)
    zero = np.zeros_like(amount)
    manual_ms = even.spread(manual, duration) if manual.any() else zero
    disputed_ms = even.spread(disputed, duration) if disputed.any() else zero
    estimated, estimated_ms = zero, zero
    if gap.any():
        estimated_ms = even.spread(gap & ~manual, duration)
        usual = _Usual(first, amount, measured_ms, zone_offset_ms)
        spread_out, estimated = _over_gaps(found, gap, manual, usual, first, amount.shape)
        amount = amount + spread_out
    return HalfHours(first, amount, estimated, measured_ms, estimated_ms, manual_ms, disputed_ms)


class _Grid:
    """Steps over a grid of half hours, evenly over their time."""

    def __init__(self, found: ManySteps, first: int, count: int) -> None:
        self._found, self._first, self._count = found, first, count
        self._from = found.start_ms // HALF_MS - first
        self._to = (found.end_ms - 1) // HALF_MS - first
        self._base = found.point.astype(np.int64) * count

    def spread(self, which: npt.NDArray[np.bool_], what: Whole) -> Whole:
        """Sums of `what` (n,) of the steps chosen, by point and half hour: (p, s)."""
        grid = np.zeros(self._found.points * self._count, np.int64)
        within = which & (self._from == self._to) & (self._from >= 0) & (self._from < self._count)
        if within.any():
            rows = slice(None) if within.all() else within
            key, part = (self._base + self._from)[rows], what[rows]
            begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
            grid[key[begins]] = np.add.reduceat(part, begins)
        crossing = np.flatnonzero(which & (self._from != self._to))
        if len(crossing):
            self._add_crossing(grid, crossing, what)
        return grid.reshape(self._found.points, self._count)

    def _add_crossing(self, grid: Whole, rows: npt.NDArray[np.int64], what: Whole) -> None:
        """Steps over edges: cut at each edge by time, cumulatively rounded."""
        start, end = self._found.start_ms[rows], self._found.end_ms[rows]
        n = (self._to[rows] - self._from[rows] + 1).astype(np.int64)
        of = np.repeat(np.arange(len(rows)), n)
        slot = np.arange(len(of)) - np.repeat(np.cumsum(n) - n, n) + self._from[rows][of]
        upto = np.minimum((slot + 1 + self._first) * HALF_MS, end[of])
        since = np.maximum((slot + self._first) * HALF_MS, start[of])
        whole, length = what[rows][of], (end - start)[of]
        part = _share(whole, upto - start[of], length) - _share(whole, since - start[of], length)
        inside = (slot >= 0) & (slot < self._count)
        np.add.at(grid, (self._base[rows][of] + slot)[inside], part[inside])


def _share(whole: Whole, part: Whole, of: Whole) -> Whole:
    """whole * part / of, rounded down, without running over: amounts reach 1e18."""
    quotient, remainder = np.divmod(whole, of)
    shared: Whole = quotient * part + (remainder * part) // of
    return shared


class _Usual:
    """What a point used at the same time of the same kind of day, in the time before: (workday or not, half hour)."""

    def __init__(self, first: int, amount: Whole, measured_ms: Whole, zone_offset_ms: int) -> None:
        self._first, self._amount = first, amount
        self._whole = measured_ms >= HALF_MS - 1000
        local = np.arange(amount.shape[1], dtype=np.int64) + first + zone_offset_ms // HALF_MS
        # 1970-01-01 was a Thursday.
        free = (local // _DAY_SLOTS + 3) % 7 >= 5
        self._class = free * _DAY_SLOTS + local % _DAY_SLOTS

    def of(self, point: int, slots: slice, start_ms: int) -> Floats:
        """Weights of the half hours of a gap, from the readings before it in its week and the week before."""
        since = max(0, (start_ms // WEEK_MS - 1) * WEEK_MS // HALF_MS - self._first)
        before = slice(since, max(since, slots.start))
        whole = self._whole[point, before]
        if not whole.any():
            return np.ones(slots.stop - slots.start)
        kind, used = self._class[before][whole], self._amount[point, before][whole].astype(np.float64)
        n = np.bincount(kind, minlength=2 * _DAY_SLOTS)
        total = np.bincount(kind, weights=used, minlength=2 * _DAY_SLOTS)
        of_time = np.add.reduce(total.reshape(2, -1)) / np.maximum(1, np.add.reduce(n.reshape(2, -1)))
        of_time = np.where(np.add.reduce(n.reshape(2, -1)) > 0, of_time, used.mean())
        usual = np.where(n > 0, total / np.maximum(n, 1), np.tile(of_time, 2))
        weights: Floats = usual[self._class[slots]]
        return weights if weights.sum() > 0 else np.ones(len(weights))


def _over_gaps(
    found: ManySteps,
    gap: npt.NDArray[np.bool_],
    manual: npt.NDArray[np.bool_],
    usual: _Usual,
    first: int,
    shape: tuple[int, ...],
) -> tuple[Whole, Whole]:
    """What the gaps hold by half hour, all of it and the part that is an estimate: (p, s) each."""
    spread_out, estimated = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for i in np.flatnonzero(gap).tolist():
        start, end, point = int(found.start_ms[i]), int(found.end_ms[i]), int(found.point[i])
        low, high = start // HALF_MS - first, (end - 1) // HALF_MS - first + 1
        # A gap from before the grid is cut by time: what came before it is not here.
        edges = np.clip((np.arange(low, high + 1, dtype=np.int64) + first) * HALF_MS, start, end)
        slots = slice(max(0, low), min(shape[1], high))
        if slots.start >= slots.stop:
            continue
        weights = usual.of(point, slots, start) if low >= 0 and high <= shape[1] else np.ones(high - low)
        running = np.r_[0.0, np.cumsum(weights * np.diff(edges))]
        upto = np.rint(running / running[-1] * float(found.amount[i])).astype(np.int64)
        upto[-1] = found.amount[i]
        part = np.diff(upto)[slots.start - low : slots.stop - low]
        spread_out[point, slots] += part
        if not manual[i]:
            estimated[point, slots] += part
    return spread_out, estimated
