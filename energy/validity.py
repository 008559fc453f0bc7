"""Validity: from which day to which day something holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Validity:
    """From the day `start`, included, to the day `end`, not included; None where there is no such day.

    >>> Validity(date(2025, 1, 1), date(2026, 1, 1)).holds(date(2026, 1, 1))
    False
    """

    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and not self.start < self.end:
            raise ValueError(f"from {self.start} must be before to {self.end}; the day `to` is not included")

    def holds(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def overlaps(self, other: Validity) -> bool:
        """Whether there is a day on which both hold."""
        return _before(self.start, other.end) and _before(other.start, self.end)

    def __str__(self) -> str:
        return f"{self.start or 'always'} to {self.end or 'further notice'}"


def _before(start: date | None, end: date | None) -> bool:
    return start is None or end is None or start < end


ALWAYS = Validity()
