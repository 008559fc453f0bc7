"""A simulated CJ/T 188 meter: bytes in, bytes out, on any wire.

Its frames are put together here and not by the collector's codec: a mistake there must not be made twice and be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from collectors.cjt188.make import NumberField, RecordMake
from collectors.cjt188.units import unit_code
from collectors.decoder import as_wired
from collectors.simulators.digits import Digits
from collectors.simulators.dlt645_slave import Deed, Shown
from energy.quantities import quantity
from energy.series import Floats
from energy.sites import Meter


def _closed(meter_type: int, address: bytes, control: int, data: bytes) -> bytes:
    body = bytes((0x68, meter_type)) + address + bytes((control, len(data))) + data
    return b"\xfe\xfe\xfe" + body + bytes((sum(body) % 256, 0x16))


def _opened(burst: bytes) -> tuple[int, bytes, int, bytes] | None:
    frame = burst.lstrip(b"\xfe")
    if len(frame) < 13 or frame[0] != 0x68 or len(frame) != 13 + frame[10] or frame[-1] != 0x16:
        return None
    if sum(frame[:-2]) % 256 != frame[-2]:
        return None
    return frame[1], frame[2:9], frame[9], frame[11:-2]


class RecordMap:
    """The record of a meter as it is installed; what it shows, the collector turns back into the values of its pipe."""

    def __init__(self, meter: Meter, make: RecordMake) -> None:
        self.make = make
        self._digits = {field.at: _digits(field, reversed_=meter.reversed) for field in make.fields.values()}
        self._by_name = {digits.name: digits for digits in self._digits.values()}

    def record(self, values: Mapping[str, float], status: int) -> bytes:
        """What it answers; a quantity that is not given is filled with FF."""
        made = bytearray(self.make.length)
        for field in self.make.fields.values():
            if field.code_at is not None:
                made[field.code_at] = unit_code(quantity(field.quantity).unit)
            digits = self._digits[field.at]
            value = values.get(digits.name)
            shown = b"\xff" * field.length if value is None else digits.packed(value)
            made[field.at : field.at + field.length] = shown
        if self.make.status is not None:
            length = self.make.status.stop - self.make.status.start
            made[self.make.status] = status.to_bytes(length, "little")
        return bytes(made)

    def shown(self, name: str, values: Floats) -> Floats:
        """The pipe's values (n,) of a quantity as one reads them."""
        return self._by_name[name].shown(values)


def _digits(field: NumberField, *, reversed_: bool) -> Digits:
    name, turned = as_wired(field.quantity, reversed_=reversed_)
    return Digits(name, field.length, field.scale, field.signed, turned)


class Cjt188Slave:
    """Answers what is addressed to it, and nobody else; `status` is that of battery and valve."""

    def __init__(self, address: str, record: RecordMap, shown: Shown, *, number: int = 1, status: int = 0) -> None:
        self.address, self.unit, self.status = address, number, status
        self._wire_address = bytes.fromhex(address)[::-1]
        self._record, self._shown = record, shown

    @property
    def name(self) -> str:
        return f"meter {self.address}"

    def answer(self, burst: bytes) -> bytes | None:
        asked = _opened(burst)
        if asked is None or asked[2] & 0x80 or not self._is_meant(*asked[:2]):
            return None
        values = self._shown()
        if values is None:
            return None
        _, _, control, data = asked
        if control == 0x03 and len(data) == 3:
            return self._said(0x83, data)
        if control != 0x01 or data[:2] != self._record.make.item or len(data) != 3:
            return self._said(control | 0xC0, data[2:3] + self.status.to_bytes(2, "little"))
        return self._said(0x81, data + self._record.record(values, self.status))

    def _is_meant(self, meter_type: int, address: bytes) -> bool:
        own = zip(address, self._wire_address, strict=True)
        return meter_type in (0xAA, self._record.make.meter_type) and all(a in (0xAA, b) for a, b in own)

    def _said(self, control: int, data: bytes) -> bytes:
        return _closed(self._record.make.meter_type, self._wire_address, control, data)

    def twisted(self, misbehaviour: Deed, request: bytes, reply: bytes, chance: Random) -> bytes:
        """Its reply with a right checksum but another address, code, number or length; the reply itself else."""
        said = _opened(reply)
        if said is None:
            return reply
        meter_type, address, control, data = said
        match str(misbehaviour.kind):
            case "wrong_unit":
                return _closed(meter_type, bytes((address[0] ^ 1, *address[1:])), control, data)
            case "wrong_function":
                return _closed(meter_type, address, control ^ 0x08, data)
            case "wrong_transaction":
                return _closed(meter_type, address, control, data[:2] + bytes((data[2] ^ 1,)) + data[3:])
            case "exception":
                return self._said(control | 0xC0, data[2:3] + (misbehaviour.code or 4).to_bytes(2, "little"))
            case "short":
                return _closed(meter_type, address, control, data[:-1])
            case "long":
                return _closed(meter_type, address, control, data + chance.randbytes(1))
        return reply

    def reboot(self) -> None:
        """Its counters are kept without power: nothing begins anew."""
