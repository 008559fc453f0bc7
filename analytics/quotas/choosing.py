"""Which line of a standard holds for an institution. Where that is not sure, nothing is chosen, and it is said why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from analytics.quotas.standards import DIMENSION_NAMES, Dimension, QuotaError, Row, Standard


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an institution; `place` is the city or county in which it lies."""

    known: Mapping[Dimension, str]
    place: str | None = None


def choose(standard: Standard, indicator: str, case: Case, day: date) -> Row:
    """The one line of the standard for an indicator.

    QuotaError where the standard does not hold on the day, has no such indicator, no line for the case, or more than
    one because something is not known: then the message names what is missing and what it could be.
    """
    standard.must_hold(day)
    rows = [row for row in standard.rows if row.indicator.id == indicator]
    if not rows:
        there = ", ".join(dict.fromkeys(row.indicator.id for row in standard.rows))
        raise QuotaError(f"{standard.id} has no {indicator}; it has {there}")
    case = _with_zones(standard, case)
    possible = [row for row in rows if not _contradicts(row, case)]
    if not possible:
        raise QuotaError(f"{standard.id} has no line of {indicator} for {_told(case)}; it has {_lines(rows)}")
    sure = [row for row in possible if all(d in case.known for d in row.where)]
    best = max(len(row.where) for row in possible)
    chosen = [row for row in sure if len(row.where) == best]
    if len(chosen) == 1 and len(possible) == len(sure):
        return chosen[0]
    missing = [d for d in Dimension if d not in case.known and any(d in row.where for row in possible)]
    if missing:
        asked = "; ".join(f"{DIMENSION_NAMES[d].en} ({d}): {_options(possible, d)}" for d in missing)
        raise QuotaError(f"{standard.id} has {len(possible)} lines of {indicator} that could hold; say {asked}")
    raise QuotaError(f"{standard.id} has {len(chosen)} lines of {indicator} for {_told(case)}; one of them is wrong")


def _with_zones(standard: Standard, case: Case) -> Case:
    """The zone by the place; QuotaError where another one is given than that in which the place lies."""
    known = dict(case.known)
    for zone in standard.zones:
        if case.place is None or case.place not in zone.places:
            continue
        given = known.setdefault(zone.dimension, zone.value)
        if given != zone.value:
            raise QuotaError(
                f"{case.place} lies in {DIMENSION_NAMES[zone.dimension].en} {zone.value} ({zone.name.en}) of "
                f"{standard.id}, not in {given}; the wrong line would allow another amount"
            )
    return replace(case, known=known)


def _contradicts(row: Row, case: Case) -> bool:
    return any(d in case.known and case.known[d] != wanted for d, wanted in row.where.items())


def _told(case: Case) -> str:
    return ", ".join(f"{d} {v}" for d, v in case.known.items()) or "nothing known"


def _lines(rows: Sequence[Row]) -> str:
    return "; ".join(", ".join(f"{d} {v}" for d, v in row.where.items()) or "any" for row in rows)


def _options(rows: Sequence[Row], dimension: Dimension) -> str:
    return " or ".join(dict.fromkeys(row.where[dimension] for row in rows if dimension in row.where))
