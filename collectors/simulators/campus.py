"""The physical model of a campus: every meter's load on a grid of 15 minutes, from weather, calendar and recipes."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collectors.simulators.course import Course, Load, Together
from collectors.simulators.faults import Fault
from collectors.simulators.recipes import CampusWords, Day, FaultWords, KindWords, LoadWords, read_recipes
from collectors.simulators.ripple import seed_of, uniform
from collectors.simulators.weather import (
    DAY_MS,
    ZONE_MS,
    Weather,
    cooling_demand,
    darkness,
    heating_demand,
    heating_season,
    overhead,
)
from energy.readings import to_ms
from energy.series import Floats, Instants
from energy.sites import Site, Text
from energy.working_days import DayType, WorkingDays

STEP_MS = 900_000
_STEPS_A_DAY = DAY_MS // STEP_MS
# Past the instant that is asked for, so that time may go on for a while before the grid is made again.
_AHEAD_MS = 45 * DAY_MS
_YEAR_MS = 365 * DAY_MS


class _Grid:
    """What all loads are made of, at the borders of the intervals."""

    def __init__(self, words: CampusWords, weather: Weather, instants: Instants, calendar: WorkingDays) -> None:
        self._words, self.instants, self._calendar = words, instants, calendar
        self.outside = weather.outside(instants)
        self._days, self._first = _days_of(instants)
        self._slot = (instants + ZONE_MS) // STEP_MS % _STEPS_A_DAY
        self._presence: dict[str, Floats] = {"always": np.ones(len(instants))}

    @cached_property
    def cooling(self) -> Floats:
        return cooling_demand(self.outside)

    @cached_property
    def heating(self) -> Floats:
        return heating_demand(self.outside, heating_season(self.instants))

    @cached_property
    def dark(self) -> Floats:
        return darkness(self.instants)

    @cached_property
    def overhead(self) -> Floats:
        return overhead(self.outside)

    def presence(self, kind: str) -> Floats:
        """How full buildings of a kind are, 0..1, (n,)."""
        if kind not in self._presence:
            self._presence[kind] = self._of_days(self._words.kinds[kind], seed_of(self._words.seed, kind))
        return self._presence[kind]

    def _of_days(self, kind: KindWords, seed: int) -> Floats:
        shape = {
            DayType.WORKDAY: _shape(kind.workday),
            DayType.WEEKEND: _shape(kind.weekend),
            DayType.HOLIDAY: _shape(kind.holiday or kind.weekend),
            DayType.WORKED_WEEKEND: _shape(kind.workday),
        }
        shapes = np.stack([shape[t] for t in DayType])
        level = 0.92 + 0.08 * uniform(seed, self._days)
        level[_within_year(self._days, self._words.vacations)] *= kind.vacation
        day = self._first
        return np.asarray(shapes[self._calendar.day_types(self._days)[day], self._slot] * level[day])


def _days_of(instants: Instants) -> tuple[Instants, Instants]:
    """The local days that the instants touch, and for each instant the position of its day."""
    days = (instants + ZONE_MS) // DAY_MS
    return np.arange(days[0], days[-1] + 1), days - days[0]


def _shape(day: Day) -> Floats:
    hours, shares = zip(*day, strict=True)
    return np.asarray(np.interp(np.arange(_STEPS_A_DAY) * 24 / _STEPS_A_DAY, hours, shares, period=24))


def _within_year(days: Instants, ranges: list[tuple[str, str]]) -> npt.NDArray[np.bool_]:
    """Which days lie in yearly ranges of MM-DD, both ends included."""
    spoken = np.array([str(d)[5:] for d in days.astype("datetime64[D]")])
    found = np.zeros(len(days), dtype=bool)
    for first, last in ranges:
        found |= (spoken >= first) & (spoken <= last)
    return found


class Campus:
    """The loads of a site's meters by their recipes, made when first asked for.

    A meter's own load is what flows through it and none of its sub-meters, so that these can never add up to more than
    their parent. Loads reach to `horizon_ms`; `extend` makes them reach further without changing what was.
    """

    def __init__(self, site: Site, words: CampusWords, until: datetime, calendar: WorkingDays) -> None:
        self._words, self._calendar = words, calendar
        self._below = {m.id: tuple(c.id for c in site.meters if c.parent == m.id) for m in site.meters}
        # Midnight of the zone whose weather and calendar these are.
        self.origin_ms = (words.origin.toordinal() - 719_163) * DAY_MS - ZONE_MS
        self.weather = Weather(words.seed, **words.weather.model_dump())
        self.faults = tuple(_fault(f) for f in words.faults)
        self.horizon_ms = 0
        self.extend(to_ms(until))

    def extend(self, until_ms: int) -> None:
        """Make the loads reach beyond an instant, and at least over the year from which peaks are taken."""
        days = max(until_ms + _AHEAD_MS - self.origin_ms, _YEAR_MS) // DAY_MS + 1
        self.horizon_ms = self.origin_ms + days * DAY_MS
        self._own: dict[str, Course] = {}
        instants = np.arange(self.origin_ms, self.horizon_ms + 1, STEP_MS)
        self._grid = _Grid(self._words, self.weather, instants, self._calendar)

    @property
    def borders(self) -> Instants:
        """The borders of the grid's intervals."""
        return self._grid.instants

    def below(self, meter_id: str) -> tuple[str, ...]:
        """The meters whose flow is part of this meter's."""
        return self._below[meter_id]

    def own(self, meter_id: str) -> Course:
        """What flows through a meter and none of its sub-meters."""
        if meter_id not in self._own:
            self._own[meter_id] = self._made(meter_id, self._words.loads[meter_id])
        return self._own[meter_id]

    def rated(self, meter_id: str) -> float:
        """About the greatest flow of a year."""
        own = self.own(meter_id).rate(self.borders[: _YEAR_MS // STEP_MS])
        return float(np.max(own)) + sum(self.rated(child) for child in self.below(meter_id))

    def power_factor(self, meter_id: str) -> float:
        return self._words.loads[meter_id].power_factor

    def outside(self, t_ms: Instants) -> Floats:
        """Temperature of the air [°C], (n,)."""
        return self.weather.outside(t_ms)

    def _made(self, meter_id: str, load: LoadWords) -> Course:
        grid, seed = self._grid, seed_of(self._words.seed, meter_id)
        flow = self._expected(load) * _scatter(seed, grid.instants // STEP_MS, load.spread)
        mean = float(np.mean(flow[: _YEAR_MS // STEP_MS]))
        register = round(mean * 8766 * (0.2 + 1.2 * float(uniform(seed, 0)[0])), 1)
        knots = flow.astype(np.float32)
        return Course.through(
            self.origin_ms, STEP_MS, knots, register=register, ripple=load.ripple, seed=seed_of(seed, "ripple")
        )

    def _expected(self, load: LoadWords) -> Floats:
        grid = self._grid
        flow = np.full(len(grid.instants), load.base)
        if load.presence:
            flow += load.presence * grid.presence(load.kind)
        if load.cooling:
            flow += load.cooling * grid.cooling * (0.08 + 0.92 * grid.presence(load.kind))
        if load.heating:
            flow += load.heating * grid.heating
        if load.dark:
            flow += load.dark * grid.dark
        if load.overhead_of:
            flow += load.overhead_of * grid.overhead
        if load.follows is not None:
            # At the borders of intervals the waves within them are at 0, but the last border has no interval after it.
            followed = self._whole(load.follows.meter).rate(grid.instants)
            followed[-1] = followed[-2]
            flow += load.follows.times * followed
        return flow

    def _whole(self, meter_id: str) -> Load:
        return Together([self.own(meter_id), *(self._whole(child) for child in self.below(meter_id))])


def _scatter(seed: int, index: Instants, spread: float) -> Floats:
    """A factor about 1 for each quarter of an hour, never below 0; neighbours are alike."""
    drawn = uniform(seed, index) + uniform(seed, index - 1) + uniform(seed, index - 2)
    return np.asarray(1.0 + spread * (drawn / 1.5 - 1.0))


def _fault(words: FaultWords) -> Fault:
    amount = next((a for a in (words.flow, words.share, words.times) if a is not None), 0.0)
    return Fault(words.id, words.kind, Text(words.zh, words.en), words.meter, amount)


def read_campus(path: Path, site: Site, until: datetime, calendar: WorkingDays) -> Campus:
    """The campus of a file of recipes; ConfigurationError lists all that is wrong in it, by line."""
    return Campus(site, read_recipes(path, site), until, calendar)
