"""All that a meter can say at an instant, from what flows through it: every figure agreeing with every other."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from collectors.simulators.course import Load
from collectors.simulators.electrical import Circuit
from collectors.simulators.fluids import GasPipe, HeatPipe, Outside, Pipe
from energy.errors import UnknownName
from energy.quantities import QUANTITIES, Medium
from energy.series import Floats, Instants


class Moment(Protocol):
    """A meter at some instants, (n,)."""

    def quantity(self, name: str) -> Floats | None:
        """A quantity of the catalogue in its own unit, (n,); None where such a meter has no such thing."""


class Measured(Protocol):
    """What a meter is put into."""

    def at(self, t_ms: Instants) -> Moment:
        """What the meter sees at instants, (n,)."""


def measured(
    medium: Medium,
    load: Load,
    *,
    rated: float,
    outside: Outside,
    borders: Instants,
    seed: int,
    power_factor: float = 0.93,
) -> Measured:
    """What a meter of a medium sees of a load.

    Parameters
    ----------
    load : kW of electricity or heat, m3/h of water, m3/h of gas at standard conditions.
    rated : about its greatest rate.
    outside : temperature of the air [°C] at instants, (n,) -> (n,).
    borders : of the steps in which slow conditions are held constant, equally far apart since the epoch.
    seed : of all that moves by itself.
    """
    match medium:
        case Medium.ELECTRICITY:
            return Circuit(load, rated_kw=rated, power_factor=power_factor, origin_ms=int(borders[0]), seed=seed)
        case Medium.WATER:
            return Pipe(load, rated=rated, outside=outside, borders=borders, seed=seed)
        case Medium.GAS:
            return GasPipe(load, rated=rated, outside=outside, borders=borders, seed=seed)
        case Medium.HEAT:
            return HeatPipe(load, rated=rated, outside=outside, borders=borders, seed=seed)
        case Medium.ENVIRONMENT:
            raise UnknownName("no meter of the environment is simulated")


def state(of: Measured, at_ms: int) -> dict[str, float]:
    """Every quantity that a meter can have at an instant, each in its own unit."""
    moment = of.at(np.array([at_ms], dtype=np.int64))
    said = {name: moment.quantity(name) for name in QUANTITIES}
    return {name: float(values[0]) for name, values in said.items() if values is not None}
