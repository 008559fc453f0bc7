"""How much a year allows: by a standard, by own history; and what of it each month allows, the sum kept exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import lcm

from analytics.quotas.standards import QuotaError, Row, Value
from energy.quotas import MONTHS
from energy.series import MICRO


def by_standard(row: Row, value: Value, size: Decimal) -> Decimal:
    """The year's quota: so much per square metre, person or the like, times how many there are.

    >>> from analytics.quotas.standards import QUOTA_INDICATORS, Confidence, Row, Value
    >>> row = Row(QUOTA_INDICATORS["water_per_person"], {}, {Value.GENERAL: Decimal(25)}, "", Confidence.VERIFIED)
    >>> by_standard(row, Value.GENERAL, Decimal(120))
    Decimal('3000')
    """
    if value not in row.values:
        raise QuotaError(f"{row.indicator.id} has no {value} here; it has {', '.join(row.values)}")
    if not size.is_finite() or not size > 0:
        raise QuotaError(f"the size {size} that {row.indicator.id} is multiplied by must be above 0")
    return row.values[value] * size


def by_history(years: Mapping[int, Decimal | None], rate: Decimal) -> Decimal:
    """The mean of past years less a rate, to the thousandth, half up; 0.06 takes off six hundredths.

    QuotaError where there is no year or one of them is not known whole: leave it out, and say so.

    >>> by_history({2023: Decimal(100), 2024: Decimal(110), 2025: Decimal(120)}, Decimal("0.06"))
    Decimal('103.400')
    """
    missing = sorted(year for year, used in years.items() if used is None)
    if missing or not years:
        told = ", ".join(str(year) for year in missing)
        raise QuotaError(f"{told} not known whole; leave out or complete" if missing else "no past year is given")
    if not 0 <= rate < 1:
        raise QuotaError(f"rate {rate} must be from 0 to below 1; 0.06 is six percent")
    used = [amount for amount in years.values() if amount is not None]
    mean = sum(used, Decimal(0)) / len(used)
    return (mean * (1 - rate)).quantize(Decimal("0.001"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Months:
    """What each month of a year allows [millionths]; `by` says by which years' shape, empty where by days alone."""

    amounts: tuple[int, ...]
    by: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.amounts)


def over_months(total: int, past: Mapping[int, Sequence[Decimal | None]], days: Sequence[int]) -> Months:
    """A year's quota over its months, as the past years were used; they sum to `total` to the last millionth.

    total : [millionths] of the year. past : twelve amounts by year; a year with a month that is not known, or that
    used nothing, tells no shape. days : of the twelve months, by which it goes where no year tells a shape.
    """
    if total < 0 or len(days) != MONTHS:
        raise QuotaError(f"a quota of {total} millionths over {len(days)} months cannot be divided")
    shapes = {year: _shape(amounts) for year, amounts in sorted(past.items())}
    known = {year: shape for year, shape in shapes.items() if shape is not None}
    if not known:
        return Months(parts(total, [Fraction(d) for d in days]), ())
    weights = [sum((shape[m] for shape in known.values()), Fraction(0)) for m in range(MONTHS)]
    return Months(parts(total, weights), tuple(known))


def _shape(amounts: Sequence[Decimal | None]) -> list[Fraction] | None:
    """Shares of the year; None where it tells no shape."""
    known = [Fraction(a) for a in amounts if a is not None and a >= 0]
    whole = sum(known, Fraction(0))
    return [a / whole for a in known] if len(known) == MONTHS == len(amounts) and whole > 0 else None


def parts(total: int, weights: Sequence[Fraction]) -> tuple[int, ...]:
    """A whole number divided by weights into whole numbers that sum to it: the largest remainders get the rest."""
    common = lcm(*(w.denominator for w in weights))
    return whole_parts(total, [int(w * common) for w in weights])


def whole_parts(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """The same by weights that are whole numbers."""
    whole = sum(weights)
    if whole <= 0 or any(w < 0 for w in weights):
        raise QuotaError("weights must not be below 0, nor all of them 0")
    floors = [total * w // whole for w in weights]
    left = total - sum(floors)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[:left]:
        floors[i] += 1
    return tuple(floors)


def millionths(amount: Decimal) -> int:
    """An amount in millionths of its unit, half up."""
    return int((amount * MICRO).to_integral_value(ROUND_HALF_UP))
