"""A clause of cost trust: a fee a month, and what it is adjusted by; parts of months by their days."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby

from analytics.contracts.inputs import Inputs
from analytics.contracts.lines import Line
from analytics.contracts.money import rounded
from analytics.contracts.words import (
    AdjustmentWords,
    FixedAdjustmentWords,
    PriceAdjustmentWords,
    TrustFeeWords,
    held,
)


def fee_lines(given: Inputs, clause: TrustFeeWords) -> Iterator[Line]:
    """A line for the fee of each month, and one for each adjustment and what it goes by, with its evidence."""
    contract = given.contract
    days = [d for d in given.days if contract.from_ <= d <= contract.to]
    for month, own in groupby(days, lambda d: (d.year, d.month)):
        of_month = list(own)
        name = f"{clause.id}.{month[0]}-{month[1]:02}"
        whole = monthrange(*month)[1]
        detail = {"per_month": str(clause.fee_per_month), "days": str(len(of_month)), "of_days": str(whole)}
        yield _line(given, clause, f"{name}.fee", "fee", of_month, clause.fee_per_month, detail)
        for adjustment in clause.adjustments:
            value = _per_month(clause, adjustment)
            runs = groupby([d for d in of_month if adjustment.covers(d)], value)
            for number, ((amount, said), run) in enumerate(runs, 1):
                covered = list(run)
                told = {**said, "days": str(len(covered)), "of_days": str(whole), "why": adjustment.why}
                told["evidence"] = adjustment.evidence
                line_id = f"{name}.{adjustment.id}.{number}"
                yield _line(given, clause, line_id, "adjustment", covered, amount, told)


_Value = tuple[Decimal, dict[str, str]]


def _per_month(clause: TrustFeeWords, adjustment: AdjustmentWords) -> Callable[[date], _Value]:
    """What an adjustment comes to in a whole month of days like this one, and what it was reckoned from."""

    def value(day: date) -> _Value:
        if isinstance(adjustment, FixedAdjustmentWords):
            return adjustment.amount, {"per_month": str(adjustment.amount)}
        if isinstance(adjustment, PriceAdjustmentWords):
            price = held({p.from_: p.price for p in adjustment.prices}, day)
            price = adjustment.base_price if price is None else price
            told = {"price": price, "base_price": adjustment.base_price, "quantity": adjustment.quantity_per_month}
            return (price - adjustment.base_price) * adjustment.quantity_per_month, _texts(told)
        now = held({v.from_: v.value for v in adjustment.values}, day)
        now = adjustment.base if now is None else now
        told = {"value": now, "base": adjustment.base, "weight": adjustment.weight, "per_month": clause.fee_per_month}
        change = clause.fee_per_month * adjustment.weight * (now - adjustment.base) / adjustment.base
        return change, {"of": adjustment.of, **_texts(told)}

    return value


def _texts(told: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(value) for name, value in told.items()}


def _line(
    given: Inputs,
    clause: TrustFeeWords,
    line_id: str,
    kind: str,
    days: list[date],
    per_month: Decimal,
    detail: dict[str, str],
) -> Line:
    whole = monthrange(days[0].year, days[0].month)[1]
    amount = rounded(per_month * len(days) / whole, given.contract.rounding.money)
    end = days[-1] + timedelta(days=1)
    return Line(line_id, clause.id, kind, days[0], end, amount, detail=detail)
