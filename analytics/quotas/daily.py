"""Days for forecasts: consumption by day of many counters, and which day of last year a day is set against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.working_days import DayType

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEK = 7
# So many whole weeks before, the weekday is the same and the season nearly.
YEAR_OF_WEEKS = 364
# By so many days a holiday of the lunar year lies elsewhere in the next one, at most, and some more.
_FAR = 35


@dataclass(frozen=True, slots=True)
class Days:
    """A run of local days, the past first and then as far as is forecast.

    before : (n,) index of the comparable day a year before; negative where it lies before the first day.
    special : (n,) whether the day is like no ordinary one of its weekday (a holiday, a weekend that is worked).
    """

    first: date
    before: Ints
    special: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.before)

    def index(self, day: date) -> int:
        """Where a day is in the run."""
        return (day - self.first).days

    @property
    def day_of_year(self) -> Ints:
        """(n,) 0 on the first of January."""
        days = np.datetime64(self.first) + np.arange(len(self))
        since_new_year = days - days.astype("datetime64[Y]").astype("datetime64[D]")
        return np.asarray(since_new_year.astype(np.int64))


def plain_days(first: date, count: int) -> Days:
    """Days of which nothing but the weekday is known: each is set against that 364 days before."""
    return Days(first, np.arange(count) - YEAR_OF_WEEKS, np.zeros(count, dtype=bool))


def days_of_types(first: date, types: Ints) -> Days:
    """Days of which it is known how they are spent: (n,) `energy.working_days.DayType`.

    The days off that follow each other are one holiday, which is set against the nearest one of about a year before,
    day by day; so the Spring Festival stands against the Spring Festival. A weekend day that is worked is set against
    a workday.
    """
    names: list[str | None] = [None] * len(types)
    runs = _runs(types == DayType.HOLIDAY)
    starts: list[int] = []
    named: dict[int, str] = {}
    for start, stop in runs:
        near = [s for s in starts if abs(start - YEAR_OF_WEEKS - s) <= _FAR]
        last = min(near, key=lambda s: abs(start - YEAR_OF_WEEKS - s), default=None)
        name = f"holiday-{start}" if last is None else named[last]
        named[start] = name
        starts.append(start)
        for i in range(start, stop):
            names[i] = f"{name}/{i - start}"
    days = days_with_holidays(first, len(types), lambda day: names[(day - first).days])
    special = days.special.copy()
    before = days.before.copy()
    weekday = first.weekday()
    for i in np.flatnonzero(types == DayType.WORKED_WEEKEND).tolist():
        workday = i - YEAR_OF_WEEKS - ((weekday + i) % WEEK - 4)
        before[i], special[i] = _ordinary_near(workday, names), True
    return Days(first, before, special)


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0]))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def days_with_holidays(first: date, count: int, holiday: Callable[[date], str | None]) -> Days:
    """Days of which holidays are known by name, such as `spring_festival/3` for its third day; None elsewhere.

    A day of a holiday is set against the same day of the same holiday a year before, wherever that lay; an ordinary
    one against the nearest ordinary one of its weekday.
    """
    past = [holiday(first + timedelta(days=i)) for i in range(count)]
    before = np.arange(count) - YEAR_OF_WEEKS
    latest: dict[str, int] = {}
    for i, name in enumerate(past):
        if name is not None:
            if name in latest and i - latest[name] > YEAR_OF_WEEKS // 2:
                before[i] = latest[name]
            latest[name] = i
        else:
            before[i] = _ordinary_near(int(before[i]), past)
    return Days(first, before, np.array([name is not None for name in past]))


def _ordinary_near(index: int, past: list[str | None]) -> int:
    for weeks in (0, -1, 1, -2, 2, -3, 3):
        near = index + weeks * WEEK
        if 0 <= near < len(past) and past[near] is None:
            return near
    return index
