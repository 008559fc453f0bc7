"""Alarms as the API tells and takes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from gateway.alerts.alarm import Alarm, Member, Step
from gateway.alerts.outbox import Message
from gateway.api.words import TextWords
from gateway.records.changes import Change
from gateway.records.documents import KeptDocument

Note = Annotated[str, msgspec.Meta(max_length=2000)]
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Document = Annotated[str, msgspec.Meta(min_length=1, max_length=500_000)]
LevelWord = Literal["notice", "warning", "urgent"]
AlarmStateWord = Literal["raised", "pushed", "read", "acknowledged", "recovered", "closed"]


class FlowedWords(msgspec.Struct):
    """What has flowed beyond what is usual since the alarm, and what it costs by the tariff (yuan, an estimate); null
    where it has none."""

    amount: float
    unit: str
    since: int
    until: int | None = None
    yuan: str | None = None


class AlarmWords(msgspec.Struct):
    """An alarm. `since` is when what it tells began; `opened` when it was raised. `meters` is how many it is about (of
    a quota, how many of its bounds it has told of), `left` about how many still."""

    id: int
    level: LevelWord
    state: AlarmStateWord
    kind: str
    rule: str | None
    subject: str
    title: TextWords
    detail: TextWords
    first: TextWords
    point: str | None
    value: float | None
    limit: float | None
    unit: str
    since: int
    opened: int
    pushed: int | None
    read: int | None
    acknowledged: int | None
    acknowledged_by: str | None
    acknowledged_how: str | None
    recovered: int | None
    closed: int | None
    flaps: int
    meters: int
    left: int
    flowed: FlowedWords | None

    @classmethod
    def of(cls, alarm: Alarm) -> AlarmWords:
        life, raised = alarm.life, alarm.raised
        texts: list[Any] = [TextWords.of(text) for text in (raised.title, raised.detail, raised.first)]
        what: Any = (str(life.level), str(life.state), raised.kind, raised.rule, raised.subject)
        read = (raised.point, raised.value, raised.beyond, raised.unit, raised.crossed_ms)
        lived = (life.opened_ms, life.pushed_ms, life.read_ms, life.acknowledged_ms)
        by = (alarm.acknowledged_by, alarm.acknowledged_how, life.recovered_ms, life.closed_ms, life.flaps)
        left = sum(member.until_ms is None for member in alarm.members)
        told = raised.figures
        flowed = (
            None
            if not told
            else msgspec.convert({k: told.get(k) for k in FlowedWords.__struct_fields__}, FlowedWords, strict=False)
        )
        values: list[Any] = [alarm.id, *what, *texts, *read, *lived, *by, len(alarm.members), left, flowed]
        return cls(*values)


class AlarmsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`open` leaves out what is closed; `before` an id for the next page."""

    open: bool = False
    before: int | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class AlarmsAnswer(msgspec.Struct):
    """Newest first."""

    alarms: list[AlarmWords]


class AlarmQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which alarm."""

    id: int


class AlarmMemberWords(msgspec.Struct):
    """What an alarm is about, since when and until when."""

    name: str
    since: int
    until: int | None

    @classmethod
    def of(cls, member: Member) -> AlarmMemberWords:
        return cls(member.name, member.since_ms, member.until_ms)


class AlarmStepWords(msgspec.Struct):
    """A step in its life."""

    at: int
    kind: str
    who: str
    how: str
    note: str

    @classmethod
    def of(cls, step: Step) -> AlarmStepWords:
        return cls(step.at_ms, str(step.kind), step.who, step.how, step.note)


class AlarmAnswer(msgspec.Struct):
    """One alarm, the first of what it is about, and its history."""

    alarm: AlarmWords
    members: list[AlarmMemberWords]
    steps: list[AlarmStepWords]


class AlarmDeed(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody does about an alarm."""

    id: int
    who: Said
    note: Note = ""


class AlarmNote(msgspec.Struct, forbid_unknown_fields=True):
    """What was done about an alarm; it must be said."""

    id: int
    who: Said
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class AlarmRulesAnswer(msgspec.Struct):
    """The file of rules that holds; `number` is 0 where there is none yet."""

    number: int
    document: str
    who: str
    why: str
    entered_at: int

    @classmethod
    def of(cls, kept: KeptDocument) -> AlarmRulesAnswer:
        return cls(kept.number, kept.document, kept.who, kept.why, kept.entered_at_ms)


class DocumentCheck(msgspec.Struct, forbid_unknown_fields=True):
    """A file to look through; nothing is saved."""

    document: Document


class NewDocument(msgspec.Struct, forbid_unknown_fields=True):
    """A file that is to hold from now on."""

    document: Document
    who: Said
    why: Note = ""


class FaultWords(msgspec.Struct):
    """What is wrong with a file, in which line (0 where in none)."""

    line: int
    text: TextWords


class DocumentChangeWords(msgspec.Struct):
    """A part of a file that is new, other, or gone; each field before and after."""

    key: str
    before: dict[str, str] | None
    after: dict[str, str] | None

    @classmethod
    def of(cls, change: Change) -> DocumentChangeWords:
        return cls(change.key, *(None if one is None else dict(one) for one in (change.before, change.after)))


class DocumentAnswer(msgspec.Struct):
    """What is wrong with a file; where nothing is, what it changes."""

    faults: list[FaultWords]
    changes: list[DocumentChangeWords]


class MessagesQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Of one alarm, or the newest of all."""

    alarm: int | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class AlarmMessageWords(msgspec.Struct):
    """A message to a person. The address is masked. `link` is told of the log channel alone, which is for rehearsals.

    `state` is waiting, sent (by the word of the channel), refused or moot (nobody needed it any more).
    """

    id: int
    alarm: int | None
    kind: str
    person: str
    channel: str
    channel_kind: str
    address: str
    title: str
    text: str
    state: str
    attempts: int
    made: int
    done: int | None
    answer: str
    link: str

    @classmethod
    def of(cls, message: Message, channel_kind: str, address: str, link: str) -> AlarmMessageWords:
        text = "\n".join(part for part in (message.text, message.more) if part)
        to = (message.person, message.channel, channel_kind, address, message.title, text, message.state)
        done = (message.attempts, message.made_ms, message.done_ms, message.answer, link)
        return cls(message.id, message.alarm, message.kind, *to, *done)


class ChannelStateWords(msgspec.Struct):
    """A channel that there is."""

    id: str
    kind: str


class MessagesAnswer(msgspec.Struct):
    """What was sent and what waits, newest first; and the channels that there are."""

    messages: list[AlarmMessageWords]
    channels: list[ChannelStateWords]


class ChannelTest(msgspec.Struct, forbid_unknown_fields=True):
    """Send a message that tries a channel, to a person of the roster."""

    channel: str
    person: str
    who: Said
