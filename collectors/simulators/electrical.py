"""What an electricity meter sees of a load: three phases that add up to it, by the physics of a 230/400 V supply."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from collectors.simulators.course import HOUR_MS, Load
from collectors.simulators.ripple import seed_of, uniform, wander
from energy.series import Floats, Instants

_NOMINAL_V = 228.0
_SAG_V = 5.0
# The grid is one: its frequency and its slow movement are the same at every meter.
_GRID = seed_of("grid")
_PHASES = {"l1": 0, "l2": 1, "l3": 2}
_PAIRS = {"l1l2": (0, 1), "l2l3": (1, 2), "l3l1": (2, 0)}


class Circuit:
    """A three-phase circuit under a load [kW].

    Reactive power is `tangent` times the active one and a constant for what is magnetised, so that its counter is exact
    too and the power factor falls as the load does. Each phase bears a constant share.
    """

    def __init__(self, load: Load, *, rated_kw: float, power_factor: float, origin_ms: int, seed: int) -> None:
        self.load, self.origin_ms, self.seed = load, origin_ms, seed
        self.rated_kw = max(rated_kw, 1e-3)
        self.tangent = float(np.tan(np.arccos(power_factor)))
        self.magnetising_kvar = 0.02 * self.rated_kw
        leaning = 1 + 0.12 * (uniform(seed, np.arange(3)) - 0.5)
        self.shares = [float(share) for share in leaning / leaning.sum()]

    def at(self, t_ms: Instants) -> CircuitMoment:
        """The circuit at instants, (n,)."""
        return CircuitMoment(self, t_ms)


class CircuitMoment:
    """A circuit at some instants; every array is (n,), in the unit of its quantity."""

    def __init__(self, circuit: Circuit, t_ms: Instants) -> None:
        self._circuit, self._t_ms = circuit, t_ms

    def quantity(self, name: str) -> Floats | None:
        """A quantity of the catalogue; None where such a meter has no such thing."""
        base, _, last = name.rpartition("_")
        if last in _PAIRS:
            return self._between(*_PAIRS[last])
        of, phase = (base, _PHASES[last]) if last in _PHASES else (name, None)
        found = _OF.get(of)
        return None if found is None else found(self, phase)

    @cached_property
    def active(self) -> Floats:
        return self._circuit.load.rate(self._t_ms)

    @cached_property
    def reactive(self) -> Floats:
        return self._circuit.tangent * self.active + self._circuit.magnetising_kvar

    @cached_property
    def apparent(self) -> Floats:
        return np.hypot(self.active, self.reactive)

    @cached_property
    def active_energy(self) -> Floats:
        return self._circuit.load.total(self._t_ms)

    @cached_property
    def reactive_energy(self) -> Floats:
        hours = np.maximum(0.0, (self._t_ms - self._circuit.origin_ms) / HOUR_MS)
        return self._circuit.tangent * self.active_energy + self._circuit.magnetising_kvar * hours

    @cached_property
    def voltages(self) -> list[Floats]:
        supply = _NOMINAL_V + wander(_GRID, self._t_ms, (86400, 5400, 311, 29), (2.2, 1.3, 0.5, 0.2))
        return [supply + self._voltage_of(phase) for phase in range(3)]

    def _voltage_of(self, phase: int) -> Floats:
        seed = seed_of(self._circuit.seed, "voltage", phase)
        own = wander(seed, self._t_ms, (7200, 47, 7.3), (0.6, 0.25, 0.15))
        sag = 3 * self._circuit.shares[phase] * self.active / self._circuit.rated_kw
        return own + 2.4 * (uniform(seed, 9) - 0.5) - _SAG_V * sag

    def _between(self, one: int, other: int) -> Floats:
        """Voltage between two phases that are a third of a turn apart."""
        u, v = self.voltages[one], self.voltages[other]
        return np.sqrt(u * u + v * v + u * v)

    def voltage(self, phase: int | None) -> Floats:
        return sum(self.voltages, np.zeros(len(self._t_ms))) / 3 if phase is None else self.voltages[phase]

    def current(self, phase: int | None) -> Floats:
        if phase is None:
            return sum((self.current(p) for p in range(3)), np.zeros(len(self._t_ms))) / 3
        return 1000 * self.share(self.apparent, phase) / self.voltages[phase]

    def share(self, whole: Floats, phase: int | None) -> Floats:
        return whole if phase is None else whole * self._circuit.shares[phase]

    def power_factor(self) -> Floats:
        return self.active / self.apparent

    def distortion(self, phase: int | None) -> Floats:
        if phase is None:
            return sum((self.distortion(p) for p in range(3)), np.zeros(len(self._t_ms))) / 3
        idle = 1 - np.minimum(1.0, self.active / self._circuit.rated_kw)
        seed = seed_of(self._circuit.seed, "distortion", phase)
        return 1.7 + 1.1 * idle + wander(seed, self._t_ms, (3600, 37), (0.3, 0.1))

    def frequency(self) -> Floats:
        return 50 + wander(seed_of(_GRID, "Hz"), self._t_ms, (3600, 613, 47, 11.3), (0.008, 0.012, 0.01, 0.005))

    def none(self) -> Floats:
        return np.zeros(len(self._t_ms))


_OF: dict[str, Callable[[CircuitMoment, int | None], Floats]] = {
    "active_power": lambda m, phase: m.share(m.active, phase),
    "reactive_power": lambda m, phase: m.share(m.reactive, phase),
    "apparent_power": lambda m, phase: m.share(m.apparent, phase),
    "active_energy_import": lambda m, phase: m.share(m.active_energy, phase),
    "active_energy_export": lambda m, phase: m.none(),
    "active_energy_total": lambda m, phase: m.share(m.active_energy, phase),
    "reactive_energy_import": lambda m, phase: m.share(m.reactive_energy, phase),
    "reactive_energy_export": lambda m, phase: m.none(),
    "reactive_energy_total": lambda m, phase: m.share(m.reactive_energy, phase),
    "power_factor": lambda m, phase: m.power_factor(),
    "phase_angle": lambda m, phase: np.degrees(np.arccos(np.clip(m.power_factor(), -1.0, 1.0))),
    "voltage": lambda m, phase: m.voltage(phase),
    "voltage_ln_avg": lambda m, phase: m.voltage(None),
    "current": lambda m, phase: m.current(phase),
    "current_avg": lambda m, phase: m.current(None),
    "frequency": lambda m, phase: m.frequency(),
    "thd_voltage": lambda m, phase: m.distortion(phase),
    "thd_voltage_avg": lambda m, phase: m.distortion(None),
}
