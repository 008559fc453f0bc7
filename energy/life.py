"""The life of a meter: what happened to it that its registers alone cannot tell. Dated, and entered late as a rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from energy.quantities import Kind, quantity


class EventKind(StrEnum):
    """What can happen to a meter."""

    INSTALLED = "installed"
    REMOVED = "removed"
    EXCHANGED = "exchanged"
    RATIO_CHANGED = "ratio_changed"
    READDRESSED = "readdressed"
    MOVED = "moved"
    FAULTY = "faulty"
    CALIBRATED = "calibrated"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """Something that happened to a meter; ValueError says what its kind lacks.

    at_ms, until_ms : when it happened; `until_ms` ends what has a length (faulty) [ms since the epoch].
    quantity : the counter that the registers are of; None for the one that the meter is read for.
    final_register : what the old register showed last [unit of the quantity]. Of `manual`: what was read by hand.
    initial_register : what the new register began with [unit of the quantity].
    ratio : of `ratio_changed`: what the readings from then on must be multiplied by to be true.
    place : of `moved`: where it hangs from then on.
    address : of `readdressed`: line and unit from then on, as text.
    note, photo : what was written down; the name of a picture.
    """

    meter: str
    kind: EventKind
    at_ms: int
    until_ms: int | None = None
    quantity: str | None = None
    final_register: float | None = None
    initial_register: float | None = None
    ratio: float | None = None
    place: str | None = None
    address: str | None = None
    note: str = ""
    photo: str | None = None

    def __post_init__(self) -> None:
        for name in ("final_register", "initial_register", "ratio"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} {value} must be a finite number")
        if self.quantity is not None and quantity(self.quantity).kind is not Kind.COUNTER:
            raise ValueError(f"quantity {self.quantity} is a gauge; events have the registers of counters")
        if self.until_ms is not None and self.until_ms <= self.at_ms:
            raise ValueError("until must be after at")
        missing = [name for name in _NEEDS.get(self.kind, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.kind} needs {' and '.join(missing)}")
        if self.kind is EventKind.RATIO_CHANGED and self.ratio is None and self.initial_register is None:
            raise ValueError("ratio_changed needs ratio, or final_register and initial_register")
        if self.ratio is not None and not self.ratio > 0:
            raise ValueError(f"ratio {self.ratio} is not above 0")
        if (self.kind in (EventKind.EXCHANGED, EventKind.RATIO_CHANGED)) and (
            (self.final_register is None) != (self.initial_register is None)
        ):
            raise ValueError(f"{self.kind} needs final_register and initial_register, or neither")


_NEEDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.MANUAL: ("final_register",),
    EventKind.FAULTY: ("until_ms",),
    EventKind.MOVED: ("place",),
    EventKind.READDRESSED: ("address",),
}
