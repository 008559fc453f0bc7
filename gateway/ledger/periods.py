"""Hours of the ledger added up by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from analytics.consumption.spread import HALF_MS as HALF_MS
from energy.errors import EnergyError
from energy.hours import Sums, Whole
from energy.periods import Period, Span, periods
from energy.readings import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of m periods, of one point or of several together; columns of length m.

    amount, estimated, unpriced : (m,) [millionths of the unit]; cost : (m,) [millionths of a yuan].
    measured, estimated_time, manual, disputed, missing : (m,) shares of the time, of all points; together 1.
    """

    amount: Whole
    estimated: Whole
    cost: Whole
    unpriced: Whole
    measured: np.ndarray[tuple[int], np.dtype[np.float64]]
    estimated_time: np.ndarray[tuple[int], np.dtype[np.float64]]
    manual: np.ndarray[tuple[int], np.dtype[np.float64]]
    disputed: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def missing(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.maximum(0.0, 1.0 - self.measured - self.estimated_time - self.manual - self.disputed)

    @property
    def known(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether anything is known to have flowed, be it nothing."""
        return self.measured + self.estimated_time + self.manual > 0


@lru_cache(maxsize=256)
def edges_of(by: Span | None, start: datetime, end: datetime, zone: ZoneInfo) -> Whole:
    """(m + 1,) where the periods begin and the last ends, cut to [start, end) [half hours since the epoch].

    Kept, for all who ask the same: four years by day take longer to make than to add up. Nobody writes to it.
    """
    edges = _edges(by, start, end, zone)
    edges.flags.writeable = False
    return edges


def _edges(by: Span | None, start: datetime, end: datetime, zone: ZoneInfo) -> Whole:
    if by is Span.HOUR and _whole_hours(start, end, zone):
        first, last = to_ms(start) // HALF_MS, to_ms(end) // HALF_MS
        inner = np.arange(first // 2 + 1, -(-last // 2), dtype=np.int64) * 2
        return np.concatenate([[first], inner, [last]])
    wanted = periods(by, start, end, zone) if by is not None else [Period(start, end)]
    cut = [Period(max(p.start, start), min(p.end, end)) for p in wanted]
    edges = np.array([to_ms(p.start) for p in cut] + [to_ms(end)], np.int64)
    wrong = np.flatnonzero(edges % HALF_MS)
    if len(wrong):
        at = from_ms(int(edges[wrong[0]])).astimezone(zone).isoformat()
        raise EnergyError(f"{at} is within a half hour: the ledger knows whole half hours; ask from and to such")
    return edges // HALF_MS


def _whole_hours(start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    """Whether local hours are those of UTC all the time, and both ends lie on half hours."""
    weeks = [start, *(start + timedelta(days=7 * i) for i in range(int((end - start).days / 7) + 1)), end]
    offsets = {w.astimezone(zone).utcoffset() or timedelta(0) for w in weeks}
    on_halves = (to_ms(start) % HALF_MS, to_ms(end) % HALF_MS) == (0, 0)
    return on_halves and all(o % timedelta(hours=1) == timedelta(0) for o in offsets)


def of_periods(hours: Sums, edges: Whole, points: int) -> Figures:
    """Hours, one row each, added up between edges [half hours since the epoch]; `points` is how many they are of."""
    halves = np.r_[hours.of * 2, hours.of * 2 + 1]
    order = np.argsort(halves, kind="stable")
    at = np.searchsorted(halves[order], edges)

    def summed(first: Whole, second: Whole) -> Whole:
        running = np.r_[0, np.cumsum(np.r_[first, second][order])]
        added: Whole = np.diff(running[at])
        return added

    def share(ms: Whole) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return summed(ms - ms // 2, ms // 2) / (np.diff(edges) * float(HALF_MS) * max(points, 1))

    def halved(whole: Whole) -> tuple[Whole, Whole]:
        # What is not kept by half hour goes as the amount goes.
        first = np.where(hours.amount > 0, _part(whole, hours.first_half, hours.amount), whole // 2)
        return first, whole - first

    return Figures(
        summed(hours.first_half, hours.amount - hours.first_half),
        summed(*halved(hours.estimated)),
        summed(*halved(hours.cost)),
        summed(*halved(hours.unpriced)),
        share(hours.measured_ms),
        share(hours.estimated_ms),
        share(hours.manual_ms),
        share(hours.disputed_ms),
    )


def _part(whole: Whole, part: Whole, of: Whole) -> Whole:
    return np.rint(whole * (part / np.maximum(of, 1))).astype(np.int64)


def joined(parts: Sequence[Sums]) -> Sums:
    """Sums of several, row by row of what they are of."""
    if len(parts) == 1:
        return parts[0]
    of = np.concatenate([p.of for p in parts])
    unique, at = np.unique(of, return_inverse=True)

    def added(name: str) -> Whole:
        column = np.zeros(len(unique), np.int64)
        np.add.at(column, at, np.concatenate([getattr(p, name) for p in parts]))
        return column

    return Sums(unique, *(added(name) for name in Sums.__slots__ if name != "of"))
