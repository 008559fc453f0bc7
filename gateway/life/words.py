"""Events of meters as the API tells and takes them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from energy.life import EventKind, MeterEvent
from gateway.api.words import Note, Who
from gateway.life.service import Added, KeptEvent

MeterId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Cursor = Annotated[str, msgspec.Meta(max_length=500)]


class EventWords(msgspec.Struct, forbid_unknown_fields=True, rename={"at_ms": "at", "until_ms": "until"}):
    """What happened to a meter; what its kind needs is told in docs/events.md."""

    meter: MeterId
    kind: EventKind
    at_ms: int
    until_ms: int | None = None
    quantity: str | None = None
    final_register: float | None = None
    initial_register: float | None = None
    ratio: float | None = None
    place: str | None = None
    address: str | None = None
    note: Note = ""
    photo: str | None = None

    @property
    def event(self) -> MeterEvent:
        return MeterEvent(**msgspec.structs.asdict(self))

    @classmethod
    def of(cls, event: MeterEvent) -> EventWords:
        return cls(**{name: getattr(event, name) for name in cls.__struct_fields__})


class KeptEventWords(msgspec.Struct):
    """An event as it is kept: by whom, why and when it was entered, and withdrawn if it was."""

    id: int
    event: EventWords
    who: str
    why: str
    entered_at: int
    withdrawn_at: int | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @classmethod
    def of(cls, kept: KeptEvent) -> KeptEventWords:
        said = kept.who, kept.why, kept.entered_at_ms, kept.withdrawn_at_ms, kept.withdrawn_by, kept.withdrawn_why
        return cls(kept.id, EventWords.of(kept.event), *said)


class EventsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Of these meters, or of all; with those that hold no longer, or without. `cursor` is the `next` of a page."""

    meter: list[str] = []
    withdrawn: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10_000
    cursor: Cursor | None = None


class EventsAnswer(msgspec.Struct):
    """Events by meter and time; `next` is null on the last page."""

    events: list[KeptEventWords]
    next: str | None


class NewEvents(msgspec.Struct, forbid_unknown_fields=True):
    """Events to keep, all of them or, where one is wrong, none. `again` takes those that were withdrawn once."""

    events: Annotated[list[EventWords], msgspec.Meta(min_length=1, max_length=1000)]
    who: Who = ""
    why: Note = ""
    again: bool = False


class ContradictionWords(msgspec.Struct):
    """An event that was not added: the one that is kept says otherwise. Withdraw that one first."""

    event: EventWords
    kept: KeptEventWords


class AddedAnswer(msgspec.Struct):
    """Ids of the new events, and what became of the others."""

    added: list[int]
    known: int
    withdrawn: list[KeptEventWords]
    contradicting: list[ContradictionWords]

    @classmethod
    def of(cls, added: Added) -> AddedAnswer:
        contradicting = [
            ContradictionWords(EventWords.of(c.event), KeptEventWords.of(c.kept)) for c in added.contradicting
        ]
        return cls(added.ids, added.known, [KeptEventWords.of(kept) for kept in added.withdrawn], contradicting)


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Which event holds no longer, and who says so why."""

    id: int
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    who: Who = ""
