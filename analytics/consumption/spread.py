"""From the steps of a counter to consumption per period, and how much of each period is known in which way.

Over a gap the total is what the register says. Where a gap lies within a period its total is measured; where it reaches
across an edge, what falls to either side is an estimate, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import HOUR_MS, Steps, Verdict
from energy.series import Floats, Instants

_WEEK_HOURS = 168


@dataclass(frozen=True, slots=True)
class Spread:
    """Consumption per period; columns of length m.

    amount : what is known to have flowed [unit]; NaN where nothing is known: missing is not zero.
    estimated : the part of it whose side of an edge is an estimate [unit].
    measured_share, estimated_share, disputed_share, missing_share : of the time of the period; together 1.
    """

    amount: Floats
    estimated: Floats
    measured_share: Floats
    estimated_share: Floats
    disputed_share: Floats
    missing_share: Floats


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usually used, as a running total: `total` (k,) at `t_ms` (k,), neither ever falling, at any scale."""

    t_ms: Instants
    total: Floats

    def share(self, start_ms: int, end_ms: int, edges_ms: Instants) -> Floats:
        """Which share of [start, end) usually falls between consecutive edges: (m,); by time where none is usual."""
        inside = np.clip(edges_ms, start_ms, end_ms)
        at = np.interp(np.array([start_ms, *inside.tolist(), end_ms]), self.t_ms, self.total)
        whole = at[-1] - at[0]
        if not whole > 0:
            return np.diff(inside) / (end_ms - start_ms)
        share: Floats = np.diff(at[1:-1]) / whole
        return share


def spread(found: Steps, edges_ms: Instants, *, gap_ms: int, usual: Usual | None = None) -> Spread:
    """Spread steps over periods.

    Parameters
    ----------
    found : the steps of one counter, each beginning where the one before ends.
    edges_ms : (m + 1,) where the periods begin and the last one ends, ascending.
    gap_ms : a step that takes longer is a gap; a shorter one flows evenly, and is measured.
    usual : how a gap is shared between the periods that it touches; by time where it is None.

    Returns
    -------
    The m periods. The sum of their amounts is what the steps hold within the edges, whatever the edges are.
    """
    disputed = found.verdict == Verdict.DISPUTED
    crossing = np.searchsorted(edges_ms, found.start_ms, side="right") != np.searchsorted(edges_ms, found.end_ms)
    gap = ~disputed & crossing & (found.end_ms - found.start_ms > gap_ms)
    known = np.where(disputed, 0.0, found.amount)
    estimated = _over_edges(found, gap, known, edges_ms, usual)
    evenly = _evenly(found, np.where(gap, 0.0, known), edges_ms)
    duration, length = (found.end_ms - found.start_ms).astype(np.float64), np.diff(edges_ms).astype(np.float64)

    def share(of: npt.NDArray[np.bool_]) -> Floats:
        return _evenly(found, np.where(of, duration, 0.0), edges_ms) / length

    measured, guessed, in_dispute = share(~gap & ~disputed), share(gap), share(disputed)
    amount = np.where(measured + guessed > 0, evenly + estimated, np.nan)
    missing = np.clip(1.0 - measured - guessed - in_dispute, 0.0, 1.0)
    return Spread(amount, estimated, measured, guessed, in_dispute, missing)


def usual_week(found: Steps, from_ms: int, to_ms: int, *, gap_ms: int, zone_offset_ms: int = 0) -> Usual:
    """What the meter itself usually uses, by hour of the week, as a running total over [from, to).

    An hour of the week that was never measured counts as the mean of those that were.
    """
    first = (from_ms + zone_offset_ms) // HOUR_MS * HOUR_MS - zone_offset_ms
    edges = np.arange(first, to_ms + HOUR_MS, HOUR_MS, dtype=np.int64)
    own = spread(found, edges, gap_ms=gap_ms)
    whole = own.measured_share > 0.999
    slot = ((edges[:-1] + zone_offset_ms) // HOUR_MS) % _WEEK_HOURS
    counted = np.bincount(slot[whole], minlength=_WEEK_HOURS)
    summed = np.bincount(slot[whole], weights=own.amount[whole], minlength=_WEEK_HOURS)
    overall = summed.sum() / max(1, counted.sum())
    typical = np.where(counted > 0, summed / np.maximum(counted, 1), overall)
    return Usual(edges, np.concatenate([[0.0], np.cumsum(typical[slot])]))


def _evenly(found: Steps, of_step: Floats, edges_ms: Instants) -> Floats:
    """What each step holds, spread evenly over its time and summed by period: (m,)."""
    if len(found) == 0:
        return np.zeros(len(edges_ms) - 1)
    knots = np.concatenate([found.start_ms[:1], found.end_ms])
    total = np.concatenate([[0.0], np.cumsum(of_step)])
    # Interpolated with the origin taken out: milliseconds since the epoch would cost digits.
    by_period: Floats = np.diff(np.interp(edges_ms - knots[0], knots - knots[0], total))
    return by_period


def _over_edges(
    found: Steps, gap: npt.NDArray[np.bool_], amount: Floats, edges_ms: Instants, usual: Usual | None
) -> Floats:
    """What the gaps hold, shared between the periods that they touch: (m,)."""
    by_period = np.zeros(len(edges_ms) - 1)
    evenly = Usual(edges_ms, np.zeros(len(edges_ms)))
    for i in np.flatnonzero(gap).tolist():
        start, end = int(found.start_ms[i]), int(found.end_ms[i])
        first = max(0, int(np.searchsorted(edges_ms, start, side="right")) - 1)
        last = min(len(by_period), int(np.searchsorted(edges_ms, end, side="left")))
        if first < last:
            by_period[first:last] += amount[i] * (usual or evenly).share(start, end, edges_ms[first : last + 1])
    return by_period
