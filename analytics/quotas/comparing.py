"""A figure set against a quota, after the corrections of its standard; never under other factors than its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from analytics.quotas.standards import Correction, QuotaError, Row, Standard, Value
from analytics.reporting.figures import Figure
from energy.confidence import Confidence


@dataclass(frozen=True, slots=True)
class Applied:
    """A correction as it was applied to a building."""

    correction: Correction
    actual: Decimal
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure beside the values of its quota.

    corrected : the figure times all corrections, None where the figure is not known. kept : the values that it does not
    exceed. factor_set : the one that both were made with, None where no factor is in them.
    """

    standard: str
    version: str
    row: Row
    figure: Figure
    corrections: tuple[Applied, ...]
    corrected: Decimal | None
    kept: tuple[Value, ...]
    factor_set: str | None
    confidence: Confidence

    def share(self, value: Value) -> Decimal | None:
        """What part of a value was used; None where that is not known."""
        return (
            None if self.corrected is None or value not in self.row.values else self.corrected / self.row.values[value]
        )


def compare(
    standard: Standard, row: Row, figure: Figure, factor_set: str | None, facts: Mapping[str, Decimal] | None = None
) -> Compared:
    """A figure of a whole year beside a line of a standard.

    factor_set : the one by which the figure was made. facts : what corrections need, such as hours of use; a correction
    whose fact is not given is not applied, and is not among those that the answer names.

    QuotaError where the units differ, or where the figure is of another factor set than the standard.
    """
    if figure.unit != row.indicator.unit:
        raise QuotaError(f"{row.indicator.id} of {standard.id} is in {row.indicator.unit}, the figure in {figure.unit}")
    must_be_of(standard, row, factor_set)
    applied = tuple(_applied(c, facts or {}) for c in standard.corrections if row.indicator.id in c.indicators)
    used = tuple(a for a in applied if a is not None)
    corrected = figure.value
    for one in used:
        corrected = None if corrected is None else corrected * one.factor
    kept = () if corrected is None else tuple(v for v in row.indicator.values if corrected <= row.values.get(v, -1))
    of = standard.factor_set if row.indicator.is_of_coal else None
    return Compared(standard.id, standard.version, row, figure, used, corrected, kept, of, row.confidence)


def must_be_of(standard: Standard, row: Row, factor_set: str | None) -> None:
    """QuotaError where a figure under this factor set must not be set against a line."""
    if row.indicator.is_of_coal and factor_set != standard.factor_set:
        raise QuotaError(
            f"{row.indicator.id} of {standard.id} was made with factor set {standard.factor_set}, the figure with "
            f"{factor_set or 'none'}: the same electricity differs between sets by up to 2.5 times, so they are not "
            f"compared; ask for the figure under {standard.factor_set}"
        )


def _applied(correction: Correction, facts: Mapping[str, Decimal]) -> Applied | None:
    actual = facts.get(correction.fact)
    return None if actual is None else Applied(correction, actual, correction.factor(actual))
