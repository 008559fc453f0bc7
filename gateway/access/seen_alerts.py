"""Alarms as far as they are seen: those of which every meter is seen. Rules, roster and messages are of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from energy.duty import Flaw, Person, Roster
from energy.errors import UnknownName
from energy.readings import Point
from gateway.access.seen_readings import not_of_all
from gateway.access.sight import Sight
from gateway.alerts.alarm import Alarm, Step
from gateway.alerts.alerts import Alerts
from gateway.alerts.outbox import Message, Outbox
from gateway.alerts.rules import Rules
from gateway.alerts.service import Alarms
from gateway.duty.service import Duty, KeptRoster
from gateway.records.changes import Change
from gateway.records.documents import KeptDocument

# In all of these nothing of the base is set: what is not told here has no records to look into, and fails.
_PAGE = 200


class SeenAlarms(Alarms):
    """The alarms of meters that are seen; an alarm with a meter that is not, is not there."""

    def __init__(self, alarms: Alarms, sight: Sight) -> None:
        self._alarms, self._sight = alarms, sight

    def _sees(self, alarm: Alarm) -> bool:
        point = alarm.raised.point
        meters = alarm.meters | ({Point.parse(point).meter} if point else frozenset())
        return bool(meters) and all(self._sight.sees(meter) for meter in meters)

    async def alarms(self, *, open_only: bool = False, before: int | None = None, limit: int = 100) -> list[Alarm]:
        found: list[Alarm] = []
        while len(found) < limit:
            some = await self._alarms.alarms(open_only=open_only, before=before, limit=_PAGE)
            found += [alarm for alarm in some if self._sees(alarm)]
            if len(some) < _PAGE:
                break
            before = some[-1].id
        return found[:limit]

    async def alarm(self, alarm_id: int) -> Alarm:
        alarm = await self._alarms.alarm(alarm_id)
        if not self._sees(alarm):
            raise UnknownName(f"alarm {alarm_id} is not known")
        return alarm

    async def steps(self, alarm_id: int) -> list[Step]:
        await self.alarm(alarm_id)
        return await self._alarms.steps(alarm_id)

    async def read(self, alarm_id: int, who: str, how: str) -> Alarm:
        await self.alarm(alarm_id)
        return await self._alarms.read(alarm_id, who, how)

    async def acknowledge(self, alarm_id: int, who: str, how: str, note: str = "") -> Alarm:
        await self.alarm(alarm_id)
        return await self._alarms.acknowledge(alarm_id, who, how, note)

    async def handle(self, alarm_id: int, who: str, how: str, note: str) -> Alarm:
        await self.alarm(alarm_id)
        return await self._alarms.handle(alarm_id, who, how, note)

    async def close(self, alarm_id: int, who: str, how: str, note: str = "") -> Alarm:
        await self.alarm(alarm_id)
        return await self._alarms.close(alarm_id, who, how, note)


class ClosedRules(Rules):
    """Rules for who does not operate everything."""

    def __init__(self) -> None:
        pass

    async def newest(self) -> KeptDocument:
        raise not_of_all("rules")

    def check(self, document: str) -> Any:
        raise not_of_all("rules")

    async def differences(self, document: str) -> list[Change]:
        raise not_of_all("rules")

    async def save(self, document: str, who: str, why: str = "") -> list[Change]:
        raise not_of_all("rules")


class ClosedDuty(Duty):
    """The roster for who does not operate everything."""

    def __init__(self) -> None:
        pass

    async def roster(self) -> KeptRoster:
        raise not_of_all("duty rosters")

    def check(self, document: str) -> Roster:
        raise not_of_all("duty rosters")

    async def differences(self, document: str) -> list[Change]:
        raise not_of_all("duty rosters")

    def flaws(self, roster: Roster) -> list[Flaw]:
        raise not_of_all("duty rosters")

    async def save(self, document: str, who: str, why: str = "") -> list[Change]:
        raise not_of_all("duty rosters")

    async def swap(self, day: date, of: str, by: str, who: str, why: str = "") -> list[Change]:
        raise not_of_all("duty rosters")


class ClosedOutbox(Outbox):
    """What was sent, for who does not operate everything."""

    def __init__(self) -> None:
        pass

    async def messages(self, *, limit: int = 100, alarm: int | None = None) -> list[Message]:
        raise not_of_all("messages")

    async def test(self, channel: str, person: Person, words: Any) -> Message:
        raise not_of_all("messages")


def without_all(alerts: Alerts) -> Alerts:
    """Without what is of the whole installation."""
    return Alerts(alerts.alarms, ClosedRules(), ClosedDuty(), ClosedOutbox(), alerts.links)


def narrowed(alerts: Alerts, sight: Sight) -> Alerts:
    """With the alarms of a sight alone."""
    return replace(alerts, alarms=SeenAlarms(alerts.alarms, sight))
