"""What a bill holds beside the price of each unit: components, basic charge, power factor, area."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from analytics.tariffs.unfit import Fault, price_faults, refuse
from energy.confidence import Confidence
from energy.sites import Text, check_id

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of what each unit costs, beside its price: a sewage fee, a resource fee, a government fund [yuan/unit]."""

    id: str
    name: Text
    price: Decimal

    def __post_init__(self) -> None:
        check_id("component", self.id)


class Basis(StrEnum):
    """By what the basic charge of a two-part tariff is reckoned."""

    CAPACITY = "capacity"
    DEMAND = "demand"


@dataclass(frozen=True, slots=True)
class DemandRelief:
    """A factor on the demand price from so many kWh per kVA of capacity in the month on."""

    from_kwh_per_kva: Decimal
    factor: Decimal

    def __post_init__(self) -> None:
        found: list[Fault] = []
        if not 0 < self.factor <= 1:
            found.append((("factor",), "must be above 0, and 1 at most"))
        if not self.from_kwh_per_kva > 0:
            found.append((("from_kwh_per_kva",), "must be above 0"))
        refuse(found)


@dataclass(frozen=True, slots=True)
class BasicCharge:
    """The fixed part of a two-part tariff: by capacity [yuan/kVA and month] or by demand [yuan/kW and month]."""

    capacity: Decimal | None = None
    demand: Decimal | None = None
    demand_relief: DemandRelief | None = None
    source: str | None = None
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        given = {"capacity": self.capacity, "demand": self.demand}
        found = [f for key, p in given.items() if p is not None for f in price_faults((key,), p)]
        if self.capacity is None and self.demand is None:
            found.append(((), "must give `capacity`, `demand` or both"))
        if self.demand_relief is not None and self.demand is None:
            found.append((("demand_relief",), "is of a demand price, but `demand` is not given"))
        refuse(found)

    @property
    def only(self) -> Basis | None:
        """The basis, where there is no choice."""
        if self.capacity is not None and self.demand is not None:
            return None
        return Basis.DEMAND if self.capacity is None else Basis.CAPACITY

    def demand_price(self, kwh_per_kva: Decimal) -> Decimal:
        """Price of a kW of demand in a month of such use."""
        assert self.demand is not None
        relief = self.demand_relief
        return self.demand * relief.factor if relief and kwh_per_kva >= relief.from_kwh_per_kva else self.demand


@dataclass(frozen=True, slots=True)
class Rung:
    """A stretch of the power-factor table, as far as `to`: so many percent for each 0.01."""

    to: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """Adjustment by the monthly average power factor: `penalty` leads down from the standard, `reward` up."""

    standard: Decimal
    penalty: tuple[Rung, ...]
    reward: tuple[Rung, ...] = ()
    source: str | None = None
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        hundredths = 0 < self.standard < 1 and self.standard == round(self.standard, 2)
        standard: list[Fault] = [] if hundredths else [(("standard",), "must be between 0 and 1, such as 0.85")]
        down, up = self._rung_faults("penalty", self.penalty, -1), self._rung_faults("reward", self.reward, 1)
        whole = self.penalty and self.penalty[-1].to == 0
        end: list[Fault] = [] if whole else [(("penalty",), "must lead down to 0 in the end")]
        refuse([*standard, *down, *up, *end])

    def _rung_faults(self, key: str, rungs: Sequence[Rung], sign: int) -> Iterator[Fault]:
        at = self.standard
        for i, rung in enumerate(rungs):
            if not (rung.to - at) * sign > 0:
                yield (key, i, "to"), f"must be {'above' if sign > 0 else 'below'} {at}, where the stretch begins"
            if not 0 <= rung.to <= 1 or rung.to != round(rung.to, 2):
                yield (key, i, "to"), "must be a number of hundredths from 0 to 1, such as 0.65"
            if not rung.percent >= 0:
                yield (key, i, "percent"), "must be 0 or more"
            at = rung.to

    def percent(self, power_factor: Decimal) -> Decimal:
        """What is added to the bill [%], below 0 for a reward, at a power factor of whole hundredths.

        Beyond the last reward nothing more is given.
        """
        sign, rungs = (1, self.penalty) if power_factor < self.standard else (-1, self.reward)
        edges = [self.standard, *(r.to for r in rungs)]
        found = Decimal(0)
        for (a, b), rung in zip(pairwise(edges), rungs, strict=True):
            reached = min(max(power_factor, min(a, b)), max(a, b))
            found += abs(reached - a) / _HUNDREDTH * rung.percent
        return sign * found


class AreaSpan(StrEnum):
    """What a price by area is for."""

    MONTH = "month"
    SEASON = "season"


@dataclass(frozen=True, slots=True)
class AreaCharge:
    """Heat by area: per month of `months`, or per season, which is then billed in the first of them [yuan/m2]."""

    price: Decimal
    per: AreaSpan
    months: tuple[int, ...]
    source: str | None = None
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        found = list(price_faults(("price",), self.price))
        if not self.months or any(not 1 <= m <= 12 for m in self.months) or len(set(self.months)) < len(self.months):
            found.append((("months",), "must list months from 1 to 12, each once"))
        refuse(found)

    def charged_in(self, month: int) -> bool:
        return month in self.months if self.per is AreaSpan.MONTH else month == self.months[0]
