"""What a process hears over the bus from the others: how they are, and what they have just stored.

What was stored goes where its own ingest would have told it (`Arrivals`), and into the store, which then finds it at
once. Every other message is left to whoever takes the messages of the bus.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import structlog

from adapters.wire import BETWEEN, STATE, STORED, edge_and_leaf
from adapters.wire_between import decode_columns
from energy.ports import Bus, Message
from gateway.process.parts import Parts

log = structlog.get_logger()

_PREFIX = f"{BETWEEN}/"


class HeardBus:
    """Fulfils `Bus`: that of a process, without what other processes tell, which goes where it belongs."""

    def __init__(self, bus: Bus, parts: Parts) -> None:
        self._bus, self._parts = bus, parts

    @property
    def connected(self) -> bool:
        return self._bus.connected

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool | None:
        return await self._bus.publish(topic, payload, retain=retain)

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        await self._bus.acknowledge(messages)

    async def messages(self) -> AsyncIterator[list[Message]]:
        async for messages in self._bus.messages():
            own = [m for m in messages if _is_told(m)]
            for message in own:
                self._take(message)
            await self._bus.acknowledge(own)
            if rest := [m for m in messages if not _is_told(m)]:
                yield rest

    def _take(self, message: Message) -> None:
        process, leaf = message.topic.removeprefix(_PREFIX).split("/")
        if leaf == STATE:
            self._parts.processes.take(process, message.payload)
        elif process != self._parts.settings.name:
            self._take_stored(process, message.payload)

    def _take_stored(self, process: str, payload: bytes) -> None:
        try:
            live, waited = decode_columns(payload)
        except ValueError as error:
            log.warning("process.unread", process=process, cause=str(error))
            return
        parts = self._parts
        parts.store.heard(live)
        parts.store.heard(waited)
        parts.arrivals.came(live, waited)
        for columns in (live, waited):
            if len(columns):
                parts.arrivals.stored(columns)


def _is_told(message: Message) -> bool:
    levels = message.topic.removeprefix(_PREFIX).split("/")
    return message.topic.startswith(_PREFIX) and len(levels) == 2 and levels[1] in (STATE, STORED)


async def take_states(bus: Bus, parts: Parts) -> None:
    """Take what edges say of themselves, for ever, in a process that takes no readings."""
    async for messages in bus.messages():
        for message in messages:
            edge, leaf = edge_and_leaf(message.topic)
            if leaf == STATE:
                # One that is not well formed is refused by whoever answers for the edge.
                parts.edges.take(edge, message.payload, retained=message.retained)
                parts.hub.changed()
        await bus.acknowledge(messages)
