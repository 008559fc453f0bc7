"""From the words of a reply to numbers: one compiled plan per meter, exact to the last bit of the register.

Integers are scaled as fractions with a single rounding, so 12 345 at 0.01 is 123.45 and nothing else.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from collectors.meter_profile import Part, Profile, Register, Table, WordOrder  # noqa: F401 - Table for the doctest
from collectors.planner import Block, RequestCost, plan
from energy.quantities import Transformed, quantity
from energy.readings import Quality, Reason
from energy.sites import Meter

_STRUCT = {
    "uint16": "H",
    "int16": "h",
    "bcd16": "2s",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "bcd32": "4s",
    "bcd48": "6s",
    "uint64": "Q",
    "int64": "q",
    "float64": "d",
    "bcd64": "8s",
}

Scaled = Callable[[int | float | bytes], float]


class Decoded(NamedTuple):
    """What a meter said of one quantity, in the quantity's unit; None where it said nothing that is a number."""

    quantity: str
    value: float | None
    quality: Quality
    reason: Reason


def byte_order(part: Part) -> list[int]:
    """Positions, in the bytes as they travel, of the value's bytes from the most significant on.

    >>> byte_order(Part(Table.HOLDING, 0, "uint32", WordOrder.CDAB, Fraction(1)))
    [2, 3, 0, 1]
    """
    words = [[2 * i, 2 * i + 1] for i in range(part.length)]
    if part.word_order in (WordOrder.CDAB, WordOrder.DCBA):
        words.reverse()
    if part.word_order in (WordOrder.BADC, WordOrder.DCBA):
        words = [word[::-1] for word in words]
    return [i for word in words for i in word]


def _bcd(raw: bytes) -> int:
    """The decimal number that packed digits spell; ValueError where a nibble is no digit."""
    return int(raw.hex())


def scaler(part: Part, ratio: Fraction) -> Scaled:
    """The function from a value on the wire to the quantity's unit; `ratio` is that of the transformers."""
    whole = part.scale * ratio
    top, bottom = whole.numerator, whole.denominator
    if part.type.startswith("bcd"):
        return lambda raw: _bcd(raw) * top / bottom  # type: ignore[arg-type]
    if whole == 1:
        return float
    return lambda raw: raw * top / bottom  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class _Field:
    quantity: str
    turned: bool
    at: slice
    scalers: tuple[Scaled, ...]


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A request and how to understand its reply."""

    block: Block
    unpack: Callable[[bytes], tuple[int | float | bytes, ...]]
    fields: tuple[_Field, ...]

    def decode(self, payload: bytes) -> list[Decoded]:
        """What the reply says; `payload` is the 2·count bytes of its registers.

        ValueError where the reply is of another length: it is then no answer to this request.
        """
        if len(payload) != 2 * self.block.count:
            raise ValueError(f"reply of {len(payload)} bytes to a request of {self.block.count} registers")
        raw = self.unpack(payload)
        return [_decoded(field, raw) for field in self.fields]


def _decoded(field: _Field, raw: tuple[int | float | bytes, ...]) -> Decoded:
    try:
        value = sum(scale(part) for scale, part in zip(field.scalers, raw[field.at], strict=True))
    except (ValueError, OverflowError):
        return Decoded(field.quantity, None, Quality.BAD, Reason.NOT_A_NUMBER)
    if not math.isfinite(value):
        return Decoded(field.quantity, None, Quality.BAD, Reason.NOT_A_NUMBER)
    return Decoded(field.quantity, -value if field.turned and value else value, Quality.GOOD, Reason.NONE)


def compile_meter(meter: Meter, profile: Profile, cost: RequestCost) -> list[BlockPlan]:
    """The requests that read a meter as it is installed, each with its decoder.

    Reads the meter's own `quantities`, or all of the profile where it names none.
    """
    wanted = meter.quantities or readable(profile, reversed_=meter.reversed)
    registers = [_installed(profile, name, reversed_=meter.reversed) for name in wanted]
    blocks = plan([register for _, _, register in registers], cost, max_registers=profile.max_registers)
    ratios = transformer_ratios(meter)
    # Blocks may overlap: a register is taken from the first that holds all of it.
    first = [next(b for b in blocks if all(b.holds(part) for part in r.parts)) for _, _, r in registers]
    own = {block: [r for r, b in zip(registers, first, strict=True) if b == block] for block in blocks}
    return [_compile_block(block, own[block], ratios) for block in blocks]


def readable(profile: Profile, *, reversed_: bool = False) -> tuple[str, ...]:
    """The quantities that can be read of a meter of this make: wired backwards, its import is our export."""
    return tuple(as_wired(name, reversed_=reversed_)[0] for name in profile.quantities)


def transformer_ratios(meter: Meter) -> Mapping[Transformed, Fraction]:
    """By how much each kind of quantity is multiplied at this meter."""
    ct, pt = Fraction(str(meter.ct)), Fraction(str(meter.pt))
    return {
        Transformed.NONE: Fraction(1),
        Transformed.CURRENT: ct,
        Transformed.VOLTAGE: pt,
        Transformed.POWER: ct * pt,
    }


def as_wired(name: str, *, reversed_: bool) -> tuple[str, bool]:
    """Which quantity a meter holds under this name as it is wired, and whether its sign is turned; its own inverse.

    >>> as_wired("active_energy_import", reversed_=True)
    ('active_energy_export', False)
    """
    if not reversed_:
        return name, False
    for one, other in (("_import", "_export"), ("_export", "_import")):
        if one in name:
            return name.replace(one, other), False
    if name in _VOLUMES:
        return _VOLUMES[name], False
    return name, name.startswith(("active_power", "reactive_power", "power_factor")) or name == "flow_rate"


_VOLUMES = {"volume": "volume_reverse", "volume_reverse": "volume"}


def _installed(profile: Profile, name: str, *, reversed_: bool) -> tuple[str, bool, Register]:
    held, turned = as_wired(name, reversed_=reversed_)
    return name, turned, profile.register(held)


def _compile_block(
    block: Block, registers: Sequence[tuple[str, bool, Register]], ratios: Mapping[Transformed, Fraction]
) -> BlockPlan:
    positions: list[int] = []
    letters = ""
    fields: list[_Field] = []
    for name, turned, register in registers:
        first = len(letters.translate({ord(d): None for d in "0123456789"}))
        for part in register.parts:
            offset = 2 * (part.address - block.address)
            positions += [offset + i for i in byte_order(part)]
            letters += _STRUCT[part.type]
        ratio = ratios[quantity(name).transformed]
        scalers = tuple(scaler(part, ratio) for part in register.parts)
        fields.append(_Field(name, turned, slice(first, first + len(scalers)), scalers))
    unpack = struct.Struct(">" + letters).unpack
    if positions == list(range(2 * block.count)):
        return BlockPlan(block, unpack, tuple(fields))
    pick = itemgetter(*positions)
    return BlockPlan(block, lambda payload: unpack(bytes(pick(payload))), tuple(fields))
