"""Writing by Modbus: a coil (5), a register (6), coils (15), registers (16); and reading coils (1), to read back.

Modbus Application Protocol V1.1b3, 6.1, 6.5, 6.6, 6.11 and 6.12. The only answer to a write repeats its function, its
address, and its value or its count. Unit 0 is everybody on the line, who must not answer: nothing is written there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

COIL, REGISTER, COILS, REGISTERS = 5, 6, 15, 16
_READ_COILS = 1
_HEAD = struct.Struct(">BHH")
# What one coil is told.
_ON, _OFF = 0xFF00, 0x0000
# The most that a request holds, by function.
_MOST = {COIL: 1, REGISTER: 1, COILS: 1968, REGISTERS: 123}


@dataclass(frozen=True, slots=True)
class Writing:
    """What is written from an address on: registers as they travel, or coils, the first in the lowest bit."""

    function: int
    address: int
    count: int
    data: bytes

    def __post_init__(self) -> None:
        most = _MOST.get(self.function)
        if most is None:
            raise ValueError(f"function {self.function} does not write; there are {', '.join(map(str, _MOST))}")
        if not (1 <= self.count <= most and self.address >= 0 and self.address + self.count <= 0x10000):
            raise ValueError(f"function {self.function} writes no {self.count} from {self.address} on")
        length = (self.count + 7) // 8 if self.function in (COIL, COILS) else 2 * self.count
        if len(self.data) != length:
            raise ValueError(f"{self.count} at function {self.function} are {length} bytes, these are {len(self.data)}")

    @property
    def request(self) -> bytes:
        """The request, from the function on."""
        if self.function == COIL:
            return _HEAD.pack(COIL, self.address, _ON if self.data[0] & 1 else _OFF)
        if self.function == REGISTER:
            return _HEAD.pack(REGISTER, self.address, int.from_bytes(self.data, "big"))
        return _HEAD.pack(self.function, self.address, self.count) + bytes((len(self.data),)) + self.data

    @property
    def answer(self) -> bytes:
        """The only answer, from the function on."""
        return self.request[: _HEAD.size]

    def misfit(self, unit: int, got: bytes) -> str:
        """Why a whole frame, from its unit on, is not the answer."""
        if (other := _of_another(unit, self.function, got)) is not None:
            return other
        if len(got) != 1 + _HEAD.size:
            return f"the answer to function {self.function} is {1 + _HEAD.size} bytes long, got {len(got)}"
        _, address, value = _HEAD.unpack_from(got, 1)
        what = "value" if self.function in (COIL, REGISTER) else "count"
        wanted = _HEAD.unpack(self.answer)[2]
        return f"wrote address {self.address} {what} {wanted}, the answer says address {address} {what} {value}"


@dataclass(frozen=True, slots=True)
class Coils:
    """Coils to be read, from an address on."""

    address: int
    count: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.count <= 2000 and self.address >= 0 and self.address + self.count <= 0x10000):
            raise ValueError(f"no request can be for {self.count} coils from {self.address} on")

    @property
    def bytes_count(self) -> int:
        return (self.count + 7) // 8

    @property
    def request(self) -> bytes:
        return _HEAD.pack(_READ_COILS, self.address, self.count)

    @property
    def answer_head(self) -> bytes:
        return bytes((_READ_COILS, self.bytes_count))

    def misfit(self, unit: int, got: bytes) -> str:
        other = _of_another(unit, _READ_COILS, got)
        return other or f"asked {self.count} coils, got {len(got) - 3} bytes"


def check_unit(unit: int) -> None:
    """ValueError where a write would go to everybody, or to nobody."""
    if not 1 <= unit <= 255:
        raise ValueError(f"unit {unit} is not one meter: nothing is written there")


def _of_another(unit: int, function: int, got: bytes) -> str | None:
    if got[:1] != bytes((unit,)):
        return f"unit {got[0]} answered instead of unit {unit}" if got else "an empty frame came"
    if len(got) < 2 or got[1] != function:
        return f"asked function {function}, got {got[1] if len(got) > 1 else 'none'}"
    return None
