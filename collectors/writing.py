"""Writing to a meter: off unless the site file switches a setting on, and only what its profile describes.

An `Order` is all that may be carried out, and is made by `order_of` alone, which refuses everything else in a sentence.
It is carried out as three requests in one go: what stands there is read, then written once, then read back. A write
that got no answer is not asked again: whether the meter took it is not known, and what it then shows is told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

from collectors.layout import LETTERS, byte_order
from collectors.lines.line import Refused, WritableLine
from collectors.lines.modbus_writing import Coils, Writing
from collectors.makes import SPOKEN, Make
from collectors.meter_profile import Profile, Setting
from collectors.planner import Block
from collectors.profile_words import number_limits
from collectors.register_map import BITS, Table
from energy.errors import EnergyError, LineError
from energy.sites import Meter


class NotWritten(EnergyError):
    """It was not asked to be written; why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Order:
    """One value for one setting of one meter; `words` are the registers, or the coil, as they travel."""

    meter: str
    unit: int
    setting: Setting
    value: Decimal
    words: bytes


class Answer(StrEnum):
    """What the meter said to the write.

    repeated : it repeated what was written. refused : it declined by an exception. nothing : nothing that could be its
    answer came in time, so that it is not known whether it took it.
    """

    REPEATED = "repeated"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order; values in the unit of the setting, `read_back` None where it could not be read again.

    detail : what the line says of a write or a reading that failed.
    """

    old: Decimal | None
    new: Decimal
    answer: Answer
    read_back: Decimal | None
    holds: bool
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What is known."""
        if self.holds:
            late = "" if self.answer is Answer.REPEATED else "; it did not say so"
            return f"the meter shows the new value{late}"
        if self.read_back is None:
            return "unknown: the meter could not be read afterwards; look at its display, then write again or not"
        if self.answer is Answer.REFUSED:
            return "the meter refused it and shows another value"
        if self.answer is Answer.REPEATED:
            return (
                "the meter repeated the new value but shows another one: it was not taken, or is bounded by the meter"
            )
        return "no answer came, and the meter shows another value: it was not taken so far; it is not written again"


def writable_faults(meter: Meter, make: Make) -> Iterator[tuple[str, str]]:
    """What is wrong with what a site file switches on: name, and words."""
    for name, (low, high) in meter.writable.items():
        if not isinstance(make, Profile):
            yield name, f"cannot be written: {SPOKEN[make.protocol]} meters are read only"
            continue
        setting = make.setting(name)
        if setting is None:
            has = ", ".join(s.name for s in make.writable) or "nothing that may be written"
            yield name, f"is no setting of profile {make.id}; it has {has}"
        elif low < setting.low or high > setting.high:
            yield name, f"lies not within {setting.low} to {setting.high}, which profile {make.id} allows"
        elif meter.unit == 0:
            yield name, "cannot be written at unit 0, which is every meter on the line"


def order_of(meter: Meter, make: Make | None, name: str, text: str) -> Order:
    """The order to write a value, as it was given, to a setting of a meter; NotWritten says why there is none."""
    if make is not None and not isinstance(make, Profile):
        raise NotWritten(f"meter {meter.id} speaks {SPOKEN[make.protocol]}: such meters are read, never written")
    if name not in meter.writable:
        on = ", ".join(meter.writable) or "nothing"
        raise NotWritten(
            f"{name} of meter {meter.id} is not switched on for writing; switched on is {on} "
            "(`writable:` of the meter in the site file)"
        )
    if make is None:
        raise NotWritten(f"meter {meter.id} has no profile that says how {name} is written")
    wrong = [f"{key} {words}" for key, words in writable_faults(meter, make) if key == name]
    setting = make.setting(name)
    if wrong or setting is None:
        raise NotWritten(f"meter {meter.id}: {'; '.join(wrong)}")
    value = _number(text)
    low, high = meter.writable[name]
    if not low <= value <= high:
        between = f"{low} to {high} {setting.unit}".rstrip()
        raise NotWritten(f"{name} of meter {meter.id} may be {between}, not {value}")
    return Order(meter.id, meter.unit, setting, value, encoded(setting, value))


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise NotWritten(f"{text!r} is not a number") from error
    if not value.is_finite():
        raise NotWritten(f"{text!r} is not a number")
    return value


def encoded(setting: Setting, value: Decimal) -> bytes:
    """The registers, or the coil, that stand for a value; NotWritten where no whole step does.

    A float holds the nearest value there is.
    """
    if setting.is_coil:
        if value not in (0, 1):
            raise NotWritten(f"{setting.name} is a coil: 0 or 1, not {value}")
        return bytes((int(value),))
    wire = Fraction(value) / setting.scale
    if setting.type.startswith("float"):
        raw = struct.pack(f">{LETTERS[setting.type]}", float(wire))
    else:
        if wire.denominator != 1:
            raise NotWritten(f"{setting.name} goes in steps of {_decimal(setting.scale)}, {value} is none")
        raw = _whole(setting, int(wire))
    made = bytearray(2 * setting.length)
    for position, byte in zip(byte_order(setting.part), raw, strict=True):
        made[position] = byte
    return bytes(made)


def _whole(setting: Setting, wire: int) -> bytes:
    least, most = number_limits(setting.type)
    if not least <= wire <= most:
        raise NotWritten(f"{setting.name}: {wire} does not fit into {setting.type}")
    if setting.type.startswith("bcd"):
        return bytes.fromhex(f"{wire:0{4 * setting.length}d}")
    return wire.to_bytes(BITS[setting.type] // 8, "big", signed=setting.type.startswith("int"))


def decoded(setting: Setting, words: bytes) -> Decimal | None:
    """The value that registers, or a coil, stand for; None where it is no number."""
    if setting.is_coil:
        return Decimal(words[0] & 1)
    raw = bytes(words[i] for i in byte_order(setting.part))
    if setting.type.startswith("float"):
        number = struct.unpack(f">{LETTERS[setting.type]}", raw)[0]
        shown = Decimal(repr(number) if BITS[setting.type] == 64 else f"{number:.7g}")
        return shown * _decimal(setting.scale) if shown.is_finite() else None
    if setting.type.startswith("bcd"):
        return Decimal(raw.hex()) * _decimal(setting.scale) if raw.hex().isdecimal() else None
    return Decimal(int.from_bytes(raw, "big", signed=setting.type.startswith("int"))) * _decimal(setting.scale)


def _decimal(scale: Fraction) -> Decimal:
    # A scale was written as a decimal number, so this is exact.
    return Decimal(scale.numerator) / Decimal(scale.denominator)


async def shown(line: WritableLine, unit: int, setting: Setting) -> bytes:
    """The registers of a setting, or its coil, as they stand in the meter."""
    if setting.is_coil:
        return bytes((((await line.read_coils(unit, Coils(setting.address))).payload)[0] & 1,))
    return (await line.read(unit, Block(Table.HOLDING, setting.address, setting.length))).payload


async def carried_out(order: Order, line: WritableLine, begun: Callable[[Decimal | None], None]) -> Outcome:
    """Read, write once, read back. A LineError where the first reading failed: then nothing was written.

    begun : told the old value, before anything is written.
    """
    setting = order.setting
    before = await shown(line, order.unit, setting)
    old = decoded(setting, before)
    begun(old)
    answer, details = Answer.REPEATED, []
    try:
        await line.write(order.unit, Writing(setting.function, setting.address, setting.length, order.words))
    except Refused as error:
        answer = Answer.REFUSED
        details.append(str(error))
    except LineError as error:
        answer = Answer.NOTHING
        details.append(str(error))
    back: bytes | None = None
    try:
        back = await shown(line, order.unit, setting)
    except LineError as error:
        details.append(f"read back: {error}")
    read_back = None if back is None else decoded(setting, back)
    return Outcome(old, order.value, answer, read_back, back == order.words, "; ".join(details))
