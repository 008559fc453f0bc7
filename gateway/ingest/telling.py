"""What this process has stored, told to the others over the bus."""

from __future__ import annotations

import asyncio

import structlog

from adapters.wire import STORED, between
from adapters.wire_between import encode_columns
from energy.errors import BusError
from energy.ports import Bus
from energy.readings import ReadingColumns

log = structlog.get_logger()

# So many messages may be on their way; who cannot keep up reads the rest from the store.
_MOST = 1000


class Telling:
    """Tells as it comes, and never waits: what is lost on the way is in the store."""

    def __init__(self, bus: Bus, process: str) -> None:
        self._bus, self._topic = bus, between(process, STORED)
        self._on_their_way: set[asyncio.Task[None]] = set()

    def came(self, live: ReadingColumns, waited: ReadingColumns) -> None:
        """Readings that were stored just now."""
        if len(self._on_their_way) >= _MOST or not self._bus.connected:
            return
        for payload in encode_columns(live, waited):
            task = asyncio.create_task(self._tell(payload))
            self._on_their_way.add(task)
            task.add_done_callback(self._on_their_way.discard)

    async def _tell(self, payload: bytes) -> None:
        try:
            await self._bus.publish(self._topic, payload)
        except BusError as error:
            log.debug("stored.untold", cause=str(error))
