"""The lines of a bill that do not hang on the use alone: basic charge, area, power factor."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from analytics.tariffs.account import Missing, Use
from analytics.tariffs.bill_lines import Found, Line, LineKind, line
from analytics.tariffs.charges import BasicCharge, Basis
from analytics.tariffs.tariff import Version
from energy.errors import EnergyError
from energy.sites import Text

_HUNDREDTH = Decimal("0.01")
# What goes into the base of the power-factor adjustment: all but government funds.
_OF_BASE = (LineKind.ENERGY, LineKind.TIER, LineKind.COMPONENT, LineKind.CAPACITY, LineKind.DEMAND)


def basic_lines(version: Version, use: Use) -> Iterator[Found]:
    """The basic charge of a two-part tariff."""
    charge = version.basic_charge
    if charge is None:
        return
    basis = use.charged_by or charge.only
    if basis is None:
        yield Missing.CHARGED_BY
    elif charge.only not in (None, basis):
        raise EnergyError(f"the account is charged by {basis}, but the tariff has a price by {charge.only} alone")
    elif basis == Basis.CAPACITY:
        yield _by_capacity(charge, use)
    else:
        yield _by_demand(charge, use)


def _by_capacity(charge: BasicCharge, use: Use) -> Found:
    if use.capacity is None:
        return Missing.CAPACITY
    assert charge.capacity is not None
    return line(LineKind.CAPACITY, Text("基本电费（容量）", "Capacity"), use.capacity, "kVA", charge.capacity)


def _by_demand(charge: BasicCharge, use: Use) -> Found:
    if use.max_demand is None:
        return Missing.MAX_DEMAND
    if charge.demand_relief is None:
        price = charge.demand_price(Decimal(0))
    elif not use.bands or not use.capacity:
        return Missing.CAPACITY if use.bands else Missing.USE
    else:
        price = charge.demand_price(use.total / use.capacity)
    return line(LineKind.DEMAND, Text("基本电费（需量）", "Demand"), use.max_demand, "kW", price)


def area_lines(version: Version, month: str, use: Use) -> Iterator[Found]:
    """Heat by area, in the months in which it is charged."""
    area = version.area
    if area is None or not area.charged_in(int(month[-2:])):
        return
    if use.area is None:
        yield Missing.AREA
    else:
        yield line(LineKind.AREA, Text("面积热费", "Heat by area"), use.area, "m2", area.price)


def power_factor(active: Decimal, reactive: Decimal) -> Decimal | None:
    """The average power factor of a month from its energies, to the hundredth; None where nothing flowed.

    >>> power_factor(Decimal(300), Decimal(400))
    Decimal('0.60')
    """
    apparent = (active * active + reactive * reactive).sqrt()
    return (active / apparent).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP) if apparent else None


def power_factor_lines(version: Version, use: Use, found: list[Found]) -> Iterator[Found]:
    """The adjustment by power factor of all that was found but government funds."""
    table = version.power_factor
    if table is None:
        return
    if use.reactive is None:
        yield Missing.REACTIVE
    # An adjustment of a base that lacks something would be wrong: it is left out with it.
    elif not any(isinstance(x, Missing) for x in found):
        reached = power_factor(use.total, use.reactive)
        base = sum((x.amount for x in found if isinstance(x, Line) and x.kind in _OF_BASE), Decimal(0))
        if reached is not None:
            name = Text(f"力调电费（功率因数 {reached}）", f"Power factor {reached}")
            yield line(LineKind.POWER_FACTOR, name, base, "yuan", table.percent(reached) / 100)
