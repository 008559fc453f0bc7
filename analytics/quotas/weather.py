"""What weather does to consumption, and what weather is normal: only as much as a year's forecast needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.quotas.daily import WEEK, Floats, Ints

# Degrees Celsius of a day's mean below which is heated, above which is cooled. Of offices in general; not of a climate.
HEATED_BELOW_C = 15.5
COOLED_ABOVE_C = 22.0
_SMOOTHED_OVER = 21
_DAYS_OF_YEAR = 366
# So many known days tell seven weekdays and two slopes apart from chance.
_KNOWN_LEAST = 200


def degree_days(temperature_c: Floats) -> Floats:
    """Heating and cooling degrees of days: (n,) mean temperature [°C] -> (n, 2) [K d]; NaN where it is not known."""
    return np.stack([np.maximum(HEATED_BELOW_C - temperature_c, 0), np.maximum(temperature_c - COOLED_ABOVE_C, 0)], 1)


def normal_degree_days(degrees: Floats, day_of_year: Ints, known: int) -> Floats:
    """What is normal for each day: the mean of its day of the year before `known`, smoothed over three weeks.

    degrees : (n, 2), of which nothing from `known` on is used. Returns (n, 2); zeros where no weather was ever known.
    """
    sums, counts = np.zeros((_DAYS_OF_YEAR, 2)), np.zeros((_DAYS_OF_YEAR, 1))
    past = degrees[:known]
    ok = np.asarray(np.isfinite(past).all(axis=1))
    np.add.at(sums, day_of_year[:known][ok], past[ok])
    np.add.at(counts, day_of_year[:known][ok], 1.0)
    half, kernel = _SMOOTHED_OVER // 2, np.ones(_SMOOTHED_OVER)

    def smooth(values: Floats) -> Floats:
        return np.convolve(np.r_[values[-half:], values, values[:half]], kernel, "valid")

    weights = np.maximum(smooth(counts[:, 0]), 1.0)
    normal = np.stack([smooth(sums[:, i]) / weights for i in (0, 1)], 1)
    return np.asarray(normal[day_of_year], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Response:
    """How counters answer weekday and weather: (9, m) consumption of the seven weekdays, and per degree day of both."""

    coefficients: Floats

    def of(self, degrees: Floats, first_weekday: int) -> Floats:
        """(n, m) consumption of a run of days under degrees, (n, 2); NaN columns where nothing could be learnt."""
        return self.on(degrees, np.arange(len(degrees)) + first_weekday)

    def on(self, degrees: Floats, weekdays: Ints) -> Floats:
        """The same of any days; `weekdays` (n,) count from a Monday, on beyond the week."""
        found: Floats = _design(degrees, weekdays) @ self.coefficients
        return found


def response(daily: Floats, degrees: Floats, first_weekday: int) -> Response:
    """Least squares of (n, m) consumption on weekday and degree days (n, 2), each counter over its known days."""
    design = _design(degrees, np.arange(len(degrees)) + first_weekday)
    ok = np.isfinite(daily) & np.asarray(np.isfinite(degrees).all(axis=1))[:, None]
    design = np.nan_to_num(design)
    width = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    gram = (products.T @ ok).T.reshape(-1, width, width)
    right = (design.T @ np.where(ok, daily, 0.0)).T
    # A hundred-thousandth of a day: keeps a column that never occurs (no cooling in winter) at nothing.
    gram = gram + np.eye(width) * 1e-5
    solved = np.linalg.solve(gram, right[:, :, None])[:, :, 0].T
    return Response(np.where(ok.sum(axis=0) >= _KNOWN_LEAST, solved, np.nan))


def _design(degrees: Floats, weekdays: Ints) -> Floats:
    return np.concatenate([np.eye(WEEK)[weekdays % WEEK], degrees], axis=1)
