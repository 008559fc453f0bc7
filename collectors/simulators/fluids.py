"""What water, gas and heat meters see of a load; every array is (n,), in the unit of its quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from collectors.simulators.course import Converted, Load
from collectors.simulators.ripple import seed_of, uniform, wander
from energy.series import Floats, Instants

Outside = Callable[[Instants], Floats]

# A flow of 1 m3/h of water that cools by 1 K gives 1.163 kW.
KW_PER_M3H_K = 1.163
GJ_PER_KWH = 0.0036
# Standard conditions of natural gas in China, GB/T 21446: 20 °C and 101.325 kPa.
STANDARD_K, STANDARD_KPA = 293.15, 101.325


class Pipe:
    """A water pipe through which a load [m3/h] flows; `rated` is about its greatest rate."""

    def __init__(self, load: Load, *, rated: float, outside: Outside, borders: Instants, seed: int) -> None:
        self.load, self.outside, self.seed = load, outside, seed
        self.rated = max(rated, 1e-6)
        self.origin_ms, self.step_ms = int(borders[0]), int(borders[1] - borders[0])

    def at(self, t_ms: Instants) -> PipeMoment:
        """The pipe at instants, (n,)."""
        return PipeMoment(self, t_ms)


class PipeMoment:
    """A water pipe at some instants."""

    SAID: ClassVar[Mapping[str, Callable[[Any], Floats]]] = {
        "flow_rate": lambda m: m.rate,
        "volume": lambda m: m.pipe.load.total(m.t_ms),
        "volume_reverse": lambda m: m.ran_back(),
        "pressure": lambda m: 330 - 60 * m.loading**2 + m.moves("pressure", (3600, 97, 13), (6, 2, 1)),
        "temperature": lambda m: m.ground_water(),
        "velocity": lambda m: 1.5 * m.loading,
        "sound_speed": lambda m: sound_speed(m.ground_water()),
        "battery_voltage": lambda m: m.battery(),
        "signal_quality": lambda m: np.rint(88 + m.moves("signal", (7200, 61), (3, 2))),
    }

    def __init__(self, pipe: Pipe, t_ms: Instants) -> None:
        self.pipe, self.t_ms = pipe, t_ms

    def quantity(self, name: str) -> Floats | None:
        """A quantity of the catalogue; None where such a meter has no such thing."""
        said = self.SAID.get(name)
        return None if said is None else said(self)

    @cached_property
    def rate(self) -> Floats:
        return self.pipe.load.rate(self.t_ms)

    @cached_property
    def loading(self) -> Floats:
        """The share of the greatest flow."""
        return np.minimum(1.5, self.rate / self.pipe.rated)

    def moves(self, what: str, periods_s: tuple[float, ...], heights: tuple[float, ...]) -> Floats:
        return wander(seed_of(self.pipe.seed, what), self.t_ms, periods_s, heights)

    def ran_back(self) -> Floats:
        """The little that ran backwards when the pipe was filled [m3]."""
        return np.full(len(self.t_ms), round(0.4 * float(uniform(self.pipe.seed, 3)[0]), 3))

    def ground_water(self) -> Floats:
        """Its temperature [°C]: the air's, muted."""
        return np.clip(9 + 0.42 * self.pipe.outside(self.t_ms), 4.0, 28.0)

    def battery(self) -> Floats:
        days = (self.t_ms - self.pipe.origin_ms) / 86_400_000
        return np.clip(3.65 - 6e-5 * days, 3.0, 3.65) + self.moves("battery", (86400,), (0.004,))


def sound_speed(celsius: Floats) -> Floats:
    """Speed of sound in water [m/s], (n,), as it rises from 1403 m/s at 0 °C; right to 2 m/s up to 60 °C."""
    return np.asarray(1402.4 + 5.01 * celsius - 0.0558 * celsius**2 + 0.00023 * celsius**3)


class GasPipe(Pipe):
    """A gas pipe: the load is the flow at standard conditions, the meter's wheel sees the gas as it is.

    Temperature and pressure are taken by the corrector once a step, so that both volumes are exact integrals.
    """

    def __init__(self, load: Load, *, rated: float, outside: Outside, borders: Instants, seed: int) -> None:
        super().__init__(load, rated=rated, outside=outside, borders=borders, seed=seed)
        self.actual = Converted(load, self._factors, borders)

    def celsius(self, step: Instants) -> Floats:
        """Temperature of the gas in the step of this number since the epoch, (n,)."""
        return np.asarray(7 + 0.6 * self.outside(step * self.step_ms))

    def kpa(self, step: Instants) -> Floats:
        """Absolute pressure behind the regulator in the step of this number, (n,)."""
        return np.asarray(104.3 + wander(seed_of(self.seed, "gas"), step * self.step_ms, (86400, 9973), (0.6, 0.3)))

    def at(self, t_ms: Instants) -> GasMoment:
        return GasMoment(self, t_ms)

    def _factors(self, step: Instants) -> Floats:
        """Actual volume of a standard one."""
        return np.asarray((self.celsius(step) + 273.15) / STANDARD_K * STANDARD_KPA / self.kpa(step))


class GasMoment(PipeMoment):
    """A gas pipe at some instants."""

    SAID: ClassVar[Mapping[str, Callable[[Any], Floats]]] = {
        "flow_rate_standard": lambda m: m.rate,
        "volume_standard": lambda m: m.pipe.load.total(m.t_ms),
        "flow_rate_actual": lambda m: m.pipe.actual.rate(m.t_ms),
        "volume_actual": lambda m: m.pipe.actual.total(m.t_ms),
        "flow_rate": lambda m: m.pipe.actual.rate(m.t_ms),
        "volume": lambda m: m.pipe.actual.total(m.t_ms),
        "temperature": lambda m: m.pipe.celsius(m.t_ms // m.pipe.step_ms),
        "pressure": lambda m: m.pipe.kpa(m.t_ms // m.pipe.step_ms),
        "battery_voltage": lambda m: m.battery(),
    }


class HeatPipe(Pipe):
    """Heating water: the load is the heat [kW], the flow follows from how far the water cools.

    The cooling is constant within a step, so that heat and volume are both exact integrals.
    """

    def __init__(self, load: Load, *, rated: float, outside: Outside, borders: Instants, seed: int) -> None:
        super().__init__(load, rated=rated, outside=outside, borders=borders, seed=seed)
        self.water = Converted(load, lambda step: 1 / (KW_PER_M3H_K * self.cooling_k(step)), borders)

    def cooling_k(self, step: Instants) -> Floats:
        """By how much the water cools in the step of this number since the epoch [K], (n,)."""
        return np.asarray(7 + 9 * np.clip((18 - self.outside(step * self.step_ms)) / 26, 0.0, 1.2))

    def supply(self, step: Instants) -> Floats:
        """Temperature that the boiler is set to in the step of this number [°C], (n,): the colder, the hotter."""
        return np.asarray(50 - 0.75 * (self.outside(step * self.step_ms) - 5))

    def at(self, t_ms: Instants) -> HeatMoment:
        return HeatMoment(self, t_ms)


class HeatMoment(PipeMoment):
    """A heating pipe at some instants; where nothing flows, its water has the warmth of the room."""

    SAID: ClassVar[Mapping[str, Callable[[Any], Floats]]] = {
        **{name: PipeMoment.SAID[name] for name in ("volume_reverse", "velocity", "signal_quality")},
        "heat_power": lambda m: m.rate,
        "heat_energy": lambda m: GJ_PER_KWH * m.pipe.load.total(m.t_ms),
        "flow_rate": lambda m: m.pipe.water.rate(m.t_ms),
        "volume": lambda m: m.pipe.water.total(m.t_ms),
        "temperature_supply": lambda m: m.supply,
        "temperature_return": lambda m: m.supply - np.where(m.rate > 0, m.pipe.cooling_k(m.step), 0.0),
        "temperature": lambda m: m.supply,
        "sound_speed": lambda m: sound_speed(m.supply),
        "pressure": lambda m: 280 + m.moves("pressure", (3600, 97), (5, 1)),
    }
    pipe: HeatPipe

    @cached_property
    def step(self) -> Instants:
        return np.asarray(self.t_ms // self.pipe.step_ms)

    @cached_property
    def supply(self) -> Floats:
        moving = self.moves("supply", (1800, 71, 17), (0.5, 0.15, 0.08))
        return np.where(self.rate > 0, self.pipe.supply(self.step), 22.0) + moving
