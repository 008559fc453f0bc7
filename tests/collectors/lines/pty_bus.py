"""A serial line with meters of any manner at its other end: a pty, whose master is served in this loop."""

from __future__ import annotations

import asyncio
import os
import pty
import struct
import tty
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from collectors.lines.modbus_rtu import crc16


class Asked(NamedTuple):
    """A request as it came."""

    unit: int
    function: int
    address: int
    registers: int

    def frame(self, *, unit: int | None = None, function: int | None = None, words: bytes | None = None) -> bytes:
        """A whole frame that answers it, or pretends to; words count up from the address unless they are given."""
        data = words_of(self.address, self.registers) if words is None else words
        head = bytes((self.unit if unit is None else unit, self.function if function is None else function, len(data)))
        return head + data + crc16(head + data)


def words_of(address: int, count: int) -> bytes:
    """The registers of a block at any station: each holds its address."""
    return struct.pack(f">{count}H", *range(address, address + count))


# What goes out after a request: after how many seconds, which bytes.
Manner = Callable[[Asked], Iterable[tuple[float, bytes]]]


def right(asked: Asked) -> Iterable[tuple[float, bytes]]:
    return [(0.0, asked.frame())]


def silent(_: Asked) -> Iterable[tuple[float, bytes]]:
    return []


class PtyBus:
    """Meters behind a pty: of one manner after another, then of `manner` for ever."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self.manner: Manner = right
        self.manners: Iterator[Manner] = iter(())
        self.asked: list[Asked] = []
        self.broken = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._read)

    def behave(self, *manners: Manner) -> None:
        self.manners = iter(manners)

    def say(self, data: bytes) -> None:
        os.write(self._master, data)

    def close(self) -> None:
        self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> None:
        request = os.read(self._master, 4096)
        if len(request) != 8 or crc16(request[:6]) != request[6:]:
            self.broken += 1
            return
        asked = Asked._make(struct.unpack(">BBHH", request[:6]))
        self.asked.append(asked)
        for after_s, data in next(self.manners, self.manner)(asked):
            if after_s:
                self._loop.call_later(after_s, self.say, data)
            else:
                self.say(data)
