"""Loads played from recorded hourly consumption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from collectors.simulators.course import HOUR_MS, Course
from collectors.simulators.weather import Weather
from energy.errors import UnknownName
from energy.series import Floats, Instants

_FOR_EVER = np.iinfo(np.int64).max


def recorded_course(
    hours_ms: Instants, per_hour: Floats, *, register: float = 0.0, ripple: float = 0.03, seed: int = 0
) -> Course:
    """The course whose counter grows over each recorded hour by that hour's consumption.

    Parameters
    ----------
    hours_ms : (n,) beginning of each hour since the epoch [ms], increasing, whole hours apart.
    per_hour : (n,) consumption of each hour [kWh or m3], none negative; NaN, and an hour that is not recorded,
        play as no consumption.
    register : what the counter holds at the first hour.
    ripple, seed : the movement within the hours, see `Course`; it comes to nothing over each hour.

    ValueError where the hours are not whole hours apart or a consumption is negative.
    """
    if len(hours_ms) == 0 or len(hours_ms) != len(per_hour):
        raise ValueError(f"{len(hours_ms)} hours go with {len(per_hour)} consumptions")
    number, rest = np.divmod(hours_ms - hours_ms[0], HOUR_MS)
    if np.any(rest) or np.any(np.diff(number) <= 0):
        raise ValueError("the hours must increase and be whole hours apart")
    if np.any(per_hour < 0):
        raise ValueError(f"hour {int(np.argmax(per_hour < 0))} has a negative consumption")
    rates = np.zeros(int(number[-1]) + 1)
    rates[number] = np.nan_to_num(per_hour)
    return Course(int(hours_ms[0]), HOUR_MS, rates, rates, register=register, ripple=ripple, seed=seed)


class Recording:
    """The recorded courses of meters, for a fleet to play; each is all that flowed through its meter.

    After the end of a recording nothing flows. The weather was not recorded: `outside` is a model's.
    """

    def __init__(
        self, courses: Mapping[str, Course], *, weather: Weather | None = None, power_factor: float = 0.93
    ) -> None:
        if not courses:
            raise ValueError("nothing is recorded")
        self._courses, self._power_factor = dict(courses), power_factor
        self._weather = weather or Weather(seed=0)
        start = min(c.origin_ms for c in courses.values()) // HOUR_MS * HOUR_MS
        end = -(max(c.end_ms for c in courses.values()) // -HOUR_MS) * HOUR_MS
        self.borders: Instants = np.arange(start, end + 1, HOUR_MS)
        self.horizon_ms = _FOR_EVER

    def extend(self, until_ms: int) -> None:
        """What was recorded does not reach further."""

    def own(self, meter_id: str) -> Course:
        """What was recorded of a meter."""
        if meter_id not in self._courses:
            raise UnknownName(f"nothing is recorded of meter {meter_id!r}; recorded are {', '.join(self._courses)}")
        return self._courses[meter_id]

    def below(self, meter_id: str) -> Iterable[str]:
        """No meter: what was recorded of one holds that of its sub-meters already."""
        return ()

    def rated(self, meter_id: str) -> float:
        """The greatest flow that was recorded."""
        return float(np.max(self.own(meter_id).rate(self.borders)))

    def power_factor(self, meter_id: str) -> float:
        return self._power_factor

    def outside(self, t_ms: Instants) -> Floats:
        """Temperature of the air [°C], (n,)."""
        return self._weather.outside(t_ms)
