"""Routes of alarms, their rules, and what was sent."""

from __future__ import annotations

from energy.errors import ConfigurationError, UnknownName
from gateway.access.roles import Permission
from gateway.alerts.words import (
    AlarmAnswer,
    AlarmDeed,
    AlarmMemberWords,
    AlarmMessageWords,
    AlarmNote,
    AlarmQuery,
    AlarmRulesAnswer,
    AlarmsAnswer,
    AlarmsQuery,
    AlarmStepWords,
    AlarmWords,
    ChannelStateWords,
    ChannelTest,
    DocumentAnswer,
    DocumentChangeWords,
    DocumentCheck,
    FaultWords,
    MessagesAnswer,
    MessagesQuery,
    NewDocument,
)
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.duty.service import masked
from gateway.records.changes import Change
from gateway.services import Services
from gateway.wording.chinese import said

_PAGE = "page"
_SHOWN = 500
_TEST = {
    "zh": {"title": "【测试】节能平台告警通道", "text": "这是一条测试消息，收到即表示通道可用。"},
    "en": {"title": "[Test] Jieneng alarm channel", "text": "This is a test. If you can read it, the channel works."},
}


async def alarms(services: Services, query: AlarmsQuery) -> AlarmsAnswer:
    found = await services.alerts.alarms.alarms(open_only=query.open, before=query.before, limit=query.limit)
    return AlarmsAnswer([AlarmWords.of(alarm) for alarm in found])


async def alarm(services: Services, query: AlarmQuery) -> AlarmAnswer:
    found, steps = await services.alerts.alarms.alarm(query.id), await services.alerts.alarms.steps(query.id)
    members = [AlarmMemberWords.of(member) for member in found.members[:_SHOWN]]
    return AlarmAnswer(AlarmWords.of(found), members, [AlarmStepWords.of(step) for step in steps])


async def read_alarm(services: Services, _query: NoQuery, body: AlarmDeed) -> AlarmWords:
    return AlarmWords.of(await services.alerts.alarms.read(body.id, body.who, _PAGE))


async def acknowledge_alarm(services: Services, _query: NoQuery, body: AlarmDeed) -> AlarmWords:
    return AlarmWords.of(await services.alerts.alarms.acknowledge(body.id, body.who, _PAGE, body.note))


async def handle_alarm(services: Services, _query: NoQuery, body: AlarmNote) -> AlarmWords:
    return AlarmWords.of(await services.alerts.alarms.handle(body.id, body.who, _PAGE, body.note))


async def close_alarm(services: Services, _query: NoQuery, body: AlarmDeed) -> AlarmWords:
    return AlarmWords.of(await services.alerts.alarms.close(body.id, body.who, _PAGE, body.note))


async def alarm_rules(services: Services, _query: NoQuery) -> AlarmRulesAnswer:
    return AlarmRulesAnswer.of(await services.alerts.rules.newest())


async def check_alarm_rules(services: Services, _query: NoQuery, body: DocumentCheck) -> DocumentAnswer:
    try:
        return told(await services.alerts.rules.differences(body.document))
    except ConfigurationError as error:
        return DocumentAnswer([fault(text) for text in error.faults], [])


async def save_alarm_rules(services: Services, _query: NoQuery, body: NewDocument) -> DocumentAnswer:
    try:
        return told(await services.alerts.rules.save(body.document, body.who, body.why))
    except ConfigurationError as error:
        raise RequestError("\n".join(error.faults)) from error


async def alarm_messages(services: Services, query: MessagesQuery) -> MessagesAnswer:
    alerts = services.alerts
    found = await alerts.outbox.messages(limit=query.limit, alarm=query.alarm)
    words = []
    for message in found:
        kind = alerts.channels.get(message.channel, "")
        link = ""
        if kind == "log" and message.alarm is not None and message.linked:
            link = alerts.links.personal(message.alarm, message.round, message.person)
        words.append(AlarmMessageWords.of(message, kind, masked(message.address), link))
    return MessagesAnswer(words, [ChannelStateWords(name, kind) for name, kind in alerts.channels.items()])


async def try_channel(services: Services, _query: NoQuery, body: ChannelTest) -> AlarmMessageWords:
    alerts = services.alerts
    person = (await alerts.duty.roster()).roster.person(body.person)
    if person is None:
        raise UnknownName(f"person {body.person!r} is not in the duty roster")
    if body.channel not in {reach.channel for reach in person.reach}:
        ways = ", ".join(reach.channel for reach in person.reach)
        raise RequestError(f"{person.name} is not reached by {body.channel!r}, but by {ways}")
    message = await alerts.outbox.test(body.channel, person, _TEST[person.language])
    alerts.outbox.wake()
    kind = alerts.channels.get(message.channel, "")
    return AlarmMessageWords.of(message, kind, masked(message.address), "")


def told(changes: list[Change]) -> DocumentAnswer:
    return DocumentAnswer([], [DocumentChangeWords.of(change) for change in changes])


def fault(text: str) -> FaultWords:
    """A fault of a file, its line apart."""
    _, _, rest = text.partition(":")
    line, colon, what = rest.partition(":")
    placed = colon and line.isdigit()
    return FaultWords(int(line), said(what.strip())) if placed else FaultWords(0, said(rest.strip() or text))


_DO = Permission.OPERATE
ROUTES = (
    Route("/api/v1/alarms", "Alarms, newest first", Permission.READ, AlarmsQuery, AlarmsAnswer, alarms),
    Route("/api/v1/alarms/one", "An alarm with its history", Permission.READ, AlarmQuery, AlarmAnswer, alarm),
    Route("/api/v1/alarms/read", "Say that it was read", _DO, NoQuery, AlarmWords, read_alarm, "POST", AlarmDeed),
    Route("/api/v1/alarms/acknowledge", "Take it on", _DO, NoQuery, AlarmWords, acknowledge_alarm, "POST", AlarmDeed),
    Route("/api/v1/alarms/handle", "Note what was done", _DO, NoQuery, AlarmWords, handle_alarm, "POST", AlarmNote),
    Route("/api/v1/alarms/close", "Be done with it", _DO, NoQuery, AlarmWords, close_alarm, "POST", AlarmDeed),
    Route("/api/v1/alarm-rules", "The rules of alarms", _DO, NoQuery, AlarmRulesAnswer, alarm_rules),
    Route(
        "/api/v1/alarm-rules/check",
        "What is wrong with a file of rules, or what it would change",
        _DO,
        NoQuery,
        DocumentAnswer,
        check_alarm_rules,
        "POST",
        DocumentCheck,
    ),
    Route(
        "/api/v1/alarm-rules",
        "Let a file of rules hold from now on",
        _DO,
        NoQuery,
        DocumentAnswer,
        save_alarm_rules,
        "POST",
        NewDocument,
    ),
    Route("/api/v1/alarm-messages", "What was sent to whom", _DO, MessagesQuery, MessagesAnswer, alarm_messages),
    Route(
        "/api/v1/alarm-messages/test",
        "Try a channel with a message to a person",
        _DO,
        NoQuery,
        AlarmMessageWords,
        try_channel,
        "POST",
        ChannelTest,
    ),
)
