"""What a simulated Modbus meter was told: registers and coils that can be written, and read again.

Requests are taken apart here and not by the collector's codec, for the same reason as checksums are (`modbus_slave`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from collectors.register_map import Setting
from collectors.writing import encoded

_ADDRESS_AND_MORE = struct.Struct(">HH")
_READ_COILS, _READ_HOLDING = 1, 3
_WRITE_COIL, _WRITE_REGISTER = 5, 6
_ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 2, 3


class Written:
    """The registers and coils of a meter that may be written: those of its settings, or all where none are given.

    A setting stands at its least value until it is written.
    """

    def __init__(self, settings: Sequence[Setting] | None = None) -> None:
        self.registers: dict[int, int] = {}
        self.coils: dict[int, bool] = {}
        self._all = settings is None
        for setting in settings or ():
            words = encoded(setting, setting.low)
            if setting.is_coil:
                self.coils[setting.address] = bool(words[0])
            else:
                values = struct.unpack(f">{setting.length}H", words)
                self.registers.update(enumerate(values, start=setting.address))

    def answer(self, pdu: bytes) -> bytes | None:
        """The answer to a write, or to a read that it alone can answer; None where it says nothing to it."""
        if len(pdu) < 5:
            return None
        address, more = _ADDRESS_AND_MORE.unpack_from(pdu, 1)
        match pdu[0]:
            case 1 if self._all or self.coils:
                return self._read_coils(pdu, address, more)
            case 3 if more and all(a in self.registers for a in range(address, address + more)):
                words = [self.registers[a] for a in range(address, address + more)]
                return bytes((_READ_HOLDING, 2 * more)) + struct.pack(f">{more}H", *words)
            case 5 | 15 if self._all or self.coils:
                return self._write_coils(pdu, address, more)
            case 6 | 16 if self._all or self.registers:
                return self._write_registers(pdu, address, more)
        return None

    def patched(self, pdu: bytes, reply: bytes) -> bytes:
        """The answer to a read of registers, of which some may have been written."""
        if pdu[0] != _READ_HOLDING or reply[0] != _READ_HOLDING or not self.registers:
            return reply
        address, count = _ADDRESS_AND_MORE.unpack_from(pdu, 1)
        words = bytearray(reply)
        for i in range(count):
            if (value := self.registers.get(address + i)) is not None:
                words[2 + 2 * i : 4 + 2 * i] = value.to_bytes(2, "big")
        return bytes(words)

    def _read_coils(self, pdu: bytes, address: int, count: int) -> bytes:
        if not 1 <= count <= 2000 or len(pdu) != 5:
            return _exception(pdu, _ILLEGAL_VALUE)
        if not self._may(range(address, address + count), self.coils):
            return _exception(pdu, _ILLEGAL_ADDRESS)
        number = sum(self.coils.get(address + i, False) << i for i in range(count))
        return bytes((_READ_COILS, (count + 7) // 8)) + number.to_bytes((count + 7) // 8, "little")

    def _write_coils(self, pdu: bytes, address: int, more: int) -> bytes:
        if pdu[0] == _WRITE_COIL:
            values = {0xFF00: [True], 0x0000: [False]}.get(more, [])
        else:
            number = int.from_bytes(pdu[6:], "little")
            right = 1 <= more <= 1968 and len(pdu) == 6 + pdu[5] and pdu[5] == (more + 7) // 8
            values = [bool(number >> i & 1) for i in range(more)] if right else []
        if not values:
            return _exception(pdu, _ILLEGAL_VALUE)
        if not self._may(range(address, address + len(values)), self.coils):
            return _exception(pdu, _ILLEGAL_ADDRESS)
        self.coils.update(enumerate(values, start=address))
        return pdu[:5]

    def _write_registers(self, pdu: bytes, address: int, more: int) -> bytes:
        if pdu[0] == _WRITE_REGISTER:
            values: tuple[int, ...] = (more,)
        else:
            right = 1 <= more <= 123 and len(pdu) == 6 + 2 * more and pdu[5] == 2 * more
            values = struct.unpack(f">{more}H", pdu[6:]) if right else ()
        if not values:
            return _exception(pdu, _ILLEGAL_VALUE)
        if not self._may(range(address, address + len(values)), self.registers):
            return _exception(pdu, _ILLEGAL_ADDRESS)
        self.registers.update(enumerate(values, start=address))
        return pdu[:5]

    def _may(self, addresses: range, known: dict[int, int] | dict[int, bool]) -> bool:
        if addresses.stop > 0x10000:
            return False
        return self._all or all(address in known for address in addresses)


def _exception(pdu: bytes, code: int) -> bytes:
    return bytes((pdu[0] | 0x80, code))
