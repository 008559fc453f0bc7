"""A Modbus meter on a bus, on RTU or behind Modbus TCP.

The checksum is reckoned here and not by the collector's codec: a mistake there must not be made twice and be right.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random
from typing import NamedTuple, Protocol

from collectors.meter_profile import Table
from collectors.simulators.bus.contents import Contents
from collectors.simulators.bus.misbehaviour import Kind, Misbehaviour
from collectors.simulators.bus.written import Written
from collectors.simulators.modbus_server import answer as pdu_answer

_SHORTEST_RTU, _MBAP = 4, struct.Struct(">HHHB")
# What writes, and is answered by what it said.
_WRITES = (5, 6, 15, 16)
_TABLES = {table.function: table for table in Table}


def crc16(data: bytes) -> bytes:
    """The two bytes that end a frame of RTU, the lower first (Modbus over serial line 6.2.2).

    >>> crc16(bytes.fromhex("0207"))  # the example there: 0x1241
    b'A\\x12'
    """
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


class Opened(NamedTuple):
    """A frame without its wrapping; `mark` is the transaction of Modbus TCP, else 0."""

    unit: int
    pdu: bytes
    mark: int


class Framing(Protocol):
    """How unit and PDU are wrapped."""

    def opened(self, frame: bytes) -> Opened | None:
        """What a frame holds; None where it is none."""

    def closed(self, opened: Opened) -> bytes:
        """The frame."""


class Rtu:
    """Unit, PDU, CRC."""

    def opened(self, frame: bytes) -> Opened | None:
        if len(frame) < _SHORTEST_RTU or crc16(frame[:-2]) != frame[-2:]:
            return None
        return Opened(frame[0], frame[1:-2], 0)

    def closed(self, opened: Opened) -> bytes:
        body = bytes((opened.unit,)) + opened.pdu
        return body + crc16(body)


class Mbap:
    """Transaction, protocol 0, length, unit, PDU."""

    def opened(self, frame: bytes) -> Opened | None:
        if len(frame) <= _MBAP.size:
            return None
        mark, protocol, length, unit = _MBAP.unpack_from(frame)
        if protocol or length != len(frame) - _MBAP.size + 1:
            return None
        return Opened(unit, frame[_MBAP.size :], mark)

    def closed(self, opened: Opened) -> bytes:
        return _MBAP.pack(opened.mark, 0, len(opened.pdu) + 1, opened.unit) + opened.pdu


def frames_of_mbap(stream: bytearray) -> Iterator[bytes]:
    """The whole frames at the beginning of what a connection brought, taken out of it."""
    while len(stream) >= _MBAP.size:
        end = _MBAP.size - 1 + int.from_bytes(stream[4:6], "big")
        if len(stream) < end:
            return
        yield bytes(stream[:end])
        del stream[:end]


class ModbusSlave:
    """A unit with its registers; answers what is addressed to it, and nobody else."""

    def __init__(
        self, unit: int, contents: Contents, framing: Framing | None = None, written: Written | None = None
    ) -> None:
        self._unit, self._contents = unit, contents
        self.written = written if written is not None else Written()
        self._framing = framing if framing is not None else Rtu()

    @property
    def unit(self) -> int:
        return self._unit

    @property
    def name(self) -> str:
        return f"unit {self._unit}"

    def answer(self, burst: bytes) -> bytes | None:
        asked = self._framing.opened(burst)
        if asked is None or asked.unit != self._unit:
            return None
        pdu = self._refusal(asked.pdu) or self.written.answer(asked.pdu)
        if pdu is None:
            pdu = pdu_answer({self._unit: self._contents}, self._unit, asked.pdu)
            pdu = None if pdu is None else self.written.patched(asked.pdu, pdu)
        return None if pdu is None else self._framing.closed(asked._replace(pdu=pdu))

    def _refusal(self, pdu: bytes) -> bytes | None:
        """The exception of a hole that the request touches."""
        table = _TABLES.get(pdu[0])
        if len(pdu) != 5 or table is None:
            return None
        address, count = struct.unpack_from(">HH", pdu, 1)
        code = self._contents.refuses(table, address, count)
        return None if code is None else bytes((pdu[0] | 0x80, code))

    def twisted(self, misbehaviour: Misbehaviour, request: bytes, reply: bytes, chance: Random) -> bytes:
        said = self._framing.opened(reply)
        if said is None:
            return reply
        unit, pdu, mark = said
        match misbehaviour.kind:
            case Kind.WRONG_UNIT:
                unit = unit % 247 + 1
            case Kind.WRONG_FUNCTION:
                pdu = bytes((pdu[0] ^ 7,)) + pdu[1:]
            case Kind.WRONG_TRANSACTION:
                mark = (mark + chance.randint(1, 0xFFFF)) & 0xFFFF
            case Kind.EXCEPTION:
                pdu = bytes((pdu[0] | 0x80, misbehaviour.code or 4))
            case Kind.WRONG_ECHO if pdu[0] in _WRITES:
                pdu = pdu[:-1] + bytes((pdu[-1] ^ 1,))
            case Kind.SHORT | Kind.LONG:
                pdu = _resized(pdu, misbehaviour, chance)
        return self._framing.closed(Opened(unit, pdu, mark))

    def reboot(self) -> None:
        self._contents.reboot()


def _resized(pdu: bytes, misbehaviour: Misbehaviour, chance: Random) -> bytes:
    """The reply to a read with registers fewer or more, its count of bytes saying so."""
    if pdu[0] & 0x80 or pdu[0] in _WRITES:
        return pdu
    many = 2 * (misbehaviour.registers or 1)
    words = pdu[2:-many] if misbehaviour.kind is Kind.SHORT else pdu[2:] + chance.randbytes(many)
    words = words[:254]
    return bytes((pdu[0], len(words))) + words
