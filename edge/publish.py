"""From the outbox to the gateway: live batches first, history behind them, forgotten when they are stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.outbox_sqlite import Kept, SqliteOutbox
from adapters.wire import READINGS, Batch, Lost, Stored, Wanted, encode, topic
from edge.window import Allowance, HistoryWindow
from energy.errors import BusError, StoreError
from energy.ports import Bus

log = structlog.get_logger()

# Live batches that may be unanswered.
WINDOW = 64
RESEND_AFTER_S = 10.0
# A gateway that does not answer is asked with one batch after growing pauses.
_LONGEST_PAUSE_S = 30.0
_AT_ONCE = 64
# So many times as long a batch may take to get to the broker.
_UNTAKEN = 6
# Live batches that do not get away at this number are history: newer ones go before them.
_BACKLOG = 4 * WINDOW


@dataclass(slots=True)
class _Sent:
    """A batch on its way; `taken_at` is when the broker took it: before that it may be on a slow uplink."""

    at: float
    size: int
    history: bool
    taken_at: float | None = None

    def is_overdue(self, now: float) -> bool:
        if self.taken_at is None:
            return now - self.at > _UNTAKEN * RESEND_AFTER_S
        return now - self.taken_at > RESEND_AFTER_S


class Publisher:
    """Publishes batches until the gateway has stored them.

    Batches that are put while there is a connection are live and go at once. What was there before, and what was not
    answered in time, is history: oldest first, as much at a time as is answered promptly.
    """

    def __init__(
        self,
        outbox: SqliteOutbox,
        bus: Bus,
        edge: str,
        boot: str,
        kept: asyncio.Event,
        *,
        history_bytes_per_s: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox, self._bus, self._boot, self._now = outbox, bus, boot, now
        self._topic = topic(edge, READINGS)
        self._kept, self._behind = kept, asyncio.Event()
        self._window, self._allowance = HistoryWindow(), Allowance(history_bytes_per_s)
        self._sent: dict[int, _Sent] = {}
        self._asked: dict[int, None] = {}
        self._sending: set[asyncio.Task[None]] = set()
        # Up to `_mark` batches are history; of these `_history_at` was sent last, of the live ones `_live_at`.
        self._mark = self._history_at = self._live_at = 0
        self._of = outbox.id
        self._begun = False
        self._answered_at = 0.0
        self._unanswered_since: float | None = None
        self._probe_at, self._pause_s = 0.0, RESEND_AFTER_S

    async def run(self) -> None:
        """Publish for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_live())
            tasks.create_task(self._run_history())
            tasks.create_task(self._watch())

    @property
    def unanswered(self) -> int:
        """Batches on their way."""
        return len(self._sent)

    @property
    def unanswered_s(self) -> float | None:
        """For how long nobody has answered; None while somebody does, or nothing was asked."""
        return None if self._unanswered_since is None else self._now() - self._unanswered_since

    # -- what the gateway says -----------------------------------------------------------------------------------------

    def connected(self) -> None:
        """After a new connection everything unanswered is history, and sent again."""
        self._begun = True
        self._unanswered_since = None
        self._window.reset()
        self._again()

    async def stored(self, answer: Stored) -> None:
        """The gateway has stored these batches: of this outbox, or of this boot where it does not name the outbox."""
        if answer.boot != self._boot if answer.outbox is None else answer.outbox != self._outbox.id:
            return
        try:
            await asyncio.to_thread(self._outbox.forget, answer.sequences)
        except StoreError as error:
            log.error("outbox.unforgotten", cause=str(error))
            return
        now = self._now()
        for sequence in answer.sequences:
            sent = self._sent.pop(sequence, None)
            if sent is not None and sent.history:
                self._window.answered(sent.size, sent.at, now)
        self._there()

    async def wanted(self, asked: Wanted) -> None:
        """The gateway misses these: what is here is sent again before other history, of the rest it is told."""
        lost: list[Lost] = []
        if asked.outbox != self._outbox.id:
            lost = [Lost(first, last, "replaced") for first, last in asked.ranges if 0 <= first <= last]
        else:
            for first, last in asked.ranges:
                held, gone = await asyncio.to_thread(self._outbox.account, first, last)
                # The rest of what is here follows as history.
                self._asked.update(dict.fromkeys(s for s in held[:_AT_ONCE] if s not in self._sent))
                lost += gone
        self._there()
        if lost:
            log.warning("batches.lost", outbox=asked.outbox, ranges=len(lost))
            told = Batch([], boot=self._boot, outbox=asked.outbox, lost=lost)
            self._start(self._publish(encode(told)))

    def released(self) -> None:
        """Batches that were held back may be sent now: they are history, and stand among what was sent already."""
        self._mark = self._live_at = self._outbox.last
        self._history_at = 0
        self._wake()

    def _there(self) -> None:
        """Somebody answers."""
        self._answered_at = self._now()
        if self._unanswered_since is not None:
            log.info("batches.answered", after_s=round(self._answered_at - self._unanswered_since, 1))
            self._unanswered_since = None
            self._again()
        self._pause_s = RESEND_AFTER_S
        self._wake()

    def _again(self) -> None:
        """From here on what is put is live, and all that is here is history not sent."""
        self._sent.clear()
        self._asked.clear()
        self._window.empty()
        self._mark = self._live_at = self._outbox.last
        self._history_at = 0
        self._wake()

    def _wake(self) -> None:
        self._kept.set()
        self._behind.set()

    # -- sending -------------------------------------------------------------------------------------------------------

    @property
    def _flows(self) -> bool:
        return self._begun and self._bus.connected and self._unanswered_since is None

    async def _run_live(self) -> None:
        while True:
            self._kept.clear()
            while self._flows and await self._send_live():
                pass
            await _within(self._kept.wait(), 1.0)

    async def _send_live(self) -> bool:
        if self._outbox.last - self._live_at > _BACKLOG:
            self._mark = self._live_at = self._outbox.last - WINDOW
            self._behind.set()
        room = WINDOW - sum(not sent.history for sent in self._sent.values())
        batches = await self._read(self._live_at, room, self._outbox.last) if room > 0 else []
        for batch in batches:
            if not self._flows:
                return False
            self._live_at = max(self._live_at, batch.sequence)
            self._send(batch, history=False)
        return bool(batches)

    async def _run_history(self) -> None:
        while True:
            self._behind.clear()
            while self._flows and self._window.room and await self._send_history():
                pass
            await _within(self._behind.wait(), 1.0)

    async def _send_history(self) -> bool:
        for batch in (batches := await self._next_history()):
            if (wait_s := self._allowance.wait_s(self._now())) > 0:
                await asyncio.sleep(wait_s)
            if not (self._flows and self._window.room):
                return False
            if self._asked.pop(batch.sequence, 0) == 0:
                self._history_at = max(self._history_at, batch.sequence)
            if batch.sequence not in self._sent:
                self._allowance.took(len(batch.payload))
                self._window.sent(len(batch.payload))
                self._send(batch, history=True)
        return bool(batches)

    async def _next_history(self) -> list[Kept]:
        """What the gateway has asked for, then the oldest."""
        while self._asked:
            sequence = next(iter(self._asked))
            found = await self._read(sequence - 1, 1, sequence)
            if found:
                return found
            self._asked.pop(sequence, None)
        return await self._read(self._history_at, _AT_ONCE, self._mark)

    async def _read(self, after: int, limit: int, upto: int) -> list[Kept]:
        if self._of != self._outbox.id:
            # The file was damaged and made anew: another numbering.
            self._of = self._outbox.id
            self._again()
            return []
        if after >= upto:
            return []
        try:
            return await asyncio.to_thread(self._outbox.after, after, limit, upto=upto)
        except StoreError as error:
            log.error("outbox.unread", cause=str(error))
            return []

    def _send(self, batch: Kept, *, history: bool) -> None:
        sent = self._sent[batch.sequence] = _Sent(self._now(), len(batch.payload), history)
        # The outbox holds `{"readings":[...]}`; which boot it goes under, and when, is known only now.
        head = b'{"boot":"%s","outbox":"%s","sequence":%d,"held_from":%d,%s' % (
            self._boot.encode(),
            self._outbox.id.encode(),
            batch.sequence,
            self._outbox.held_from,
            b'"history":true,' if history else b"",
        )
        self._start(self._publish(head + batch.payload[1:], sent))

    def _start(self, publishing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(publishing)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish(self, payload: bytes, sent: _Sent | None = None) -> None:
        try:
            await self._bus.publish(self._topic, payload)
            if sent is not None:
                sent.taken_at = self._now()
        except BusError as error:
            # It is not answered, and so sent again: after the next connection, or in time.
            log.debug("batch.unpublished", cause=str(error))

    # -- answers that do not come --------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, RESEND_AFTER_S / 4))
            now = self._now()
            overdue = [s for s, sent in self._sent.items() if sent.is_overdue(now)]
            if overdue and max(self._sent[s].at for s in overdue) < self._answered_at - RESEND_AFTER_S / 2:
                # Others were answered that went later: the answers to these were lost.
                self._once_more(overdue)
            elif overdue or (self._unanswered_since is not None and now >= self._probe_at):
                await self._probe(now)

    def _once_more(self, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            sent = self._sent.pop(sequence)
            if sent.history:
                self._window.gone(sent.size)
            self._asked[sequence] = None
        self._wake()

    async def _probe(self, now: float) -> None:
        """Nobody answers: ask with one batch, then after a longer while again, until somebody does."""
        if self._unanswered_since is None:
            self._unanswered_since = min(sent.at for sent in self._sent.values())
            log.warning("batches.unanswered", batches=len(self._sent))
        self._again()
        self._window.reset()
        self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s)
        self._probe_at = now + self._pause_s
        if self._begun and self._bus.connected:
            for batch in await self._read(0, 1, self._mark):
                self._send(batch, history=True)
                # Another probe follows in its own time.
                del self._sent[batch.sequence]


async def _within(waiting: Coroutine[Any, Any, object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting
