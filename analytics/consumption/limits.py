"""The most that can flow through a meter, learnt from the meter itself.

Ten times the third-highest of its hourly peaks in a week and the week before, and twice that over hours on end: above
any load that belongs to the meter, far below a foreign register. It depends on the readings of these two weeks alone,
not on how they came.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy.hours import HOUR_MS as HOUR_MS
from energy.hours import Whole as Whole
from energy.series import MICRO, Floats, Instants

WEEK_MS = 168 * HOUR_MS
# A register that strayed and came back within this time was read wrong; one that stays away is another register.
EXCURSION_MS = 6 * HOUR_MS
_FACTOR = 10.0
_LASTING_FACTOR = 2.0
_BURST_MS = (_FACTOR - _LASTING_FACTOR) * HOUR_MS
_RANK = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of p points in w weeks, the first of which begins at `first_ms`.

    per_ms : (p, w) the most that flows [millionths/ms]; inf where too little is known.
    typical_per_ms : (p, w) what flows at its busiest, as a rule [millionths/ms]; the same where the limit was told.
    slack : (p, w) the smallest rise seen, a step of the register [millionths].
    """

    first_ms: int
    per_ms: Floats
    typical_per_ms: Floats
    slack: Whole

    def week(self, t_ms: Instants) -> Whole:
        """Which week instants are in; a step belongs to the week it ends in."""
        found: Whole = np.clip((t_ms - self.first_ms - 1) // WEEK_MS, 0, self.per_ms.shape[1] - 1)
        return found

    def most(self, point: npt.NDArray[np.integer] | int, week: Whole, took_ms: Whole) -> Floats:
        """The most that can flow in so long a time [millionths]; in no time, a step of the register.

        A short time can be ten times as busy as ever before; hours on end cannot, unless a limit was told.
        """
        with np.errstate(invalid="ignore"):
            typical = self.typical_per_ms[point, week]
            lasting = typical * (_BURST_MS + _LASTING_FACTOR * took_ms)
            flowed = np.where(took_ms > 0, np.minimum(self.per_ms[point, week] * took_ms, lasting), 0.0)
        most: Floats = flowed + self.slack[point, week]
        return most

    def of(self, point: int) -> Limits:
        """Those of one point."""
        own = slice(point, point + 1)
        return Limits(self.first_ms, self.per_ms[own], self.typical_per_ms[own], self.slack[own])


def learn(point: npt.NDArray[np.integer], end_ms: Instants, rise: Whole, took_ms: Whole, points: int) -> Limits:
    """Limits from the steps of many points.

    Parameters
    ----------
    point : (n,) position of the point of each step, ascending.
    end_ms : (n,) when each step ends, ascending within a point.
    rise, took_ms : (n,) what the register rose by [millionths] and how long it took; falls are left out of account.
    points : how many points there are.
    """
    if len(point) == 0:
        none = np.full((points, 1), np.inf)
        return Limits(0, none, none.copy(), np.zeros((points, 1), np.int64))
    first_ms = (int(end_ms.min()) - 1) // WEEK_MS * WEEK_MS
    leaps = _of_excursions(point, end_ms, rise)
    weeks = (int(end_ms.max()) - 1 - first_ms) // WEEK_MS + 1
    hours = weeks * 168
    key = point.astype(np.int64) * hours + (end_ms - 1 - first_ms) // HOUR_MS
    begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    # A step counts in its week only if it began there: what came before need not be known.
    rising = (rise > 0) & ((end_ms - took_ms - first_ms) // WEEK_MS == (end_ms - 1 - first_ms) // WEEK_MS)
    rising[leaps] = False
    rate = np.where(rising, rise / took_ms, 0.0)
    peak, least = np.zeros(points * hours), np.full(points * hours, np.iinfo(np.int64).max)
    peak[key[begins]] = np.maximum.reduceat(rate, begins)
    least[key[begins]] = np.minimum.reduceat(np.where(rising, rise, np.iinfo(np.int64).max), begins)
    highest = np.partition(peak.reshape(points, weeks, 168), 168 - _RANK, axis=2)[:, :, -_RANK:]
    third = np.partition(_with_week_before(highest, 0.0), -_RANK, axis=2)[:, :, -_RANK]
    smallest = _with_week_before(least.reshape(points, weeks, 168).min(axis=2)[:, :, None], None).min(axis=2)
    typical = np.where(third > 0, third, np.inf)
    return Limits(first_ms, _FACTOR * typical, typical, np.where(np.isinf(typical), 0, smallest))


def _of_excursions(point: npt.NDArray[np.integer], end_ms: Instants, rise: Whole) -> list[int]:
    """Rises on the way to a spike, or back from a dip: what a fall of like size stands beside is no load."""
    found: list[int] = []
    for fall in np.flatnonzero(rise < 0).tolist():
        own = slice(*np.searchsorted(point, [point[fall], point[fall] + 1]).tolist())
        span = end_ms[fall] - EXCURSION_MS, end_ms[fall] + EXCURSION_MS
        around = own.start + np.arange(*np.searchsorted(end_ms[own], span).tolist())
        leaping = around[rise[around] >= -rise[fall] / 2]
        before, after = leaping[leaping < fall], leaping[leaping > fall]
        found += [*before[-1:].tolist(), *after[:1].tolist()]
    return found


def declared(learnt: Limits, per_h: Floats, resolution: Floats, ordinary_per_h: Floats) -> Limits:
    """The limits, where a point has one that was told (p,) [unit/h], NaN where not; the resolution likewise [unit].

    ordinary_per_h : (p,) what the smallest meter of the trade carries [unit/h]; what was learnt is never below it.
    """
    told, slack = ~np.isnan(per_h)[:, None], ~np.isnan(resolution)[:, None]
    usual = np.maximum(learnt.typical_per_ms, (ordinary_per_h * MICRO / HOUR_MS / _FACTOR)[:, None])
    per_ms = np.where(told, (per_h * MICRO / HOUR_MS)[:, None], _FACTOR * usual)
    typical = np.where(told, per_ms, usual)
    steps = np.where(slack, np.nan_to_num(resolution * MICRO)[:, None], learnt.slack).astype(np.int64)
    return Limits(learnt.first_ms, per_ms, typical, np.where(told & ~slack, 0, steps))


def _with_week_before(by_week: npt.NDArray[np.generic], first: float | None) -> npt.NDArray[np.generic]:
    """(p, w, k) with what stood in the week before beside it: (p, w, 2k); of the first week nothing does."""
    before = np.roll(by_week, 1, axis=1)
    before[:, 0] = by_week[:, 0] if first is None else first
    return np.concatenate([before, by_week], axis=2)
