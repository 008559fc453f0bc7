"""What may stand in a profile file, word by word (docs/profiles.md)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from collectors.register_map import BITS, COIL, LENGTHS, Table, WordOrder
from energy.documents import Words
from energy.errors import UnitError
from energy.quantities import Medium
from energy.units import dimension

RegisterType = Literal[
    "uint16",
    "int16",
    "uint32",
    "int32",
    "float32",
    "uint64",
    "int64",
    "float64",
    "bcd16",
    "bcd32",
    "bcd48",
    "bcd64",
    "uint8",
    "int8",
    "uint48",
    "int48",
    "float16",
    "mod10k32",
    "mod10k48",
    "mod10k64",
]
SENTINELS = ("all_ones", "greatest", "least", "nan")
_LARGEST_FLOAT = {32: Decimal("3.4e38"), 64: Decimal("1.7e308")}
_BITS = re.compile(r"(\d+)(?:\.\.(\d+))?")


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


def _sentinel(given: Any) -> Any:
    if given in SENTINELS or (isinstance(given, int | float) and not isinstance(given, bool)):
        return given
    raise ValueError(f"must be {', '.join(SENTINELS)} or a number as it travels")


def _bits(given: Any) -> tuple[int, int]:
    """The bits that are written `3` or `4..7`."""
    found = _BITS.fullmatch(str(given))
    if found is None or isinstance(given, bool):
        raise ValueError("must be a bit such as 3, or bits such as 4..7, where 0 is the least significant")
    low = int(found[1])
    high = low if found[2] is None else int(found[2])
    if not low <= high < 64:
        raise ValueError("must ascend, and end below 64")
    return low, high


def _hexadecimal(given: Any) -> bytes:
    try:
        return bytes.fromhex(str(given))
    except ValueError as error:
        raise ValueError("must be bytes in hexadecimal, such as '1E85 0B3F'") from error


Unit = Annotated[str, AfterValidator(_known_unit)]
Scale = Annotated[Decimal, AfterValidator(_not_zero)]
Sentinel = Annotated[Any, BeforeValidator(_sentinel)]
Bound = Annotated[Decimal, Field(allow_inf_nan=False)]
Bits = Annotated[tuple[int, int], BeforeValidator(_bits)]


class PartWords(Words):
    """A number in registers."""

    address: int
    type: RegisterType
    scale: Scale = Decimal(1)
    bits: Bits | None = None
    byte: Literal["low", "high"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> PartWords:
        check_shape(self.type, self.bits, self.byte)
        return self


class ScaleFromWords(Words):
    """A register that holds a factor, or the power of ten that is one."""

    address: int
    type: RegisterType
    holds: Literal["factor", "power_of_ten"] = "factor"


class RegisterWords(Words):
    """What a meter says of one quantity."""

    unit: Unit
    address: int | None = None
    type: RegisterType | None = None
    scale: Scale = Decimal(1)
    bits: Bits | None = None
    byte: Literal["low", "high"] | None = None
    sum: Annotated[list[PartWords], Field(min_length=1)] | None = None
    scale_from: ScaleFromWords | None = None
    encoding: Literal["four_quadrant"] | None = None
    sentinels: list[Sentinel] | None = None
    read: Table | None = None
    word_order: WordOrder | None = None
    uncertain: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> RegisterWords:
        alone = self.address is not None and self.type is not None
        given = {"address", "type", "scale", "bits", "byte"} & self.model_fields_set
        if self.sum is None and not alone:
            raise ValueError("give either address and type, or sum with the parts to be added")
        if self.sum is not None and given:
            raise ValueError(f"{', '.join(sorted(given))} beside sum means nothing; give it to the parts")
        if self.type is not None:
            check_shape(self.type, self.bits, self.byte)
        if self.encoding and (self.type is None or not self.type.startswith("float")):
            raise ValueError("encoding four_quadrant is that of a float")
        return self

    @property
    def parts(self) -> list[PartWords]:
        """The numbers to be added, one as a rule."""
        if self.sum is not None:
            return self.sum
        assert self.address is not None
        assert self.type is not None
        return [PartWords(address=self.address, type=self.type, scale=self.scale, bits=self.bits, byte=self.byte)]


def check_shape(of_type: str, bits: tuple[int, int] | None, byte: str | None) -> None:
    """ValueError where a type has no such bits, or is no byte."""
    if byte is not None and BITS[of_type] != 8:
        raise ValueError(f"byte says where in its register an int8 or uint8 stands; {of_type} fills it")
    if bits is not None and (not of_type.startswith("uint") or bits[1] >= BITS[of_type]):
        raise ValueError(f"bits are those of uint8 to uint64, and within it; {of_type} has none up to {bits[1]}")


class MarkingWords(Words):
    """A text, or a number that stands for one."""

    address: int
    type: Literal["string", "uint16", "uint32", "uint48", "uint64", "bcd16", "bcd32", "bcd48", "bcd64"]
    length: Annotated[int, Field(ge=1, le=125)] | None = None
    one_byte: bool = False
    means: dict[int, str] = {}
    flags: dict[int, str] = {}
    read: Table | None = None
    word_order: WordOrder | None = None
    uncertain: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> MarkingWords:
        if (self.type == "string") != (self.length is not None):
            raise ValueError("a string needs its length in registers, and nothing else has one")
        if self.means and self.flags:
            raise ValueError("give means for a number that stands for one thing, or flags for bits; not both")
        return self


class SettingWords(Words):
    """What may be written: a coil, or a number in holding registers between bounds."""

    address: int
    type: Literal[
        "coil", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bcd16", "bcd32"
    ]
    function: Literal[5, 6, 15, 16] | None = None
    low: Bound | None = None
    high: Bound | None = None
    scale: Scale = Decimal(1)
    unit: str = ""
    word_order: WordOrder | None = None
    uncertain: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> SettingWords:
        functions = (5, 15) if self.type == COIL else (6, 16) if LENGTHS[self.type] == 1 else (16,)
        if self.function not in (None, *functions):
            raise ValueError(f"a {self.type} is written by function {' or '.join(map(str, functions))}")
        bounds = (self.low, self.high)
        if self.type == COIL and (bounds != (None, None) or "scale" in self.model_fields_set):
            raise ValueError("a coil is 0 or 1: it has no low, high or scale")
        if self.type != COIL:
            check_bounds(self.low, self.high, self.scale, self.type)
        return self

    @property
    def by(self) -> int:
        """The function, of which it is the usual one where none is named."""
        return self.function or (5 if self.type == COIL else 6 if LENGTHS[self.type] == 1 else 16)


def check_bounds(low: Decimal | None, high: Decimal | None, scale: Decimal, of_type: str) -> None:
    """ValueError where a number may not be written between these bounds."""
    if low is None or high is None or not low <= high:
        raise ValueError("what may be written needs low and high, the least and the greatest value")
    least, greatest = number_limits(of_type)
    for value in (low, high):
        wire = value / scale
        if not least <= wire <= greatest:
            raise ValueError(f"{value} does not fit into {of_type} at scale {scale}")


def number_limits(of_type: str) -> tuple[Decimal, Decimal]:
    """The least and the greatest number that a type holds.

    >>> number_limits("bcd16")
    (Decimal('0'), Decimal('9999'))
    """
    bits = BITS[of_type]
    if of_type.startswith("float"):
        return (-_LARGEST_FLOAT[bits], _LARGEST_FLOAT[bits])
    if of_type.startswith("bcd"):
        return Decimal(0), Decimal(10 ** (bits // 4) - 1)
    if of_type.startswith("uint"):
        return Decimal(0), Decimal(2**bits - 1)
    return Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1)


class RecordingWords(Words):
    """A captured reply: the bytes of the registers from `address` on, and what they say."""

    source: str
    address: int
    reply: Annotated[bytes, BeforeValidator(_hexadecimal)]
    read: Table | None = None
    values: dict[str, Decimal] = Field(min_length=1)


class ProfileWords(Words):
    """What may stand in a profile file."""

    maker: str
    model: str
    medium: Medium
    sources: list[str] = Field(min_length=1)
    traps: list[str] = []
    uncertain: str | None = None
    serial: str | None = None
    word_order: WordOrder = WordOrder.ABCD
    read: Table = Table.HOLDING
    max_registers: Annotated[int, Field(ge=1, le=125)] = 125
    address_base: Annotated[int, Field(ge=0, le=400_001)] = 0
    sentinels: list[Sentinel] = []
    registers: dict[str, RegisterWords] = Field(min_length=1)
    nameplate: dict[str, MarkingWords] = {}
    status: dict[str, MarkingWords] = {}
    writable: dict[str, SettingWords] = {}
    recordings: list[RecordingWords] = []
