"""A line of a bill, rounded to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from analytics.tariffs.account import Missing
from energy.sites import Text

_CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Yuan rounded to the cent, half up: away from zero on both sides of it.

    >>> cents(Decimal("0.125")), cents(Decimal("-0.125"))
    (Decimal('0.13'), Decimal('-0.13'))
    """
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


class LineKind(StrEnum):
    """What a line is for."""

    ENERGY = "energy"
    TIER = "tier"
    EXCESS = "excess"
    COMPONENT = "component"
    SURCHARGE = "surcharge"
    CAPACITY = "capacity"
    DEMAND = "demand"
    POWER_FACTOR = "power_factor"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill: so much of something at a price; `amount` is rounded to the cent [yuan].

    The line of the power factor takes a share, `price`, of its base, `quantity` [yuan].
    """

    kind: LineKind
    name: Text
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal


def line(kind: LineKind, name: Text, quantity: Decimal, unit: str, price: Decimal) -> Line:
    """A line with its amount."""
    return Line(kind, name, quantity, unit, price, cents(quantity * price))


# A line, or what it was not told for.
Found = Line | Missing
