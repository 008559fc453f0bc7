"""Meter profiles: which register of a make of meter holds what; data in `profiles/<maker>/<model>.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from energy.documents import Words, checked, open_document
from energy.errors import ConfigurationError, EnergyError, UnitError, UnknownName
from energy.quantities import Medium, quantity
from energy.units import dimension, factor

FOLDER = Path(__file__).parent / "profiles"


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


# type -> registers
LENGTHS = {
    "uint16": 1,
    "int16": 1,
    "bcd16": 1,
    "uint32": 2,
    "int32": 2,
    "float32": 2,
    "bcd32": 2,
    "bcd48": 3,
    "uint64": 4,
    "int64": 4,
    "float64": 4,
    "bcd64": 4,
}
RegisterType = Literal[
    "uint16", "int16", "bcd16", "uint32", "int32", "float32", "bcd32", "bcd48", "uint64", "int64", "float64", "bcd64"
]


@dataclass(frozen=True, slots=True)
class Part:
    """Registers that hold a number: value on the wire × `scale` is in the unit of its quantity."""

    table: Table
    address: int
    type: str
    word_order: WordOrder
    scale: Fraction

    @property
    def length(self) -> int:
        return LENGTHS[self.type]


@dataclass(frozen=True, slots=True)
class Register:
    """What a meter says of one quantity: one number, or several that are added and must come from one reply."""

    quantity: str
    parts: tuple[Part, ...]
    uncertain: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A make of meter. `traps` are what has fooled others; `sources` say where the facts come from."""

    id: str
    maker: str
    model: str
    medium: Medium
    sources: tuple[str, ...]
    traps: tuple[str, ...]
    max_registers: int
    registers: tuple[Register, ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(r.quantity for r in self.registers)

    def register(self, name: str) -> Register:
        for register in self.registers:
            if register.quantity == name:
                return register
        raise UnknownName(f"profile {self.id} has no {name}; it has {', '.join(self.quantities)}")


def _known_unit(unit: str) -> str:
    try:
        dimension(unit)
    except UnitError as error:
        raise ValueError(str(error)) from error
    return unit


def _not_zero(scale: Decimal) -> Decimal:
    if scale == 0:
        raise ValueError("must not be 0")
    return scale


Unit = Annotated[str, AfterValidator(_known_unit)]
Scale = Annotated[Decimal, AfterValidator(_not_zero)]
Address = Annotated[int, Field(ge=0, le=65535)]


class _PartWords(Words):
    address: Address
    type: RegisterType
    scale: Scale = Decimal(1)


class _RegisterWords(Words):
    unit: Unit
    address: Address | None = None
    type: RegisterType | None = None
    scale: Scale = Decimal(1)
    sum: Annotated[list[_PartWords], Field(min_length=1)] | None = None
    read: Table | None = None
    word_order: WordOrder | None = None
    uncertain: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> _RegisterWords:
        alone = self.address is not None and self.type is not None
        given = {"address", "type", "scale"} & self.model_fields_set
        if self.sum is None and not alone:
            raise ValueError("give either address and type, or sum with the parts to be added")
        if self.sum is not None and given:
            raise ValueError(f"{', '.join(sorted(given))} beside sum means nothing; give it to the parts")
        return self


class ProfileWords(Words):
    """What may stand in a profile file."""

    maker: str
    model: str
    medium: Medium
    sources: list[str] = Field(min_length=1)
    traps: list[str] = []
    serial: str | None = None
    word_order: WordOrder = WordOrder.ABCD
    read: Table = Table.HOLDING
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    registers: dict[str, _RegisterWords] = Field(min_length=1)


def profile_ids() -> list[str]:
    """The ids of the profiles that are shipped, sorted."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.yaml"))


@cache
def load_profile(id_or_file: str) -> Profile:
    """The shipped profile of this id, or the one in this file.

    UnknownName if there is neither; ConfigurationError lists all that is wrong in a file.
    """
    path = Path(id_or_file)
    if path.suffix not in (".yaml", ".yml"):
        path = FOLDER / f"{id_or_file}.yaml"
        if id_or_file not in profile_ids():
            raise UnknownName(
                f"profile {id_or_file!r} is not known; shipped are {', '.join(profile_ids())}; "
                "a file of your own is named with .yaml at its end"
            )
    document = open_document(path)
    words = checked(document, ProfileWords)
    own_id = path.relative_to(FOLDER).with_suffix("").as_posix() if path.is_relative_to(FOLDER) else str(path)
    faults: list[str] = []
    registers: list[Register] = []
    for name, register in words.registers.items():
        try:
            registers.append(_register(words, name, register))
        except (EnergyError, ValueError) as error:
            faults.append(document.fault(("registers", name), str(error)))
    if faults:
        raise ConfigurationError(faults)
    return Profile(
        own_id,
        words.maker,
        words.model,
        words.medium,
        tuple(words.sources),
        tuple(words.traps),
        words.max_registers,
        tuple(registers),
    )


def _register(words: ProfileWords, name: str, register: _RegisterWords) -> Register:
    unit_factor = factor(register.unit, quantity(name).unit)
    table = register.read or words.read
    order = register.word_order or words.word_order
    parts = register.sum or [
        _PartWords(address=register.address or 0, type=register.type or "uint16", scale=register.scale)
    ]
    made = tuple(Part(table, p.address, p.type, order, Fraction(p.scale) * unit_factor) for p in parts)
    for part in made:
        if part.address + part.length > 65536:
            raise ValueError(f"{part.type} at address {part.address} reaches past 65535")
        if part.length > words.max_registers:
            raise ValueError(f"{part.type} is longer than max_registers {words.max_registers}")
    return Register(name, made, register.uncertain)
