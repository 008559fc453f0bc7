"""What a finding costs, and what it emits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from analytics.carbon.factors import Carrier, FactorError
from energy.findings import Finding
from energy.hours import UNPRICED, Hours, Whole
from energy.quantities import Medium, medium_of, quantity
from energy.readings import from_ms
from energy.series import MICRO
from gateway.ledger.books import Books

_CARRIERS = {Medium.ELECTRICITY: Carrier.ELECTRICITY, Medium.GAS: Carrier.NATURAL_GAS, Medium.HEAT: Carrier.HEAT}
_GRAM = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Valued:
    """A finding with its worth; what is not known is None.

    cost : of the excess, hour by hour at the tariff [millionths of a yuan]; `tariff` names its version. co2_kg : of the
    excess under the factor set.
    """

    finding: Finding
    cost: int | None = None
    tariff: str | None = None
    co2_kg: Decimal | None = None
    factor_set: str | None = None


def valued(books: Books, finding: Finding, hours: Whole, excess: Whole) -> Valued:
    """A finding and what it is worth.

    hours : (n,) since the epoch. excess : (n,) of each hour [millionths of the unit]; half of it in each half hour.
    """
    if finding.excess is None:
        return Valued(finding)
    cost, tariff = _cost(books, finding, hours, excess)
    return Valued(finding, cost, tariff, *_co2(books, finding))


def _cost(books: Books, finding: Finding, hours: Whole, excess: Whole) -> tuple[int | None, str | None]:
    worth = books.builder.terms.worth(finding.point)
    if worth is None:
        return None, None
    small, none = np.zeros(len(hours), np.int32), np.zeros(len(hours), np.int64)
    rows = Hours(small, hours.astype(np.int32), excess, excess // 2, none, none, small, small, small, small)
    cost = worth.cost(rows)
    return (None, worth.id) if (cost == UNPRICED).any() else (int(cost.sum()), worth.id)


def _co2(books: Books, finding: Finding) -> tuple[Decimal | None, str | None]:
    site = books.kept.site
    medium = books.builder.terms.medium(finding.point.meter)
    carrier = _CARRIERS.get(medium or medium_of([finding.point.quantity]))
    if carrier is None or finding.excess is None:
        return None, None
    chosen = books.factors.sets[0]
    year = from_ms(finding.start_ms).astimezone(site.zone_info).year
    try:
        made = chosen.convert(
            carrier, Decimal(abs(finding.excess)) / MICRO, quantity(finding.point.quantity).unit, year
        )
    except FactorError:
        return None, None
    if made.kgco2 is None:
        return None, None
    return (made.kgco2 if finding.excess >= 0 else -made.kgco2).quantize(_GRAM), made.factor_set
