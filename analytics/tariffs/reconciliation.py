"""Why an invoice is not what the meter and the tariff say: named causes whose sum is the difference, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from analytics.tariffs.bill import Bill
from analytics.tariffs.bill_lines import cents
from energy.errors import EnergyError

_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")


class Cause(StrEnum):
    """Why the amounts differ."""

    PERIOD = "period"
    QUANTITY = "quantity"
    PRICE = "price"
    ROUNDING = "rounding"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Statement:
    """A quantity and what it cost, from the first to the last day; `lines` says how many roundings the amount holds."""

    quantity: Decimal
    amount: Decimal
    first: date
    last: date
    lines: int = 1

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"ends on {self.last}, before it begins on {self.first}")
        if self.amount != cents(self.amount):
            raise ValueError(f"amount {self.amount} is not in whole cents")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def days_outside(self, other: Statement) -> int:
        """How many of its days the other one does not hold."""
        common = (min(self.last, other.last) - max(self.first, other.first)).days + 1
        return self.days - (common if common > 0 else 0)


def metered(bill: Bill) -> Statement:
    """The statement of a bill of our own; EnergyError where it lacks something, since its amount then says nothing."""
    if not bill.complete:
        raise EnergyError(f"the bill of {bill.month} lacks {', '.join(bill.missing)}: it cannot be compared")
    return Statement(bill.used, bill.total, *bill.days, lines=len(bill.lines))


@dataclass(frozen=True, slots=True)
class Differences:
    """Billed less metered.

    amount : [yuan]; the sum of `causes`. quantity : [unit]; quantity_percent of the metered one, None of nothing.
    metered_price, billed_price : the mean price of a unit, all in [yuan/unit]; None of nothing.
    days_only_billed, days_only_metered : by how many days the periods do not match.
    """

    amount: Decimal
    quantity: Decimal
    quantity_percent: Decimal | None
    metered_price: Decimal | None
    billed_price: Decimal | None
    days_only_billed: int
    days_only_metered: int
    causes: Mapping[Cause, Decimal]


def reconcile(metered: Statement, billed: Statement) -> Differences:
    """What an invoice differs by from our own statement, and why.

    Period: the days that only one of them holds, at the metered use of a mean day (an estimate: what flowed on them is
    not known here). Quantity: the rest of the difference in quantity. Both at the metered mean price. Price: what is
    left; it counts as rounding where it is not more than a cent for each line of both, and so does what the rounding of
    the parts leaves. Where nothing was metered there is no price, and all is unexplained.
    """
    total, quantity = billed.amount - metered.amount, billed.quantity - metered.quantity
    return Differences(
        amount=total,
        quantity=quantity,
        quantity_percent=quantity / metered.quantity * 100 if metered.quantity else None,
        metered_price=_mean_price(metered),
        billed_price=_mean_price(billed),
        days_only_billed=billed.days_outside(metered),
        days_only_metered=metered.days_outside(billed),
        causes=_causes(metered, billed) if metered.quantity else {Cause.UNEXPLAINED: total},
    )


def _mean_price(statement: Statement) -> Decimal | None:
    return statement.amount / statement.quantity if statement.quantity else None


def _causes(metered: Statement, billed: Statement) -> dict[Cause, Decimal]:
    days = Decimal(billed.days - metered.days)
    period = cents(metered.amount * days / metered.days)
    expected = metered.amount * billed.quantity / metered.quantity
    quantity = cents(expected - metered.amount - metered.amount * days / metered.days)
    price = cents(billed.amount - expected)
    if abs(price) <= _CENT * (metered.lines + billed.lines):
        price = _NOTHING
    rounding = billed.amount - metered.amount - period - quantity - price
    return {Cause.PERIOD: period, Cause.QUANTITY: quantity, Cause.PRICE: price, Cause.ROUNDING: rounding}
