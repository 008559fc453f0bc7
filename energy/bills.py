"""Bills of suppliers: what an account was charged for, from one day to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from energy.names import check_id

_CENT = Decimal("0.01")
# Far above any bill, and exact in every column that holds micro-units.
_MOST = Decimal("1e12")


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of a bill as it is printed; what it is for, and its amount [yuan]."""

    name: str
    amount: Decimal
    quantity: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SupplierBill:
    """What a supplier charged an account for the days from `start`, included, to `end`, not included.

    quantity : in the unit of the account's medium. amount : whole cents, below 0 for a credit [yuan].
    number : the one that is printed on it. lines : where they were entered, they sum to the amount.
    """

    account: str
    start: date
    end: date
    quantity: Decimal
    amount: Decimal
    number: str = ""
    note: str = ""
    lines: tuple[BilledLine, ...] = ()

    def __post_init__(self) -> None:
        check_id("account", self.account)
        if not self.start < self.end:
            raise ValueError(f"from {self.start} must be before to {self.end}; the day `to` is not included")
        for name in ("quantity", "amount"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or abs(value) >= _MOST:
                raise ValueError(f"{name} {value} must be a number below {_MOST:f}")
        if self.amount != self.amount.quantize(_CENT):
            raise ValueError(f"amount {self.amount} must be in whole cents")
        if self.lines and sum(line.amount for line in self.lines) != self.amount:
            raise ValueError(f"the lines sum to {sum(line.amount for line in self.lines)}, not to {self.amount}")

    def overlaps(self, other: SupplierBill) -> bool:
        """Whether there is a day that both charge for."""
        return self.account == other.account and self.start < other.end and other.start < self.end
