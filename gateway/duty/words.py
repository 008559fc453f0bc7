"""The duty roster as the API tells and takes it. Addresses are masked; the file itself is told to who edits it."""

from __future__ import annotations

from datetime import date

import msgspec

from energy.duty import Flaw, Person, Roster, Shift
from energy.readings import to_ms
from gateway.api.words import Note, Said
from gateway.duty.service import KeptRoster, masked


class ReachAnswerWords(msgspec.Struct):
    """A way to reach somebody, its address masked."""

    channel: str
    address: str


class DutyPersonWords(msgspec.Struct):
    """Who may be on duty."""

    id: str
    name: str
    account: str | None
    reach: list[ReachAnswerWords]

    @classmethod
    def of(cls, person: Person) -> DutyPersonWords:
        reach = [ReachAnswerWords(r.channel, masked(r.address)) for r in person.reach]
        return cls(person.id, person.name, person.account, reach)


class DutyShiftWords(msgspec.Struct):
    """Who is on duty, by post, swaps taken in."""

    start: int
    end: int
    posts: dict[str, str]
    note: str

    @classmethod
    def of(cls, shift: Shift, roster: Roster) -> DutyShiftWords:
        posts = {str(p): roster.on_duty(shift.start, p) or name for p, name in shift.posts.items()}
        return cls(to_ms(shift.start), to_ms(shift.end), posts, shift.note)


class DutyFlawWords(msgspec.Struct):
    """A gap, an overlap, or somebody twice in one shift."""

    kind: str
    start: int
    end: int
    detail: str

    @classmethod
    def of(cls, flaw: Flaw) -> DutyFlawWords:
        return cls(flaw.kind, to_ms(flaw.start), to_ms(flaw.end), flaw.detail)


class DutyQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The shifts that touch [from, to)."""

    from_: int
    to: int


class DutyAnswer(msgspec.Struct):
    """Who is on duty now and in the time asked for; `flaws` is of the days to come."""

    number: int
    document: str
    who: str
    entered_at: int
    now: dict[str, str]
    persons: list[DutyPersonWords]
    shifts: list[DutyShiftWords]
    flaws: list[DutyFlawWords]
    otherwise: list[str]

    @classmethod
    def of(cls, kept: KeptRoster, query: DutyQuery, now: dict[str, str], flaws: list[Flaw]) -> DutyAnswer:
        roster = kept.roster
        inside = [s for s in roster.shifts if to_ms(s.start) < query.to and to_ms(s.end) > query.from_]
        persons = [DutyPersonWords.of(p) for p in roster.persons]
        shifts = [DutyShiftWords.of(s, roster) for s in inside]
        of = (kept.kept.number, kept.kept.document, kept.kept.who, kept.kept.entered_at_ms)
        return cls(*of, now, persons, shifts, [DutyFlawWords.of(f) for f in flaws], list(roster.otherwise))


class DutySwap(msgspec.Struct, forbid_unknown_fields=True):
    """One stands in for another over the shift that begins on a day."""

    day: date
    of: str
    by: str
    who: Said
    why: Note = ""
