"""Telling a story: first what happened to the meters, then, from their ledger, what people made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from collectors.simulators.fleet import Fleet
from energy.ports import Clock
from energy.working_days import WorkingDays
from jieneng.importing import Progress
from jieneng.settings import Settings
from jieneng.story.days import StoryDays
from jieneng.story.entering import Teller
from jieneng.story.office import open_office
from jieneng.story.words import StoryWords


class _Told(msgspec.Struct):
    day: date
    told: bool


@dataclass(frozen=True, slots=True)
class StoryFile:
    """Which day the story goes by, and whether it is told: a second start goes on where the first one ended."""

    path: Path

    @property
    def day(self) -> date | None:
        """The day of the story; None where it was not begun."""
        return self._read().day if self.path.exists() else None

    @property
    def is_told(self) -> bool:
        return self.path.exists() and self._read().told

    def keep(self, day: date, *, told: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".new")
        aside.write_bytes(msgspec.json.encode(_Told(day, told)) + b"\n")
        aside.replace(self.path)

    def _read(self) -> _Told:
        return msgspec.json.decode(self.path.read_bytes(), type=_Told)


def begin(file: StoryFile, fleet: Fleet, calendar: WorkingDays, clock: Clock) -> StoryDays:
    """The days of a story that begins today, or has begun before."""
    zone = fleet.site.zone_info
    day = file.day or clock.now().astimezone(zone).date()
    file.keep(day, told=file.is_told)
    return StoryDays(day, zone, calendar)


def let_it_have_happened(story: StoryWords, days: StoryDays, fleet: Fleet) -> None:
    """Enter in the log of faults what was wrong, before the past is made of it."""
    for fault, (start, end) in days.spells(story).items():
        fleet.enter(fault, start, end)


async def tell(
    story: StoryWords, days: StoryDays, fleet: Fleet, settings: Settings, clock: Clock, progress: Progress
) -> None:
    """Work the past into the ledger, and enter all of the story that is not there."""
    async with open_office(settings, fleet.site, days.calendar, clock) as office:
        with progress:
            await office.books.catch_up(lambda share: progress.at("the ledger of the past", share))
            progress.at("the ledger of the past", 1.0)
            await Teller(story, days, office, fleet).tell(lambda share: progress.at("what people made of it", share))
