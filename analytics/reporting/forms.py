"""Forms of the statistics as versioned data: which items are asked for, in which units, and what counts as what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from analytics.carbon.factors import Carrier
from energy.confidence import Confidence
from energy.errors import UnknownName
from energy.sites import Text
from energy.validity import Validity


class CellKind(StrEnum):
    """What stands in a cell of an item: how much, or what it cost [yuan]."""

    QUANTITY = "quantity"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a form; it is written `electricity.fee`."""

    item: str
    kind: CellKind

    def __str__(self) -> str:
        return f"{self.item}.{self.kind}"

    @classmethod
    def parse(cls, text: str) -> Cell:
        """The cell that is written so; ValueError where it is none.

        >>> Cell.parse("electricity.fee")
        Cell(item='electricity', kind=<CellKind.FEE: 'fee'>)
        """
        item, dot, kind = text.partition(".")
        if not item or not dot or kind not in list(CellKind):
            raise ValueError(f"{text!r} must be ITEM.quantity or ITEM.fee")
        return cls(item, CellKind(kind))


@dataclass(frozen=True, slots=True)
class FormItem:
    """What is asked for: a quantity in `unit`, and its fee.

    carrier : as what it counts in total energy; None where it counts in none, such as water. part_of : the item that it
    is a part of; it is in the total already. needed : whether each filing has a figure for it, be it 0.
    """

    id: str
    name: Text
    unit: str
    carrier: Carrier | None
    part_of: str | None
    needed: bool
    fee: bool
    definition: Text
    source: Text
    confidence: Confidence

    @property
    def cells(self) -> tuple[Cell, ...]:
        own = Cell(self.id, CellKind.QUANTITY)
        return (own, Cell(self.id, CellKind.FEE)) if self.fee else (own,)

    @property
    def counts(self) -> bool:
        """Whether it is added into total energy."""
        return self.carrier is not None and self.part_of is None


@dataclass(frozen=True, slots=True)
class Form:
    """A form in one of its versions, which holds for a time. ValueError where its items contradict each other."""

    id: str
    version: str
    name: Text
    valid: Validity
    items: tuple[FormItem, ...]
    source: Text
    by_id: Mapping[str, FormItem] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {i.id: i for i in self.items}
        object.__setattr__(self, "by_id", known)
        if len(known) != len(self.items):
            raise ValueError(f"form {self.id} has an item twice")
        for one in self.items:
            whole = None if one.part_of is None else known.get(one.part_of)
            if one.part_of is not None and (whole is None or whole.part_of is not None):
                raise ValueError(f"{one.id} is part of {one.part_of!r}, which is no whole item of the form")
            if whole is not None and whole.unit != one.unit:
                raise ValueError(f"{one.id} in {one.unit} is part of {whole.id} in {whole.unit}; give both one unit")

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(cell for one in self.items for cell in one.cells)

    def item(self, id: str) -> FormItem:
        """The item of this id; UnknownName where the form has none."""
        found = self.by_id.get(id)
        if found is None:
            raise UnknownName(f"form {self.id} {self.version} has no item {id!r}; it has {', '.join(self.by_id)}")
        return found


def form_for(forms: tuple[Form, ...], id: str, day: date) -> Form:
    """The version of a form that holds on a day; UnknownName where none does."""
    for one in forms:
        if one.id == id and one.valid.holds(day):
            return one
    raise UnknownName(f"form {id!r} has no version that holds on {day}")
