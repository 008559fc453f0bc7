"""A simulated DL/T 645 meter: bytes in, bytes out, on any wire.

Its frames are put together here and not by the collector's codec: a mistake there must not be made twice and be right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from random import Random
from typing import Protocol

from collectors.decoder import as_wired, transformer_ratios
from collectors.dlt645.make import Item, ItemMake
from collectors.simulators.digits import Digits
from energy.quantities import Transformed, quantity
from energy.series import Floats
from energy.sites import Meter

# Date (day of the week, 0 is Sunday; day, month, year) and time (seconds, minutes, hours), lowest byte first.
_CLOCK = {bytes.fromhex("04000101"): "0%w%d%m%y", bytes.fromhex("04000102"): "%S%M%H"}

Shown = Callable[[], Mapping[str, float] | None]


class Deed(Protocol):
    """What a meter is made to do wrong."""

    @property
    def kind(self) -> str: ...

    @property
    def code(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    address: bytes
    control: int
    data: bytes


def _closed(address: bytes, control: int, data: bytes) -> bytes:
    body = b"\x68" + address + bytes((0x68, control, len(data))) + bytes((b + 0x33) % 256 for b in data)
    return b"\xfe\xfe\xfe\xfe" + body + bytes((sum(body) % 256, 0x16))


def _opened(burst: bytes) -> _Asked | None:
    frame = burst.lstrip(b"\xfe")
    if len(frame) < 12 or frame[0] != 0x68 or frame[7] != 0x68 or len(frame) != 12 + frame[9] or frame[-1] != 0x16:
        return None
    if sum(frame[:-2]) % 256 != frame[-2]:
        return None
    return _Asked(frame[1:7], frame[8], bytes((b - 0x33) % 256 for b in frame[10:-2]))


class ItemMap:
    """The data items of a meter as it is installed; the collector turns them back into the values of the circuit."""

    def __init__(self, meter: Meter, make: ItemMake) -> None:
        ratios = transformer_ratios(meter)
        self._digits = {
            item.identifier: _digits(item, ratios, reversed_=meter.reversed) for item in make.items.values()
        }
        self._trailing = {item.identifier: bytes(item.trailing) for item in make.items.values()}
        self._blocks = {
            block.identifier: [make.item(member).identifier for member in block.members] for block in make.blocks
        }
        self._by_name = {digits.name: digits for digits in self._digits.values()}

    def data(self, identifier: bytes, values: Mapping[str, float]) -> bytes | None:
        """An item, or those members of a block that there are from the first on; None where there is none."""
        made = b""
        for member in self._blocks.get(identifier, [identifier]):
            digits = self._digits.get(member)
            if digits is None or digits.name not in values:
                break
            made += digits.packed(values[digits.name]) + self._trailing[member]
        return made or None

    def shown(self, name: str, values: Floats) -> Floats:
        """The circuit's values (n,) of a quantity as one reads them."""
        return self._by_name[name].shown(values)


def _digits(item: Item, ratios: Mapping[Transformed, Fraction], *, reversed_: bool) -> Digits:
    name, turned = as_wired(item.quantity, reversed_=reversed_)
    return Digits(name, item.length, item.scale * ratios[quantity(name).transformed], item.signed, turned)


class Dlt645Slave:
    """Answers what is addressed to it, and nobody else.

    shown : its values now; None where it is out of order. clock : what its own clock shows now in local time,
    right or wrong; None where it has none. refuses : identifiers that it does not have, such as blocks.
    at_most : bytes of data in a frame, the rest is asked for with code 12.
    """

    def __init__(
        self,
        address: str,
        items: ItemMap,
        shown: Shown,
        *,
        number: int = 1,
        clock: Callable[[], datetime] | None = None,
        refuses: Collection[bytes] = (),
        at_most: int = 196,
    ) -> None:
        self.address, self.unit = address, number
        self._wire_address = bytes.fromhex(address)[::-1]
        self._items, self._shown, self._clock = items, shown, clock
        self._refuses, self._at_most = frozenset(refuses), at_most

    @property
    def name(self) -> str:
        return f"meter {self.address}"

    def answer(self, burst: bytes) -> bytes | None:
        asked = _opened(burst)
        if asked is None or asked.control & 0x80 or not self._is_meant(asked.address):
            return None
        values = self._shown()
        if values is None:
            return None
        if asked.control == 0x13:
            return _closed(self._wire_address, 0x93, self._wire_address)
        return self._said(asked, values)

    def _is_meant(self, asked: bytes) -> bool:
        return all(a in (0xAA, own) for a, own in zip(asked, self._wire_address, strict=True))

    def _said(self, asked: _Asked, values: Mapping[str, float]) -> bytes:
        identifier = asked.data[:4][::-1]
        more = asked.control == 0x12 and len(asked.data) == 5
        if not more and (asked.control != 0x11 or len(asked.data) != 4):
            return self._refused(asked.control, 0x01)
        data = None if identifier in self._refuses else self._data(identifier, values)
        first = asked.data[4] * self._at_most if more else 0
        if data is None or first >= len(data):
            return self._refused(asked.control, 0x02)
        part, rest = data[first : first + self._at_most], data[first + self._at_most :]
        control = asked.control | 0x80 | (0x20 if rest else 0)
        return _closed(self._wire_address, control, asked.data[:4] + part + asked.data[4:])

    def _data(self, identifier: bytes, values: Mapping[str, float]) -> bytes | None:
        if identifier in _CLOCK and self._clock is not None:
            return bytes.fromhex(self._clock().strftime(_CLOCK[identifier]))
        return self._items.data(identifier, values)

    def _refused(self, control: int, code: int) -> bytes:
        return _closed(self._wire_address, control | 0xC0, bytes((code,)))

    def twisted(self, misbehaviour: Deed, request: bytes, reply: bytes, chance: Random) -> bytes:
        """Its reply with a right checksum but another address, code or length; the reply itself else."""
        said = _opened(reply)
        if said is None:
            return reply
        match str(misbehaviour.kind):
            case "wrong_unit":
                return _closed(bytes((said.address[0] ^ 1, *said.address[1:])), said.control, said.data)
            case "wrong_function":
                return _closed(said.address, said.control ^ 0x05, said.data)
            case "exception":
                return self._refused(said.control & 0x1F, misbehaviour.code or 1)
            case "short":
                return _closed(said.address, said.control, said.data[:-1])
            case "long":
                return _closed(said.address, said.control, said.data + chance.randbytes(1))
        return reply

    def reboot(self) -> None:
        """Its counters are kept without power: nothing begins anew."""
