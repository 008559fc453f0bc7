"""The way in: messages of the bus, judged, stored, acknowledged, and handed to whoever listens."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import structlog

from adapters.wire import ROOT, STATE, STORED, WANTED, Stored, Wanted, edge_and_leaf, encode, topic
from energy.errors import BusError, StoreError
from energy.names import ID_PATTERN
from energy.ports import Bus, Clock, Message, Quarantine, ReadingStore, Refusal
from energy.readings import ReadingColumns, to_ms
from gateway.edges.service import Edges
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import MOST_BYTES, Judge, Judged
from gateway.ingest.reasons import BROKEN_PAYLOAD, CONFLICT, DUPLICATE, REFUSED, TOO_LARGE
from gateway.ingest.sharing import NotOurs, Sharing
from gateway.metrics import Metrics

log = structlog.get_logger()

_RETRY_S = 1.0
ASK_EVERY_S = 5.0


@dataclass(slots=True)
class Trouble:
    """The store refuses to store: since when, and why."""

    since_ms: int
    cause: str


def _always() -> bool:
    return True


def _nobody_else(_columns: ReadingColumns) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class Ingest:
    """Takes what the bus brings. A message is acknowledged when all of it is stored or in quarantine, never before.

    `stored` is told all that was stored, `came` of it what is live and what had waited.
    """

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
        *,
        deliveries: Deliveries,
        came: Callable[[ReadingColumns, ReadingColumns], None],
    ) -> None:
        self._bus, self._store, self._quarantine = bus, store, quarantine
        self._judge, self._edges, self._clock, self._metrics = judge, edges, clock, metrics
        self._stored, self._edges_changed, self._came = stored, edges_changed, came
        self._deliveries = deliveries
        self._answering: set[asyncio.Task[None]] = set()
        self._keeping = asyncio.Lock()
        # With others, the one who knows what of it is ours.
        self.shared: Sharing | None = None
        # And what of it another one may write just now.
        self.alone: Callable[[ReadingColumns], AbstractAsyncContextManager[None]] = _nobody_else
        self.trouble: Trouble | None = None

    async def run(self) -> None:
        """Take messages for ever."""
        async for messages in self._bus.messages():
            states = [m for m in messages if _is_state(m)]
            await self._take_states(states)
            # All others are judged: what nobody knows what it is must be counted too.
            readings = [m for m in messages if not _is_state(m)]
            if self.shared is not None:
                await self._bus.acknowledge(states)
                await self.shared.take(readings)
                continue
            if readings:
                await self.keep(readings)
            await self._bus.acknowledge(messages)

    async def run_beside(self, bus: Bus) -> None:
        """Take what comes over another bus for ever: of gateways of others, and what edges said to an older session."""
        async for messages in bus.messages():
            # How an edge is, every process hears by itself.
            await bus.acknowledge([m for m in messages if _is_state(m)])
            others = [m for m in messages if not m.topic.startswith(ROOT + "/")]
            if others:
                await self.keep(others)
                await bus.acknowledge(others)
            of_edges = [m for m in messages if m.topic.startswith(ROOT + "/") and not _is_state(m)]
            if of_edges and self.shared is not None:
                await self.shared.take_beside(of_edges, bus)

    async def ask(self) -> None:
        """Greet the edges after each connection, and ask them for what is missing, for ever."""
        greeted = False
        while True:
            if not self._bus.connected:
                greeted = False
            else:
                for edge, wanted in [] if greeted else self._deliveries.greetings():
                    await self._publish(edge, WANTED, wanted)
                for edge, wanted in self._deliveries.wanted():
                    await self._publish(edge, WANTED, wanted)
                greeted = True
            await asyncio.sleep(ASK_EVERY_S if greeted else _RETRY_S)

    async def _take_states(self, messages: Sequence[Message]) -> None:
        for message in messages:
            edge = edge_and_leaf(message.topic)[0]
            self._deliveries.heard(edge)
            large, taken = len(message.payload) > MOST_BYTES, partial(self._edges.take, retained=message.retained)
            fault = f"more than {MOST_BYTES} bytes" if large else taken(edge, message.payload)
            if fault is not None and (self.shared is None or self.shared.owns(edge)):
                reason = TOO_LARGE if large else BROKEN_PAYLOAD
                self._metrics.refused(reason, 1)
                now_ms = to_ms(self._clock.now())
                shown = message.payload[:200].decode("utf-8", "replace")
                refusal = Refusal(now_ms, reason, f"state: {fault}; begins {shown!r}", edge)
                await self._until_kept(partial(self._quarantine.put, [refusal]), _always)
            self._edges_changed()

    async def keep(self, messages: Sequence[Message], still: Callable[[], bool] = _always) -> None:
        """Judge, store and answer messages of readings; `NotOurs` as soon as it is no longer `still` ours to do so."""
        async with self._keeping:
            await self._take_readings(messages, still)

    async def _take_readings(self, messages: Sequence[Message], still: Callable[[], bool]) -> None:
        now_ms = to_ms(self._clock.now())
        judged = await asyncio.to_thread(self._judge.judge, messages, now_ms)
        await self._until_kept(partial(self._keep, judged, now_ms), still)
        # After the store: a crash between has the batches sent again, and nothing is noted as come that is not stored.
        await self._until_kept(partial(self._deliveries.take, judged.batches), still)
        if judged.unstored:
            judged.leave_out(judged.unstored)
        self._came(*judged.by_lane())
        self._stored(judged.columns)
        self._metrics.batches(len(messages))
        self._tell_of_others(judged)
        self._answer(judged)

    async def _keep(self, judged: Judged, now_ms: int) -> None:
        began = time.perf_counter()
        async with self.alone(judged.columns):
            written = await self._store.write(judged.columns)
        self._metrics.written(written.stored, time.perf_counter() - began)
        judged.unstored = [*written.conflicting, *(row for row, _ in written.refused)]
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

    async def _until_kept(self, keep: Callable[[], Awaitable[None]], still: Callable[[], bool]) -> None:
        """Try until it works: what is not kept is not acknowledged, and waits at the broker and the edges."""
        while True:
            if not still():
                raise NotOurs("another process answers for it")
            if await self._kept(keep):
                return
            await asyncio.sleep(_RETRY_S)

    async def _kept(self, keep: Callable[[], Awaitable[None]]) -> bool:
        """Whether it worked; a store that fails is told once when it begins and once when it ends."""
        try:
            await keep()
        except StoreError as error:
            if self.trouble is None:
                log.error("store.failing", cause=str(error))
                self.trouble = Trouble(to_ms(self._clock.now()), str(error))
                self._metrics.failing(now=True)
            return False
        if self.trouble is not None:
            self._metrics.failing(now=False)
            log.info("store.back", after_s=(to_ms(self._clock.now()) - self.trouble.since_ms) / 1000)
            self.trouble = None
        return True

    def _tell_of_others(self, judged: Judged) -> None:
        """What gateways of others said of themselves, and what they are asked for; lost, it is asked for again."""
        for sender, state in judged.states:
            self._edges.take(sender, encode(state))
            self._edges_changed()
        for of_topic, payload in judged.commands:
            self._command(of_topic, payload)

    def _command(self, of_topic: str, payload: bytes) -> None:
        task = asyncio.create_task(self._try_to_command(of_topic, payload))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _try_to_command(self, of_topic: str, payload: bytes) -> None:
        try:
            await self._bus.publish(of_topic, payload)
        except (BusError, ValueError) as error:
            log.debug("command.lost", topic=of_topic[:200], cause=str(error))

    def _answer(self, judged: Judged) -> None:
        """Tell the edges what is stored, without waiting for it: an answer that is lost is asked for again."""
        answers: dict[tuple[str, str, str | None], list[int]] = {}
        for edge, batch in judged.batches:
            if batch.boot is not None and batch.sequence is not None:
                answers.setdefault((edge, batch.boot, batch.outbox), []).append(batch.sequence)
        for (edge, boot, outbox), sequences in answers.items():
            task = asyncio.create_task(self._publish(edge, STORED, Stored(boot, sequences, outbox)))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _publish(self, edge: str, leaf: str, told: Stored | Wanted) -> None:
        try:
            await self._bus.publish(topic(edge, leaf), encode(told))
        except BusError as error:
            log.debug("answer.lost", edge=edge, cause=str(error))


def _is_state(message: Message) -> bool:
    edge, leaf = edge_and_leaf(message.topic)
    return message.topic.startswith(ROOT + "/") and leaf == STATE and re.fullmatch(ID_PATTERN, edge) is not None
