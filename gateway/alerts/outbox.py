"""The outbox of messages: kept in the records before anything is sent, so that nothing is lost with the process.

A message that was handed to its channel when the process died is sent again, under the same id: twice rather than
never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.alarms.escalation import Call
from energy.duty import Person, Roster
from energy.notices import Notice
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Site
from gateway.alerts import texts
from gateway.alerts.alarm import Alarm
from gateway.alerts.tables import AlarmMessageRow
from gateway.records.base import table_of
from gateway.records.database import Records

_MESSAGES = table_of(AlarmMessageRow)
# So many ids fit into one question to any database.
_IDS = 500
WAITING, SENT, REFUSED, MOOT = "waiting", "sent", "refused", "moot"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept."""

    id: int
    key: str
    alarm: int | None
    kind: str
    round: int
    rung: int
    person: str
    channel: str
    address: str
    way: int
    language: str
    title: str
    text: str
    more: str
    linked: bool
    state: str
    attempts: int
    made_ms: int
    next_ms: int
    done_ms: int | None
    answer: str

    def notice(self, link: str, *, personal: bool) -> Notice:
        """What the channel is asked to tell."""
        text = "\n".join(part for part in (self.text, self.more if personal else "") if part)
        return Notice(f"jieneng-{self.key}", self.address, self.title, text, link)


@dataclass
class Outbox:
    """The messages in the records. `woken` is set when there may be one to send."""

    records: Records
    clock: Clock
    site: Callable[[], Site]
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self.woken.set()

    @property
    def _zone(self) -> ZoneInfo:
        return self.site().zone_info

    async def messages(self, *, limit: int = 100, alarm: int | None = None) -> list[Message]:
        """Newest first."""
        wanted = select(_MESSAGES).order_by(_MESSAGES.c.id.desc()).limit(limit)
        if alarm is not None:
            wanted = wanted.where(_MESSAGES.c.alarm == alarm)
        async with self.records.reading() as connection:
            return [_message(row) for row in (await connection.execute(wanted)).mappings()]

    async def due(self, now_ms: int) -> list[Message]:
        """What is to be sent by now, oldest first."""
        wanted = select(_MESSAGES).where(_MESSAGES.c.state == WAITING, _MESSAGES.c.next_ms <= now_ms)
        async with self.records.reading() as connection:
            return [_message(row) for row in (await connection.execute(wanted.order_by(_MESSAGES.c.id))).mappings()]

    async def is_waiting(self, message_id: int) -> bool:
        """Whether it is still to be sent."""
        wanted = select(_MESSAGES.c.state).where(_MESSAGES.c.id == message_id)
        async with self.records.reading() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none() == WAITING

    async def next_ms(self) -> int | None:
        """When the next one is to be sent; None where none waits."""
        wanted = select(_MESSAGES.c.next_ms).where(_MESSAGES.c.state == WAITING).order_by(_MESSAGES.c.next_ms).limit(1)
        async with self.records.reading() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none()

    @staticmethod
    def key(alarm: Alarm, call: Call) -> str:
        """The one name that the message of a call has."""
        return f"{alarm.id}.{alarm.life.round}.{call.rung}.{call.person}"

    # -- within a transaction ---------------------------------------------------------------------------------------

    async def keys(self, connection: AsyncConnection, alarms: Sequence[int]) -> set[str]:
        """The messages that were made of these alarms, by name."""
        found: set[str] = set()
        for i in range(0, len(alarms), _IDS):
            wanted = select(_MESSAGES.c.key).where(_MESSAGES.c.alarm.in_(alarms[i : i + _IDS]))
            found |= set((await connection.execute(wanted)).scalars())
        return found

    async def call(
        self, connection: AsyncConnection, alarm: Alarm, calls: Sequence[Call], roster: Roster, now_ms: int
    ) -> list[Call]:
        """Make the messages of calls that were not made yet; which these are."""
        made = await self.keys(connection, [alarm.id])
        new = [call for call in calls if self.key(alarm, call) not in made]
        for call in new:
            person = roster.person(call.person)
            assert person is not None  # the plan calls nobody that the roster does not know
            kind = "raised" if call.rung == 0 else "again"
            await self._make(connection, self.key(alarm, call), alarm, kind, person, 0, now_ms, rung=call.rung)
        return new

    async def tell_over(self, connection: AsyncConnection, alarm: Alarm, roster: Roster, now_ms: int) -> None:
        """Tell those who were told of it that it is over, each once."""
        wanted = select(_MESSAGES.c.person).where(_MESSAGES.c.alarm == alarm.id, _MESSAGES.c.state == SENT)
        for name in sorted(set((await connection.execute(wanted)).scalars())):
            person = roster.person(name)
            if person is not None:
                key = f"{alarm.id}.{alarm.life.round}.over{alarm.life.flaps}.{name}"
                await self._make(connection, key, alarm, "recovered", person, 0, now_ms)

    async def next_way(self, connection: AsyncConnection, message: Message, person: Person, now_ms: int) -> bool:
        """Try the next way to reach the person; whether there is one that was not tried."""
        way = message.way + 1
        if way >= len(person.reach):
            return False
        key = f"{message.key.partition('~')[0]}~{way}"
        there = select(_MESSAGES.c.id).where(_MESSAGES.c.key == key)
        if (await connection.execute(there)).scalar_one_or_none() is None:
            reach = person.reach[way]
            names = ("alarm", "kind", "round", "rung", "person", "language", "title", "text", "more", "linked")
            same = {name: getattr(message, name) for name in names}
            also = {"channel": reach.channel, "address": reach.address}
            await self._insert(connection, key, now_ms, way=way, **same, **also)
        return True

    async def let_others_be(self, connection: AsyncConnection, message: Message, now_ms: int) -> None:
        """The person has been told in one way, and is not told in another."""
        base = message.key.partition("~")[0]
        others = update(_MESSAGES).where(_MESSAGES.c.state == WAITING, _MESSAGES.c.id != message.id)
        same = or_(_MESSAGES.c.key == base, _MESSAGES.c.key.startswith(f"{base}~", autoescape=True))
        await connection.execute(others.where(same).values(state=MOOT, done_ms=now_ms))

    async def let_be(self, connection: AsyncConnection, alarm_id: int, now_ms: int) -> None:
        """Nobody needs to be called any more."""
        waiting = update(_MESSAGES).where(_MESSAGES.c.alarm == alarm_id, _MESSAGES.c.state == WAITING)
        calls = waiting.where(_MESSAGES.c.kind != "recovered")
        await connection.execute(calls.values(state=MOOT, done_ms=now_ms))

    async def mark(self, connection: AsyncConnection, message: Message, **changed: Any) -> None:
        await connection.execute(update(_MESSAGES).where(_MESSAGES.c.id == message.id).values(**changed))

    async def test(self, channel: str, person: Person, words: Mapping[str, str]) -> Message:
        """Make a message that tries a channel; the address is that of the person there."""
        now_ms = to_ms(self.clock.now())
        way = next((i for i, reach in enumerate(person.reach) if reach.channel == channel), 0)
        async with self.records.writing() as connection:
            reach = person.reach[way]
            given = {"channel": reach.channel, "address": reach.address, "person": person.id, "way": way}
            said = {"title": words["title"], "text": words["text"], "more": "", "language": person.language}
            key = f"test.{now_ms}.{person.id}.{channel}"
            return await self._insert(
                connection, key, now_ms, alarm=None, kind="test", round=0, rung=0, linked=False, **given, **said
            )

    async def _make(
        self,
        connection: AsyncConnection,
        key: str,
        alarm: Alarm,
        kind: str,
        person: Person,
        way: int,
        now_ms: int,
        *,
        rung: int = 0,
    ) -> None:
        reach, language = person.reach[way], person.language
        said = {
            "title": texts.title(alarm, kind, language),
            "text": texts.text(alarm, kind, language, self._zone),
            "more": texts.figures(alarm, language) if kind == "recovered" else texts.more(alarm, language),
        }
        of = {"alarm": alarm.id, "kind": kind, "rung": rung, "person": person.id, "language": language}
        of["round"] = alarm.life.round
        to = {"channel": reach.channel, "address": reach.address, "way": way, "linked": kind != "recovered"}
        await self._insert(connection, key, now_ms, **of, **to, **said)

    async def _insert(self, connection: AsyncConnection, key: str, now_ms: int, **given: Any) -> Message:
        begun = {"state": WAITING, "attempts": 0, "made_ms": now_ms, "next_ms": now_ms, "done_ms": None, "answer": ""}
        made = insert(_MESSAGES).values(key=key, **given, **begun).returning(_MESSAGES)
        return _message((await connection.execute(made)).mappings().one())


def _message(row: Mapping[Any, Any]) -> Message:
    return Message(**{str(name): value for name, value in row.items()})
