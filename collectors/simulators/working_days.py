"""Which days are worked in China: statutory holidays and the days worked in their stead, else the weekday."""

from __future__ import annotations

from datetime import date
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from energy.documents import Words, checked, open_document

FILE = Path(__file__).parent / "holidays.yaml"
# The first of January 1970, day 0, was a Thursday.
_THURSDAY = 3


class DayKind(IntEnum):
    """How a day is spent."""

    WORKDAY = 0
    WEEKEND = 1
    HOLIDAY = 2


class _YearWords(Words):
    source: str
    free: list[tuple[date, date]]
    worked: list[date]


class _HolidayWords(Words):
    years: dict[int, _YearWords]


def _number(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


@cache
def _announced() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Numbers since 1970 of the days off, and of the weekend days that are worked."""
    years = checked(open_document(FILE), _HolidayWords).years.values()
    free = [day for year in years for first, last in year.free for day in range(_number(first), _number(last) + 1)]
    return np.array(free, dtype=np.int64), np.array([_number(d) for year in years for d in year.worked], dtype=np.int64)


def day_kinds(days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The `DayKind` of local days, each given as its number since 1-1-1970; by the weekday where nothing is announced.

    >>> day_kinds(np.array([_number(date(2026, 2, 14)), _number(date(2026, 2, 17)), _number(date(2026, 2, 28))]))
    array([0, 2, 0])
    """
    kinds = np.where((days + _THURSDAY) % 7 >= 5, DayKind.WEEKEND, DayKind.WORKDAY).astype(np.int64)
    free, worked = _announced()
    kinds[np.isin(days, free)] = DayKind.HOLIDAY
    kinds[np.isin(days, worked)] = DayKind.WORKDAY
    return kinds
