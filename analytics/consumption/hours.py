"""From the steps of a counter to consumption per hour, and how much of each hour is known in which way.

Over a gap the total is what the register says; how it spreads over the hours is an estimate, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import Steps, Verdict
from energy.series import Floats, Instants


@dataclass(frozen=True, slots=True)
class Hours:
    """Consumption between edges; columns of length m.

    amount : what is known to have flowed [unit]; NaN where nothing is known: missing is not zero.
    estimated : the part of it whose place in time is an estimate [unit].
    measured_share, estimated_share, disputed_share, missing_share : of the time of the hour; together 1.
    """

    amount: Floats
    estimated: Floats
    measured_share: Floats
    estimated_share: Floats
    disputed_share: Floats
    missing_share: Floats


def hours(found: Steps, edges_ms: Instants, *, gap_ms: int, weights: Floats | None = None) -> Hours:
    """Spread steps over hours, or over any periods.

    Parameters
    ----------
    found : the steps of one counter, each beginning where the one before ends.
    edges_ms : (m + 1,) where the hours begin and the last one ends, ascending.
    gap_ms : a step that takes longer is a gap; a shorter one flows evenly, and is measured.
    weights : (m,) how much is usually used in each hour, at any scale, none negative; the steps of a gap are spread by
        them, evenly where they are None or all zero.

    Returns
    -------
    The m hours. The sum of their amounts is what the steps hold within the edges, whatever the edges are.
    """
    if weights is not None and (len(weights) != len(edges_ms) - 1 or np.any(weights < 0) or np.any(np.isnan(weights))):
        raise ValueError(f"weights must be {len(edges_ms) - 1} numbers, none negative")
    disputed = found.verdict == Verdict.DISPUTED
    gap = ~disputed & (found.end_ms - found.start_ms > gap_ms)
    known = np.where(disputed, 0.0, found.amount)
    gaps = _spread(found, gap, known, edges_ms, weights)
    evenly = _evenly(found, np.where(gap, 0.0, known), edges_ms)
    length = np.diff(edges_ms).astype(np.float64)
    duration = (found.end_ms - found.start_ms).astype(np.float64)

    def share(of: npt.NDArray[np.bool_]) -> Floats:
        return _evenly(found, np.where(of, duration, 0.0), edges_ms) / length

    measured, estimated, in_dispute = share(~gap & ~disputed), share(gap), share(disputed)
    amount = np.where(measured + estimated > 0, evenly + gaps, np.nan)
    missing = np.clip(1.0 - measured - estimated - in_dispute, 0.0, 1.0)
    return Hours(amount, gaps, measured, estimated, in_dispute, missing)


def _evenly(found: Steps, of_step: Floats, edges_ms: Instants) -> Floats:
    """What each step holds, spread evenly over its time and summed by hour: (m,)."""
    if len(found) == 0:
        return np.zeros(len(edges_ms) - 1)
    knots = np.concatenate([found.start_ms[:1], found.end_ms])
    total = np.concatenate([[0.0], np.cumsum(of_step)])
    # Interpolated with the origin taken out: milliseconds since the epoch would cost digits.
    spread: Floats = np.diff(np.interp(edges_ms - knots[0], knots - knots[0], total))
    return spread


def _spread(
    found: Steps, gap: npt.NDArray[np.bool_], amount: Floats, edges_ms: Instants, weights: Floats | None
) -> Floats:
    """What the gaps hold, spread by what is usual at that time: (m,)."""
    by_hour = np.zeros(len(edges_ms) - 1)
    for i in np.flatnonzero(gap).tolist():
        start, end = int(found.start_ms[i]), int(found.end_ms[i])
        first = max(0, int(np.searchsorted(edges_ms, start, side="right")) - 1)
        last = min(len(by_hour), int(np.searchsorted(edges_ms, end, side="left")))
        if first >= last:
            continue
        inside = np.clip(
            np.minimum(edges_ms[first + 1 : last + 1], end) - np.maximum(edges_ms[first:last], start), 0, None
        )
        length = np.diff(edges_ms[first : last + 1])
        usual = inside / length * (weights[first:last] if weights is not None else length)
        if usual.sum() == 0:
            usual = inside.astype(np.float64)
        # Of a gap that begins before the first edge or ends after the last only its share of time lies within.
        within = inside.sum() / (end - start)
        by_hour[first:last] += amount[i] * within * usual / usual.sum()
    return by_hour
