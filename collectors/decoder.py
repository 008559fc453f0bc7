"""From the words of a reply to numbers: one compiled plan per meter, exact to the last bit of the register.

Integers are scaled as fractions with a single rounding, so 12 345 at 0.01 is 123.45 and nothing else. Values that are
one number are scaled as columns, all of a reply in a handful of calls; only where one of them is odd, or is put
together from several, each is looked at by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter, mul, truediv
from typing import NamedTuple

from collectors.layout import LETTERS, Raw, Unpack, byte_order, lift, unpacker
from collectors.planner import Block, RequestCost, plan
from collectors.register_map import BITS, Part, Profile, Register, Table
from energy.quantities import Transformed, quantity
from energy.readings import Quality, Reason
from energy.sites import Meter

__all__ = [
    "BlockPlan",
    "Decoded",
    "Values",
    "as_wired",
    "byte_order",
    "compile_blocks",
    "compile_meter",
    "readable",
    "transformer_ratios",
]

# Beyond these a power of ten is no scale that a meter means.
_POWERS = range(-12, 13)


class Decoded(NamedTuple):
    """What a meter said of one quantity, in the quantity's unit; None where it said nothing that is a number."""

    quantity: str
    value: float | None
    quality: Quality
    reason: Reason


class Values(NamedTuple):
    """What a reply says, by quantity; `bad` has the reason wherever the value is None."""

    values: dict[str, float | None]
    bad: dict[str, Reason]


class _Unsaid(Exception):
    """There is no value, for a reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Number:
    """A part as it is taken out of a reply: raw × top / bottom is in the quantity's unit."""

    at: int
    top: int
    bottom: int
    lift: Callable[[Raw], int | float] | None
    sentinels: frozenset[Raw]
    says_nan: bool

    def lifted(self, raws: Sequence[Raw]) -> int | float:
        """The number as it travels; _Unsaid where there is none."""
        raw = raws[self.at]
        if raw in self.sentinels:
            raise _Unsaid(Reason.SENTINEL)
        if isinstance(raw, float) and not math.isfinite(raw):
            raise _Unsaid(Reason.SENTINEL if self.says_nan and math.isnan(raw) else Reason.NOT_A_NUMBER)
        try:
            number = raw if self.lift is None else self.lift(raw)
        except ValueError as error:
            raise _Unsaid(Reason.NOT_A_NUMBER) from error
        if number in self.sentinels:
            raise _Unsaid(Reason.SENTINEL)
        assert not isinstance(number, bytes)
        return number


@dataclass(frozen=True, slots=True)
class _Field:
    """A quantity, and the numbers that are added for it; `scaled_by` multiplies them."""

    quantity: str
    numbers: tuple[_Number, ...]
    scaled_by: _Number | None = None
    as_power: bool = False

    @property
    def is_plain(self) -> bool:
        return len(self.numbers) == 1 and self.scaled_by is None and self.numbers[0].lift is None

    def value(self, raws: Sequence[Raw]) -> float:
        """The value; _Unsaid where there is none."""
        top, bottom = self._factor(raws)
        try:
            value = sum(n.lifted(raws) * (n.top * top) / (n.bottom * bottom) for n in self.numbers)
        except OverflowError as error:
            raise _Unsaid(Reason.NOT_A_NUMBER) from error
        if not math.isfinite(value):
            raise _Unsaid(Reason.NOT_A_NUMBER)
        return value + 0.0  # a zero that was turned is no negative zero

    def _factor(self, raws: Sequence[Raw]) -> tuple[int, int]:
        if self.scaled_by is None:
            return 1, 1
        held = self.scaled_by.lifted(raws)
        if not self.as_power:
            return Fraction(held).as_integer_ratio()
        if held not in _POWERS:
            raise _Unsaid(Reason.OUT_OF_RANGE)
        return (10 ** int(held), 1) if held >= 0 else (1, 10 ** -int(held))


class BlockPlan:
    """A request and how to understand its reply."""

    def __init__(self, block: Block, unpack: Unpack, fields: Sequence[_Field]) -> None:
        self.block = block
        self.quantities = tuple(field.quantity for field in fields)
        self._bytes = 2 * block.count
        self._unpack = unpack
        plain = [field for field in fields if field.is_plain]
        numbers = [field.numbers[0] for field in plain]
        self._others = tuple(field for field in fields if not field.is_plain)
        self._plain = plain
        self._names = tuple(field.quantity for field in plain)
        self._take = _taker([number.at for number in numbers], sum(len(f.numbers) for f in fields), self._others)
        self._tops, self._bottoms = _unless_one([n.top for n in numbers]), _unless_one([n.bottom for n in numbers])
        self._sentinels: frozenset[Raw] = frozenset().union(*(number.sentinels for number in numbers))
        self._turns = any(number.top < 0 for number in numbers)

    def values(self, payload: bytes) -> Values:
        """What the reply says; `payload` is the 2·count bytes of its registers.

        ValueError where the reply is of another length: it is then no answer to this request.
        """
        if len(payload) != self._bytes:
            raise ValueError(f"reply of {len(payload)} bytes to a request of {self.block.count} registers")
        raws = self._unpack(payload)
        bad: dict[str, Reason] = {}
        found = self._columns(raws)
        values: dict[str, float | None] = {}
        if found is not None:
            values.update(zip(self._names, found, strict=True))
        else:
            _each(self._plain, raws, values, bad)
        _each(self._others, raws, values, bad)
        return Values(values, bad)

    def decode(self, payload: bytes) -> list[Decoded]:
        """As `values`, one by one, in the order of the profile."""
        values, bad = self.values(payload)
        return [
            Decoded(name, values[name], Quality.GOOD, Reason.NONE)
            if name not in bad
            else Decoded(name, None, Quality.BAD, bad[name])
            for name in self.quantities
        ]

    def _columns(self, raws: tuple[Raw, ...]) -> list[float] | None:
        """All plain values at once; None where one of them may be none, so that each must be looked at."""
        numbers: Sequence[float] = self._take(raws)  # type: ignore[assignment]
        if self._sentinels and not self._sentinels.isdisjoint(numbers):
            return None
        try:
            tops = numbers if self._tops is None else map(mul, numbers, self._tops)
            values = list(map(float, tops) if self._bottoms is None else map(truediv, tops, self._bottoms))
        except OverflowError:
            return None
        # What is infinite or no number makes the sum so.
        if not math.isfinite(sum(values)):
            return None
        return [value + 0.0 for value in values] if self._turns else values


def _each(
    fields: Sequence[_Field], raws: Sequence[Raw], values: dict[str, float | None], bad: dict[str, Reason]
) -> None:
    for field in fields:
        try:
            values[field.quantity] = field.value(raws)
        except _Unsaid as unsaid:
            values[field.quantity] = None
            bad[field.quantity] = unsaid.reason


def _unless_one(factors: list[int]) -> list[int] | None:
    return None if all(factor == 1 for factor in factors) else factors


def _taker(at: list[int], total: int, others: Sequence[_Field]) -> Callable[[tuple[Raw, ...]], tuple[Raw, ...]]:
    """The function that takes the numbers at these positions."""
    if not others and at == list(range(total)):
        return lambda raws: raws
    if len(at) < 2:
        return lambda raws: tuple(raws[i] for i in at)
    return itemgetter(*at)


def compile_meter(
    meter: Meter,
    profile: Profile,
    cost: RequestCost,
    *,
    max_registers: int | None = None,
    forbidden: Collection[tuple[Table, int]] = (),
    cuts: Collection[tuple[Table, int]] = (),
    without: Collection[str] = (),
) -> list[BlockPlan]:
    """The requests that read a meter as it is installed, each with its decoder.

    Reads the meter's own `quantities`, or all of the profile where it names none; `without` are left out. `forbidden`,
    `cuts` and `max_registers` are what this meter was found to refuse.
    """
    registers = installed_registers(meter, profile, without=without)
    most = min(profile.max_registers, max_registers or profile.max_registers)
    blocks = plan([r.register for r in registers], cost, max_registers=most, forbidden=forbidden, cuts=cuts)
    return compile_blocks(blocks, registers, transformer_ratios(meter))


class Installed(NamedTuple):
    """A register as the meter is wired: which quantity of the circuit it holds, and whether with the other sign."""

    quantity: str
    turned: bool
    register: Register


def installed_registers(meter: Meter, profile: Profile, *, without: Collection[str] = ()) -> list[Installed]:
    """The registers that are read of a meter."""
    wanted = meter.quantities or readable(profile, reversed_=meter.reversed)
    return [_installed(profile, name, reversed_=meter.reversed) for name in wanted if name not in without]


def compile_blocks(
    blocks: Sequence[Block], registers: Sequence[Installed], ratios: Mapping[Transformed, Fraction]
) -> list[BlockPlan]:
    """Each request with its decoder. Blocks may overlap: a register is taken from the first that holds all of it."""
    own: dict[Block, list[Installed]] = {block: [] for block in blocks}
    for installed in registers:
        holder = next((b for b in blocks if all(b.holds(part) for part in installed.register.pieces)), None)
        if holder is not None:
            own[holder].append(installed)
    return [_compile_block(block, found, ratios) for block, found in own.items()]


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


def _installed(profile: Profile, name: str, *, reversed_: bool) -> Installed:
    held, turned = as_wired(name, reversed_=reversed_)
    return Installed(name, turned, profile.register(held))


def _compile_block(block: Block, registers: Sequence[Installed], ratios: Mapping[Transformed, Fraction]) -> BlockPlan:
    pieces = [piece for installed in registers for piece in installed.register.pieces]
    unpack, positions = unpacker(block.address, pieces)
    at = iter(positions)
    fields = []
    for name, turned, register in registers:
        ratio = ratios[quantity(name).transformed] * (-1 if turned else 1)
        numbers = tuple(_number(part, part.scale * ratio, next(at)) for part in register.parts)
        scaled_by = None if register.scaled_by is None else _number(register.scaled_by, Fraction(1), next(at))
        fields.append(_Field(name, numbers, scaled_by, register.as_power))
    return BlockPlan(block, unpack, fields)


def _number(part: Part, whole: Fraction, at: int) -> _Number:
    says_nan = "nan" in part.sentinels
    found = frozenset(_sentinels(part))
    return _Number(at, whole.numerator, whole.denominator, lift(part), found, says_nan)


def _sentinels(part: Part) -> list[Raw]:
    """The numbers, or bytes, that stand for nothing to say."""
    bits, signed = BITS[part.type], part.type.startswith("int")
    is_float, as_bytes = part.type.startswith("float"), part.type not in LETTERS
    made: list[Raw] = []
    for given in part.sentinels:
        if isinstance(given, int | float):
            below = signed and given >= 2 ** (bits - 1)  # written as one sees it on the wire
            made.append(float(given) if is_float else given - 2**bits if below else given)
        elif given == "all_ones" and not is_float:
            made.append(b"\xff" * (bits // 8) if as_bytes else -1 if signed else 2**bits - 1)
        elif given == "greatest" and not is_float and not part.type.startswith(("bcd", "mod10k")):
            made.append(2 ** (bits - signed) - 1)
        elif given == "least" and signed:
            made.append(-(2 ** (bits - 1)))
    return made
