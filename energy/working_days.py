"""Which days are worked: as announced, else as the law and the weekday say; for years to come too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from energy.confidence import Confidence
from energy.lunar import lunar_day, sun_day

Days = npt.NDArray[np.int64] | npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# The first of January 1970, day 0, was a Thursday.
_THURSDAY = 3
_SATURDAY = 5
_EPOCH = date(1970, 1, 1).toordinal()


class DayType(IntEnum):
    """How a day is spent."""

    WORKDAY = 0
    WEEKEND = 1
    HOLIDAY = 2
    # A weekend day that is worked in stead of another (调休).
    WORKED_WEEKEND = 3


@dataclass(frozen=True, slots=True)
class LawDay:
    """Days off that a law gives every year from `first_year` to `last_year`; `begins` tells the day in a year.

    `begins` gives the day of a year as its number since 1970; `days` is how many there are from it on.
    """

    begins: Callable[[int], int]
    days: int = 1
    first_year: int = 1
    last_year: int = 9999

    def of(self, year: int) -> range:
        if not self.first_year <= year <= self.last_year:
            return range(0)
        first = self.begins(year)
        return range(first, first + self.days)


@dataclass(frozen=True, slots=True)
class Announced:
    """What was announced for a year: days off and weekend days that are worked, as numbers since 1970."""

    free: frozenset[int]
    worked: frozenset[int]
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The working calendar of a place.

    law : days off of every year, used for years of which nothing is announced.
    announced : by year. own : days of which somebody has said otherwise, before all else.
    """

    law: tuple[LawDay, ...] = ()
    announced: Mapping[int, Announced] = field(default_factory=dict)
    own: Mapping[int, DayType] = field(default_factory=dict)

    def day_types(self, days: Days) -> Numbers:
        """The `DayType` of local days.

        Parameters
        ----------
        days : (n,) numbers since 1-1-1970 or datetime64, in any order.

        >>> WorkingDays().day_types(np.array(["2026-11-20", "2026-11-21"], "datetime64[D]"))
        array([0, 1])
        """
        numbers = day_numbers(days)
        types = np.where((numbers + _THURSDAY) % 7 >= _SATURDAY, DayType.WEEKEND, DayType.WORKDAY).astype(np.int64)
        free, worked = _array(self._free(numbers)), _array(self._worked(numbers))
        types[np.isin(numbers, worked)] = DayType.WORKED_WEEKEND
        types[np.isin(numbers, free)] = DayType.HOLIDAY
        for day, own in self.own.items():
            types[numbers == day] = own
        return types

    def is_worked(self, days: Days) -> Mask:
        """(n,) whether a day is worked, be it in the week or at its end."""
        return np.isin(self.day_types(days), (DayType.WORKDAY, DayType.WORKED_WEEKEND))

    def works(self, day: date) -> bool:
        """Whether one day is worked."""
        return bool(self.is_worked(np.array([day], "datetime64[D]"))[0])

    def _free(self, numbers: Numbers) -> Iterator[int]:
        years = set(np.unique(_years(numbers)).tolist())
        for year in years - self.announced.keys():
            for law in self.law:
                yield from law.of(year)
        for announced in self._announced_about(years):
            yield from announced.free

    def _worked(self, numbers: Numbers) -> Iterator[int]:
        for announced in self._announced_about(set(np.unique(_years(numbers)).tolist())):
            yield from announced.worked

    def _announced_about(self, years: set[int]) -> Iterator[Announced]:
        """What was announced for the years, and for the ones after, which may begin in December."""
        for year in sorted(years | {y + 1 for y in years}):
            if year in self.announced:
                yield self.announced[year]


def yearly(month: int, day: int) -> Callable[[int], int]:
    """The same date of every year."""
    return lambda year: day_number(date(year, month, day))


def lunar(month: int, day: int, shift: int, zone_hours: float) -> Callable[[int], int]:
    """A day of the lunar year, moved by some days."""
    return lambda year: lunar_day(year, month, day, zone_hours) + shift


def solar(longitude: float, zone_hours: float) -> Callable[[int], int]:
    """The day on which the sun stands at a longitude [degrees]."""
    return lambda year: sun_day(year, longitude, zone_hours)


def day_number(day: date) -> int:
    """A day as its number since 1-1-1970."""
    return day.toordinal() - _EPOCH


def day_numbers(days: Days) -> Numbers:
    """(n,) days as numbers since 1-1-1970."""
    return np.asarray(days).astype("datetime64[D]").astype(np.int64)


def _years(numbers: Numbers) -> Numbers:
    return numbers.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _array(days: Iterator[int]) -> Numbers:
    return np.fromiter(days, dtype=np.int64)
