"""Lives of meters: events are added and withdrawn, never deleted; every one says by whom and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import EnergyError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import check_id
from gateway.life.tables import MeterEventRow
from gateway.records.base import LARGEST_ID
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

KIND = "meter_event"
_EVENT = tuple(field.name for field in fields(MeterEvent))
_TABLE = MeterEventRow.__table__
# So many names fit into one question to any database.
_NAMES = 500


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it is kept; one that was withdrawn holds no longer."""

    id: int
    event: MeterEvent
    who: str
    why: str
    entered_at_ms: int
    withdrawn_at_ms: int | None = None
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An event that says otherwise than the one that is kept of the same meter, kind, instant and quantity."""

    event: MeterEvent
    kept: KeptEvent


@dataclass(frozen=True, slots=True)
class Added:
    """What became of events: new ids; how many were there already; which had been withdrawn; which contradict."""

    ids: list[int]
    known: int
    withdrawn: list[KeptEvent]
    contradicting: list[Contradiction]


class Lives:
    """The events of all meters, in the records."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def add(self, events: Sequence[MeterEvent], who: str, why: str = "", *, again: bool = False) -> Added:
        """Keep the events that are new; the same one twice is kept once.

        One that was withdrawn is only taken again where `again` says so; one that contradicts what is kept never is.
        """
        for event in events:
            check_id("meter", event.meter)
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            meters = sorted({event.meter for event in events})
            sorting = _Sorting(await _kept(connection, meters, withdrawn=True), again=again)
            new = sorting.new(events)
            ids = [await _insert(connection, event, author) for event in new]
            await log_changes(connection, [_change(i, None, e) for i, e in zip(ids, new, strict=True)], author)
        return Added(ids, sorting.known, sorting.withdrawn, sorting.contradicting)

    async def withdraw(self, event_id: int, who: str, why: str = "") -> KeptEvent:
        """Let an event hold no longer; UnknownName where there is none, EnergyError where it does not hold anyway."""
        author = Author(who, why, to_ms(self._clock.now()))
        said = {"withdrawn_at_ms": author.at_ms, "withdrawn_by": who, "withdrawn_why": why}
        async with self._records.writing() as connection:
            kept = await _one(connection, event_id)
            if kept.withdrawn_at_ms is not None:
                raise EnergyError(f"event {event_id} was withdrawn already, by {kept.withdrawn_by}")
            gone = update(MeterEventRow).where(MeterEventRow.id == event_id).values(digest=None, **said)
            await connection.execute(gone)
            await log_changes(connection, [_change(event_id, kept.event, None)], author)
            return await _one(connection, event_id)

    async def event(self, event_id: int) -> KeptEvent:
        """One event, withdrawn or not; UnknownName where there is none."""
        async with self._records.reading() as connection:
            return await _one(connection, event_id)

    async def events(self, meters: Iterable[str] | None = None, *, withdrawn: bool = False) -> list[KeptEvent]:
        """What happened to these meters, or to all, by meter and time; `withdrawn` tells those that hold no longer
        too."""
        async with self._records.reading() as connection:
            found = await _kept(connection, None if meters is None else sorted(set(meters)), withdrawn=withdrawn)
        return sorted(found, key=lambda kept: (kept.event.meter, kept.event.at_ms, kept.id))


class _Sorting:
    """Tells new events from those that are there."""

    def __init__(self, kept: Iterable[KeptEvent], *, again: bool) -> None:
        self._standing: dict[str, KeptEvent] = {}
        self._gone: dict[MeterEvent, KeptEvent] = {}
        for one in kept:
            if one.withdrawn_at_ms is None:
                self._standing[digest(one.event)] = one
            elif not again:
                self._gone[_substance(one.event)] = one
        self.known = 0
        self.withdrawn: list[KeptEvent] = []
        self.contradicting: list[Contradiction] = []

    def new(self, events: Iterable[MeterEvent]) -> list[MeterEvent]:
        return [event for event in events if self._is_new(event)]

    def _is_new(self, event: MeterEvent) -> bool:
        name = digest(event)
        other = self._standing.get(name)
        gone = self._gone.get(_substance(event))
        if other is None and gone is None:
            # It has no number yet.
            self._standing[name] = KeptEvent(0, event, "", "", 0)
            return True
        if other is None:
            self.withdrawn += [gone] if gone else []
        elif _substance(event) == _substance(other.event):
            self.known += 1
        else:
            self.contradicting.append(Contradiction(event, other))
        return False


def _substance(event: MeterEvent) -> MeterEvent:
    """The event without what was written down beside it, which changes no figure."""
    return replace(event, note="", photo=None)


def digest(event: MeterEvent) -> str:
    """What an event is one of: of a meter, kind, instant and quantity only one can hold."""
    parts = (event.meter, str(event.kind), str(event.at_ms), event.quantity or "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


async def _insert(connection: AsyncConnection, event: MeterEvent, author: Author) -> int:
    said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms, "digest": digest(event)}
    made = await connection.execute(insert(MeterEventRow).values(**_plain(event), **said))
    assert made.inserted_primary_key is not None  # of one row there is one
    return int(made.inserted_primary_key[0])


async def _kept(connection: AsyncConnection, meters: Sequence[str] | None, *, withdrawn: bool) -> list[KeptEvent]:
    wanted = select(_TABLE)
    if not withdrawn:
        wanted = wanted.where(MeterEventRow.withdrawn_at_ms.is_(None))
    if meters is None:
        return [_of_row(row) for row in (await connection.execute(wanted)).mappings()]
    found: list[KeptEvent] = []
    for i in range(0, len(meters), _NAMES):
        of_these = wanted.where(MeterEventRow.meter.in_(meters[i : i + _NAMES]))
        found += [_of_row(row) for row in (await connection.execute(of_these)).mappings()]
    return found


async def _one(connection: AsyncConnection, event_id: int) -> KeptEvent:
    wanted = select(_TABLE).where(MeterEventRow.id == event_id)
    row = (await connection.execute(wanted)).mappings().one_or_none() if 0 < event_id <= LARGEST_ID else None
    if row is None:
        raise UnknownName(f"event {event_id} is not known")
    return _of_row(row)


def _of_row(row: RowMapping) -> KeptEvent:
    event = MeterEvent(**{name: row[name] for name in _EVENT if name != "kind"}, kind=EventKind(row["kind"]))
    said = {field.name: row[field.name] for field in fields(KeptEvent) if field.name != "event"}
    return KeptEvent(event=event, **said)


def _plain(event: MeterEvent) -> dict[str, Any]:
    return {**asdict(event), "kind": str(event.kind)}


def _change(event_id: int, before: MeterEvent | None, after: MeterEvent | None) -> Change:
    plain = [None if event is None else _plain(event) for event in (before, after)]
    return Change(KIND, str(event_id), *plain)
