"""What a make of meter holds in its registers, as values: where, of which type, in which order and scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energy.errors import UnknownName
from energy.quantities import Medium


class Table(StrEnum):
    """Which of the meter's tables a register stands in; the function code that reads it follows."""

    HOLDING = "holding"
    INPUT = "input"

    @property
    def function(self) -> int:
        return 3 if self is Table.HOLDING else 4


class WordOrder(StrEnum):
    """In which order the bytes of a value travel: A is the most significant of four."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"


# type -> bits. A `bcd` digit takes four bits; a `mod10k` register holds four decimal digits as a number 0..9999.
BITS = {
    "uint8": 8,
    "int8": 8,
    "uint16": 16,
    "int16": 16,
    "float16": 16,
    "bcd16": 16,
    "uint32": 32,
    "int32": 32,
    "float32": 32,
    "bcd32": 32,
    "mod10k32": 32,
    "uint48": 48,
    "int48": 48,
    "bcd48": 48,
    "mod10k48": 48,
    "uint64": 64,
    "int64": 64,
    "float64": 64,
    "bcd64": 64,
    "mod10k64": 64,
}
# type -> registers
LENGTHS = {of_type: max(1, bits // 16) for of_type, bits in BITS.items()}


# The type of a setting that is one coil.
COIL = "coil"


@dataclass(frozen=True, slots=True)
class Part:
    """Registers that hold a number: value on the wire × `scale` is in the unit of its quantity.

    sentinels : what stands there where there is nothing to say: `all_ones`, `greatest`, `least`, `nan`, or a number.
    bits : the first and the last bit of the number within its registers, 0 being the least significant; None for all.
    high : an 8-bit number is in the high byte of its register.
    four_quadrant : a power factor of -2..2, where 2 - x or -2 - x is the factor and beyond ±1 the current leads.
    """

    table: Table
    address: int
    type: str
    word_order: WordOrder
    scale: Fraction
    sentinels: tuple[str | int | float, ...] = ()
    bits: tuple[int, int] | None = None
    high: bool = False
    four_quadrant: bool = False

    @property
    def length(self) -> int:
        return LENGTHS[self.type]

    @property
    def end(self) -> int:
        return self.address + self.length


@dataclass(frozen=True, slots=True)
class Register:
    """What a meter says of one quantity: one number, or several that are added and must come from one reply.

    scaled_by : a number by which all is multiplied besides, read in the same reply; as a power of ten if `as_power`.
    """

    quantity: str
    parts: tuple[Part, ...]
    uncertain: str | None = None
    scaled_by: Part | None = None
    as_power: bool = False

    @property
    def pieces(self) -> tuple[Part, ...]:
        """All that must come from one reply."""
        return self.parts if self.scaled_by is None else (*self.parts, self.scaled_by)


@dataclass(frozen=True, slots=True)
class Marking:
    """A text of the meter, or a number that stands for one: what its nameplate says, or its state.

    type : `string`, or a whole number. one_byte : a register holds one character, in its low byte.
    means : what a number stands for. flags : what a bit stands for that is 1.
    """

    name: str
    table: Table
    address: int
    type: str
    length: int
    word_order: WordOrder
    one_byte: bool = False
    means: Mapping[int, str] = field(default_factory=dict)
    flags: Mapping[int, str] = field(default_factory=dict)
    uncertain: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What of a meter may be written: a number in holding registers, or a coil, which is 0 or 1.

    function : by which it is written, 5, 6, 15 or 16. low, high : what the meter may be told at most [`unit`].
    """

    name: str
    function: int
    address: int
    type: str
    word_order: WordOrder
    scale: Fraction
    low: Decimal
    high: Decimal
    unit: str = ""
    uncertain: str | None = None

    @property
    def is_coil(self) -> bool:
        return self.type == COIL

    @property
    def length(self) -> int:
        """Registers, or coils."""
        return 1 if self.is_coil else LENGTHS[self.type]

    @property
    def part(self) -> Part:
        """The number where it is read."""
        return Part(Table.HOLDING, self.address, self.type, self.word_order, self.scale)


@dataclass(frozen=True, slots=True)
class Recording:
    """A reply that was captured of a meter, and what it says: `values` as they were published, in their own units."""

    source: str
    table: Table
    address: int
    reply: bytes
    values: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Profile:
    """A make of meter. `traps` are what has fooled others; `sources` say where the facts come from.

    serial : the serial line as delivered, in words. nameplate, status : texts, read on demand only. writable : what may
    be written, where the site file switches it on.
    """

    id: str
    maker: str
    model: str
    medium: Medium
    sources: tuple[str, ...]
    traps: tuple[str, ...]
    max_registers: int
    registers: tuple[Register, ...]
    serial: str | None = None
    nameplate: tuple[Marking, ...] = ()
    status: tuple[Marking, ...] = ()
    recordings: tuple[Recording, ...] = ()
    uncertain: str | None = None
    writable: tuple[Setting, ...] = ()

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(r.quantity for r in self.registers)

    def register(self, name: str) -> Register:
        for register in self.registers:
            if register.quantity == name:
                return register
        raise UnknownName(f"profile {self.id} has no {name}; it has {', '.join(self.quantities)}")

    def setting(self, name: str) -> Setting | None:
        """What may be written under this name."""
        return next((setting for setting in self.writable if setting.name == name), None)

    @property
    def doubts(self) -> Iterator[str]:
        """The quantities whose registers are not certain."""
        return (r.quantity for r in self.registers if r.uncertain)
