"""A Modbus TCP server: the registers of several units behind one port, as a line of meters is."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from collectors.meter_profile import Table
from collectors.simulators.registers import Images

_HEADER = struct.Struct(">HHHB")
_READ = struct.Struct(">HH")
_FUNCTIONS = {Table.HOLDING.function: Table.HOLDING, Table.INPUT.function: Table.INPUT}
# Unit, function and data: no request of the standard is longer, none shorter than unit and function.
_LENGTHS = range(2, 255)

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, TARGET_SILENT = 1, 2, 3, 11


class Unit(Protocol):
    """A meter behind a port."""

    @property
    def max_registers(self) -> int:
        """The most that it returns at once."""

    def images(self) -> Images | None:
        """Its registers now; None where it does not answer."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A unit whose registers come from a function."""

    now: Callable[[], Images | None]
    max_registers: int = 125

    def images(self) -> Images | None:
        return self.now()


Told = Callable[[int, int, bytes, bytes], None]
"""Is told each answer before it is sent: the number of its connection, the unit, request and answer from the function
code on."""


class _Connection(asyncio.Protocol):
    """One client: requests are answered in the order in which they came, however TCP cut them."""

    def __init__(self, units: Mapping[int, Unit], open_ones: set[_Connection], number: int, told: Told | None) -> None:
        self._units, self._open = units, open_ones
        self._number, self._told = number, told
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._pending += data
        replies, used = [], 0
        while (end := _frame_end(self._pending, used)) is not None:
            transaction, _, _, unit = _HEADER.unpack_from(self._pending, used)
            request = self._pending[used + _HEADER.size : end]
            reply = answer(self._units, unit, request)
            if reply is not None:
                if self._told is not None:
                    self._told(self._number, unit, request, reply)
                replies.append(_HEADER.pack(transaction, 0, len(reply) + 1, unit) + reply)
            used = end
        self._pending = self._pending[used:]
        if replies:
            self._transport.write(b"".join(replies))
        if _is_garbage(self._pending):
            self._pending = b""
            self._transport.close()

    def pause_writing(self) -> None:
        """A client that does not read its answers is asked no further."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _frame_end(data: bytes, start: int) -> int | None:
    """Where the request that begins here ends; None where it has not all come or is none."""
    if len(data) - start < _HEADER.size or _is_garbage(data[start : start + _HEADER.size]):
        return None
    length: int = _HEADER.unpack_from(data, start)[2]
    end = start + _HEADER.size - 1 + length
    return end if end <= len(data) else None


def _is_garbage(data: bytes) -> bool:
    """Whether no request of Modbus TCP begins like this."""
    if len(data) < _HEADER.size:
        return False
    _, protocol, length, _ = _HEADER.unpack_from(data)
    return protocol != 0 or length not in _LENGTHS


def answer(units: Mapping[int, Unit], unit: int, request: bytes) -> bytes | None:
    """The answer to a request, both from the function code on; None where nothing is said."""
    function = request[0]
    meter = units.get(unit)
    if meter is None:
        return _exception(function, TARGET_SILENT)
    images = meter.images()
    if images is None:
        return None
    table = _FUNCTIONS.get(function)
    if table is None:
        return _exception(function, ILLEGAL_FUNCTION)
    if len(request) != 1 + _READ.size:
        return _exception(function, ILLEGAL_VALUE)
    address, count = _READ.unpack_from(request, 1)
    if not 1 <= count <= meter.max_registers:
        return _exception(function, ILLEGAL_VALUE)
    image = images.get(table)
    words = None if image is None else image.read(address, count)
    return _exception(function, ILLEGAL_ADDRESS) if words is None else bytes((function, len(words))) + words


def _exception(function: int, code: int) -> bytes:
    return bytes((function & 0x7F | 0x80, code))


class ModbusServer:
    """Units behind a host and port, from `start` to `stop`; port 0 takes a free one. `told` hears every answer."""

    def __init__(
        self, units: Mapping[int, Unit], *, host: str = "127.0.0.1", port: int = 0, told: Told | None = None
    ) -> None:
        self._units, self.host, self.port, self._told = units, host, port, told
        self._count = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._units, self._connections, next(self._count), self._told), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await self._server.wait_closed()
        self._server = None
