"""From the meter to the gateway: readings to the outbox first, batches to the bus, forgotten when they are stored."""

from __future__ import annotations

import asyncio
import time

import structlog

from adapters.outbox_sqlite import Kept, SqliteOutbox
from adapters.wire import READINGS, Batch, MeterReadings, encode, topic
from energy.errors import BusError, StoreError
from energy.ports import Bus, Clock
from energy.readings import to_ms

log = structlog.get_logger()

# Readings that come within this time share a batch, and so a write to the disk.
LINGER_S = 0.1
BATCH_READINGS = 500
WINDOW = 64
RESEND_AFTER_S = 10.0
RETRY_S = 1.0


class Recorder:
    """Gathers readings and puts them into the outbox, as many at a time as have come."""

    def __init__(self, outbox: SqliteOutbox, clock: Clock, *, linger_s: float = LINGER_S) -> None:
        self._outbox = outbox
        self._clock = clock
        self._linger_s = linger_s
        self._pending: list[MeterReadings] = []
        self._came = asyncio.Event()
        self.kept = asyncio.Event()
        self.failing_since: float | None = None

    def take(self, readings: MeterReadings) -> None:
        self._pending.append(readings)
        self._came.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._came.wait()
            await asyncio.sleep(self._linger_s)
            await self.flush()

    async def flush(self) -> None:
        """Put all that is pending on the disk; what the disk refuses stays pending and is tried again."""
        self._came.clear()
        while self._pending:
            some = self._pending[:BATCH_READINGS]
            try:
                await asyncio.to_thread(self._outbox.put, to_ms(self._clock.now()), encode(Batch(some)))
            except StoreError as error:
                self._tell(str(error))
                self._came.set()
                await asyncio.sleep(RETRY_S)
                return
            del self._pending[: len(some)]
            self._tell(None)
            self.kept.set()

    def _tell(self, cause: str | None) -> None:
        if cause and self.failing_since is None:
            self.failing_since = time.monotonic()
            log.error("outbox.failing", cause=cause)
        elif not cause and self.failing_since is not None:
            log.info("outbox.back", after_s=round(time.monotonic() - self.failing_since, 1))
            self.failing_since = None


class Publisher:
    """Publishes batches oldest first, a window of them unanswered at a time, until the gateway has stored them."""

    def __init__(self, outbox: SqliteOutbox, bus: Bus, edge: str, boot: str, kept: asyncio.Event) -> None:
        self._outbox = outbox
        self._bus = bus
        self._topic = topic(edge, READINGS)
        self._boot = boot
        self._wake = kept
        self._sent: dict[int, float] = {}
        self._last = 0
        self._begun = False
        self._unanswered_since: float | None = None

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            self._wake.clear()
            while self._begun and self._bus.connected and await self._publish_some():
                pass
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=1.0)
            except TimeoutError:
                self._send_again_the_unanswered()

    def connected(self) -> None:
        """After a new connection everything unanswered is sent again."""
        self._begun = True
        self._sent.clear()
        self._last = 0
        self._wake.set()

    async def stored(self, boot: str, sequences: list[int]) -> None:
        """The gateway has stored these batches of a boot of this edge."""
        if boot != self._boot:
            return
        try:
            await asyncio.to_thread(self._outbox.forget, sequences)
        except StoreError as error:
            log.error("outbox.unforgotten", cause=str(error))
            return
        if self._unanswered_since is not None:
            log.info("batches.answered", after_s=round(time.monotonic() - self._unanswered_since, 1))
            self._unanswered_since = None
        for sequence in sequences:
            self._sent.pop(sequence, None)
        self._wake.set()

    async def _publish_some(self) -> bool:
        room = WINDOW - len(self._sent)
        batches = await asyncio.to_thread(self._outbox.after, self._last, room) if room > 0 else []
        if not batches:
            return False
        for batch in batches:
            self._sent[batch.sequence] = time.monotonic()
            self._last = batch.sequence
        done = await asyncio.gather(*(self._publish(b) for b in batches), return_exceptions=True)
        for failed in done:
            if isinstance(failed, BusError):
                self._last, self._sent = 0, {}
                return False
            if isinstance(failed, BaseException):
                raise failed
        return True

    async def _publish(self, batch: Kept) -> None:
        # The outbox holds `{"readings":[...]}`; which boot and sequence it goes under is known only now.
        head = b'{"boot":"%s","sequence":%d,' % (self._boot.encode(), batch.sequence)
        await self._bus.publish(self._topic, head + batch.payload[1:])

    def _send_again_the_unanswered(self) -> None:
        if self._sent and time.monotonic() - min(self._sent.values()) > RESEND_AFTER_S:
            if self._unanswered_since is None:
                self._unanswered_since = min(self._sent.values())
                log.warning("batches.unanswered", batches=len(self._sent))
            self.connected()
