"""What flows through every meter of a site: its own load, that of its sub-meters, and what faults have added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.simulators.course import Course, Load, Steady, Times, Together, Window, Within
from collectors.simulators.faults import Fault, FaultKind, FaultLog
from energy.series import Floats, Instants

_FOR_EVER = np.iinfo(np.int64).max


class Plant(Protocol):
    """Where loads come from: a campus model, or what was recorded."""

    @property
    def horizon_ms(self) -> int:
        """Up to where loads reach."""

    @property
    def borders(self) -> Instants:
        """Borders of the steps in which slow conditions are constant, equally far apart since the epoch."""

    def extend(self, until_ms: int) -> None:
        """Make loads reach beyond an instant, without changing what was."""

    def own(self, meter_id: str) -> Load:
        """What flows through a meter and none of the meters `below` it."""

    def below(self, meter_id: str) -> Iterable[str]:
        """The meters whose flow is part of this meter's."""

    def rated(self, meter_id: str) -> float:
        """About a meter's greatest flow."""

    def power_factor(self, meter_id: str) -> float:
        """Of an electricity meter's load, when it is high."""

    def outside(self, t_ms: Instants) -> Floats:
        """Temperature of the air [°C], (n,)."""


class Flows:
    """The loads of all meters as the log of faults stands; made anew when the log has changed."""

    def __init__(self, plant: Plant, faults: FaultLog) -> None:
        self._plant, self._faults = plant, faults
        self._loads: dict[str, Load] = {}

    def load(self, meter_id: str) -> Load:
        """All that flows through a meter."""
        if meter_id not in self._loads:
            parts = [self._plant.own(meter_id), *self._extras(meter_id)]
            parts += [self.load(child) for child in self._plant.below(meter_id)]
            self._loads[meter_id] = parts[0] if len(parts) == 1 else Together(parts)
        return self._loads[meter_id]

    def shown_at(self, meter_id: str, t_ms: Instants) -> Instants:
        """The instants whose values the registers show, (n,): a stuck meter stands at the one when it stuck."""
        for _, windows in self._faults.of_meter(meter_id, FaultKind.STUCK):
            for start, end in windows:
                t_ms = np.where((t_ms >= start) & (t_ms < _end(end)), start, t_ms)
        return t_ms

    def silent(self, meter_id: str, t_ms: Instants) -> npt.NDArray[np.bool_]:
        """At which instants a meter answers nothing, (n,)."""
        found = np.zeros(len(t_ms), dtype=np.bool_)
        for _, windows in self._faults.of_meter(meter_id, FaultKind.SILENT):
            for start, end in windows:
                found |= (t_ms >= start) & (t_ms < _end(end))
        return found

    def exchanged(self, meter_id: str) -> Instants:
        """When a meter was exchanged, ascending."""
        found = self._faults.of_meter(meter_id, FaultKind.EXCHANGED)
        return np.array(sorted(start for _, windows in found for start, _ in windows), dtype=np.int64)

    def _extras(self, meter_id: str) -> list[Load]:
        faults = self._faults.of_meter(meter_id, FaultKind.LEAK, FaultKind.LIGHTS_LEFT_ON, FaultKind.CHANGED)
        return [self._extra(fault, windows) for fault, windows in faults]

    def _extra(self, fault: Fault, windows: tuple[Window, ...]) -> Load:
        """What a fault adds to a meter's load, ever."""
        borders = self._plant.borders
        origin_ms, step_ms = int(borders[0]), int(borders[1] - borders[0])
        if fault.kind is FaultKind.LEAK:
            return Within(Steady(fault.amount, origin_ms), windows)
        if fault.kind is FaultKind.CHANGED:
            return Within(Times(self._plant.own(fault.meter), fault.amount - 1), windows)
        kept = fault.amount * self._plant.rated(fault.meter)
        lacking = np.maximum(0.0, kept - self._plant.own(fault.meter).rate(borders))
        return Within(Course.through(origin_ms, step_ms, lacking), windows)


def _end(end_ms: int | None) -> int:
    return _FOR_EVER if end_ms is None else end_ms
