"""The days of a story, reckoned from the day on which it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from energy.working_days import DayType, WorkingDays
from jieneng.story.words import SpellWords, StoryWords

_HOLIDAY_DAYS = 3
_LOOK_BACK_DAYS = 400
_DAY = timedelta(days=1)
_EVENING, _MORNING = time(18, 30), time(7, 30)


@dataclass(frozen=True, slots=True)
class StoryDays:
    """`today` is the local day of the story."""

    today: date
    zone: ZoneInfo
    calendar: WorkingDays

    def month(self, ago: int) -> date:
        """The first day of the month so many months ago; 0 is this one."""
        months = self.today.year * 12 + self.today.month - 1 - ago
        return date(months // 12, months % 12 + 1, 1)

    def last_of_month(self, ago: int) -> date:
        return self.month(ago - 1) - _DAY

    def at(self, day: date, clock: time) -> datetime:
        """An instant of local time."""
        return datetime.combine(day, clock, tzinfo=self.zone)

    def holiday(self) -> tuple[date, date]:
        """The newest public holiday of three days at least that is over: its first day, and the day after its last."""
        first = self.today - timedelta(days=_LOOK_BACK_DAYS)
        days = np.arange(np.datetime64(first), np.datetime64(self.today))
        free = self.calendar.day_types(days) == DayType.HOLIDAY
        # A holiday that has not ended yesterday, or is cut off, is none of these.
        ends = np.flatnonzero(free[:-1] & ~free[1:]) + 1
        for end in ends[::-1].tolist():
            start = end - int(np.argmin(free[:end][::-1]))
            if end - start >= _HOLIDAY_DAYS:
                return first + start * _DAY, first + end * _DAY
        raise ValueError(f"the calendar knows no public holiday of {_HOLIDAY_DAYS} days before {self.today}")

    def spell(self, words: SpellWords, contract: date) -> tuple[datetime, datetime | None]:
        """From when to when a fault was on; None where it still is."""
        if words.during == "contract":
            return self.at(contract, time()), None
        if words.during == "holiday":
            first, end = self.holiday()
            return self.at(first - _DAY, _EVENING), self.at(self._worked_from(end), _MORNING)
        assert words.days_ago is not None  # one of the two is given
        start = self.at(self.today - timedelta(days=words.days_ago), time.fromisoformat(words.at))
        return start, None if words.hours is None else start + timedelta(hours=words.hours)

    def spells(self, story: StoryWords) -> dict[str, tuple[datetime, datetime | None]]:
        """When each fault of the past was on."""
        contract = self.month(len(story.contract.statements) if story.contract else 0)
        return {words.fault: self.spell(words, contract) for words in story.past}

    def begins(self, past_days: int) -> date:
        """The first day of the past: so many days ago, and from there back to the beginning of that year."""
        return (self.today - timedelta(days=past_days)).replace(month=1, day=1)

    def spelled(self, first: date, end: date) -> tuple[str, str]:
        """The free days of [first, end), and the weekend days that are worked, as a contract lists them."""
        days = np.arange(np.datetime64(first), np.datetime64(end))
        types = self.calendar.day_types(days)
        found = [days[types == kind].astype(str).tolist() for kind in (DayType.HOLIDAY, DayType.WORKED_WEEKEND)]
        return ", ".join(found[0]), ", ".join(found[1])

    def _worked_from(self, day: date) -> date:
        while not self.calendar.works(day):
            day += _DAY
        return day
