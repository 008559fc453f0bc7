"""Fuels that are bought and kept: petrol, diesel, coal, bottled gas. What was bought, counted, used, on which day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

_CENT = Decimal("0.01")
_MOST = Decimal("1e12")
# unit -> (what it measures, factor to kg or L)
_UNITS = {
    "kg": ("mass", Decimal(1)),
    "t": ("mass", Decimal(1000)),
    "L": ("volume", Decimal(1)),
    "m3": ("volume", Decimal(1000)),
}
UNITS = tuple(_UNITS)
OWNERS = ("organisation", "place")


class MoveKind(StrEnum):
    """What is told of a stock: so much was bought, is there, was used."""

    PURCHASE = "purchase"
    COUNT = "count"
    USED = "used"


@dataclass(frozen=True, slots=True)
class StockMove:
    """What was bought or used on a day, or counted in its evening, with that day's moves done.

    of : who keeps it, organisation/ID or place/ID. quantity : in `unit`. amount : what a purchase cost [yuan].
    """

    of: str
    fuel: str
    kind: MoveKind
    day: date
    quantity: Decimal
    unit: str
    amount: Decimal | None = None
    note: str = ""

    def __post_init__(self) -> None:
        kind, slash, name = self.of.partition("/")
        if not slash or not name or kind not in OWNERS:
            raise ValueError(f"of {self.of!r} must be organisation/ID or place/ID")
        if self.unit not in _UNITS:
            raise ValueError(f"unit {self.unit!r} must be {', '.join(UNITS)}")
        if not self.quantity.is_finite() or not 0 <= self.quantity < _MOST:
            raise ValueError(f"quantity {self.quantity} must be a number, 0 or more")
        if self.kind is not MoveKind.COUNT and self.quantity == 0:
            raise ValueError(f"quantity 0 of a {self.kind}; leave the row out")
        self._check_amount()

    def _check_amount(self) -> None:
        if self.amount is None:
            return
        if self.kind is not MoveKind.PURCHASE:
            raise ValueError(f"amount is what a purchase cost; a {self.kind} has none")
        if not self.amount.is_finite() or not 0 <= self.amount < _MOST or self.amount != self.amount.quantize(_CENT):
            raise ValueError(f"amount {self.amount} must be in whole cents, 0 or more")

    @property
    def measure(self) -> str:
        """What its unit measures: mass or volume."""
        return _UNITS[self.unit][0]

    def quantity_in(self, unit: str) -> Decimal:
        """The quantity in another unit of the same measure, exactly.

        >>> StockMove("place/a", "coal", MoveKind.PURCHASE, date(2026, 1, 5), Decimal("1.5"), "t").quantity_in("kg")
        Decimal('1500.0')
        """
        measure, factor = _UNITS[unit]
        if measure != self.measure:
            raise ValueError(f"{self.unit!r} measures {self.measure}, {unit!r} {measure}: no factor lies between them")
        return self.quantity * _UNITS[self.unit][1] / factor
