"""What an institution delivers for a period: a figure in each cell, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum

from analytics.carbon.factor_sets import Converted, FactorSet, total
from analytics.reporting.figures import Figure
from analytics.reporting.forms import Cell, CellKind, Form
from energy.sites import Text

_DIGITS = 50


class Origin(StrEnum):
    """Where a figure comes from."""

    METERS = "meters"
    BILLS = "bills"
    STOCK = "stock"
    ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class Filled:
    """The figure of a cell.

    value : in the unit of its item, or yuan. estimated : the share of it that is an estimate, 0 to 1; what was entered
    by hand counts as told, not as estimated. missing : the share of the period of which nothing is known.
    basis : the accounts, stocks or meters that it was taken from, or why it was entered.
    """

    value: Decimal
    origin: Origin
    estimated: Decimal = Decimal(0)
    missing: Decimal = Decimal(0)
    basis: str = ""

    def __post_init__(self) -> None:
        if not self.value.is_finite():
            raise ValueError(f"{self.value} is no figure")


@dataclass(frozen=True, slots=True)
class Size:
    """How large an institution is over the period [m2, persons]; None where it is not known."""

    area_m2: Decimal | None = None
    people: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """What one institution fills in of a form for a period. A cell that is not there is not known; it is not 0."""

    organisation: str
    period: str
    cells: Mapping[Cell, Filled]
    size: Size = field(default_factory=Size)

    def value(self, item: str, kind: CellKind = CellKind.QUANTITY) -> Decimal | None:
        """What stands in a cell; None where nothing does."""
        found = self.cells.get(Cell(item, kind))
        return None if found is None else found.value


def figure_of(form: Form, filing: Filing, item: str) -> Figure:
    """The quantity of an item as a figure, with a reason where there is none."""
    one = form.item(item)
    value = filing.value(item)
    return Figure(value, one.unit, None if value is not None else _not_filled(one.name))


def energy_of(form: Form, filing: Filing, factors: FactorSet, year: int) -> Converted | None:
    """The energy of a filing by a factor set; None where an item that every filing needs is empty.

    Items that count in no total, and those that are a part of another, are left out. An item that is not needed and is
    empty is taken for not used: so the forms are filled in.
    """
    counting = [one for one in form.items if one.counts]
    if any(one.needed and filing.value(one.id) is None for one in counting):
        return None
    parts = [
        factors.convert(one.carrier, value, one.unit, year)
        for one in counting
        if one.carrier is not None and (value := filing.value(one.id)) is not None
    ]
    return total(parts) if parts else None


@dataclass(frozen=True, slots=True)
class Rolled:
    """Filings added up: the sum of each cell, and of how many filings it is."""

    filings: int
    sums: Mapping[Cell, Decimal]
    filled: Mapping[Cell, int]
    area_m2: Decimal
    people: Decimal
    without_area: int
    without_people: int


def rolled_up(filings: Iterable[Filing]) -> Rolled:
    """The sum of filings, exactly. What one has not filled in is not in the sum, and not in the count of the cell."""
    sums: dict[Cell, Decimal] = {}
    filled: dict[Cell, int] = {}
    area, people = Decimal(0), Decimal(0)
    found = without_area = without_people = 0
    with localcontext(prec=_DIGITS):
        for one in filings:
            found += 1
            for cell, figure in one.cells.items():
                sums[cell] = sums.get(cell, Decimal(0)) + figure.value
                filled[cell] = filled.get(cell, 0) + 1
            area += one.size.area_m2 or 0
            people += one.size.people or 0
            without_area += one.size.area_m2 is None
            without_people += one.size.people is None
    return Rolled(found, sums, filled, area, people, without_area, without_people)


def as_filing(rolled: Rolled, organisation: str, period: str) -> Filing:
    """A sum in the shape of a filing, so that indicators are reckoned of it by the same rules.

    Its size is only known where that of every filing is: an intensity over half of the heads would be false.
    """
    cells = {cell: Filled(value, Origin.ENTERED) for cell, value in rolled.sums.items()}
    area = rolled.area_m2 if rolled.filings and not rolled.without_area else None
    people = rolled.people if rolled.filings and not rolled.without_people else None
    return Filing(organisation, period, cells, Size(area, people))


def _not_filled(name: Text) -> Text:
    return Text(f"未填报{name.zh}", f"{name.en} is not filled in")
