"""Where a simulated bus is reached: a pseudo terminal, RTU over TCP as a transparent serial server, Modbus TCP."""

from __future__ import annotations

import asyncio
import os
import pty
import selectors
import socket
import struct
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from collectors.simulators.bus.modbus_slave import frames_of_mbap
from collectors.simulators.bus.wire import Saying, Station, Wire
from energy.errors import LineError

MakeWire = Callable[[Station], Wire]
_AT_ONCE = 65536
# More than a frame of Modbus TCP can be: a connection that brings it without a frame in it brings garbage.
_LONGEST_MBAP = 260


def precise_loop() -> asyncio.AbstractEventLoop:
    """A loop whose timers are exact to tens of microseconds; the usual one rounds waits up to whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class Host(Protocol):
    """A bus that can be reached while it is open."""

    @property
    def address(self) -> str:
        """Where: the path of a terminal, or HOST:PORT."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Pump:
    """Drives a wire by the loop's clock: what is due is looked at when it is due, and never later on purpose."""

    def __init__(self, wire: Wire, send: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        self._wire, self._send, self._hang_up = wire, send, hang_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def heard(self, data: bytes) -> None:
        self._wire.put(data, self._loop.time())
        self._turn()

    def _turn(self) -> None:
        self.stop()
        delivered = self._wire.advance(self._loop.time())
        if delivered.data:
            self._send(delivered.data)
        if delivered.hang_up:
            self._hang_up()
        due = self._wire.due()
        if due is not None:
            self._timer = self._loop.call_at(due, self._turn)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class PtyHost:
    """A bus behind a pseudo terminal; `link` is where it can be opened by a name of one's own."""

    def __init__(self, station: Station, wire: MakeWire, *, link: Path | None = None) -> None:
        self._station, self._make, self._link = station, wire, link
        self._near = self._far = -1
        self._pump: _Pump | None = None
        self.terminal = ""

    @property
    def address(self) -> str:
        return str(self._link) if self._link is not None else self.terminal

    async def __aenter__(self) -> Self:
        self._near, self._far = pty.openpty()
        # Ours stays open: the terminal would be gone with the first client that closes it.
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.terminal = os.ttyname(self._far)
        try:
            self._name()
        except OSError as error:
            self._close()
            raise LineError(f"{self._link}: cannot be made a name of {self.terminal}: {error.strerror}") from error
        self._pump = _Pump(self._make(self._station), self._send, lambda: None)
        asyncio.get_running_loop().add_reader(self._near, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._near)
        if self._pump is not None:
            self._pump.stop()
        if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == self.terminal:
            self._link.unlink()
        self._close()

    def _name(self) -> None:
        """A link of an earlier bus is replaced; anything else that stands there is not."""
        if self._link is None:
            return
        if self._link.is_symlink():
            self._link.unlink()
        self._link.symlink_to(self.terminal)

    def _close(self) -> None:
        os.close(self._near)
        os.close(self._far)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(self._near, _AT_ONCE)
            if self._pump is not None and data:
                self._pump.heard(data)

    def _send(self, data: bytes) -> None:
        # Nobody reads: the characters are lost, as at a UART that overruns.
        with suppress(BlockingIOError):
            os.write(self._near, data)


class TcpHost:
    """A bus behind a transparent serial server: what anybody sends goes on the wire, what the wire carries to all."""

    def __init__(self, station: Station, wire: MakeWire, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._station, self._make = station, wire
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._shared: _Pump | None = None

    @property
    def address(self) -> str:
        return f"{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        self._shared = self._shared_pump()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._connection, self._host, self._port)
        except OSError as error:
            raise LineError(f"cannot listen on {self.address}: {error.strerror or error}") from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._open):
            connection.reset()
        if self._shared is not None:
            self._shared.stop()
        await self._server.wait_closed()

    def _connection(self) -> _Connection:
        return _Connection(self._open, lambda _: self._shared)

    def _shared_pump(self) -> _Pump | None:
        return _Pump(self._make(self._station), self._send, self._reset)

    def _send(self, data: bytes) -> None:
        for connection in tuple(self._open):
            connection.send(data)

    def _reset(self) -> None:
        for connection in tuple(self._open):
            connection.reset()


class ModbusTcpHost(TcpHost):
    """Meters that speak Modbus TCP: every connection has its own answers, and none takes another's time."""

    def _shared_pump(self) -> _Pump | None:
        return None

    def _connection(self) -> _Connection:
        return _Connection(self._open, self._own, owns=True)

    def _own(self, connection: _Connection) -> _Pump:
        return _Pump(self._make(_InFrames(self._station)), connection.send, connection.reset)


class _InFrames:
    """A stream of Modbus TCP to a station, frame by frame, however it was cut."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._pending = bytearray()

    def hear(self, burst: bytes, at: float) -> list[Saying]:
        self._pending += burst
        said = [saying for frame in frames_of_mbap(self._pending) for saying in self._station.hear(frame, at)]
        if len(self._pending) > _LONGEST_MBAP or self._pending[2:4].strip(b"\0"):
            self._pending.clear()
            said.append(Saying(b"", 0.0, hangs_up=True))
        return said


class _Connection(asyncio.Protocol):
    """One client of a bus on TCP."""

    def __init__(
        self, open_ones: set[_Connection], pump: Callable[[_Connection], _Pump | None], *, owns: bool = False
    ) -> None:
        self._open, self._make, self._owns = open_ones, pump, owns
        self._pump: _Pump | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(self)
        self._pump = self._make(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        if self._owns and self._pump is not None:
            self._pump.stop()

    def data_received(self, data: bytes) -> None:
        if self._pump is not None:
            self._pump.heard(data)

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def reset(self) -> None:
        """End it as a device does that falls over: with RST, not with FIN."""
        if self._transport is None or self._transport.is_closing():
            return
        linger = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()
