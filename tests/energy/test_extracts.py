"""What an edge is told of a site is what it takes to read its own meters, and nothing of the others'."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from energy.extracts import extracts, own_part
from energy.names import Text
from energy.quantities import Medium
from energy.senders import Senders, senders
from energy.sites import LineSettings, Meter, Place, Site
from tests.energy.random_sites import sites

NAME = Text("表", "Meter")
LINES = (
    LineSettings("plant", "tcp://192.0.2.1", edge="north"),
    LineSettings("roof", "tcp://192.0.2.2", edge="south"),
    LineSettings("hall", "tcp://192.0.2.3"),
)


def meter(name: str, line: str | None, **given: object) -> Meter:
    made = Meter(name, NAME, Medium.ELECTRICITY, "house", profile="eastron/sdm630", line=line)
    return replace(made, **given)  # type: ignore[arg-type]


METERS = (
    meter("pumps", "plant", parent="main", plausible={"active_power": (0.0, 5.0)}),
    meter("sun", "roof"),
    meter("main", "hall"),
    meter("canteen", None, sender="water-system"),
    meter("school", None),
)
SITE = Site("campus", NAME, "Asia/Shanghai", (Place("house", NAME, "office"),), LINES, METERS)


def test_an_edge_is_told_of_its_own_lines_and_how_their_meters_are_read() -> None:
    north = extracts(SITE, "first")["north"]

    assert [line.id for line in north.lines] == ["plant"]
    [pumps] = north.meters
    assert (pumps.id, pumps.profile, pumps.place, pumps.parent, pumps.plausible) == (
        "pumps", "eastron/sdm630", None, None, {},
    )  # fmt: skip
    assert north.places == ()


def test_lines_that_name_no_edge_are_those_of_the_one_that_there_is() -> None:
    assert list(extracts(SITE, "first")) == ["first", "north", "south"]
    assert [m.id for m in extracts(SITE, "first")["first"].meters] == ["main"]
    assert [m.id for m in extracts(SITE, "north")["north"].meters] == ["pumps", "main"]


def test_a_local_file_is_read_without_the_lines_of_other_edges() -> None:
    assert [m.id for m in own_part(SITE, "south").meters] == ["sun", "main", "canteen", "school"]


@given(sites())
@settings(max_examples=30)
def test_every_line_is_handed_to_one_edge_and_every_extract_fits_together(made: Site) -> None:
    parts = list(extracts(made, "first").values())

    assert sorted(line.id for part in parts for line in part.lines) == sorted(line.id for line in made.lines)
    assert sorted(m.id for part in parts for m in part.meters) == sorted(m.id for m in made.meters if m.line)
    assert [fault for part in parts for fault in part.faults()] == []


def test_a_meter_is_sent_by_the_edge_of_its_line_or_by_whom_it_names() -> None:
    assert senders(SITE) == {"pumps": "north", "sun": "south", "canteen": "water-system"}


def test_who_was_to_send_a_meter_may_still_send_what_was_read_then() -> None:
    known = Senders({"pumps": "north"}, {"pumps": (("south", 1000),)})

    assert known.allow("pumps", "north", 5000)
    assert known.allow("pumps", "south", 1000)
    assert not known.allow("pumps", "south", 1001)
    assert not known.allow("pumps", "west", 500)
    assert known.allow("sun", "west", 5000)


def test_a_sender_is_for_meters_that_are_on_no_line() -> None:
    faults = replace(SITE, meters=(*METERS, meter("wrong", "hall", unit=9, sender="x"))).faults()

    assert [way for way, _ in faults] == [("meters", 5, "sender")]
