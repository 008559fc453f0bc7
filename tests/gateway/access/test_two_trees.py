"""An institution is seen, and counted, from its region and from its department, while it belongs there."""

from __future__ import annotations

from datetime import date

import pytest

from energy.names import Text
from energy.organisations import Membership, Organisation
from energy.quantities import Medium
from energy.sites import Meter, Site
from energy.validity import Validity
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.access.sight import Sight
from gateway.ledger.scope import Node, NodeKind, Scope

NAME = Text("名", "name")
BEFORE, AFTER = date(2026, 6, 30), date(2026, 7, 1)
ENERGY = ("active_energy_import",)
SITE = Site(
    "town",
    NAME,
    "Asia/Shanghai",
    meters=(
        Meter("school-main", NAME, Medium.ELECTRICITY, quantities=ENERGY, organisation="school"),
        Meter("clinic-main", NAME, Medium.ELECTRICITY, quantities=ENERGY, organisation="clinic"),
    ),
    organisations=(
        Organisation("county", NAME, "county", code="330302"),
        Organisation("education", NAME, "department"),
        Organisation("school", NAME, parent="county"),
        Organisation("clinic", NAME, parent="county"),
    ),
    memberships=(Membership("school", "education", Validity(AFTER, None)),),
)


def seen(organisation: str, day: date) -> Sight:
    who = Identity("wang", (Grant(Role.READER, organisation),))
    return Sight.of(who, Permission.READ, SITE, day)


def test_the_department_sees_its_school_from_the_day_on_and_nothing_else() -> None:
    assert seen("education", BEFORE).meters == frozenset()
    assert seen("education", AFTER).meters == {"school-main"}
    assert seen("education", AFTER).organisations == {"education", "school"}


@pytest.mark.parametrize("day", [BEFORE, AFTER])
def test_the_region_sees_it_all_the_time_and_not_the_department(day: date) -> None:
    assert seen("county", day).meters == {"school-main", "clinic-main"}
    assert "education" not in seen("county", day).organisations


def test_the_school_is_told_the_names_of_both_above_it() -> None:
    assert seen("school", AFTER).named == {"county", "education"}
    assert seen("school", BEFORE).named == {"county"}


@pytest.mark.parametrize(("node", "counters"), [("county", 2), ("education", 1), ("school", 1)])
def test_each_tree_counts_a_meter_once(node: str, counters: int) -> None:
    found = Scope(SITE, AFTER).components(Node(NodeKind.ORGANISATION, node))

    assert len(found[Medium.ELECTRICITY]) == counters
    assert Scope(SITE, AFTER).parts(Node(NodeKind.ORGANISATION, "education")) == [Node(NodeKind.ORGANISATION, "school")]
