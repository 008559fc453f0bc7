"""A clause of shared savings: saving x price x share, piece by piece where the share or the price changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from analytics.contracts.baseline import COEFFICIENT_DIGITS, TEMPERATURE_DIGITS
from analytics.contracts.inputs import Inputs, MeterDays
from analytics.contracts.lines import Line
from analytics.contracts.money import divided, of_units, rounded
from analytics.contracts.words import Negative, SharedSavingsWords

_HUNDRED: int = 10**TEMPERATURE_DIGITS
_EIGHT = COEFFICIENT_DIGITS + TEMPERATURE_DIGITS


@dataclass(frozen=True, slots=True)
class DayOf:
    """A day of a clause [10^-8 units for energy, millionths of a yuan for cost]; None where not all is known."""

    day: date
    baseline: int | None
    adjustment: int
    actual: int | None
    cost: int | None

    @property
    def known(self) -> bool:
        return self.baseline is not None and self.actual is not None


def meters_of(given: Inputs, clause_points: Sequence[str]) -> list[MeterDays]:
    """The counters of a clause."""
    return [m for m in given.meters if m.point in clause_points]


def days_of(given: Inputs, clause: SharedSavingsWords) -> list[DayOf]:
    """The clause day by day."""
    meters = meters_of(given, [str(b.point) for b in given.contract.bounded(clause)])
    baseline = given.baselines[clause.id].of_days(given.kinds, given.temperature)
    return [
        DayOf(day, baseline[i], _adjusted(given, clause.id, day), *_used(meters, i, day))
        for i, day in enumerate(given.days)
    ]


def _adjusted(given: Inputs, clause: str, day: date) -> int:
    own = (a.per_day for a in given.adjustments if a.clause == clause and a.first <= day <= a.last)
    return sum(own) * _HUNDRED


def _used(meters: Sequence[MeterDays], i: int, day: date) -> tuple[int | None, int | None]:
    """What the counters that count on the day measured, and what it cost."""
    amount, cost = 0, 0
    priced = True
    for meter in meters:
        if not meter.first <= day < meter.end:
            continue
        used, paid = meter.amount[i], meter.cost[i]
        if used is None:
            return None, None
        amount += meter.sign * used
        priced = priced and paid is not None
        cost += meter.sign * (paid or 0)
    return amount * _HUNDRED, cost if priced else None


def saving_lines(given: Inputs, clause: SharedSavingsWords, unit: str) -> Iterator[Line]:
    """A line for each run of days of one stage and one price, then what is carried, floored or carried on."""
    lines = []
    for number, (key, run) in enumerate(_runs(given, clause), 1):
        lines.append(_line(given, clause, unit, number, key, run))
    yield from lines
    yield from _settled(given, clause, sum((line.amount for line in lines), Decimal("0.00")))


_Key = tuple[Decimal, Decimal | None]


def _runs(given: Inputs, clause: SharedSavingsWords) -> Iterator[tuple[_Key, list[DayOf]]]:
    def key(one: DayOf) -> tuple[int, _Key] | None:
        found = [(i, s) for i, s in enumerate(clause.stages) if s.covers(one.day)]
        if not found or not given.contract.from_ <= one.day <= given.contract.to:
            return None
        number, stage = found[0]
        price = clause.price.on(one.day)
        return number, (stage.share_percent, None if price is None else price.price)

    for found, run in groupby(days_of(given, clause), key):
        if found is not None:
            yield found[1], list(run)


def _line(given: Inputs, clause: SharedSavingsWords, unit: str, number: int, key: _Key, run: Sequence[DayOf]) -> Line:
    share, agreed = key
    rounding = given.contract.rounding
    known = [one for one in run if one.known]
    baseline = of_units(sum(one.baseline or 0 for one in known), _EIGHT, rounding.energy)
    adjustment = of_units(sum(one.adjustment for one in known), _EIGHT, rounding.energy)
    actual = of_units(sum(one.actual or 0 for one in known), _EIGHT, rounding.energy)
    adjusted = baseline + adjustment
    saving = adjusted - actual
    price = rounded(agreed, rounding.price) if agreed is not None else _metered(known, rounding.price)
    benefit = rounded(saving * (price or 0), rounding.money)
    return Line(
        f"{clause.id}.{number}",
        clause.id,
        "saving",
        run[0].day,
        run[-1].day + timedelta(days=1),
        rounded(benefit * share / 100, rounding.money),
        unit,
        baseline,
        adjustment,
        adjusted,
        actual,
        saving,
        price,
        benefit,
        share,
        [one.day for one in run if not one.known],
    )


def _metered(days: Sequence[DayOf], digits: int) -> Decimal | None:
    """The mean price of what was used; None where that has none."""
    used, paid = sum(one.actual or 0 for one in days), sum(one.cost or 0 for one in days)
    if used <= 0 or any(one.cost is None for one in days):
        return None
    return divided(Decimal(paid) * _HUNDRED, Decimal(used), digits)


def _settled(given: Inputs, clause: SharedSavingsWords, total: Decimal) -> Iterator[Line]:
    zero = Decimal("0.00")
    carried = given.carried.get(clause.id)
    if carried is not None:
        amount = Decimal(carried.amount)
        detail = {"from": carried.number, "sha256": carried.sha256}
        yield Line(f"{clause.id}.carried", clause.id, "carried", given.first, given.end, amount, detail=detail)
        total += amount
    if total < zero and clause.negative is Negative.FLOOR:
        yield Line(f"{clause.id}.floored", clause.id, "floored", given.first, given.end, -total)
    elif total < zero and clause.negative is Negative.CARRY_FORWARD:
        yield Line(f"{clause.id}.forwarded", clause.id, "forwarded", given.first, given.end, -total)
