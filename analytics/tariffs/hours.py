"""Time of use: which band each half hour of a local day is in, by season and kind of day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum, StrEnum

from analytics.tariffs.unfit import Fault, refuse
from energy.confidence import Confidence
from energy.sites import Text

SLOTS = 48
ALL_YEAR = "all_year"
MonthDay = tuple[int, int]
Interval = tuple[int, int]
_LEAP_YEAR = 2024
_SATURDAY = 5


class Band(IntEnum):
    """What a half hour costs more or less by; stored, so the numbers never change their meaning."""

    NONE = 0
    SHARP = 1
    PEAK = 2
    FLAT = 3
    VALLEY = 4
    DEEP_VALLEY = 5

    @property
    def word(self) -> str:
        """As it is written in files."""
        return self.name.lower()

    @property
    def text(self) -> Text:
        return _TEXTS[self]


_TEXTS = {
    Band.NONE: Text("不分时", "All hours"),
    Band.SHARP: Text("尖峰", "Sharp"),
    Band.PEAK: Text("峰", "Peak"),
    Band.FLAT: Text("平", "Flat"),
    Band.VALLEY: Text("谷", "Valley"),
    Band.DEEP_VALLEY: Text("深谷", "Deep valley"),
}
# The band of each half hour of a day, from midnight on.
DayBands = tuple[Band, ...]


class DayType(StrEnum):
    """How a day is spent."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year: whole months, and ranges of days from the first to the last, which may cross new year."""

    name: str
    months: tuple[int, ...] = ()
    days: tuple[tuple[MonthDay, MonthDay], ...] = ()

    def holds(self, day: MonthDay) -> bool:
        within = (a <= day <= b if a <= b else day >= a or day <= b for a, b in self.days)
        return day[0] in self.months or any(within)


def month_days() -> Iterator[MonthDay]:
    """The 366 days of a leap year."""
    first = date(_LEAP_YEAR, 1, 1)
    return ((d.month, d.day) for d in (first + timedelta(days=i) for i in range(366)))


def day_bands(intervals: Mapping[Band, tuple[Interval, ...]]) -> DayBands:
    """The bands of a day from half hours [first, end) counted from midnight; end before first goes past midnight.

    >>> day_bands({Band.VALLEY: ((46, 14),), Band.PEAK: ((14, 46),)})[13].word
    'valley'
    """
    held: list[list[Band]] = [[] for _ in range(SLOTS)]
    for band, given in intervals.items():
        for first, end in given:
            for slot in range(first, end if end > first else end + SLOTS):
                held[slot % SLOTS].append(band)
    refuse([*_overlaps(held), *_uncovered(held)])
    return tuple(bands[0] for bands in held)


def _overlaps(held: list[list[Band]]) -> Iterator[Fault]:
    for where, slots in _runs([" and ".join(b.word for b in bands) if len(bands) > 1 else "" for bands in held]):
        yield (), f"from {spelled(slots)} two intervals overlap: {where}; a half hour is in one band"


def _uncovered(held: list[list[Band]]) -> Iterator[Fault]:
    for _, slots in _runs(["" if bands else "none" for bands in held]):
        yield (), f"from {spelled(slots)} no band is given; every half hour is in one"


def _runs(marks: list[str]) -> Iterator[tuple[str, Interval]]:
    """Stretches of the same mark that is not empty."""
    start = 0
    for i in range(1, len(marks) + 1):
        if i == len(marks) or marks[i] != marks[start]:
            if marks[start]:
                yield marks[start], (start, i)
            start = i


def spelled(slots: Interval) -> str:
    """Half hours as the clock shows them.

    >>> spelled((15, 48))
    '07:30 to 24:00'
    """
    first, end = slots
    return f"{first // 2:02}:{first % 2 * 30:02} to {end // 2:02}:{end % 2 * 30:02}"


@dataclass(frozen=True, slots=True)
class TimeOfUse:
    """The bands of every day of the year: `hours` by season and kind of day.

    `holidays` are the days that are priced as such, `workdays` the weekend days that are worked in their stead.
    """

    seasons: tuple[Season, ...]
    hours: Mapping[str, Mapping[DayType, DayBands]]
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    source: str | None = None
    confidence: Confidence | None = None
    _season_of: Mapping[MonthDay, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse([*self._season_faults(), *self._hour_faults(), *self._day_faults()])
        by_day = {day: next(s.name for s in self.seasons if s.holds(day)) for day in month_days()}
        object.__setattr__(self, "_season_of", by_day)

    @property
    def bands(self) -> frozenset[Band]:
        return frozenset(b for types in self.hours.values() for bands in types.values() for b in bands)

    def season(self, day: date) -> str:
        return self._season_of[day.month, day.day]

    def day_type(self, day: date) -> DayType:
        """What kind of day it is: as announced, else by the weekday."""
        if day in self.holidays:
            return DayType.HOLIDAY
        weekend = day.weekday() >= _SATURDAY and day not in self.workdays
        return DayType.WEEKEND if weekend else DayType.WORKDAY

    def day(self, day: date) -> DayBands | None:
        """The bands of a local day; None where they depend on holidays that are not told for its year."""
        of_season = self.hours[self.season(day)]
        announced = self.holidays | self.workdays
        if announced and len(set(of_season.values())) > 1 and day.year not in {d.year for d in announced}:
            return None
        return of_season[self.day_type(day)]

    def _season_faults(self) -> Iterator[Fault]:
        marks = [" and ".join(s.name for s in self.seasons if s.holds(day)) for day in month_days()]
        days = [f"{month:02}-{day:02}" for month, day in month_days()]
        for _, (first, end) in _runs(["" if mark else "none" for mark in marks]):
            yield (
                ("seasons",),
                f"from {days[first]} to {days[end - 1]} is in no season; every day is in one",
            )
        for names, (first, end) in _runs([mark if " and " in mark else "" for mark in marks]):
            yield ("seasons",), f"from {days[first]} to {days[end - 1]} is in {names}; a day is in one season"

    def _hour_faults(self) -> Iterator[Fault]:
        names = [s.name for s in self.seasons]
        for name in names:
            if name not in self.hours:
                yield ("hours",), f"season {name!r} has no hours"
        for name, types in self.hours.items():
            if name not in names:
                yield ("hours", name), f"is no season; known are {', '.join(names)}"
            for missing in [t for t in DayType if t not in types]:
                yield ("hours", name), f"has no hours for a {missing}; give `{missing}` or `every_day`"

    def _day_faults(self) -> Iterator[Fault]:
        for day in sorted(self.holidays & self.workdays):
            yield ("workdays",), f"{day} is a holiday too; it is one of both"
        for day in sorted(d for d in self.workdays if d.weekday() < _SATURDAY):
            yield ("workdays",), f"{day} is no weekend day; only weekend days are worked in stead of others"
        for name, types in self.hours.items() if not self.holidays else ():
            if types.get(DayType.HOLIDAY) not in (None, types.get(DayType.WORKDAY), types.get(DayType.WEEKEND)):
                yield ("hours", name), "has hours of holidays, but `holidays` lists none"
