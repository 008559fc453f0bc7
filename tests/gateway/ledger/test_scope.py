"""Which counters make up a node, on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from analytics.consumption.allocation import WHOLE
from energy.errors import EnergyError, UnknownName
from energy.organisations import Basis, FactName
from energy.quantities import Medium
from energy.sites import Site
from gateway.ledger.scope import Component, Move, Node, Scope
from tests.gateway.ledger.sites import fact, meter, organisation, place, share, site

DAY = date(2026, 3, 2)


def told(component: Component) -> str:
    share = "" if component.whole else f" {(component.high - component.low) / WHOLE:.4g}"
    return f"{'+' if component.sign == 1 else '-'}{component.point.meter}{share}"


def made_of(
    of: str, campus: Site, day: date = DAY, moves: Sequence[Move] = (), medium: Medium = Medium.ELECTRICITY
) -> list[str]:
    found = Scope(campus, day, moves).components(Node.parse(of))
    return sorted(told(c) for c in found.get(medium, []))


# -- the metering tree -------------------------------------------------------------------------------------------------

TREE = site(meter("main"), meter("floor-1", "main"), meter("floor-2", "main"), meter("lift", "floor-2"))


def test_a_site_is_its_main_meters() -> None:
    assert made_of("site/court", TREE) == ["+main"]


def test_a_meter_is_itself_and_its_parts_are_its_sub_meters() -> None:
    assert made_of("meter/floor-2", TREE) == ["+floor-2"]
    assert [str(n) for n in Scope(TREE, DAY).parts(Node.parse("meter/main"))] == ["meter/floor-1", "meter/floor-2"]


def test_each_meter_with_sub_meters_is_balanced_against_those_directly_below() -> None:
    assert {m.id: [s.id for s in below] for m, below in Scope(TREE, DAY).balanced()} == {
        "main": ["floor-1", "floor-2"],
        "floor-2": ["lift"],
    }


def test_media_are_told_apart() -> None:
    campus = site(meter("main"), meter("tap", medium=Medium.WATER, quantities=("volume", "flow_rate")))

    assert made_of("site/court", campus) == ["+main"]
    assert made_of("site/court", campus, medium=Medium.WATER) == ["+tap"]


def test_a_meter_that_counts_nothing_is_left_out() -> None:
    campus = site(meter("main"), meter("thermometer", quantities=("voltage_l1",)))

    assert made_of("site/court", campus) == ["+main"]


def test_a_meter_that_was_removed_counts_up_to_the_day_before_and_its_sub_meters_are_mains_from_then_on() -> None:
    campus = site(meter("main", removed_on=DAY), meter("sub", "main"))

    assert made_of("site/court", campus, date(2026, 3, 1)) == ["+main"]
    assert made_of("site/court", campus, DAY) == ["+sub"]
    with pytest.raises(UnknownName, match="'main' is not in the site on 2026-03-02"):
        made_of("meter/main", campus, DAY)


def test_below_a_meter_that_was_removed_the_one_above_it_measures_on() -> None:
    """Else the lift would be a main meter beside the one that measures it, and counted twice."""
    campus = site(meter("main"), meter("floor", "main", removed_on=DAY), meter("lift", "floor"))

    assert made_of("site/court", campus, DAY) == ["+main"]
    assert [str(n) for n in Scope(campus, DAY).parts(Node.parse("meter/main"))] == ["meter/lift"]


# -- places ------------------------------------------------------------------------------------------------------------

PLACES = (place("campus"), place("tower", "campus"), place("hall", "campus"), place("attic", "tower"))


def test_a_place_is_measured_by_the_topmost_meters_that_hang_in_it_or_below() -> None:
    campus = site(
        meter("main", place="tower"), meter("sub", "main", place="attic"), meter("apart", place="attic"), places=PLACES
    )

    assert made_of("place/tower", campus) == ["+apart", "+main"]
    assert made_of("place/attic", campus) == ["+apart", "+sub"]
    assert made_of("place/campus", campus) == ["+apart", "+main"]


def test_a_main_that_measures_beyond_its_place_is_not_counted_there() -> None:
    """It hangs in the tower and feeds the hall too: the tower is what is measured for it alone."""
    campus = site(
        meter("main", place="tower"),
        meter("of-tower", "main", place="tower"),
        meter("of-hall", "main", place="hall"),
        places=PLACES,
    )

    assert made_of("place/tower", campus) == ["+of-tower"]
    assert made_of("place/hall", campus) == ["+of-hall"]
    assert made_of("place/campus", campus) == ["+main"]


def test_a_sub_meter_of_no_place_is_where_its_main_is() -> None:
    campus = site(meter("main", place="tower"), meter("sub", "main"), places=PLACES)

    assert made_of("place/tower", campus) == ["+main"]


def test_a_meter_that_moved_is_in_its_new_place_from_that_day_on() -> None:
    campus = site(meter("main", place="tower"), places=PLACES)
    moves = [Move("main", "attic", date(2026, 4, 1)), Move("main", "hall", DAY)]

    found = [
        (made_of("place/tower", campus, d, moves), made_of("place/hall", campus, d, moves))
        for d in (date(2026, 3, 1), DAY, date(2026, 4, 1))
    ]

    assert found == [(["+main"], []), ([], ["+main"]), (["+main"], [])]


def test_the_parts_of_a_place_are_its_places_and_of_the_lowest_its_meters() -> None:
    scope = Scope(site(meter("one", place="hall"), places=PLACES), DAY)

    assert [str(n) for n in scope.parts(Node.parse("site/court"))] == ["place/campus"]
    assert [str(n) for n in scope.parts(Node.parse("place/campus"))] == ["place/tower", "place/hall"]
    assert [str(n) for n in scope.parts(Node.parse("place/hall"))] == ["meter/one"]


# -- items -------------------------------------------------------------------------------------------------------------


def test_an_item_is_what_feeds_it_and_what_is_below_it() -> None:
    campus = site(
        meter("main"),
        meter("light", "main", item="A1"),
        meter("corridor", "main", item="01A20"),
        meter("lift", "main", item="C1"),
        meter("of-light", "light", item="A1"),
    )

    assert made_of("item/A", campus) == ["+corridor", "+light"]
    assert made_of("item/A1", campus) == ["+light"]
    assert made_of("item/01", campus) == ["+corridor", "+lift", "+light"]
    assert [str(n) for n in Scope(campus, DAY).parts(Node.parse("item/A"))] == ["item/A1", "item/A2", "item/A3"]


def test_a_code_of_nothing_that_is_known_is_in_no_item() -> None:
    assert made_of("item/01", site(meter("main", item="Z9"))) == []


# -- organisations -----------------------------------------------------------------------------------------------------

HALVES = ("tax", "0.5"), ("school", "0.5")
QUARTERS = ("tax", "0.25"), ("school", "0.75")
TWO = (organisation("district"), organisation("tax", "district"), organisation("school", "district"))


def test_an_organisation_uses_what_its_mains_measure_less_what_others_use_behind_them() -> None:
    campus = site(
        meter("main", organisation="tax"),
        meter("floor", "main"),
        meter("of-school", "floor", organisation="school"),
        meter("back", "of-school", organisation="tax"),
        organisations=TWO,
    )

    assert made_of("organisation/tax", campus) == ["+back", "+main", "-of-school"]
    assert made_of("organisation/school", campus) == ["+of-school", "-back"]


def test_what_passes_between_two_of_the_same_department_is_not_counted_for_it() -> None:
    campus = site(
        meter("main", organisation="tax"), meter("of-school", "main", organisation="school"), organisations=TWO
    )

    assert made_of("organisation/district", campus) == ["+main"]


def test_what_is_nobody_s_is_in_no_organisation() -> None:
    campus = site(meter("main"), meter("of-tax", "main", organisation="tax"), organisations=TWO)

    assert made_of("organisation/tax", campus) == ["+of-tax"]
    assert made_of("organisation/school", campus) == []


def test_a_fixed_share_divides_what_is_not_measured_for_one_by_himself() -> None:
    campus = site(
        meter("main"),
        meter("server", "main", organisation="tax"),
        organisations=TWO,
        shares=[share(Basis.FIXED, ("tax", "0.75"), ("school", "0.25"), meter="main")],
    )

    assert made_of("organisation/tax", campus) == ["+main 0.75", "+server", "-server 0.75"]
    assert made_of("organisation/school", campus) == ["+main 0.25", "-server 0.25"]


@pytest.mark.parametrize(("basis", "name"), [(Basis.AREA, FactName.AREA_M2), (Basis.PEOPLE, FactName.PEOPLE)])
def test_a_share_by_area_or_people_follows_the_facts_of_the_day(basis: Basis, name: FactName) -> None:
    new_year = date(2026, 1, 1)
    campus = site(
        meter("main"),
        organisations=TWO,
        facts=[
            fact(name, 300, until=new_year, organisation="tax"),
            fact(name, 100, since=new_year, organisation="tax"),
            fact(name, 100, organisation="school"),
        ],
        shares=[share(basis, "tax", "school", meter="main")],
    )

    assert made_of("organisation/tax", campus, date(2025, 12, 31)) == ["+main 0.75"]
    assert made_of("organisation/tax", campus, new_year) == ["+main 0.5"]


def test_a_share_by_sub_meters_leaves_each_to_his_own() -> None:
    campus = site(
        meter("main"),
        meter("of-tax", "main", organisation="tax"),
        meter("of-school", "main", organisation="school"),
        organisations=TWO,
        shares=[share(Basis.SUB_METER, "tax", "school", meter="main")],
    )

    assert made_of("organisation/tax", campus) == ["+of-tax"]
    assert made_of("organisation/school", campus) == ["+of-school"]


def test_a_share_holds_on_its_days_only() -> None:
    campus = site(
        meter("main", organisation="tax"),
        organisations=TWO,
        shares=[share(Basis.FIXED, ("tax", "0.5"), ("school", "0.5"), since=DAY, until=date(2027, 1, 1), meter="main")],
    )

    assert made_of("organisation/school", campus, date(2026, 3, 1)) == []
    assert made_of("organisation/school", campus, DAY) == ["+main 0.5"]
    assert made_of("organisation/tax", campus, date(2027, 1, 1)) == ["+main"]


def test_what_is_shared_of_another_s_main_is_no_longer_his() -> None:
    campus = site(
        meter("main", organisation="tax"),
        meter("lift", "main"),
        organisations=TWO,
        shares=[share(Basis.FIXED, ("tax", "0.5"), ("school", "0.5"), meter="lift")],
    )

    assert made_of("organisation/tax", campus) == ["+lift 0.5", "+main", "-lift"]
    assert made_of("organisation/school", campus) == ["+lift 0.5"]


def test_the_share_of_a_place_divides_what_is_measured_there_for_nobody() -> None:
    campus = site(
        meter("main", place="tower"),
        meter("of-tax", place="tower", organisation="tax"),
        organisations=TWO,
        places=PLACES,
        shares=[share(Basis.FIXED, ("tax", "0.5"), ("school", "0.5"), place="tower")],
    )

    assert made_of("organisation/tax", campus) == ["+main 0.5", "+of-tax"]
    assert made_of("organisation/school", campus) == ["+main 0.5"]


def test_a_meter_with_a_share_of_its_own_is_not_shared_with_its_place_again() -> None:
    campus = site(
        meter("main", place="tower"),
        organisations=TWO,
        places=PLACES,
        shares=[share(Basis.FIXED, *HALVES, place="tower"), share(Basis.FIXED, *QUARTERS, meter="main")],
    )

    assert made_of("organisation/tax", campus) == ["+main 0.25"]
    assert made_of("organisation/school", campus) == ["+main 0.75"]


def test_of_places_within_each_other_the_innermost_share_counts() -> None:
    campus = site(
        meter("main", place="attic"),
        meter("below", place="tower"),
        organisations=TWO,
        places=PLACES,
        shares=[share(Basis.FIXED, *HALVES, place="tower"), share(Basis.FIXED, *QUARTERS, place="attic")],
    )

    assert made_of("organisation/tax", campus) == ["+below 0.5", "+main 0.25"]


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["place/moon", "organisation/moon", "item/Q", "meter/moon"])
def test_a_node_that_is_not_there_is_told_so(of: str) -> None:
    with pytest.raises(UnknownName, match=of.partition("/")[2]):
        made_of(of, TREE)


@pytest.mark.parametrize("text", ["main", "room/attic", "place/", ""])
def test_a_node_is_written_with_its_tree(text: str) -> None:
    with pytest.raises(EnergyError, match="KIND/ID"):
        Node.parse(text)
