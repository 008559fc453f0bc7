"""A site is told all that does not fit together at once, each fault with the way to its key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from energy.errors import UnknownName
from energy.quantities import Medium
from energy.readings import Point
from energy.sites import LineSettings, Meter, Place, Site, Text

NAME = Text("表", "meter")
LINE = LineSettings("bus", "tcp://192.0.2.1")
HOUSE = Place("house", NAME, "building")


def meter(of_id: str, **given: object) -> Meter:
    return replace(Meter(of_id, NAME, Medium.ELECTRICITY), **given)  # type: ignore[arg-type]


def site(*meters: Meter) -> Site:
    return Site("campus", NAME, "Asia/Shanghai", (HOUSE,), (LINE,), meters)


def test_a_site_that_fits_together_has_no_faults() -> None:
    main = meter("main", line="bus", unit=1, place="house")
    sub = meter("sub", line="bus", unit=2, place="house", parent="main")

    assert site(main, sub).faults() == []


def test_all_faults_are_told_at_once() -> None:
    made = Site(
        "campus",
        NAME,
        "Asia/Shanghai",
        (HOUSE, HOUSE),
        (LINE, LINE),
        (
            meter("main", line="buss", place="hose"),
            meter("main", parent="none"),
            meter("water", medium=Medium.WATER, parent="main"),
        ),
    )

    found = dict(made.faults())

    assert found[("places", 1, "id")] == "id 'house' is used twice; give each its own"
    assert found[("lines", 1, "id")] == "id 'bus' is used twice; give each its own"
    assert found[("meters", 1, "id")] == "id 'main' is used twice; give each its own"
    assert found[("meters", 0, "line")] == "line 'buss' is none of bus"
    assert found[("meters", 0, "place")] == "place 'hose' is none of house"
    assert found[("meters", 1, "parent")] == "parent 'none' is no meter of this site"
    assert found[("meters", 2, "parent")] == "parent 'main' measures electricity, this meter water"
    assert len(found) == 7


def test_a_unit_answers_for_one_meter_on_a_line() -> None:
    one, other, elsewhere = meter("one", line="bus", unit=7), meter("other", line="bus", unit=7), meter("x", unit=7)

    assert site(one, other, elsewhere).faults() == [
        (("meters", 1, "unit"), "unit 7 on line bus is taken by meter 'one'")
    ]


def test_the_same_unit_on_another_line_is_another_meter() -> None:
    second = LineSettings("second", "tcp://192.0.2.2")
    made = replace(site(meter("a", line="bus"), meter("b", line="second")), lines=(LINE, second))

    assert made.faults() == []


def test_parents_that_go_in_a_circle_are_shown_as_one() -> None:
    found = site(meter("a", parent="c"), meter("b", parent="a"), meter("c", parent="b")).faults()

    assert (("meters", 0, "parent"), "parents go in a circle: a -> c -> b -> a") in found
    assert len(found) == 3


def test_a_meter_that_is_its_own_parent_is_a_circle() -> None:
    assert site(meter("a", parent="a")).faults() == [(("meters", 0, "parent"), "parents go in a circle: a -> a")]


def test_a_meter_below_a_circle_is_told_and_does_not_run_for_ever() -> None:
    found = site(meter("a", parent="b"), meter("b", parent="a"), meter("below", parent="a")).faults()

    assert [way for way, _ in found] == [("meters", 0, "parent"), ("meters", 1, "parent"), ("meters", 2, "parent")]


@pytest.mark.parametrize("text", ["", "a/b", "a b", "a+", "#", "-a", ".a", "表", "a\n", "a" * 65])
def test_an_id_that_cannot_stand_in_a_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="meter id"):
        meter(text)


@pytest.mark.parametrize("text", ["a", "A-1_b.c", "0", "a" * 64])
def test_an_id_of_letters_digits_and_a_few_signs_is_taken(text: str) -> None:
    assert meter(text).id == text


@pytest.mark.parametrize(
    ("field", "value"),
    [("unit", 256), ("unit", -1), ("ct", 0.0), ("pt", -1.0), ("interval_s", 0.0), ("ct", float("nan"))],
)
def test_a_number_that_no_meter_has_is_refused_with_the_meter_and_the_field(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"meter main: {field}"):
        meter("main", **{field: value})


def test_an_unknown_quantity_of_a_meter_is_refused() -> None:
    with pytest.raises(UnknownName, match="active_power"):
        meter("main", quantities=("active_powr",))
    with pytest.raises(UnknownName):
        meter("main", plausible={"active_powr": (0.0, 1.0)})


def test_bounds_that_nothing_lies_between_are_refused() -> None:
    with pytest.raises(ValueError, match="main"):
        meter("main", plausible={"active_power": (5.0, 1.0)})


def test_bounds_are_those_of_the_trade_unless_the_meter_has_its_own() -> None:
    made = meter("main", plausible={"active_power": (0.0, 50.0)})

    assert made.bounds("active_power") == (0.0, 50.0)
    assert made.bounds("frequency") == (40, 70)


def test_points_are_those_of_the_meters_quantities() -> None:
    made = meter("main", quantities=("active_power", "frequency"))

    assert made.points == [Point("main", "active_power"), Point("main", "frequency")]
    assert made.headline == "active_power"


def test_a_line_needs_time_to_answer() -> None:
    with pytest.raises(ValueError, match="timeout_s 0 is not above 0"):
        LineSettings("bus", "tcp://192.0.2.1", 0)


def test_a_meter_is_found_by_its_id() -> None:
    made = site(meter("main"))

    assert made.meter("main").id == "main"
    with pytest.raises(UnknownName, match="meter 'mein' is not in site 'campus'"):
        made.meter("mein")
