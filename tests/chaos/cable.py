"""The cable between an edge and its broker: it can be cut, and what comes through it can be repeated, kept back and
swapped. It notes every reading that the edge has let out."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from adapters.wire import READINGS, STORED, decode_batch, edge_and_leaf
from tests.chaos.numbers import Reading, readings_of

_PUBLISH = 3


@dataclass(slots=True)
class Mischief:
    """How often a message is said twice, kept back until others have passed, said again much later, or swallowed.

    Shares of the messages, each by itself. Only what the other side will ask for again is swallowed.
    """

    chance: random.Random
    twice: float = 0.0
    kept_back: float = 0.0
    later: float = 0.0
    swallowed: float = 0.0
    done: dict[str, int] = field(default_factory=dict)

    def does(self, what: str) -> bool:
        happens: bool = self.chance.random() < getattr(self, what)
        self.done[what] = self.done.get(what, 0) + happens
        return happens


class Cable:
    """A port of 127.0.0.1 that leads to another; served by a thread of its own."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self.published: set[Reading] = set()
        self.connections = 0
        # How often the gateway has said that something is stored.
        self.answers = 0
        self.mischief: Mischief | None = None
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._old: list[bytes] = []
        self._loop = asyncio.new_event_loop()
        self.listens = threading.Event()

    def cut(self) -> None:
        """Take the line away from whoever uses it."""
        self._is_cut = True
        self._in_loop(self._drop_all())

    def mend(self) -> None:
        self._is_cut = False

    def _in_loop(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(120)

    async def _drop_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.listens.set()
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        self._writers |= {writer, far_writer}
        up = asyncio.create_task(self._carry(reader, far_writer, self._note))
        down = asyncio.create_task(self._carry(far_reader, writer, self._count))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        for end in (writer, far_writer):
            self._writers.discard(end)
            end.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]
    ) -> None:
        kept: list[bytes] = []
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                packet = await _packet(reader)
                note(packet)
                for each in self._played_with(packet, kept):
                    writer.write(each)
                await writer.drain()

    def _note(self, packet: bytes) -> None:
        found = _published(packet)
        if found is not None and edge_and_leaf(found[0])[1] == READINGS:
            with suppress(msgspec.DecodeError):
                self.published |= set(readings_of(decode_batch(found[1])))

    def _count(self, packet: bytes) -> None:
        found = _published(packet)
        self.answers += found is not None and edge_and_leaf(found[0])[1] == STORED

    def _played_with(self, packet: bytes, kept: list[bytes]) -> Iterator[bytes]:
        """What is sent on instead of a packet: itself, if nobody plays with it."""
        mischief, found = self.mischief, _published(packet)
        if mischief is None or found is None or edge_and_leaf(found[0])[1] not in (READINGS, STORED):
            yield packet
            if mischief is None:
                yield from _emptied(kept)
            return
        if mischief.does("swallowed"):
            return
        if mischief.does("kept_back") and len(kept) < 20:
            kept.append(packet)
            return
        yield packet
        if mischief.does("twice"):
            yield packet
        if edge_and_leaf(found[0])[1] == READINGS:
            self._old.append(packet)
            if mischief.does("later"):
                yield mischief.chance.choice(self._old)
        # What was kept back comes after what followed it, and the other way round among itself.
        if len(kept) >= 3:
            yield from reversed(list(_emptied(kept)))

    def run(self) -> None:
        """Serve until `stop`; in a thread of its own."""
        asyncio.set_event_loop(self._loop)
        self._serving = self._loop.create_task(self._serve())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._serving.cancel)


def _emptied(kept: list[bytes]) -> Iterator[bytes]:
    found, kept[:] = kept[:], []
    yield from found


@contextmanager
def laid(port: int, to: int) -> Iterator[Cable]:
    """A cable for as long as the context."""
    cable = Cable(port, to)
    thread = threading.Thread(target=cable.run, daemon=True)
    thread.start()
    assert cable.listens.wait(120)
    try:
        yield cable
    finally:
        cable.stop()
        thread.join(120)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """The next packet of MQTT 3.1.1, whole."""
    head = bytearray(await reader.readexactly(1))
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        head.append(byte)
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return bytes(head) + await reader.readexactly(length)


def _published(packet: bytes) -> tuple[str, bytes] | None:
    """Topic and payload, where it is a PUBLISH at QoS 1."""
    if packet[0] >> 4 != _PUBLISH or packet[0] >> 1 & 3 != 1:
        return None
    at = 2
    while packet[at - 1] & 0x80:
        at += 1
    n = int.from_bytes(packet[at : at + 2], "big")
    topic = packet[at + 2 : at + 2 + n].decode()
    return topic, packet[at + 4 + n :]
