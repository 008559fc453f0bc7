"""Files of the duty roster: persons and shifts in YAML, shifts alone in CSV or Excel (see docs/alarms.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from adapters.scalars import Id
from adapters.sheets import Column, Sheet, day, identifier, read_sheet, text
from energy.documents import Document, Words, checked, open_document
from energy.duty import Person, Post, Reach, Roster, Shift, Swap
from energy.errors import ConfigurationError


class ReachWords(Words):
    """An address on a channel."""

    channel: Id
    address: str


class PersonWords(Words):
    """Who may be on duty."""

    id: Id
    name: str
    reach: list[ReachWords]
    account: str | None = None
    language: Literal["zh", "en"] = "zh"


class ShiftWords(Words):
    """Who is on duty, in local time: `to` is on the next day where it is not later than `from`."""

    day: date
    from_: str = Field("08:00", alias="from")
    to: str = "08:00"
    main: Id
    deputy: Id | None = None
    leader: Id | None = None
    note: str = ""


class RotaWords(Words):
    """The same persons by turns, a day each, from a day to a day; its shifts give way to those that are named."""

    from_: date = Field(alias="from")
    to: date
    begins: str = "08:00"
    turns: list[dict[Post, Id]]


class SwapWords(Words):
    """One stands in for another, from the shift that begins on a day."""

    day: date
    of: Id
    by: Id


class DutyFileWords(Words):
    """A roster."""

    persons: list[PersonWords] = []
    shifts: list[ShiftWords] = []
    rota: list[RotaWords] = []
    swaps: list[SwapWords] = []
    otherwise: list[Id] = []


def read_roster(path: Path, zone: ZoneInfo, channels: Iterable[str] | None = None) -> Roster:
    """The roster of a file; ConfigurationError lists all that is wrong by line."""
    return roster_of(open_document(path), zone, channels)


def roster_of(document: Document, zone: ZoneInfo, channels: Iterable[str] | None = None) -> Roster:
    """The roster of a file that was opened. `channels` are those that there are."""
    return _Making(document, zone, None if channels is None else set(channels)).roster()


@dataclass(frozen=True, slots=True)
class _Making:
    document: Document
    zone: ZoneInfo
    channels: set[str] | None

    def roster(self) -> Roster:
        words = checked(self.document, DutyFileWords)
        faults: list[str] = []

        def made(way: tuple[str | int, ...], make: Any) -> Any:
            try:
                return make()
            except ValueError as error:
                faults.append(self.document.fault(way, str(error)))
                return None

        persons = [made(("persons", i), lambda p=p: _person(p)) for i, p in enumerate(words.persons)]
        shifts = [made(("shifts", i), lambda s=s: self._shift(s)) for i, s in enumerate(words.shifts)]
        named = [s for s in shifts if s is not None]
        turns = [made(("rota", i), lambda r=r: list(self._turns(r, named))) or [] for i, r in enumerate(words.rota)]
        whole = sorted([*named, *(s for own in turns for s in own)], key=lambda s: s.start)
        swaps = [made(("swaps", i), lambda s=s: self._swap(s, whole)) for i, s in enumerate(words.swaps)]
        faults += self._unknown(words) + self._channels(words)
        if faults:
            raise ConfigurationError(faults)
        return Roster(tuple(persons), tuple(whole), tuple(swaps), tuple(words.otherwise))

    def _shift(self, words: ShiftWords) -> Shift:
        start = _local(words.day, words.from_, self.zone)
        last = words.day if words.to > words.from_ else words.day + timedelta(days=1)
        posts = {Post.MAIN: words.main, Post.DEPUTY: words.deputy, Post.LEADER: words.leader}
        named = {post: name for post, name in posts.items() if name is not None}
        return Shift(start, _local(last, words.to, self.zone), named, words.note)

    def _turns(self, words: RotaWords, named: list[Shift]) -> Iterable[Shift]:
        if not words.turns or words.to < words.from_:
            raise ValueError("needs turns, and `to` not before `from`")
        for number in range((words.to - words.from_).days + 1):
            begins = words.from_ + timedelta(days=number)
            start = _local(begins, words.begins, self.zone)
            end = _local(begins + timedelta(days=1), words.begins, self.zone)
            if not any(s.start < end and s.end > start for s in named):
                yield Shift(start, end, dict(words.turns[number % len(words.turns)]))

    def _swap(self, words: SwapWords, shifts: list[Shift]) -> Swap:
        for shift in shifts:
            if shift.start.astimezone(self.zone).date() == words.day and words.of in shift.posts.values():
                return Swap(shift.start, shift.end, words.of, words.by)
        raise ValueError(f"{words.of} has no shift that begins on {words.day}")

    def _unknown(self, words: DutyFileWords) -> list[str]:
        known = [p.id for p in words.persons]
        found = [
            self.document.fault(("persons", i, "id"), "is used twice") for i, p in enumerate(known) if p in known[:i]
        ]
        places: list[tuple[tuple[str | int, ...], str | None]] = [
            *((("shifts", i, post), getattr(s, post)) for i, s in enumerate(words.shifts) for post in Post),
            *((("swaps", i, key), getattr(s, key)) for i, s in enumerate(words.swaps) for key in ("of", "by")),
            *((("otherwise", i), name) for i, name in enumerate(words.otherwise)),
            *(
                (("rota", i, "turns", k, post), name)
                for i, r in enumerate(words.rota)
                for k, turn in enumerate(r.turns)
                for post, name in turn.items()
            ),
        ]
        text = f"is no person of this file; there are {', '.join(known) or 'none'}"
        return found + [self.document.fault(way, text) for way, name in places if name and name not in known]

    def _channels(self, words: DutyFileWords) -> list[str]:
        if self.channels is None:
            return []
        text = f"is no channel; there are {', '.join(sorted(self.channels)) or 'none'}"
        return [
            self.document.fault(("persons", i, "reach", k, "channel"), text)
            for i, p in enumerate(words.persons)
            for k, reach in enumerate(p.reach)
            if reach.channel not in self.channels
        ]


def _person(words: PersonWords) -> Person:
    reach = tuple(Reach(r.channel, r.address) for r in words.reach)
    return Person(words.id, words.name, reach, words.account, words.language)


def _local(on: date, hour: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(f"{on}T{hour}").replace(tzinfo=zone)
    except ValueError:
        raise ValueError(f"{hour!r} must be an hour of the day, such as 08:00") from None


# -- shifts of a sheet ------------------------------------------------------------------------------------------------


def _hour(cell: Any) -> str:
    given = cell.strftime("%H:%M") if hasattr(cell, "strftime") else text(cell)
    _local(date(2026, 1, 1), given, ZoneInfo("UTC"))
    return str(given)


COLUMNS = {
    "day": Column("day", day, required=True),
    "from": Column("from_", _hour),
    "to": Column("to", _hour),
    "main": Column("main", identifier("person"), required=True),
    "deputy": Column("deputy", identifier("person")),
    "leader": Column("leader", identifier("person")),
    "note": Column("note", text),
}


def read_shifts(path: Path) -> list[dict[str, Any]]:
    """The shifts of a CSV or Excel file, as a YAML file would say them; ConfigurationError lists every fault by row."""

    def make(**given: Any) -> dict[str, Any]:
        return {
            name.rstrip("_"): value.isoformat() if isinstance(value, date) else value for name, value in given.items()
        }

    return read_sheet(path, Sheet(COLUMNS, make))
