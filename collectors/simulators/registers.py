"""The inverse of the decoder: from what a circuit carries to the words of a meter's registers."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from collectors.decoder import as_wired, byte_order, transformer_ratios
from collectors.layout import LETTERS
from collectors.meter_profile import BITS, Part, Profile, Register, Table
from energy.quantities import Kind, quantity
from energy.series import Floats
from energy.sites import Meter

_FLOATS: dict[str, type[np.floating[Any]]] = {"float16": np.float16, "float32": np.float32}


@dataclass(frozen=True, slots=True)
class Image:
    """The registers of one table at a moment: `words` are the bytes from `first` on; unmapped ones within are 0."""

    first: int
    words: bytes

    def read(self, address: int, count: int) -> bytes | None:
        """The bytes of `count` registers from an address on; None where one lies outside."""
        start = 2 * (address - self.first)
        end = start + 2 * count
        return self.words[start:end] if start >= 0 and end <= len(self.words) else None


Images = Mapping[Table, Image]


@dataclass(frozen=True, slots=True)
class _Held:
    """A number in registers: `scale` and the ratio of the transformers together are top / bottom."""

    part: Part
    top: int
    bottom: int
    at: tuple[int, ...]
    counter: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A register of the profile, and which quantity of the circuit stands in it with which sign."""

    quantity: str
    sign: int
    parts: tuple[_Held, ...]


class RegisterMap:
    """The registers of a meter as it is installed; what they show, the decoder turns back into the circuit's values.

    Transformers and a meter wired backwards are undone as the decoder applies them. A counter rolls over where its
    register does; what else does not fit is shown as the nearest value that does.
    """

    def __init__(self, meter: Meter, profile: Profile) -> None:
        self._spans = {table: _span(profile, table) for table in Table}
        ratios = transformer_ratios(meter)
        self._rows = tuple(
            self._row(register, reversed_=meter.reversed, ratio=ratios[quantity(register.quantity).transformed])
            for register in profile.registers
        )
        self._by_quantity = {row.quantity: row for row in self._rows}

    @property
    def quantities(self) -> tuple[str, ...]:
        """What of the circuit the registers hold."""
        return tuple(self._by_quantity)

    def images(self, values: Mapping[str, float]) -> dict[Table, Image]:
        """The registers for the circuit's values; a quantity that is not given reads 0."""
        words = {table: bytearray(2 * (end - first)) for table, (first, end) in self._spans.items()}
        for row in self._rows:
            value = row.sign * values.get(row.quantity, 0.0)
            for held, raw in _raws(row.parts, value):
                target = words[held.part.table]
                for position, byte in zip(held.at, _bytes(held.part, raw), strict=True):
                    target[position] |= byte  # several quantities may share a register, bit by bit
        return {t: Image(self._spans[t][0], bytes(made)) for t, made in words.items() if made}

    def shown(self, name: str, values: Floats) -> Floats:
        """The circuit's values (n,) of a quantity as one reads them: rounded and rolled over as its register is."""
        row = self._by_quantity[name]
        rest, shown = row.sign * values, np.zeros(len(values))
        for i, held in enumerate(row.parts):
            wire = rest * held.bottom / held.top
            raw = _fitted(held, np.trunc(wire) if i < len(row.parts) - 1 else wire)
            value = raw if held.top == held.bottom else raw * held.top / held.bottom
            rest, shown = rest - value, shown + value
        return row.sign * shown

    def _row(self, register: Register, *, reversed_: bool, ratio: Fraction) -> _Row:
        name, turned = as_wired(register.quantity, reversed_=reversed_)
        counter = quantity(name).kind is Kind.COUNTER
        return _Row(
            name, -1 if turned else 1, tuple(self._held(part, ratio, counter=counter) for part in register.parts)
        )

    def _held(self, part: Part, ratio: Fraction, *, counter: bool) -> _Held:
        first = 2 * (part.address - self._spans[part.table][0])
        whole = part.scale * ratio
        at = tuple(first + offset for offset in byte_order(part))
        return _Held(part, whole.numerator, whole.denominator, at, counter)


def _span(profile: Profile, table: Table) -> tuple[int, int]:
    parts = [p for register in profile.registers for p in register.parts if p.table is table]
    return (min(p.address for p in parts), max(p.address + p.length for p in parts)) if parts else (0, 0)


def _raws(parts: tuple[_Held, ...], value: float) -> list[tuple[_Held, float]]:
    """The value on the wire of each part: all but the last hold whole steps, the last what is left."""
    made = []
    for i, held in enumerate(parts):
        wire = value * held.bottom / held.top
        whole = i < len(parts) - 1 and math.isfinite(wire)
        raw = float(_fitted(held, np.array([math.trunc(wire) if whole else wire]))[0])
        made.append((held, raw))
        value -= raw * held.top / held.bottom
    return made


def limits(of_type: str, *, counter: bool) -> tuple[int, int]:
    """The least and the greatest whole number that a type shows; a counter has no sign.

    >>> limits("int32", counter=True), limits("bcd16", counter=False)
    ((0, 2147483647), (0, 9999))
    """
    bits = BITS[of_type]
    if of_type.startswith(("bcd", "mod10k")):
        return 0, 10 ** (bits // 4) - 1
    if of_type.startswith("uint"):
        return 0, 2**bits - 1
    return 0 if counter else -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _fitted(held: _Held, wire: Floats) -> Floats:
    """The numbers (n,) that a register shows for those that it should; NaN in a whole number is 0."""
    if held.part.type == "float64":
        return wire
    if held.part.type in _FLOATS:
        of_type = _FLOATS[held.part.type]
        largest = float(np.finfo(of_type).max)
        return np.clip(wire, -largest, largest).astype(of_type).astype(np.float64)
    low, high = limits(held.part.type, counter=held.counter)
    if held.part.bits is not None:
        low, high = 0, 2 ** (held.part.bits[1] - held.part.bits[0] + 1) - 1
    whole = np.rint(np.nan_to_num(wire, nan=0.0, posinf=high, neginf=low))
    if held.counter:
        return np.where(whole < 0, 0.0, np.mod(whole, float(high + 1)))
    return np.clip(whole, low, high)


def _bytes(part: Part, raw: float) -> bytes:
    """The bytes of a number, the most significant first."""
    if part.type.startswith("float"):
        return struct.pack(f">{LETTERS[part.type]}", raw)
    low, high = limits(part.type, counter=False)
    whole = max(low, min(high, int(raw)))
    if part.bits is not None:
        whole <<= part.bits[0]
    if part.type.startswith("bcd"):
        return bytes.fromhex(f"{whole:0{4 * part.length}d}")
    if part.type.startswith("mod10k"):
        digits = f"{whole:0{4 * part.length}d}"
        return struct.pack(f">{part.length}H", *(int(digits[i : i + 4]) for i in range(0, len(digits), 4)))
    return whole.to_bytes(BITS[part.type] // 8, "big", signed=part.type.startswith("int"))
