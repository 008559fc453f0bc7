"""Baselines by month: energy by days, heating and cooling degree days, least squares over a grid of base temperatures.

The result is a curve of a day, as of a daily model: over a month its sum is what the regression says of the month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from analytics.contracts.change_point import Curve, bic
from energy.hours import Whole
from energy.series import Floats

# Base temperatures that are tried [degC].
HEATING_BASES = tuple(float(t) for t in range(8, 21))
COOLING_BASES = tuple(float(t) for t in range(16, 29))
LEAST_MONTHS = 9


def fit_monthly(
    month: Whole, temperature: Floats, energy: Floats, *, heating: Floats | None = None, cooling: Floats | None = None
) -> Curve:
    """The curve of least BIC over months.

    month : (n,) which month each day is of, 0 to m - 1, whole numbers. temperature : (n,) of each day [degC].
    energy : (m,) of each month. heating, cooling : base temperatures that are tried, those of the module without.
    """
    months = len(energy)
    if months < LEAST_MONTHS:
        raise ValueError(f"{months} months are too few; a model by months needs {LEAST_MONTHS} at least")
    days = summed(month, np.ones(len(month)), months)
    found: list[tuple[float, int, Curve]] = []
    for curve, columns in _candidates(heating, cooling, month, temperature, months):
        fitted = _fitted(curve, np.column_stack([days, *columns]), energy)
        if fitted is not None:
            rss, made = fitted
            found.append((bic(rss, months, made.parameters), made.parameters, made))
    return min(found, key=lambda one: one[:2])[2]


def summed(month: Whole, of_day: Floats, months: int) -> Floats:
    """(m,) sums over the days of each month."""
    made: Floats = np.bincount(month, of_day, months).astype(np.float64)
    return made


def _candidates(
    heating: Floats | None, cooling: Floats | None, month: Whole, temperature: Floats, months: int
) -> Iterator[tuple[Curve, list[Floats]]]:
    """Curves without slopes yet, and the degree days of each month for the slopes that they are to have."""
    warm = [float(t) for t in (HEATING_BASES if heating is None else heating)]
    cold = [float(t) for t in (COOLING_BASES if cooling is None else cooling)]
    hdd = {t: summed(month, np.maximum(0.0, t - temperature), months) for t in warm}
    cdd = {t: summed(month, np.maximum(0.0, temperature - t), months) for t in cold}
    yield Curve(0.0, parameters=1), []
    for t in warm:
        yield Curve(0.0, 1.0, t, parameters=3), [hdd[t]]
    for t in cold:
        yield Curve(0.0, 0.0, 0.0, 1.0, t, parameters=3), [cdd[t]]
    for t, u in product(warm, cold):
        if t <= u:
            yield Curve(0.0, 1.0, t, 1.0, u, parameters=5), [hdd[t], cdd[u]]


def _fitted(curve: Curve, design: Floats, energy: Floats) -> tuple[float, Curve] | None:
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    solved = np.linalg.lstsq(design, energy, rcond=None)[0]
    slopes = list(solved[1:])
    if any(slope <= 0 for slope in slopes):
        return None
    rss = float(((energy - design @ solved) ** 2).sum())
    heating = float(slopes.pop(0)) if curve.heating else 0.0
    cooling = float(slopes.pop(0)) if curve.cooling else 0.0
    return rss, replace(curve, base=float(solved[0]), heating=heating, cooling=cooling)
