"""An edge that was revoked is forgotten: what it said last of itself is taken back, at the broker too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from adapters.identity_index import read_index
from adapters.wire import STATE, topic
from energy.errors import BusError, EnergyError
from energy.ports import Bus
from gateway.edges.service import Edges

log = structlog.get_logger()

_LOOK_EVERY_S = 5.0


class Forgetting:
    """Looks into a folder of identities; its will, published when it was hung up on, may come after a first look."""

    def __init__(self, folder: Path | None, edges: Edges, bus: Bus) -> None:
        self._folder, self._edges, self._bus = folder, edges, bus

    async def run(self) -> None:
        """Forget for ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Take back the states of who is known and revoked."""
        known = self._edges.meters()
        if self._folder is None or not known:
            return
        try:
            enrolled = read_index(self._folder).edges
            for edge in known:
                if (found := enrolled.get(edge)) is not None and found.revoked_at is not None:
                    await self._bus.publish(topic(edge, STATE), b"", retain=True)
                    log.info("edge.forgotten", edge=edge, meaning="it was revoked")
        except (EnergyError, BusError) as error:
            log.debug("edge.unforgotten", cause=str(error))
