"""From the meters to the disk: readings that come together share a batch; what the disk refuses waits in memory."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from itertools import islice, takewhile

import structlog

from adapters.outbox_bounds import BATCH_READINGS
from adapters.outbox_sqlite import SqliteOutbox
from adapters.outbox_thinning import span_ms
from adapters.wire import Batch, MeterReadings, encode
from energy.errors import StoreError
from energy.ports import Clock
from energy.readings import to_ms

log = structlog.get_logger()

# Readings that come within this time share a batch, and so a write to the disk.
LINGER_S = 0.1
RETRY_S = 1.0
# So many readings wait in memory while the disk takes none: some ten hours of 32 meters at one minute, 20 to 30 MB.
MOST_PENDING = 20_000
# Half of what the embedded broker takes in a message.
_MOST_BYTES = 512_000


def _set_clock() -> str | None:
    return None


class Recorder:
    """Gathers readings and puts them into the outbox, as many at a time as have come.

    clock_mark : names the clock that readings are dated by now while it is not set, else None (see the outbox).
    """

    def __init__(
        self,
        outbox: SqliteOutbox,
        clock: Clock,
        *,
        linger_s: float = LINGER_S,
        most_pending: int = MOST_PENDING,
        clock_mark: Callable[[], str | None] = _set_clock,
    ) -> None:
        self._outbox, self._clock, self._linger_s = outbox, clock, linger_s
        self._most_pending, self._mark = most_pending, clock_mark
        self._pending: deque[tuple[str | None, MeterReadings]] = deque()
        self._overflow: list[MeterReadings] = []
        self._overflowed = 0
        self._came = asyncio.Event()
        self.kept = asyncio.Event()
        self.failing_since: float | None = None

    @property
    def waiting(self) -> int:
        """Readings that are in memory only."""
        return len(self._pending)

    @property
    def paused(self) -> bool:
        """Whether meters are not to be read: there is no room for what they say, and nothing may be dropped."""
        return self._outbox.stopped or (self._outbox.stops_when_full and self.waiting >= self._most_pending)

    def take(self, readings: MeterReadings) -> None:
        self._pending.append((self._mark(), readings))
        while len(self._pending) > self._most_pending:
            self._overflowed += 1
            # Of those that go, the first and the last tell between which instants.
            self._overflow = [*self._overflow[:1], self._pending.popleft()[1]]
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
            mark, some, payload = self._next()
            try:
                await asyncio.to_thread(self._outbox.put, to_ms(self._clock.now()), payload, clock=mark)
                await self._tell_overflow()
            except StoreError as error:
                self._tell(str(error))
                self._came.set()
                await asyncio.sleep(RETRY_S)
                return
            # What came meanwhile may have pushed some of these out already.
            gone = {id(one) for one in some}
            while self._pending and id(self._pending[0][1]) in gone:
                self._pending.popleft()
            self._tell(None)
            self.kept.set()

    def _next(self) -> tuple[str | None, list[MeterReadings], bytes]:
        """The oldest that were dated by one clock and fit into a message."""
        mark = self._pending[0][0]
        some = [one for _, one in takewhile(lambda of: of[0] == mark, islice(self._pending, BATCH_READINGS))]
        while len(payload := encode(Batch(some))) > _MOST_BYTES and len(some) > 1:
            some = some[: len(some) // 2]
        return mark, some, payload

    async def _tell_overflow(self) -> None:
        if self._overflowed:
            from_ms, to_ms_ = span_ms(self._overflow) or (0, 0)
            await asyncio.to_thread(self._outbox.lose, self._overflowed, from_ms, to_ms_, "disk")
            self._overflow, self._overflowed = [], 0

    def _tell(self, cause: str | None) -> None:
        if cause and self.failing_since is None:
            self.failing_since = time.monotonic()
            log.error("outbox.failing", cause=cause)
        elif not cause and self.failing_since is not None:
            log.info("outbox.back", after_s=round(time.monotonic() - self.failing_since, 1))
            self.failing_since = None
