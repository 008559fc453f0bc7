"""A figure that may not be known, and then says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from analytics.consumption.dated import Dated, NotKnown, mean_over
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


def mean_figure(name: Text, values: Sequence[Dated], unit: str, start: date, end: date) -> Figure:
    """The mean of an area, head count or the like over the days [start, end), each value weighted by its days.

    Without a value where one day has none: half a year's area is not the area of a year.
    """
    try:
        mean = mean_over(values, start, end)
    except NotKnown as error:
        return Figure(None, unit, Text(f"{name.zh}不全（{start}至{end}）", f"{name.en} is {error}"))
    return Figure(Decimal(mean.numerator) / mean.denominator, unit)
