"""The way in: messages of the bus, judged, stored, acknowledged, and handed to whoever listens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from adapters.wire import READINGS, STATE, STORED, Stored, edge_and_leaf, encode, topic
from energy.errors import BusError, StoreError
from energy.ports import Bus, Clock, Message, Quarantine, ReadingStore, Refusal
from energy.readings import ReadingColumns, to_ms
from gateway.edges.service import Edges
from gateway.ingest.judge import BROKEN_PAYLOAD, CONFLICT, DUPLICATE, REFUSED, Judge, Judged
from gateway.metrics import Metrics

log = structlog.get_logger()

_RETRY_S = 1.0


@dataclass(slots=True)
class Trouble:
    """The store refuses to store: since when, and why."""

    since_ms: int
    cause: str


class Ingest:
    """Takes what the bus brings. A message is acknowledged when all of it is stored or in quarantine, never before."""

    def __init__(
        self,
        bus: Bus,
        store: ReadingStore,
        quarantine: Quarantine,
        judge: Judge,
        edges: Edges,
        clock: Clock,
        metrics: Metrics,
        stored: Callable[[ReadingColumns], None],
        edges_changed: Callable[[], None],
    ) -> None:
        self._bus, self._store, self._quarantine = bus, store, quarantine
        self._judge, self._edges, self._clock, self._metrics = judge, edges, clock, metrics
        self._stored, self._edges_changed = stored, edges_changed
        self._answering: set[asyncio.Task[None]] = set()
        self.trouble: Trouble | None = None

    async def run(self) -> None:
        """Take messages for ever."""
        async for messages in self._bus.messages():
            await self._take_states([m for m in messages if edge_and_leaf(m.topic)[1] == STATE])
            readings = [m for m in messages if edge_and_leaf(m.topic)[1] == READINGS]
            if readings:
                await self._take_readings(readings)
            await self._bus.acknowledge(messages)

    async def _take_states(self, messages: Sequence[Message]) -> None:
        for message in messages:
            edge = edge_and_leaf(message.topic)[0]
            fault = self._edges.take(edge, message.payload)
            if fault is not None:
                self._metrics.refused(BROKEN_PAYLOAD, 1)
                now_ms = to_ms(self._clock.now())
                shown = message.payload[:200].decode("utf-8", "replace")
                refusal = Refusal(now_ms, BROKEN_PAYLOAD, f"state: {fault}; begins {shown!r}", edge)
                await self._until_kept(partial(self._quarantine.put, [refusal]))
            self._edges_changed()

    async def _take_readings(self, messages: Sequence[Message]) -> None:
        now_ms = to_ms(self._clock.now())
        judged = await asyncio.to_thread(self._judge.judge, messages, now_ms)
        await self._until_kept(partial(self._keep, judged, now_ms))
        self._stored(judged.columns)
        self._metrics.batches(len(messages))
        self._answer(judged)

    async def _keep(self, judged: Judged, now_ms: int) -> None:
        began = time.perf_counter()
        written = await self._store.write(judged.columns)
        self._metrics.written(written.stored, time.perf_counter() - began)
        detail = "the first value of an instant stays"
        refusals = judged.refusals + [
            self._judge.refusal(judged, row, CONFLICT, detail, now_ms) for row in written.conflicting
        ]
        refusals += [self._judge.refusal(judged, row, REFUSED, why, now_ms) for row, why in written.refused]
        await self._quarantine.put(refusals)
        await self._quarantine.count(DUPLICATE, written.repeated)
        self._metrics.refused(DUPLICATE, written.repeated)
        for refusal in refusals:
            self._metrics.refused(refusal.reason, 1)

    async def _until_kept(self, keep: Callable[[], Awaitable[None]]) -> None:
        """Try until it works: what is not kept is not acknowledged, and waits at the broker and the edges."""
        while not await self._kept(keep):
            await asyncio.sleep(_RETRY_S)

    async def _kept(self, keep: Callable[[], Awaitable[None]]) -> bool:
        """Whether it worked; a store that fails is told once when it begins and once when it ends."""
        try:
            await keep()
        except StoreError as error:
            if self.trouble is None:
                log.error("store.failing", cause=str(error))
                self.trouble = Trouble(to_ms(self._clock.now()), str(error))
            return False
        if self.trouble is not None:
            log.info("store.back", after_s=(to_ms(self._clock.now()) - self.trouble.since_ms) / 1000)
            self.trouble = None
        return True

    def _answer(self, judged: Judged) -> None:
        """Tell the edges what is stored, without waiting for it: an answer that is lost is asked for again."""
        for edge, boots in judged.answers.items():
            for boot, sequences in boots.items():
                task = asyncio.create_task(self._tell_stored(edge, Stored(boot, sequences)))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _tell_stored(self, edge: str, answer: Stored) -> None:
        try:
            await self._bus.publish(topic(edge, STORED), encode(answer))
        except BusError as error:
            log.debug("answer.lost", edge=edge, cause=str(error))
