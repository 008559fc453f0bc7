"""Findings that last longer than can be seen: what is new of them is added to what was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from energy.findings import Finding
from energy.readings import Point
from gateway.findings.kept import Kept, State
from gateway.findings.looks import is_same
from gateway.findings.worth import Valued

N = TypeVar("N", int, Decimal)


def lasting(kept: Sequence[Kept], since_ms: int) -> dict[Point, list[Kept]]:
    """By counter, the findings of use that began before an instant; facts of the data are read back themselves."""
    found: dict[Point, list[Kept]] = {}
    for one in kept:
        if one.finding.start_ms < since_ms and not one.finding.kind.is_of_data and one.state is not State.GONE:
            found.setdefault(one.finding.point, []).append(one)
    return found


def begun(before: Mapping[Point, Sequence[Kept]], finding: Finding) -> Valued | None:
    """As what a finding began; None where it began when it was seen to."""
    same = (k.valued for k in before.get(finding.point, ()) if is_same(k.finding, finding))
    return next(same, None)


def longer(told: Valued, more: Valued) -> Valued:
    """What was told, with what came after its end. What is not known of either is not known of both."""
    one, new = told.finding, more.finding
    finding = replace(
        one,
        end_ms=max(one.end_ms, new.end_ms),
        ongoing=new.ongoing,
        peak=max(one.peak, new.peak),
        excess=_sum(one.excess, new.excess),
        used=_sum(one.used, new.used),
        expected=_sum(one.expected, new.expected),
    )
    co2_kg, cost = _sum(told.co2_kg, more.co2_kg), _sum(told.cost, more.cost)
    return Valued(finding, cost, more.tariff or told.tariff, co2_kg, more.factor_set or told.factor_set)


def _sum(one: N | None, other: N | None) -> N | None:
    return None if one is None or other is None else one + other
