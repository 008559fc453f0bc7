"""Who is on duty when, and how each is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy.names import check_id


class Post(StrEnum):
    """What somebody is in a shift: who is called first, who stands in, who leads (带班领导)."""

    MAIN = "main"
    DEPUTY = "deputy"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Reach:
    """An address on a channel: a mobile number for a robot, a mail address, whatever the channel takes."""

    channel: str
    address: str

    def __post_init__(self) -> None:
        check_id("channel", self.channel)
        if not self.address.strip() or any(ord(c) < 32 for c in self.address):
            raise ValueError(f"channel {self.channel}: the address is empty or has control characters")


@dataclass(frozen=True, slots=True)
class Person:
    """Who may be on duty. `account` is that of the person, if there is one; `reach` is tried in this order."""

    id: str
    name: str
    reach: tuple[Reach, ...]
    account: str | None = None
    language: str = "zh"

    def __post_init__(self) -> None:
        check_id("person", self.id)
        if not self.name.strip():
            raise ValueError(f"person {self.id} has no name")
        if not self.reach:
            raise ValueError(f"person {self.id} cannot be reached: name a channel and an address")
        if self.language not in ("zh", "en"):
            raise ValueError(f"person {self.id}: language {self.language!r} must be zh or en")


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on duty over [start, end), by post."""

    start: datetime
    end: datetime
    posts: Mapping[Post, str]
    note: str = ""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a shift begins and ends at instants with a time zone")
        if not self.start < self.end:
            raise ValueError(f"a shift ends at {self.end} and begins at {self.start}: it must end later")
        if Post.MAIN not in self.posts:
            raise ValueError("a shift has nobody as main; name one")

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Swap:
    """Over [start, end) one stands in for another, whatever his post."""

    start: datetime
    end: datetime
    of: str
    by: str

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"a swap ends at {self.end} and begins at {self.start}: it must end later")
        if self.of == self.by:
            raise ValueError(f"{self.of} cannot stand in for himself")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a roster over [start, end): `gap` where nobody is on duty, `overlap`, or `twice`."""

    kind: str
    start: datetime
    end: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Persons and shifts. `otherwise` is told where nobody is on duty."""

    persons: tuple[Person, ...] = ()
    shifts: tuple[Shift, ...] = ()
    swaps: tuple[Swap, ...] = ()
    otherwise: tuple[str, ...] = ()

    def person(self, person_id: str) -> Person | None:
        return next((p for p in self.persons if p.id == person_id), None)

    def shift(self, at: datetime) -> Shift | None:
        """The shift at an instant; of two that overlap, the one that began later."""
        held = [shift for shift in self.shifts if shift.holds(at)]
        return max(held, key=lambda shift: shift.start) if held else None

    def on_duty(self, at: datetime, post: Post) -> str | None:
        """Who holds a post at an instant, or who stands in for him; None where nobody does."""
        shift = self.shift(at)
        if shift is None or post not in shift.posts:
            return None
        return self._standing_in(shift.posts[post], at)

    def _standing_in(self, person: str, at: datetime) -> str:
        for swap in reversed(self.swaps):
            if swap.of == person and swap.start <= at < swap.end:
                return swap.by
        return person

    def unknown(self) -> list[str]:
        """Ids that shifts, swaps and `otherwise` name, and no person has."""
        known = {p.id for p in self.persons}
        named = [p for shift in self.shifts for p in shift.posts.values()]
        named += [p for swap in self.swaps for p in (swap.of, swap.by)] + list(self.otherwise)
        return sorted({name for name in named if name not in known})

    def flaws(self, start: datetime, end: datetime) -> list[Flaw]:
        """Gaps and overlaps within [start, end), and who holds two posts of one shift."""
        inside = sorted((s for s in self.shifts if s.start < end and s.end > start), key=lambda s: s.start)
        found = [*_gaps(inside, start, end), *_overlaps(inside), *_twice(inside)]
        return sorted(found, key=lambda flaw: (flaw.start, flaw.kind))


def _gaps(shifts: Sequence[Shift], start: datetime, end: datetime) -> Iterator[Flaw]:
    covered = start
    for shift in shifts:
        if shift.start > covered:
            yield Flaw("gap", covered, shift.start)
        covered = max(covered, shift.end)
    if covered < end:
        yield Flaw("gap", covered, end)


def _overlaps(shifts: Sequence[Shift]) -> Iterator[Flaw]:
    for i, one in enumerate(shifts):
        for other in shifts[i + 1 :]:
            if other.start < one.end:
                yield Flaw("overlap", other.start, min(one.end, other.end))


def _twice(shifts: Sequence[Shift]) -> Iterator[Flaw]:
    for shift in shifts:
        names = list(shift.posts.values())
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            yield Flaw("twice", shift.start, shift.end, name)
