"""Sends what waits in the outbox, each channel by itself, and keeps what the channel said."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.alarms.life import StepKind
from energy.errors import StoreError
from energy.notices import Outcome, Receipt
from energy.ports import Clock, Notifier
from energy.readings import to_ms
from gateway.alerts.alarm import Step
from gateway.alerts.links import Links
from gateway.alerts.outbox import REFUSED, SENT, WAITING, Message, Outbox
from gateway.alerts.service import Alarms
from gateway.records.database import Records

log = structlog.get_logger()

# After so many vain attempts [s] each, and then no more: about a day in all.
_PAUSES_S = (5.0, 15.0, 60.0, 120.0, 300.0)
_GIVEN_UP_MS = 86_400_000
# After this long the next way to reach the person is tried as well.
_OTHER_WAY_MS = 60_000
_LOOK_S = 1.0


class Sender:
    """Sends. Of one channel one message at a time, in their order; channels beside each other."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        outbox: Outbox,
        alarms: Alarms,
        notifiers: Mapping[str, Notifier],
        links: Links,
        sent: Callable[[Message], None] = lambda _message: None,
    ) -> None:
        self._records, self._clock, self._outbox, self._alarms = records, clock, outbox, alarms
        self.notifiers, self._links, self._sent = notifiers, links, sent
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self) -> None:
        """Send for ever. What fails is tried again."""
        while True:
            self._outbox.woken.clear()
            try:
                await self.flush()
            except StoreError as error:
                log.error("outbox.failed", cause=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._outbox.woken.wait()

    async def flush(self) -> int:
        """Send what is due; how many were asked of their channels."""
        by_channel: dict[str, list[Message]] = defaultdict(list)
        for message in await self._outbox.due(to_ms(self._clock.now())):
            by_channel[message.channel].append(message)
        await asyncio.gather(*(self._in_order(messages) for messages in by_channel.values()))
        return sum(len(messages) for messages in by_channel.values())

    async def _in_order(self, messages: list[Message]) -> None:
        for message in messages:
            await self._send(message)

    async def _send(self, message: Message) -> None:
        """Several ways to one person are tried one after the other: what has arrived by one is not sent by another."""
        base = message.key.partition("~")[0]
        lock = self._locks.setdefault(base, asyncio.Lock())
        async with lock:
            if await self._outbox.is_waiting(message.id):
                await self._ask(message)
        if not lock.locked():
            self._locks.pop(base, None)

    async def _ask(self, message: Message) -> None:
        notifier = self.notifiers.get(message.channel)
        if notifier is None:
            receipt = Receipt(Outcome.REFUSED, f"there is no channel {message.channel}")
        else:
            link = self._link(message, personal=notifier.personal)
            receipt = await notifier.send(message.notice(link, personal=notifier.personal))
        await self._keep(message, receipt)

    def _link(self, message: Message, *, personal: bool) -> str:
        """Into a group goes the address of the page alone: who reads along must not acknowledge in another's name."""
        if message.alarm is None or not message.linked:
            return ""
        if not personal:
            return self._links.signed_in(message.alarm)
        return self._links.personal(message.alarm, message.round, message.person)

    async def _keep(self, message: Message, receipt: Receipt) -> None:
        now_ms = to_ms(self._clock.now())
        outcome = receipt.outcome
        if outcome is Outcome.LATER and now_ms - message.made_ms >= _GIVEN_UP_MS:
            outcome = Outcome.REFUSED
        attempts = {"attempts": message.attempts + 1, "answer": receipt.answer}
        async with self._records.writing() as connection:
            if outcome is Outcome.LATER:
                pause_s = receipt.after_s or _PAUSES_S[min(message.attempts, len(_PAUSES_S) - 1)]
                later = {"state": WAITING, "next_ms": now_ms + round(pause_s * 1000)}
                await self._outbox.mark(connection, message, **attempts, **later)
                if now_ms - message.made_ms >= _OTHER_WAY_MS or pause_s * 1000 >= _OTHER_WAY_MS:
                    await self._other_way(connection, message, now_ms)
                return
            state = SENT if outcome is Outcome.SENT else REFUSED
            await self._outbox.mark(connection, message, **attempts, state=state, done_ms=now_ms)
            if outcome is Outcome.SENT:
                await self._outbox.let_others_be(connection, message, now_ms)
            else:
                log.error("notice.refused", channel=message.channel, answer=receipt.answer)
                await self._other_way(connection, message, now_ms)
            if message.alarm is not None:
                kind = StepKind.PUSHED if outcome is Outcome.SENT else StepKind.UNDELIVERED
                note = "" if outcome is Outcome.SENT else receipt.answer
                step = Step(now_ms, kind, self._alarms.named(message.person), message.channel, note)
                await self._alarms.pushed(connection, message.alarm, step)
        if outcome is Outcome.SENT:
            self._sent(message)
        else:
            self._outbox.wake()

    async def _other_way(self, connection: AsyncConnection, message: Message, now_ms: int) -> None:
        person = self._alarms.roster.person(message.person)
        if person is not None and message.kind != "test":
            await self._outbox.next_way(connection, message, person, now_ms)
