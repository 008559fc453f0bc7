"""Requests put to a simulated bus on a stepped clock, and frames made and taken apart by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

from collectors.lines.address import Characters
from collectors.simulators.bus.contents import TellingRegisters, contents_of
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.modbus_slave import ModbusSlave, crc16
from collectors.simulators.bus.wire import Wire

NOW = datetime(2026, 1, 14, 2, tzinfo=UTC)
LINE = Characters(9600)
TC = LINE.seconds


def ask(unit: int, address: int, count: int, function: int = 3) -> bytes:
    body = struct.pack(">BBHH", unit, function, address, count)
    return body + crc16(body)


def told(unit: int, *registers: int, function: int = 3) -> bytes:
    body = struct.pack(f">BBB{len(registers)}H", unit, function, 2 * len(registers), *registers)
    return body + crc16(body)


def meters(*deeds: str, units: Sequence[int] = (1, 2, 3), latency_s: float = 0.02, seed: int = 0) -> Meters:
    """Meters whose registers tell whose they are."""
    misbehaviours = [spelled_misbehaviour(deed) for deed in deeds]
    slaves = [ModbusSlave(unit, contents_of(unit, misbehaviours, now=lambda: NOW)) for unit in units]
    return Meters(slaves, misbehaviours, latency=Latency(latency_s), seed=seed)


def heard(of: Meters, request: bytes, at: float = 0.0) -> bytes:
    """All that is said to a request."""
    return b"".join(saying.data for saying in of.hear(request, at))


def exchange(wire: Wire, request: bytes, at: float) -> list[tuple[float, bytes]]:
    """What comes back to a request, each with the time at which it came; the clock steps from one thing to the next."""
    wire.put(request, at)
    came: list[tuple[float, bytes]] = []
    while (due := wire.due()) is not None:
        delivered = wire.advance(due)
        if delivered.data:
            came.append((due, delivered.data))
    return came


def telling_slave(unit: int) -> ModbusSlave:
    return ModbusSlave(unit, TellingRegisters(unit))
