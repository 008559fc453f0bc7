"""Reading working calendars: a YAML file of law and announcements, and files of the operator over it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from energy.confidence import Confidence
from energy.documents import NameWords, Words, checked, open_document
from energy.errors import ConfigurationError
from energy.working_days import Announced, DayType, LawDay, WorkingDays, day_number, lunar, solar, yearly

_TYPES = {t.name.lower(): t for t in DayType}
_COLUMNS = ("day", "type", "source")


class LawWords(Words):
    """Days off that the law gives: by date, by lunar date or by the sun."""

    name: NameWords
    day: str | None = None
    lunar: str | None = None
    longitude: float | None = None
    begins: int = 0
    days: int = 1
    first: int = 1
    last: int = 9999


class YearWords(Words):
    """What was announced for a year."""

    source: str
    confidence: Confidence
    free: list[date | str]
    worked: list[date | str] = []


class OwnWords(Words):
    """A day, or several, of which the operator says how they are spent."""

    days: date | str
    type: str
    source: str


class CalendarWords(Words):
    """A working calendar as one writes it."""

    zone_hours: float = 8.0
    law: list[LawWords] = []
    law_source: str = ""
    law_confidence: Confidence = Confidence.UNKNOWN
    years: dict[int, YearWords] = {}
    days: list[OwnWords] = []


def read_working_days(paths: Sequence[Path]) -> WorkingDays:
    """The calendar of some files: what a later one says of a year or a day holds; ConfigurationError lists all faults.

    A file ending in .csv has the columns day, type (workday, weekend, holiday, worked_weekend) and source.
    """
    made, faults = WorkingDays(), list[str]()
    for path in paths:
        try:
            read = _csv(path) if path.suffix.lower() == ".csv" else _yaml(path)
        except ConfigurationError as error:
            faults += error.faults
            continue
        made = replace(
            made,
            law=read.law or made.law,
            announced={**made.announced, **read.announced},
            own={**made.own, **read.own},
        )
    if faults:
        raise ConfigurationError(faults)
    return made


def _yaml(path: Path) -> WorkingDays:
    document = open_document(path)
    words = checked(document, CalendarWords)
    faults: list[str] = []

    def days_of(given: date | str, *way: str | int) -> tuple[date, ...]:
        try:
            return _days(given)
        except ValueError as error:
            faults.append(document.fault(way, str(error)))
            return ()

    def numbers(given: Iterable[date | str], *way: str | int) -> frozenset[int]:
        return frozenset(day_number(d) for i, one in enumerate(given) for d in days_of(one, *way, i))

    announced: dict[int, Announced] = {}
    for year, of in words.years.items():
        free, worked = numbers(of.free, "years", year, "free"), numbers(of.worked, "years", year, "worked")
        announced[year] = Announced(free, worked, of.source, of.confidence)
        for day in sorted(free & worked):
            faults.append(
                document.fault(("years", year), f"{_spelled(day)} is both free and worked; it is one of them")
            )
    own: dict[int, DayType] = {}
    for i, one in enumerate(words.days):
        if one.type not in _TYPES:
            faults.append(document.fault(("days", i, "type"), f"must be one of {', '.join(_TYPES)}"))
            continue
        own.update({day_number(d): _TYPES[one.type] for d in days_of(one.days, "days", i, "days")})
    law: list[LawDay] = []
    for i, rule in enumerate(words.law):
        try:
            law.append(_law(rule, words.zone_hours))
        except ValueError as error:
            faults.append(document.fault(("law", i), str(error)))
    if faults:
        raise ConfigurationError(faults)
    return WorkingDays(tuple(law), announced, own)


def _law(words: LawWords, zone_hours: float) -> LawDay:
    given = [words.day is not None, words.lunar is not None, words.longitude is not None]
    if sum(given) != 1:
        raise ValueError("must have one of `day`, `lunar` and `longitude`")
    if words.day is not None:
        begins = yearly(*_month_day(words.day))
    elif words.lunar is not None:
        begins = lunar(*_month_day(words.lunar), words.begins, zone_hours)
    else:
        assert words.longitude is not None
        begins = solar(words.longitude, zone_hours)
    return LawDay(begins, words.days, words.first, words.last)


def _month_day(text: str) -> tuple[int, int]:
    try:
        parsed = date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError(f"{text!r} must be a month and a day, such as 10-01") from None
    return parsed.month, parsed.day


def _days(given: date | str) -> tuple[date, ...]:
    """A day, or all from one to another.

    >>> len(_days("2026-10-01..2026-10-07"))
    7
    """
    if isinstance(given, date):
        return (given,)
    first, dots, last = given.partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise ValueError(f"{given!r} must be a day, or days such as 2026-10-01..2026-10-07") from None
    if end < start:
        raise ValueError(f"{given!r} ends before it begins")
    return tuple(start + timedelta(days=i) for i in range((end - start).days + 1))


def _csv(path: Path) -> WorkingDays:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if missing := [c for c in _COLUMNS if c not in (reader.fieldnames or ())]:
                raise ConfigurationError([f"{path}:1: has no column {', '.join(missing)}; needs {', '.join(_COLUMNS)}"])
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: is not UTF-8: {error.reason} at byte {error.start}"]) from error
    own, faults = dict[int, DayType](), list[str]()
    for line, row in rows:
        kind, text = (row["type"] or "").strip(), (row["day"] or "").strip()
        if kind not in _TYPES:
            faults.append(f"{path}:{line}: type = {kind!r}: must be one of {', '.join(_TYPES)}")
        try:
            own.update({day_number(d): _TYPES[kind] for d in _days(text) if kind in _TYPES})
        except ValueError as error:
            faults.append(f"{path}:{line}: day: {error}")
    if faults:
        raise ConfigurationError(faults)
    return WorkingDays(own=own)


def _spelled(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
