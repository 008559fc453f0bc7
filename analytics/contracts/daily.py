"""Baselines by day: a change-point curve for each group of kinds of days, both chosen by BIC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.contracts.change_point import Curve, best, bic
from analytics.contracts.day_kinds import GROUPINGS, DayKind, Grouping
from energy.hours import Whole
from energy.series import Floats

# A group of fewer days has no curve of its own.
LEAST_DAYS = 8


@dataclass(frozen=True, slots=True)
class DailyModel:
    """The curve of each kind of day, how many parameters there are together, and the BIC of all."""

    curves: Mapping[DayKind, Curve]
    parameters: int
    bic: float

    def at(self, kinds: Sequence[DayKind], temperature: Floats) -> Floats:
        """(n,) energy of days of these kinds and mean temperatures [degC]."""
        number = np.array(kinds, np.int64)
        made = np.empty(len(temperature))
        for kind, curve in self.curves.items():
            own = number == int(kind)
            made[own] = curve.at(temperature[own])
        return made


def fit_daily(kinds: Sequence[DayKind], temperature: Floats, energy: Floats) -> DailyModel:
    """The model of least BIC.

    kinds : (n,) of the days. temperature : (n,) mean of each day [degC]. energy : (n,) of each day. All finite;
    n is 8 at least. A kind of day that was never seen has the curve of the group that it stands in.
    """
    if len(energy) < LEAST_DAYS:
        raise ValueError(f"{len(energy)} days are too few; a daily model needs {LEAST_DAYS} at least")
    number = np.array(kinds, np.int64)
    made = [m for g in GROUPINGS if (m := _of_grouping(g, number, temperature, energy)) is not None]
    return min(made, key=lambda model: (model.bic, model.parameters))


def _of_grouping(grouping: Grouping, number: Whole, temperature: Floats, energy: Floats) -> DailyModel | None:
    curves: dict[DayKind, Curve] = {}
    rss, parameters = 0.0, 0
    for group in grouping:
        own = np.logical_or.reduce([number == int(kind) for kind in group])
        if own.sum() < LEAST_DAYS:
            return None
        fitted = best(temperature[own], energy[own])
        curves.update(dict.fromkeys(group, fitted.curve))
        rss, parameters = rss + fitted.rss, parameters + fitted.curve.parameters
    return DailyModel(curves, parameters, bic(rss, len(energy), parameters))
