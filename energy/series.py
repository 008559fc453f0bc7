"""Series: the values of one point over time as numpy arrays, and their reduction to as many rows as are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy.quantities import Kind
from energy.readings import Point

Floats = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]

# Amounts are kept as whole millionths of their unit: sums are exact, in whatever order they are made.
MICRO = 1_000_000

_SECOND, _HOUR, _DAY = 1000, 3_600_000, 86_400_000
# Steps that divide an hour or a day, so that the same edges come back while one pans.
STEPS_MS = (
    *(s * _SECOND for s in (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800)),
    *(h * _HOUR for h in (1, 2, 3, 4, 6, 8, 12)),
    *(d * _DAY for d in (1, 2, 3, 4, 5, 7, 10, 14, 28, 56, 112, 364)),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One point over a range of time, oldest first; every column has length n, or 0 where it does not apply.

    t_ms : (n,) start of each step, or the instant of each reading where `step_ms` is None.
    low, mean, high : (n,) least, arithmetic mean and greatest value of a gauge in each step; empty for a counter.
    first, last : (n,) register at the first and last reading of each step; empty for a gauge.
    uncertain : whether any value is of uncertain quality. Bad values are never part of a curve.

    A row of NaN marks a gap: nothing is known between its neighbours.
    """

    point: Point
    kind: Kind
    step_ms: int | None
    t_ms: Instants
    low: Floats
    mean: Floats
    high: Floats
    first: Floats
    last: Floats
    uncertain: bool = False

    def __len__(self) -> int:
        return len(self.t_ms)

    @classmethod
    def raw(cls, point: Point, kind: Kind, t_ms: Instants, value: Floats, *, uncertain: bool) -> Curve:
        """The readings themselves, unreduced."""
        none = np.empty(0)
        if kind is Kind.GAUGE:
            return cls(point, kind, None, t_ms, value, value, value, none, none, uncertain)
        return cls(point, kind, None, t_ms, none, none, none, value, value, uncertain)


def step_for(from_ms: int, to_ms: int, rows: int) -> int:
    """The shortest step of `STEPS_MS` by which [from, to) falls into at most `rows` steps, wherever the edges lie.

    >>> step_for(0, 86_400_000, 1000) // 1000
    120
    """
    if rows < 2:
        raise ValueError(f"{rows} row: a range touches two steps wherever their edge lies; ask for 2 at least")
    # One step more than fit may be touched, since the range need not begin on an edge.
    shortest = (to_ms - from_ms) / (rows - 1)
    for step in STEPS_MS:
        if step >= shortest:
            return step
    longest = STEPS_MS[-1]
    return longest * -(-(to_ms - from_ms) // (longest * (rows - 1)))


def reduce(
    point: Point,
    kind: Kind,
    t_ms: Instants,
    value: Floats,
    *,
    step_ms: int,
    origin_ms: int = 0,
    uncertain: bool = False,
) -> Curve:
    """Reduce readings to one row a step; the reference that every store's own reduction must equal.

    Parameters
    ----------
    t_ms : (n,) instants, ascending.
    value : (n,) values in the unit of the quantity, none of them NaN.
    step_ms : length of a step; steps begin at `origin_ms` and its multiples.

    Returns
    -------
    A row for each step that holds a reading.
    """
    none = np.empty(0)
    if len(t_ms) == 0:
        return Curve(point, kind, step_ms, np.empty(0, np.int64), none, none, none, none, none)
    step = (t_ms - origin_ms) // step_ms
    begins = np.flatnonzero(np.r_[True, step[1:] != step[:-1]])
    starts = step[begins] * step_ms + origin_ms
    ends = np.r_[begins[1:], len(t_ms)]
    if kind is Kind.COUNTER:
        return Curve(point, kind, step_ms, starts, none, none, none, value[begins], value[ends - 1], uncertain)
    low = np.minimum.reduceat(value, begins)
    high = np.maximum.reduceat(value, begins)
    mean = np.add.reduceat(value, begins) / (ends - begins)
    return Curve(point, kind, step_ms, starts, low, mean, high, none, none, uncertain)


def with_gaps(curve: Curve) -> Curve:
    """Put a row of NaN where readings are missing, so that nobody draws a line across.

    A spacing is a gap when it is more than three times the median of the two spacings before and the two after it: a
    meter that is read every 15 minutes has no gaps, one read every 5 seconds has one after 15 seconds of silence.
    Never makes a reduced curve longer than its number of steps.
    """
    if len(curve) < 3:
        return curve
    spacing = np.diff(curve.t_ms).astype(np.float64)
    padded = np.r_[np.nan, np.nan, spacing, np.nan, np.nan]
    n = len(spacing)
    around = np.stack([padded[0:n], padded[1 : n + 1], padded[3 : n + 3], padded[4 : n + 4]])
    usual = np.maximum(np.nanmedian(around, axis=0), float(curve.step_ms or 0))
    gaps = np.flatnonzero(spacing > 3 * usual)
    if len(gaps) == 0:
        return curve
    at = gaps + 1
    into = spacing[gaps].astype(np.int64) // 2 if curve.step_ms is None else curve.step_ms
    gap_t = curve.t_ms[gaps] + into

    def opened(column: Floats) -> Floats:
        return np.insert(column, at, np.nan) if len(column) else column

    return Curve(
        curve.point,
        curve.kind,
        curve.step_ms,
        np.insert(curve.t_ms, at, gap_t),
        opened(curve.low),
        opened(curve.mean),
        opened(curve.high),
        opened(curve.first),
        opened(curve.last),
        curve.uncertain,
    )
