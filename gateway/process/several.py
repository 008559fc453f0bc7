"""What makes a process one of several: it tells the others how it is, and hears what they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import numpy as np
import structlog

from adapters.wire import STATE, STORED, between, topic
from energy.errors import StoreError
from energy.ports import Bus, Message
from gateway.api.words import OngoingProblem
from gateway.process.hearing import take_states
from gateway.process.parts import Parts
from gateway.process.role import Task
from gateway.process.telling import Telling

log = structlog.get_logger()

_AGAIN_S = 5.0


class Several:
    """Fulfils `Role`, beside those of the process."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._telling = parts, Telling(parts)
        self._connected, self._connections = asyncio.Event(), 0
        roles = parts.settings.roles
        self._takes_states = "ingest" not in roles
        # Who only takes readings needs not know what others took.
        hears = [STATE, STORED] if set(roles) != {"ingest"} else [STATE]
        self.subscriptions: Sequence[str] = [
            *(between("+", leaf) for leaf in hears),
            *([topic("+", STATE)] if self._takes_states else []),
        ]

    @property
    def will(self) -> Message:
        return self._telling.will

    def connected(self) -> None:
        self._parts.processes.reached_at = time.monotonic()
        self._telling.connected()
        self._connections += 1
        self._connected.set()

    def problems(self) -> Sequence[OngoingProblem]:
        return ()

    async def begin(self, bus: Bus, stack: AsyncExitStack) -> Sequence[Task]:
        self._parts.processes.reachable = lambda: bus.connected
        stack.push_async_callback(self._telling.leave, bus)
        states = [partial(take_states, bus, self._parts)] if self._takes_states else []
        return [partial(self._telling.run, bus), self._catch_up, *states]

    async def _catch_up(self) -> None:
        """After each connection but the first, learn what was stored while there was none; for ever."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            if self._connections == 1:
                # What the store had at the start was read there; what came since then is learnt like after a gap.
                await asyncio.sleep(_AGAIN_S)
            try:
                await self._learn()
            except StoreError as error:
                log.warning("process.not_caught_up", cause=str(error))
                await asyncio.sleep(_AGAIN_S)
                self._connected.set()

    async def _learn(self) -> None:
        parts = self._parts
        known = {point.meter for point in await parts.store.points()}
        await parts.store.learn(sorted(known | set(parts.directory.meters)))
        parts.directory.learn(await parts.store.points())
        latest = await parts.store.latest()
        parts.hub.take(latest.take(np.empty(0, np.intp)), latest)
