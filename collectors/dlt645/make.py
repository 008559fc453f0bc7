"""Makes of DL/T 645 meters: which data item holds what; data in `dlt645/meters/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from energy.documents import Document, Words, checked
from energy.errors import ConfigurationError, EnergyError, UnknownName
from energy.quantities import Medium, quantity
from energy.units import factor

PROTOCOL = "dlt645"
ADDRESS_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Item:
    """A data item: `length` bytes of digits, highest first in `identifier` as in the standard's tables.

    scale : what the whole number is multiplied by to be in the quantity's unit. trailing : bytes behind the number that
    are not read, such as the time of a maximum. uncertain : why it is doubtful.
    """

    quantity: str
    identifier: bytes
    length: int
    scale: Fraction
    signed: bool = False
    trailing: int = 0
    uncertain: str | None = None

    @property
    def span(self) -> int:
        return self.length + self.trailing


@dataclass(frozen=True, slots=True)
class ItemBlock:
    """Several items that are answered at once, one behind the other in this order."""

    identifier: bytes
    members: tuple[str, ...]

    @property
    def is_of_tariffs(self) -> bool:
        """Energies by tariff (DI3 is 00): how many follow depends on the meter, up to 63 beside the total."""
        return self.identifier[0] == 0


@dataclass(frozen=True, slots=True)
class ItemMake:
    """A make of DL/T 645 meter."""

    id: str
    maker: str
    model: str
    medium: Medium
    sources: tuple[str, ...]
    traps: tuple[str, ...]
    items: Mapping[str, Item]
    blocks: tuple[ItemBlock, ...]
    protocol: str = PROTOCOL
    address_digits: int = ADDRESS_DIGITS

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(self.items)

    def lengths(self, block: ItemBlock) -> frozenset[int]:
        """How many bytes the data of a block may have: all members, or those that a smaller meter has."""
        spans = [self.items[member].span for member in block.members]
        if block.is_of_tariffs and len(set(spans)) == 1:
            return frozenset(spans[0] * count for count in range(1, 65))
        return frozenset(accumulate(spans))

    def item(self, name: str) -> Item:
        if name not in self.items:
            raise UnknownName(f"profile {self.id} has no {name}; it has {', '.join(self.quantities)}")
        return self.items[name]


Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{8}$")]


class _ItemWords(Words):
    item: Identifier
    bytes: Annotated[int, Field(ge=1, le=8)]
    decimals: Annotated[int, Field(ge=0, le=8)] = 0
    unit: str
    signed: bool = False
    trailing: Annotated[int, Field(ge=0, le=32)] = 0
    uncertain: str | None = None


class ItemMakeWords(Words):
    """What may stand in a file of a DL/T 645 meter."""

    protocol: Literal["dlt645"]
    maker: str
    model: str
    medium: Medium = Medium.ELECTRICITY
    sources: list[str] = Field(min_length=1)
    traps: list[str] = []
    serial: str | None = None
    items: dict[str, _ItemWords] = Field(min_length=1)
    blocks: dict[Identifier, Annotated[list[str], Field(min_length=2)]] = {}


def make_of(document: Document, own_id: str) -> ItemMake:
    """The make of meter that a file describes; ConfigurationError lists all that is wrong."""
    words = checked(document, ItemMakeWords)
    faults: list[str] = []
    items: dict[str, Item] = {}
    for name, item in words.items.items():
        try:
            items[name] = _item(name, item)
        except EnergyError as error:
            faults.append(document.fault(("items", name), str(error)))
    for identifier, members in words.blocks.items():
        for i, member in enumerate(members):
            if member not in words.items:
                faults.append(document.fault(("blocks", identifier, i), "is none of the items above"))
    if faults:
        raise ConfigurationError(faults)
    blocks = tuple(ItemBlock(bytes.fromhex(one), tuple(members)) for one, members in words.blocks.items())
    told = (words.maker, words.model, words.medium, tuple(words.sources), tuple(words.traps))
    return ItemMake(own_id, *told, items, blocks)


def _item(name: str, words: _ItemWords) -> Item:
    scale = Fraction(1, 10**words.decimals) * factor(words.unit, quantity(name).unit)
    identifier = bytes.fromhex(words.item)
    return Item(name, identifier, words.bytes, scale, words.signed, words.trailing, words.uncertain)
