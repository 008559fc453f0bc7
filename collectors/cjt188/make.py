"""Makes of CJ/T 188 meters: what stands where in their answer; data in `cjt188/meters/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from collectors.cjt188.units import code_factors
from energy.documents import Document, Words, checked
from energy.errors import ConfigurationError, EnergyError, UnknownName
from energy.quantities import Medium, quantity
from energy.units import factor

PROTOCOL = "cjt188"
ADDRESS_DIGITS = 14


@dataclass(frozen=True, slots=True)
class NumberField:
    """A number in the answer: `length` bytes of digits from `at` on.

    scale : what the whole number is multiplied by, times that of the unit's code. code_at : where the code of the unit
    stands, None where the meter sends none; `codes` are those that measure this quantity.
    """

    quantity: str
    at: int
    length: int
    scale: Fraction
    signed: bool = False
    code_at: int | None = None
    codes: Mapping[int, Fraction] | None = None
    uncertain: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Bits of the status that make every number of the answer doubtful."""

    bits: int
    value: int
    why: str


@dataclass(frozen=True, slots=True)
class RecordMake:
    """A make of CJ/T 188 meter: `item` is asked as it travels, its answer has `length` bytes."""

    id: str
    maker: str
    model: str
    medium: Medium
    sources: tuple[str, ...]
    traps: tuple[str, ...]
    meter_type: int
    item: bytes
    fields: Mapping[str, NumberField]
    length: int
    status: slice | None
    doubts: tuple[Doubt, ...]
    protocol: str = PROTOCOL
    address_digits: int = ADDRESS_DIGITS

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(self.fields)

    def field(self, name: str) -> NumberField:
        if name not in self.fields:
            raise UnknownName(f"profile {self.id} has no {name}; it has {', '.join(self.quantities)}")
        return self.fields[name]


class _DoubtWords(Words):
    bits: Annotated[int, Field(ge=1, le=0xFFFFFFFF)]
    value: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    why: str


class _PartWords(Words):
    quantity: str | None = None
    bytes: Annotated[int, Field(ge=1, le=8)] | None = None
    decimals: Annotated[int, Field(ge=0, le=8)] = 0
    signed: bool = False
    unit: str | None = None
    unit_code: Literal["before", "after"] | None = None
    uncertain: str | None = None
    skip: Annotated[int, Field(ge=1, le=100)] | None = None
    what: str | None = None
    status: Annotated[int, Field(ge=1, le=4)] | None = None
    doubtful: list[_DoubtWords] = []

    @model_validator(mode="after")
    def _one_thing(self) -> _PartWords:
        if [self.quantity, self.skip, self.status].count(None) != 2:
            raise ValueError("give one of quantity, skip and status")
        if self.quantity is not None and self.bytes is None:
            raise ValueError("a quantity needs bytes")
        if self.quantity is not None and (self.unit is None) == (self.unit_code is None):
            raise ValueError("give either unit, or unit_code where the meter sends the code of its unit")
        return self

    @property
    def length(self) -> int:
        return self.skip or self.status or (self.bytes or 0) + (self.unit_code is not None)


class RecordMakeWords(Words):
    """What may stand in a file of a CJ/T 188 meter."""

    protocol: Literal["cjt188"]
    maker: str
    model: str
    medium: Medium
    sources: list[str] = Field(min_length=1)
    traps: list[str] = []
    serial: str | None = None
    meter_type: Annotated[int, Field(ge=0, le=255)]
    item: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{4}$")]
    answer: list[_PartWords] = Field(min_length=1)


def make_of(document: Document, own_id: str) -> RecordMake:
    """The make of meter that a file describes; ConfigurationError lists all that is wrong."""
    words = checked(document, RecordMakeWords)
    faults: list[str] = []
    fields: dict[str, NumberField] = {}
    status: slice | None = None
    doubts: tuple[Doubt, ...] = ()
    at = 0
    for i, part in enumerate(words.answer):
        if part.quantity is not None:
            try:
                fields[part.quantity] = _field(part, part.quantity, at, fields)
            except (EnergyError, ValueError) as error:
                faults.append(document.fault(("answer", i, "quantity"), str(error)))
        elif part.status is not None:
            status, doubts = slice(at, at + part.status), tuple(Doubt(d.bits, d.value, d.why) for d in part.doubtful)
        at += part.length
    if not fields and not faults:
        faults.append(document.fault(("answer",), "holds no quantity"))
    if faults:
        raise ConfigurationError(faults)
    told = (words.maker, words.model, words.medium, tuple(words.sources), tuple(words.traps))
    return RecordMake(own_id, *told, words.meter_type, bytes.fromhex(words.item), fields, at, status, doubts)


def _field(part: _PartWords, name: str, at: int, known: Mapping[str, NumberField]) -> NumberField:
    if name in known:
        raise ValueError("stands twice in the answer")
    assert part.bytes is not None
    scale, unit = Fraction(1, 10**part.decimals), quantity(name).unit
    if part.unit is not None:
        return NumberField(name, at, part.bytes, scale * factor(part.unit, unit), part.signed, uncertain=part.uncertain)
    number_at, code_at = (at + 1, at) if part.unit_code == "before" else (at, at + part.bytes)
    return NumberField(name, number_at, part.bytes, scale, part.signed, code_at, code_factors(unit), part.uncertain)
