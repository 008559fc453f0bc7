"""What a main meter shows because a meter below it does is told once."""

from __future__ import annotations

import pytest

from energy.findings import Finding, FindingKind
from energy.quantities import Medium
from energy.readings import Point
from energy.sites import Meter, Text
from gateway.findings.causes import why_unpriced
from gateway.findings.grouping import one_cause
from gateway.findings.worth import Valued

HOUR = 3_600_000
CAMPUS = [
    Meter(name, Text(name, name), Medium.WATER, quantities=("volume",), parent=parent)
    for name, parent in [("campus", None), ("house", "campus"), ("showers", "house"), ("gym", "campus")]
]


def excess(meter: str, m3: int, hours: tuple[int, int] = (0, 100), kind: FindingKind = FindingKind.CONSTANT) -> Valued:
    told = None if kind.is_of_data else m3 * 1_000_000
    return Valued(Finding(Point(meter, "volume"), kind, hours[0] * HOUR, hours[1] * HOUR, True, 3.0, 1.9, told))


def meters(*found: Valued) -> list[str]:
    return [one.finding.point.meter for one in one_cause(found, CAMPUS)]


def test_a_leak_is_told_of_the_lowest_meter_that_shows_it() -> None:
    assert meters(excess("campus", 55), excess("house", 48), excess("showers", 50)) == ["showers"]


def test_a_leak_of_two_branches_is_told_of_both_and_not_of_their_main() -> None:
    assert meters(excess("campus", 60), excess("showers", 30), excess("gym", 25)) == ["showers", "gym"]


@pytest.mark.parametrize(
    "below",
    [
        excess("showers", 20),
        excess("showers", -50),
        excess("showers", 50, (200, 300)),
        excess("showers", 50, (0, 30)),
        excess("showers", 0, kind=FindingKind.MISSING),
    ],
)
def test_what_nothing_below_explains_stays_with_the_main(below: Valued) -> None:
    assert meters(excess("campus", 50), below) == ["campus", "showers"]


def test_a_branch_that_shows_it_twice_counts_once() -> None:
    assert meters(excess("campus", 100), excess("house", 40), excess("showers", 40)) == ["campus", "showers"]


def test_a_fact_of_the_data_is_each_meter_s_own() -> None:
    missing = excess("campus", 0, kind=FindingKind.MISSING)
    assert meters(missing, excess("showers", 50)) == ["campus", "showers"]


def test_what_has_no_price_says_why() -> None:
    leak, gap = excess("gym", 5).finding, excess("gym", 0, kind=FindingKind.MISSING).finding

    assert why_unpriced(leak, 12_000_000, "water:1") is None
    whys = [why_unpriced(gap, None, None), why_unpriced(leak, None, None), why_unpriced(leak, None, "water:1")]
    assert len({why.en for why in whys if why is not None}) == 3
