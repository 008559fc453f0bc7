"""In which hours a rule rings: nights, and what is outside of the hours worked, by the local clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from analytics.alarms.rules import DayHours
from energy.readings import to_ms

Working = Callable[[date], bool]


def weekdays(day: date) -> bool:
    """Whether it is none of a weekend: what is known of a day where there is no working calendar."""
    return day.weekday() < 5


def spans(
    hours: DayHours, start: date, end: date, zone: ZoneInfo, days: Working | None = None
) -> npt.NDArray[np.int64]:
    """The hours of the days [start, end) as instants.

    days : which of them are meant; all where it is None.

    Returns
    -------
    (2n,) beginning and end of each, ascending [ms since the epoch].
    """
    found: list[int] = []
    for number in range((end - start).days):
        day = start + timedelta(days=number)
        if days is None or days(day):
            last = day if hours.end > hours.start else day + timedelta(days=1)
            begin, stop = _at(day, hours.start, zone), _at(last, hours.end, zone)
            if found and begin <= found[-1]:
                found[-1] = stop
            else:
                found += [begin, stop]
    return np.array(found, np.int64)


def within(edges: npt.NDArray[np.int64], at_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each instant is in one of the spans.

    >>> within(np.array([10, 20]), np.array([9, 10, 19, 20])).tolist()
    [False, True, True, False]
    """
    inside: npt.NDArray[np.bool_] = np.searchsorted(edges, at_ms, side="right") % 2 == 1
    return inside


def _at(day: date, hour: time, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, hour, tzinfo=zone).astimezone(UTC))
