"""Wires that carry bytes: a serial port of this machine, and a serial server that passes bytes on over TCP.

A serial port is driven by the standard library's termios: what a line needs of it is a raw port, its speed and parity,
and bytes when they come, which asyncio tells of by the descriptor.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from collectors.lines.address import Characters, SerialAddress, SerialServerAddress
from collectors.lines.line import Unreachable

Heard = Callable[[bytes], None]
Lost = Callable[[str], None]


class Wire(Protocol):
    """An open wire. What comes is handed to `heard` as it comes, its end to `lost`, once."""

    def write(self, data: bytes) -> None:
        """Send; a wire that cannot tells `lost`."""

    async def collect(self) -> None:
        """Hand over all that has come by now."""

    def rest(self, seconds: float) -> None:
        """Nothing that comes within this time is enough yet; it may be handed over together after it."""

    def close(self) -> None:
        """Let go of it; nothing is handed over afterwards."""


class SerialWire:
    """A serial port, held for this process alone."""

    def __init__(self, descriptor: int, heard: Heard, lost: Lost) -> None:
        self._descriptor, self._heard, self._lost = descriptor, heard, lost
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None
        self._loop.add_reader(descriptor, self._read)

    @classmethod
    def open(cls, address: SerialAddress, heard: Heard, lost: Lost) -> SerialWire:
        """Open the port raw and take it; Unreachable says why it cannot be."""
        try:
            descriptor = os.open(address.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise Unreachable(f"{address}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _make_raw(descriptor, address.characters)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Unreachable(f"{address}: another process has the port") from error
        except (OSError, termios.error) as error:
            os.close(descriptor)
            raise Unreachable(f"{address}: cannot be set as a serial port: {error}") from error
        return cls(descriptor, heard, lost)

    def write(self, data: bytes) -> None:
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._gone(error.strerror or str(error))
            return
        if written < len(data):
            # A request fits into the buffer of any port; one that is full is stuck.
            self._gone("the port takes no more bytes")

    async def collect(self) -> None:
        self._read()

    def rest(self, seconds: float) -> None:
        # A port wakes its reader for every character; to be woken once for an answer costs half as much.
        if self._resting is None and self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            self._resting = self._loop.call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._resting = None
        self._loop.add_reader(self._descriptor, self._read)
        self._read()

    def close(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> None:
        if self._descriptor < 0:
            return
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(error.strerror or str(error))
            return
        if data:
            self._heard(data)
        else:
            self._gone("the port is gone")

    def _gone(self, why: str) -> None:
        self.close()
        self._lost(why)


def _make_raw(descriptor: int, characters: Characters) -> None:
    """8 bits as they are: no echo, no lines, no flow control, no waiting for a modem."""
    speed = getattr(termios, f"B{characters.baud}")
    control = termios.CS8 | termios.CREAD | termios.CLOCAL
    if characters.stop == 2:
        control |= termios.CSTOPB
    if characters.parity != "N":
        control |= termios.PARENB | (termios.PARODD if characters.parity == "O" else 0)
    # A character of wrong parity comes as 0 and so breaks the CRC of its frame.
    on_input = termios.INPCK if characters.parity != "N" else 0
    specials = termios.tcgetattr(descriptor)[6]
    specials[termios.VMIN], specials[termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, [on_input, 0, control, 0, speed, speed, specials])
    termios.tcflush(descriptor, termios.TCIOFLUSH)


class SocketWire(asyncio.Protocol):
    """A connection to a serial server."""

    def __init__(self, heard: Heard, lost: Lost) -> None:
        self._heard, self._lost = heard, lost
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, address: SerialServerAddress, heard: Heard, lost: Lost, timeout_s: float) -> SocketWire:
        """Connect; Unreachable says why it cannot be."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                _, made = await loop.create_connection(lambda: cls(heard, lost), address.host, address.port)
        except TimeoutError as error:
            raise Unreachable(f"{address}: no connection within {timeout_s:g} s") from error
        except OSError as error:
            raise Unreachable(f"{address}: {error.strerror or error}") from error
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._lost(str(exc) if exc else "the serial server closed the connection")

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def rest(self, seconds: float) -> None:
        """What comes over a network comes in packets anyhow."""

    async def collect(self) -> None:
        # Two turns of the loop: in the first the selector is looked at, in the second what it found is handed over.
        for _ in range(2):
            await asyncio.sleep(0)

    def close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            with suppress(RuntimeError):
                transport.abort()
