"""How numbers, hours, days and bands are spelled in a tariff file. ValueError says what would be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from analytics.tariffs.hours import Band, Interval, MonthDay, month_days

_BANDS = {b.word: b for b in Band if b is not Band.NONE}
_MONTH_DAYS = {f"{month:02}-{day:02}": (month, day) for month, day in month_days()}


def decimal(value: Any) -> Decimal:
    """A number as it is written: a float's shortest spelling, never its binary value.

    >>> decimal(0.1)
    Decimal('0.1')
    """
    if isinstance(value, Decimal):
        return value
    try:
        found = None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        raise ValueError("must be a number")
    return found


def band(value: Any) -> Band:
    """A band by its word."""
    if isinstance(value, Band):
        return value
    if value not in _BANDS:
        known = ", ".join(f"{word} ({b.text.zh})" for word, b in _BANDS.items())
        raise ValueError(f"is no band; known are {known}")
    return _BANDS[value]


def interval(value: Any) -> Interval:
    """Half hours from midnight, [first, end); an end before the first is past midnight.

    >>> interval("23:00-07:30")
    (46, 15)
    """
    clock = r"(\d{1,2}):(\d{2})"
    found = re.fullmatch(rf"{clock}-{clock}", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be two times of the clock, such as 07:00-10:30 or 23:00-07:00")
    if found[2] not in ("00", "30") or found[4] not in ("00", "30"):
        raise ValueError("must begin and end on the half hour, such as 07:00-10:30")
    first, end = (int(found[i]) * 2 + int(found[i + 1]) // 30 for i in (1, 3))
    if first >= 48 or end > 48:
        raise ValueError("must lie between 00:00 and 24:00")
    if first == end:
        raise ValueError("must not end where it begins; the whole day is 00:00-24:00")
    return first, end


def day(value: Any) -> date:
    """A day, and nothing that could be taken for one."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("must be a day, such as 2026-01-01")  # noqa: TRY004 pydantic wants a ValueError
    return value


def days(value: Any) -> tuple[date, ...]:
    """A day, or all from one to another."""
    try:
        first, last = (
            (date.fromisoformat(t) for t in value.split("..")) if isinstance(value, str) else (day(value),) * 2
        )
    except ValueError as error:
        raise ValueError("must be a day, or two such as 2026-10-01..2026-10-07") from error
    if last < first:
        raise ValueError(f"ends before it begins; did you mean {last}..{first}?")
    return tuple(first + timedelta(days=i) for i in range((last - first).days + 1))


def month_day_range(value: Any) -> tuple[MonthDay, MonthDay]:
    """From a day of the year to another one, which may be in the next year."""
    ends = value.split("..") if isinstance(value, str) else []
    if len(ends) != 2 or any(end not in _MONTH_DAYS for end in ends):
        raise ValueError("must be two days of the year, such as 11-15..03-15")
    return _MONTH_DAYS[ends[0]], _MONTH_DAYS[ends[1]]


def month(value: Any) -> str:
    """A month of a year."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
        raise ValueError("must be a month, such as 2026-03")
    return value


def price(value: Any) -> Any:
    """One price for all hours, or as it is where it is by band."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) or value is None:
        raise ValueError("must be a price, or one for each band")
    return {Band.NONE: decimal(value)}
