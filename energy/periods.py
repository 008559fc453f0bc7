"""Periods of a local zone: hours, days, weeks, months and years as UTC instants, right across changes of the clock.

The only place, beside the rim, where local time exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Span(StrEnum):
    """How long a period is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in UTC."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        """Elapsed hours: 23 or 25 on the days on which the clock is changed.

        >>> period(Span.DAY, datetime(2026, 3, 29, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin")).hours
        23.0
        """
        return (self.end - self.start) / timedelta(hours=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def of_days(start: date, end: date, zone: ZoneInfo) -> Period:
    """From the midnight in which a day begins to the one in which `end` does, a day that is not included.

    >>> of_days(date(2026, 3, 29), date(2026, 3, 30), ZoneInfo("Europe/Berlin")).hours
    23.0
    """
    return Period(_midnight(start, zone), _midnight(end, zone))


def month_of(text: str, zone: ZoneInfo) -> Period:
    """A month such as 2026-03; ValueError says what is wrong with the text."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError(f"{text!r} must be a month, such as 2026-03") from None
    return of_days(first, _following_first_day(Span.MONTH, first), zone)


def _first_day(span: Span, day: date) -> date:
    match span:
        case Span.WEEK:
            return day - timedelta(days=day.weekday())
        case Span.MONTH:
            return day.replace(day=1)
        case Span.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


def _following_first_day(span: Span, first: date) -> date:
    match span:
        case Span.WEEK:
            return first + timedelta(days=7)
        case Span.MONTH:
            return (first + timedelta(days=31)).replace(day=1)
        case Span.YEAR:
            return first.replace(year=first.year + 1)
        case _:
            return first + timedelta(days=1)


def period(span: Span, instant: datetime, zone: ZoneInfo) -> Period:
    """The period of this span, in this zone, that holds an instant. Weeks begin on Monday.

    >>> period(Span.DAY, datetime(2026, 1, 1, 17, tzinfo=UTC), ZoneInfo("Asia/Shanghai")).start
    datetime.datetime(2026, 1, 1, 16, 0, tzinfo=datetime.timezone.utc)
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    if span is Span.HOUR:
        return _hour(instant, zone)
    first = _first_day(span, instant.astimezone(zone).date())
    following = _following_first_day(span, first)
    end = _midnight(following, zone)
    if instant >= end:
        # A clock set back just after midnight repeats the end of the day before; the first midnight counts.
        first, end = following, _midnight(_following_first_day(span, following), zone)
    return Period(_midnight(first, zone), end)


def _hour(instant: datetime, zone: ZoneInfo) -> Period:
    # Zones may be off by a part of an hour, and so are their hours: the offset is taken out, never the wall clock
    # compared, so that the repeated hour of autumn is two periods.
    offset = _offset(instant, zone)
    start = (instant.astimezone(UTC) + offset).replace(minute=0, second=0, microsecond=0) - offset
    end = start + timedelta(hours=1)
    # Where the clock is changed by a part of an hour, the hour is cut at the change.
    if _shifted(_offset(start, zone), offset):
        start = _change(start, instant, zone)
    if _shifted(_offset(end, zone), offset):
        end = _change(instant, end, zone)
    return Period(start, end)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _shifted(one: timedelta, other: timedelta) -> bool:
    return (one - other) % timedelta(hours=1) != timedelta(0)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset between two instants changes to that of the later one."""
    low, high = before.astimezone(UTC).replace(microsecond=0), after.astimezone(UTC)
    offset = _offset(after, zone)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle == low:
            break
        low, high = (low, middle) if _offset(middle, zone) == offset else (middle, high)
    return (low + timedelta(seconds=1)).replace(microsecond=0)


def periods(span: Span, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Period]:
    """The periods that touch [start, end), in order."""
    current = period(span, start, zone)
    while current.start < end:
        yield current
        current = period(span, current.end, zone)
