"""Readings in VictoriaMetrics, one server or a cluster.

VictoriaMetrics neither refuses a second value of an instant, nor shows at once what it has taken, nor has it on its
disk when it says so: all three are made good here. Who writes of a meter is one process at a time. It knows the newest
instant of each point, so that only late rows have to be looked up; it keeps what is younger than a minute in memory, to
be seen at once, and in a journal on its own disk, to be handed over again when either of the two was started anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import numpy as np
import numpy.typing as npt
import structlog

from adapters.batches import Deduplicated
from adapters.series_store import LATELY_MS, Rows, SeriesStore, added, chunks
from adapters.victoria_client import NoAnswer, VictoriaAddress, VictoriaClient
from adapters.victoria_series import exported, import_body, newest, newest_query, of_meters, rows_of, selector
from adapters.write_ahead import WriteAhead
from energy.errors import StoreError
from energy.readings import LAST_MS, Point

log = structlog.get_logger()

# After that long a sample is on the server's disk and shown by it; it flushes every 5 s.
_SAFE_AFTER_S = 60.0
_LOOK_EVERY_S = 5.0
# After that long it is shown to others; it is some seconds, of a cluster too.
_SHOWN_AFTER_S = 10.0
# Meters that are asked for together.
_TOGETHER = 250
_FEW = 20
# What is further ahead the server takes and throws away.
_AT_MOST_AHEAD_MS = 2 * 86_400_000
_AHEAD_MS = _AT_MOST_AHEAD_MS + 600_000
# Of a span that begins within the first minutes after the epoch it tells nothing.
_BEGINNING_MS = 3_600_000


@asynccontextmanager
async def open_victoria(address: str) -> AsyncIterator[VictoriaReadings]:
    """The store at an address; StoreError where the server cannot be asked."""
    at = VictoriaAddress.parse(address)
    client, journal = VictoriaClient(at), WriteAhead(at.journal, _SAFE_AFTER_S)
    store = VictoriaReadings(client, journal)
    try:
        await store.begin()
        watching = asyncio.create_task(store.watch())
        try:
            yield store
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
    finally:
        journal.close()
        await client.close()


class VictoriaReadings(SeriesStore):
    """Fulfils `RegisterStore`."""

    shown_after_s = _SHOWN_AFTER_S

    def __init__(self, client: VictoriaClient, journal: WriteAhead) -> None:
        super().__init__()
        self._client, self._journal, self._name = client, journal, client.at.name
        self._recent: deque[tuple[float, Deduplicated, bytes]] = deque()
        # What other processes have stored lately, and the server may not show yet.
        self._heard: deque[tuple[float, Deduplicated]] = deque()
        # What was handed over, and nobody knows whether it arrived.
        self._unsure: tuple[Deduplicated, bytes] | None = None
        self._server: tuple[bytes, int] = b"", 0
        self._keeps_ms: int | None = None

    async def begin(self) -> None:
        """Learn what is there, and hand over again what an earlier process may not have seen safe."""
        self._server, self._keeps_ms = await self._seen(), await self._client.keeps_ms()
        for body in self._journal.left_behind():
            await self._client.put(body)
            found = rows_of(exported(self._name, body), 0, LAST_MS + 1)
            if found:
                self._recent.append((time.monotonic(), self._remembered(found), body))
        self._journal.forget_left_behind()
        await self._handed_again(batch for _, batch, _ in self._recent)
        meters = sorted(await self._client.values_of("meter", selector(self._name)))
        for some in chunks(meters, _TOGETHER):
            await self._learn(some)

    async def watch(self) -> None:
        """Hand over what is not safe yet whenever the server was started anew."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except StoreError as error:
                log.warning("store.unseen", cause=str(error))

    async def look(self) -> None:
        """Hand over what is not safe yet if the server was started anew since the last look, or was away."""
        await self._handed_again([])
        server = await self._seen()
        if server == self._server:
            return
        async with self._writing:
            batches = [(batch, body) for _, batch, body in self._recent]
            for _, body in batches:
                await self._client.put(body)
            self._server = server
            await self._handed_again(batch for batch, _ in batches)
        log.info("store.restarted", store=str(self._client.at), batches_again=len(batches))

    async def _seen(self) -> tuple[bytes, int]:
        return await self._client.started(), self._client.unanswered

    # -- writing ---------------------------------------------------------------------------------------------------

    async def _stored(self, batch: Deduplicated) -> tuple[npt.NDArray[np.bool_], Deduplicated]:
        # What may have arrived is there before others of the same instants are judged: the first value stays.
        await self._hand_over()
        return await super()._stored(batch)

    async def _put(self, fresh: Deduplicated) -> Mapping[int, str]:
        refused = self._never_kept(fresh)
        if refused:
            kept = np.ones(len(fresh), bool)
            kept[list(refused)] = False
            fresh = fresh.take(kept)
        if len(fresh):
            body = await asyncio.to_thread(import_body, self._name, self._points, fresh)
            await asyncio.to_thread(self._journal.keep, body)
            self._unsure = fresh, body
            await self._hand_over()
        return refused

    async def _hand_over(self) -> None:
        """Hand over what is not known to have arrived; to do so twice does no harm."""
        if self._unsure is None:
            return
        try:
            await self._client.put(self._unsure[1])
        except NoAnswer:
            raise
        except StoreError:
            self._unsure = None
            raise
        now = time.monotonic()
        self._journal.arrived(now)
        self._recent.append((now, *self._unsure))
        self._unsure = None
        while now - self._recent[0][0] > _SAFE_AFTER_S:
            self._recent.popleft()

    def _never_kept(self, batch: Deduplicated) -> dict[int, str]:
        """Why the server throws some rows away though it says that it took them, by their position."""
        now_ms = int(time.time() * 1000)
        late = np.flatnonzero(batch.taken_at_ms > now_ms + _AT_MOST_AHEAD_MS)
        refused = dict.fromkeys(late.tolist(), "more than two days ahead, which VictoriaMetrics does not keep")
        if self._keeps_ms is not None:
            old = np.flatnonzero(batch.taken_at_ms < now_ms - self._keeps_ms)
            why = f"older than VictoriaMetrics keeps: {self._keeps_ms // 86_400_000} days (-retentionPeriod)"
            refused |= dict.fromkeys(old.tolist(), why)
        return refused

    def _hear(self, batch: Deduplicated) -> None:
        super()._hear(batch)
        now = time.monotonic()
        self._heard.append((now, batch))
        while now - self._heard[0][0] > 2 * self.shown_after_s:
            self._heard.popleft()

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _rows(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        """What is stored of known points over [from, to), with what the server does not show yet."""
        found = await self._shown(points, from_ms, to_ms)
        numbers = np.array(sorted({self._points.number(p) for p in points}), np.int32)
        for batch in (*(one[1] for one in self._recent), *(one[1] for one in self._heard)):
            added(found, self._points, batch.of(numbers, from_ms, to_ms))
        return found

    async def _shown(self, points: Sequence[Point], from_ms: int, to_ms: int) -> dict[Point, Rows]:
        """What the server shows."""
        from_ms, to_ms = max(from_ms, 0), min(to_ms, LAST_MS + 1)
        found: dict[Point, Rows] = {}
        if from_ms >= to_ms:
            return found
        wanted = set(points)
        for some in chunks(sorted(wanted), _TOGETHER):
            answer = await self._client.export(selector(self._name, some), from_ms, to_ms)
            lines = (line for line in exported(self._name, answer) if line[0] in wanted)
            found |= await asyncio.to_thread(rows_of, lines, from_ms, to_ms)
        return found

    # -- what is there at the start, or comes from others ----------------------------------------------------------

    async def learn(self, meters: Sequence[str]) -> None:
        if not meters:
            return
        if not await self._client.show_all():
            await asyncio.sleep(self.shown_after_s)
        for some in chunks(sorted(meters), _TOGETHER):
            await self._learn(some)

    async def _learn(self, meters: Sequence[str]) -> None:
        """The points of these meters, and the newest reading of each."""
        missing = {Point(s.meter, s.quantity) for s in await self._client.series(of_meters(self._name, meters))}
        for span_ms in LATELY_MS:
            if missing:
                missing.difference_update(await self._learn_newest(sorted(missing), span_ms))
        # Of what is long gone all that there is has to be looked through.
        for some in chunks(sorted(missing), _FEW):
            missing.difference_update(await self._learn_newest(some, int(time.time() * 1000) - _BEGINNING_MS))
        for some in chunks(sorted(missing), _FEW):
            found = await self._shown(some, 0, LAST_MS + 1)
            self._remembered({point: rows.last() for point, rows in found.items()})

    async def _learn_newest(self, points: Sequence[Point], span_ms: int) -> list[Point]:
        """The last reading of each of the points since so long before now; those that have one, and others beside."""
        at_ms = int(time.time() * 1000) + _AHEAD_MS
        told = await self._client.query(newest_query(self._name, points, span_ms + _AHEAD_MS), at_ms)
        found, rows = await asyncio.to_thread(newest, self._name, told)
        self._remembered_rows(self._numbers(found), rows)
        return found
