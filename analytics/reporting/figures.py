"""A figure that may not be known, and then says why."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from energy.sites import Text


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in `unit`; None where it is not known, and `reason` says why. Missing is never 0."""

    value: Decimal | None
    unit: str
    reason: Text | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a figure has either a value or a reason why it has none")
        if self.value is not None and not self.value.is_finite():
            raise ValueError(f"{self.value} {self.unit} is no figure")
