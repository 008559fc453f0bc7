"""The live hub: each reading is encoded once, and sent to whoever asked for its point.

A listener that cannot keep up loses its connection, not the others their time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version

import msgspec
import numpy as np
import structlog
from aiohttp import WSMsgType, web

from energy.ports import Clock
from energy.readings import Quality, ReadingColumns, to_ms
from gateway.live.words import Backfilled, Beat, Hello, Overview, PushedOverview, Subscription
from gateway.metrics import Metrics

log = structlog.get_logger()

BEAT_S = 5.0
OVERVIEW_S = 1.0
_QUEUE = 256
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Subscription).decode


class _Listener:
    """`audience` tells as who it listens: what that may hear, and its overview."""

    def __init__(self, audience: Callable[[], Hub]) -> None:
        self._audience = audience
        self.hub = audience()
        self._wanted: frozenset[str] = frozenset()
        self.points: frozenset[str] = frozenset()
        self.overview = False
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUE)
        self.slow = False

    def want(self, points: Iterable[str]) -> None:
        """Listen to these points, as far as they may be heard."""
        self._wanted = frozenset(points)
        self.hub = self._audience()
        self.points = frozenset(p for p in self._wanted if self.hub.hears(p))

    def look_again(self) -> None:
        """What may be heard changes with grants and records."""
        if self._audience() is not self.hub:
            self.want(self._wanted)

    def send(self, message: bytes | None) -> None:
        """Queue a message; None says good-bye."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.slow = True


class Hub:
    """All listeners of the live WebSocket."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock, self._metrics = clock, metrics
        self._listeners: set[_Listener] = set()
        self._changed = asyncio.Event()
        self._backfilled: set[str] = set()
        self.overview: Callable[[], Awaitable[Overview]] | None = None

    def take(self, live: ReadingColumns, waited: ReadingColumns) -> None:
        """What was just stored: live readings are sent at once, of what had waited it is told now and then."""
        self.push(live)
        if len(waited):
            self._changed.set()
            self._backfilled.update(str(waited.points[i]) for i in np.unique(waited.index).tolist())

    def _tell_backfilled(self) -> None:
        """Curves that hold these points have new rows in their past."""
        for listener in self._listeners:
            if own := sorted(listener.points & self._backfilled):
                listener.send(_encode(Backfilled(own)))
        self._backfilled.clear()

    def push(self, columns: ReadingColumns) -> None:
        """Send readings just stored."""
        self._changed.set()
        wanted = frozenset().union(*(w.points for w in self._listeners)) if self._listeners else frozenset()
        if not wanted:
            return
        encoded = dict(_encoded(columns, wanted))
        for listener in self._listeners:
            own = [text for point, text in encoded.items() if point in listener.points]
            if own:
                listener.send(b'{"type":"readings","readings":[' + b",".join(own) + b"]}")

    def changed(self) -> None:
        """Something of the overview changed."""
        self._changed.set()

    async def run(self) -> None:
        """Push the overview when it has changed, and a beat in any case, for ever."""
        beat_at = 0.0
        while True:
            await asyncio.sleep(OVERVIEW_S)
            for listener in self._listeners:
                listener.look_again()
            self._tell_backfilled()
            if self._changed.is_set():
                self._changed.clear()
                await self._push_overview()
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT_S
                # States grow old without any message: the overview is looked at again with each beat.
                self._changed.set()
                self._to_all(_encode(Beat(to_ms(self._clock.now()))))

    def hears(self, point: str) -> bool:
        """Whether who listens here may hear of a point."""
        return bool(point)

    async def serve(self, request: web.Request, audience: Callable[[], Hub] | None = None) -> web.WebSocketResponse:
        """One listener, until it leaves; it hears what its audience may."""
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=1 << 20, compress=False)
        await socket.prepare(request)
        listener = _Listener(audience or (lambda: self))
        self._listeners.add(listener)
        self._metrics.listeners(len(self._listeners))
        listener.send(_encode(Hello(version("jieneng"), to_ms(self._clock.now()))))
        sending = asyncio.create_task(self._send(socket, listener))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and not await self._subscribe(socket, listener, message.data):
                    break
        finally:
            self._listeners.discard(listener)
            self._metrics.listeners(len(self._listeners))
            sending.cancel()
        return socket

    async def _subscribe(self, socket: web.WebSocketResponse, listener: _Listener, text: str) -> bool:
        try:
            wanted = _decode(text)
        except msgspec.DecodeError as error:
            await socket.close(code=1008, message=str(error).encode()[:120])
            return False
        listener.want(wanted.subscribe)
        listener.overview = wanted.overview
        if wanted.overview and listener.hub.overview is not None:
            listener.send(_encode(PushedOverview(await listener.hub.overview())))
        return True

    async def _send(self, socket: web.WebSocketResponse, listener: _Listener) -> None:
        while not listener.slow:
            message = await listener.queue.get()
            if message is None:
                await socket.close(code=1001, message=b"the gateway ends")
                return
            await socket.send_frame(message, WSMsgType.TEXT)
        log.warning("listener.slow")
        await socket.close(code=1013, message=b"too slow")

    async def _push_overview(self) -> None:
        audiences = {id(w.hub): w.hub for w in self._listeners if w.overview}
        for hub in audiences.values():
            if hub.overview is not None:
                message = _encode(PushedOverview(await hub.overview()))
                self._to_all(message, of=[w for w in self._listeners if w.overview and w.hub is hub])

    def _to_all(self, message: bytes, of: Iterable[_Listener] | None = None) -> None:
        for listener in self._listeners if of is None else of:
            listener.send(message)

    async def close(self) -> None:
        """Say good-bye to all."""
        for listener in self._listeners:
            listener.send(None)


def _encoded(columns: ReadingColumns, wanted: frozenset[str]) -> Iterable[tuple[str, bytes]]:
    """Each wanted reading as JSON; of several of one point in a batch all are sent, joined."""
    found: dict[str, list[bytes]] = {}
    names = {i: str(columns.points[i]) for i in set(columns.index.tolist())}
    rows = zip(
        columns.index.tolist(),
        columns.taken_at_ms.tolist(),
        columns.value.tolist(),
        columns.quality.tolist(),
        strict=True,
    )
    for number, t_ms, value, quality in rows:
        name = names[number]
        if name in wanted:
            found.setdefault(name, []).append(_encode((name, t_ms, value, Quality(quality).word)))
    return [(name, b",".join(texts)) for name, texts in found.items()]
