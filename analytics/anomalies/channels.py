"""The score of an hour, from what was known then: what is new is added to a state, hour by hour, many meters at a time.

Causal by its shape: `step` sees an hour and the state that hours before have left, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from analytics.anomalies.profiles import Profile

Values = npt.NDArray[np.float32]

# Residuals are told in spreads. One hour alone says no more than this, and in a mean over hours it counts for less.
_MOST = np.float32(30.0)
_MOST_IN_MEANS = np.float32(8.0)
# With fewer meters than this nothing is common to them.
_LEAST_TOGETHER = 8
_LIKENESS_HALF = 4.0
# How far worked and other days must be apart, in spreads, before one can be taken for the other.
_LEAST_APART = np.float32(1.0)
# A value that stays this many hours longer than it ever does as a rule.
_SPARE_HOURS = np.float32(1.0)
# What nights or days of a kind have left is believed as far as now bears it out, times this.
_BORNE_OUT = np.float32(2.0)
# When buildings sleep, local hours.
_NIGHT = (*range(6), 22, 23)


class Channel(IntEnum):
    """What a score stands on."""

    HOUR = 0
    HOURS = 1
    DAY = 2
    NIGHT = 3
    KIND_OF_DAY = 4
    LIKE_WORKDAY = 5
    FLAT = 6


# Half lives [h] of the means: over hours, over about a day, over the hours of nights or of days, over days of a kind.
# By how much each channel weighs, and how much less being used counts beside as much more: that a building rests longer
# than usual is seldom a fault, however long it lasts. Chosen on the buildings that are not held out.
_HALF_LIVES = (3.0, 12.0, 6.0, 10.0)
_WEIGHTS = np.array([1.0, 1.2, 1.4, 1.4, 1.3, 1.5, 1.25], np.float32)
_LESS = np.array([0.8, 0.5, 0.2, 0.2, 0.0, 0.0, 0.0], np.float32)


@dataclass(slots=True)
class State:
    """What hours before have left, of m meters.

    means : (2, m) means of residuals, of some hours and of about a day [spreads].
    by_night : (2, m) the same of the hours of days, and of nights. by_kind : (2, m) of other, and of worked days.
    likeness : (m,) how much better the profile of worked days fits lately than that of the day's own kind.
    last, run : (m,) the last amount, and for how many hours it has not changed.
    usual_run : (m,) for how many hours it may stay the same.
    """

    means: Values
    by_night: Values
    by_kind: Values
    likeness: Values
    last: Values
    run: Values
    usual_run: Values

    @classmethod
    def fresh(cls, m: int, usual_run: Values | None = None) -> State:
        """Of meters of which nothing is known; `usual_run` as `usual_runs` finds it."""
        zeros, pairs = np.zeros(m, np.float32), np.zeros((2, m), np.float32)
        usual = np.full(m, 6.0, np.float32) if usual_run is None else usual_run
        last = np.full(m, np.nan, np.float32)
        return cls(pairs, pairs.copy(), pairs.copy(), zeros, last, zeros.copy(), usual)


@dataclass(frozen=True, slots=True)
class Step:
    """What an hour looks like, (m,) each: the score, the channel it stands on, and the residual in spreads."""

    score: Values
    channel: npt.NDArray[np.int8]
    residual: Values


def step(state: State, use: Values, hour: int, own: Profile, of_worked: Values | None) -> Step:
    """Score an hour of m meters, and add it to the state.

    Parameters
    ----------
    use : (m,) consumption; NaN where missing, and scored NaN.
    hour : of the local day.
    own : the profile of the day's kind.
    of_worked : (m, 24) what is expected of worked days, on a day that is not worked.
    """
    expected, spread = own.expected[:, hour], np.maximum(own.spread[:, hour], np.float32(1e-9))
    raw = np.clip((use - expected) / spread, -_MOST, _MOST).astype(np.float32)
    residual = np.asarray(raw - _common(raw), dtype=np.float32)
    known = np.isfinite(residual)
    means = [*state.means, state.by_night[int(hour in _NIGHT)], state.by_kind[int(of_worked is None)]]
    for mean, half in zip(means, _HALF_LIVES, strict=True):
        _decay(mean, np.clip(residual, -_MOST_IN_MEANS, _MOST_IN_MEANS), known, half)
    _decay(state.likeness, _likeness(use, hour, own, of_worked, spread), known, _LIKENESS_HALF)
    state.run = np.where(use == state.last, state.run + 1, np.float32(0))
    state.last = use
    now = _BORNE_OUT * np.maximum(np.maximum(residual, means[0]), 0)
    remembered = [np.minimum(mean, now) for mean in means[2:]]
    said = np.stack([residual, *means[:2], *remembered, state.likeness, state.run - state.usual_run - _SPARE_HOURS])
    said = np.where(said > 0, said, -said * _LESS[:, None])
    weighed = _WEIGHTS[:, None] * np.log1p(np.minimum(said, _MOST))
    channel = np.argmax(np.where(np.isnan(weighed), -1, weighed), axis=0)
    score = np.take_along_axis(weighed, channel[None], axis=0)[0]
    return Step(np.where(known, score, np.float32(np.nan)), channel.astype(np.int8), residual)


def _common(residual: Values) -> np.float32:
    """What all meters do together, such as on a cold day, is no finding of one of them."""
    known = residual[np.isfinite(residual)]
    return np.float32(np.median(known)) if len(known) >= _LEAST_TOGETHER else np.float32(0)


def _decay(mean: Values, value: Values, known: npt.NDArray[np.bool_], half_life_h: float) -> None:
    kept = np.float32(0.5 ** (1 / half_life_h))
    mean[known] = kept * mean[known] + (1 - kept) * value[known]


def _likeness(use: Values, hour: int, own: Profile, of_worked: Values | None, spread: Values) -> Values:
    if of_worked is None:
        return np.zeros_like(use)
    worked, expected = of_worked[:, hour], own.expected[:, hour]
    better = (np.abs(use - expected) - np.abs(use - worked)) / spread
    apart = np.abs(worked - expected) / spread > _LEAST_APART
    return np.where(apart, np.clip(better, -_MOST_IN_MEANS, _MOST_IN_MEANS), 0).astype(np.float32)


def usual_runs(use: npt.NDArray[np.float32]) -> Values:
    """(m, n) consumption to (m,): for how many hours an amount now and then stays the same [h]."""
    m, n = use.shape
    runs, run = np.zeros((m, n), np.float32), np.zeros(m, np.float32)
    for t in range(1, n):
        run = np.where(use[:, t] == use[:, t - 1], run + 1, np.float32(0))
        runs[:, t] = run
    if not n:
        return np.zeros(m, np.float32)
    return np.maximum(np.sort(runs, axis=1)[:, int(0.998 * (n - 1))], 3).astype(np.float32)
