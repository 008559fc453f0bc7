"""A wire between a client and its server that can be cut, held, slow, and can swallow an answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_CHUNK = 65_536


class Wire:
    """A port of 127.0.0.1 that leads to another one; served by a thread of its own.

    delay_s : how long each piece takes, either way. swallows : what the server says is not passed on, and the
    connection ends with it. breaks_after : so many bytes of what the server says pass, then the connection ends.
    """

    def __init__(self, to: int, host: str) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.swallows = False
        self.breaks_after: int | None = None
        self.swallowed = 0
        self._to, self._host, self._is_cut = to, host, False
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def cut(self) -> None:
        """Whoever is connected is so no longer, and nobody else gets through."""
        self._is_cut = True
        self._do(self._drop_all())

    def mend(self) -> None:
        """All goes through again."""
        self._is_cut, self.swallows, self.breaks_after, self.delay_s = False, False, None, 0.0
        self._do(self._set(True))

    def hold(self) -> None:
        """Connections stay, and nothing goes through."""
        self._do(self._set(False))

    async def _set(self, flows: bool) -> None:
        if flows:
            self._flows.set()
        else:
            self._flows.clear()

    async def _drop_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(120)

    # -- in the thread -------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._to)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        carrying = {
            asyncio.create_task(self._carry(reader, far_writer, told=False)),
            asyncio.create_task(self._carry(far_reader, writer, told=True)),
        }
        self._tasks |= carrying
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in carrying:
                task.cancel()
            self._tasks -= carrying
            self._writers -= both
            for end in both:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, told: bool) -> None:
        """One way; `told` is what the server says."""
        with suppress(OSError):
            while piece := await reader.read(_CHUNK):
                await self._flows.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if told and self.swallows:
                    self.swallowed += 1
                    return
                if told and self.breaks_after is not None:
                    writer.write(piece[: self.breaks_after])
                    await writer.drain()
                    self.breaks_after -= len(piece)
                    if self.breaks_after <= 0:
                        return
                    continue
                writer.write(piece)
                await writer.drain()
            # What was said last arrives before the end does.
            writer.write_eof()

    async def _serve(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        await self._drop_all()
        for task in self._tasks:
            task.cancel()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def start(self) -> None:
        self._thread.start()
        self._do(self._serve())

    def stop(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
        self._loop.close()


@contextmanager
def wire_to(port: int, host: str = "127.0.0.1") -> Iterator[Wire]:
    """A wire for as long as the context."""
    wire = Wire(port, host)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()
