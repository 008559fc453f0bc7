"""Gateways of others among several processes: one of them listens at a time, under one name, since order matters.

The broker keeps the session of that name: what comes while it changes hands waits there. It is the name of a gateway
that is alone, so that what waits for such a one is not lost either when it becomes several.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from adapters.mqtt_bus import MqttBus
from energy.ports import Bus, Claims, RegisterStore
from gateway.ingest.judge import Judge

KIND = "foreign"

# Opens the bus under the one name; and takes its messages for ever.
Open = Callable[[], AbstractAsyncContextManager[MqttBus]]
Take = Callable[[Bus], Awaitable[None]]


class ForeignTurn:
    """Listens while it is this process's turn."""

    def __init__(
        self, claims: Claims, store: RegisterStore, judge: Judge, open_bus: Open, tasks: Sequence[Take]
    ) -> None:
        self._store, self._judge, self._open, self._tasks = store, judge, open_bus, tasks
        self._listening: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        claims.take_part(KIND, 1, gained=self._gained, lost=self._lost)

    async def run(self) -> None:
        """Fail where listening fails; else for ever."""
        await self._failed

    async def _gained(self, _numbers: frozenset[int]) -> None:
        await self._store.learn(self._judge.meters_of(lambda sender: "/" in sender))
        self._listening = asyncio.create_task(self._listen())
        self._listening.add_done_callback(self._ended)

    def _ended(self, listening: asyncio.Task[None]) -> None:
        if not listening.cancelled() and (error := listening.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _listen(self) -> None:
        async with AsyncExitStack() as stack:
            bus = await stack.enter_async_context(self._open())
            async with asyncio.TaskGroup() as group:
                for task in self._tasks:
                    group.create_task(_coroutine(task, bus))

    async def _lost(self, _numbers: frozenset[int]) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
            self._listening = None


async def _coroutine(task: Take, bus: Bus) -> None:
    await task(bus)
