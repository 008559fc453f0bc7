"""Scoring a stretch of time as it would have been scored while it went by, and the thresholds that it gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.anomalies.channels import State, Values, step, usual_runs
from analytics.anomalies.profiles import HOURS, Hourly, by_day, day_means, usual_on
from energy.working_days import Mask

METHOD = "profile-3"
# From the second week on something is usual; for a threshold a meter must have been watched for some weeks.
FIRST_DAYS = 14
_SETTLED_DAYS = 28
# Hours of its own past that a meter's threshold lies above, what a threshold is at least, and what it is before there
# is enough of a past.
_QUIET_SHARE = 0.98
LEAST_THRESHOLD = 1.9
FIRST_THRESHOLD = 2.6
_LEAST_HOURS = 24 * 21
# Days that a meter must have been measured on before anything is usual of it.
_LEAST_DAYS = 10


@dataclass(frozen=True, slots=True)
class Replay:
    """Scores of m meters over n hours, whole local days; NaN where nothing was usual yet or nothing was measured.

    expected, spread : in the unit of the meter. score : see `channels`. channel : which one it stands on.
    """

    expected: Hourly
    spread: Hourly
    score: Hourly
    channel: npt.NDArray[np.int8]


def replay(
    use: Hourly,
    worked: Mask,
    *,
    first_day: int = FIRST_DAYS,
    learnt: int | None = None,
    usual_run: Values | None = None,
) -> Replay:
    """Score hour by hour.

    Parameters
    ----------
    use : (m, n) consumption of each hour, whole local days, n = 24 d; NaN where missing.
    worked : (d,) whether a day is worked.
    first_day : where to begin.
    learnt : how many of the hours tell how long an amount usually stays the same; None for those before `first_day`,
        where these are enough.
    usual_run : (m,) that very time [h], where it is known.
    """
    m, n = use.shape
    cube = by_day(use)
    means = day_means(cube)
    told = use[:, : learnt or first_day * HOURS]
    if usual_run is None and told.shape[1] >= _LEAST_HOURS:
        usual_run = usual_runs(told)
    state = State.fresh(m, usual_run)
    expected, spread, score = (np.full((m, n), np.nan, np.float32) for _ in range(3))
    made = Replay(expected, spread, score, np.zeros((m, n), np.int8))
    for day in range(max(first_day, 1), n // HOURS):
        own, of_worked = usual_on(cube, worked, day, means)
        own.expected[own.days < _LEAST_DAYS] = np.nan
        hours = slice(day * HOURS, (day + 1) * HOURS)
        made.expected[:, hours], made.spread[:, hours] = own.expected, own.spread
        for hour in range(HOURS):
            at = day * HOURS + hour
            seen = step(state, use[:, at], hour, own, of_worked)
            made.score[:, at], made.channel[:, at] = seen.score, seen.channel
    return made


def thresholds(score: Hourly) -> Values:
    """(m, n) scores of the past to (m,): the score from which an hour of a meter is a finding.

    Each meter by its own past, of which one hour in fifty lies above; never less than what is far out anywhere.
    """
    settled = np.sort(score[:, _SETTLED_DAYS * HOURS :], axis=1)
    known = np.isfinite(settled).sum(axis=1)
    at = (_QUIET_SHARE * np.maximum(known - 1, 0)).astype(np.int64)
    if not settled.shape[1]:
        return np.full(len(score), FIRST_THRESHOLD, np.float32)
    own = np.maximum(np.take_along_axis(settled, at[:, None], axis=1)[:, 0], LEAST_THRESHOLD)
    return np.where(known >= _LEAST_HOURS, own, FIRST_THRESHOLD).astype(np.float32)
