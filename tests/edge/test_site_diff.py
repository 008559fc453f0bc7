"""What a site file changes of another: what is read as before stays, whatever else is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from collectors.makes import Make, load_make
from edge.site_diff import diff
from energy.names import Text
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, Site

NAME = Text("表", "Meter")
PLANT, ROOF = LineSettings("plant", "tcp://192.0.2.1"), LineSettings("roof", "rtu+tcp://192.0.2.2:4001?baud=9600")


def meter(name: str, line: LineSettings, unit: int) -> Meter:
    return Meter(name, NAME, Medium.ELECTRICITY, profile="eastron/sdm630", line=line.id, unit=unit)


PUMPS, FANS, SUN = meter("pumps", PLANT, 1), meter("fans", PLANT, 2), meter("sun", ROOF, 1)
SITE = Site("campus", NAME, "Asia/Shanghai", lines=(PLANT, ROOF), meters=(PUMPS, FANS, SUN))


@dataclass(frozen=True)
class Installed:
    site: Site
    profiles: Mapping[str, Make]


def installed(site: Site) -> Installed:
    return Installed(site, {m.profile: load_make(m.profile) for m in site.meters if m.profile})


def test_nothing_changes_where_names_and_places_do() -> None:
    named = replace(PUMPS, name=Text("泵", "Pumps"), place="house", plausible={"active_power": (0.0, 9.0)})
    other = replace(SITE, meters=(FANS, named, SUN), places=(Place("house", NAME, "office"),))

    changes = diff(installed(SITE), installed(other))

    assert (changes.ended, changes.started, changes.unchanged) == ((), (), frozenset({"pumps", "fans", "sun"}))


@pytest.mark.parametrize(
    "other",
    [
        replace(PUMPS, interval_s=5.0),
        replace(PUMPS, ct=60.0),
        replace(PUMPS, unit=7),
        replace(PUMPS, reversed=True),
        replace(PUMPS, profile="acrel/adw300"),
        replace(PUMPS, quantities=("active_power",)),
        replace(PUMPS, quantities=("active_power", "voltage_l1"), rates={"active_power": 5.0}),
    ],
)
def test_a_meter_that_is_read_otherwise_is_another_one_and_its_neighbour_is_not(other: Meter) -> None:
    changes = diff(installed(SITE), installed(replace(SITE, meters=(other, FANS, SUN))))

    assert (changes.ended, changes.started, changes.unchanged) == ((), (), frozenset({"fans", "sun"}))


@pytest.mark.parametrize(
    "other", [replace(ROOF, address="rtu+tcp://192.0.2.2:4001?baud=19200"), replace(ROOF, timeout_s=2.0)]
)
def test_a_line_that_is_spoken_on_otherwise_ends_and_begins_anew(other: LineSettings) -> None:
    changes = diff(installed(SITE), installed(replace(SITE, lines=(PLANT, other))))

    assert changes.ended == ("tcp 192.0.2.2 4001",)
    assert [wire.line for wire in changes.started] == ["roof"]
    assert changes.unchanged == {"pumps", "fans"}


def test_a_line_without_meters_ends_and_one_that_gets_its_first_begins() -> None:
    without = installed(replace(SITE, meters=(PUMPS, FANS)))

    assert diff(installed(SITE), without).ended == ("tcp 192.0.2.2 4001",)
    assert [wire.line for wire in diff(without, installed(SITE)).started] == ["roof"]


def test_a_meter_that_moves_to_another_line_is_another_one() -> None:
    changes = diff(installed(SITE), installed(replace(SITE, meters=(PUMPS, replace(FANS, line="roof", unit=5), SUN))))

    assert changes.unchanged == {"pumps", "sun"}


def test_a_second_line_on_the_same_wire_takes_nothing_from_the_first() -> None:
    second = LineSettings("annex", "tcp://192.0.2.1:502")
    more = replace(SITE, lines=(second, PLANT, ROOF), meters=(meter("lift", second, 9), PUMPS, FANS, SUN))

    changes = diff(installed(SITE), installed(more))

    assert (changes.ended, changes.started, changes.unchanged) == ((), (), frozenset({"pumps", "fans", "sun"}))


def test_the_same_profile_from_another_file_is_the_same() -> None:
    make = load_make("eastron/sdm630")
    mine = replace(PUMPS, profile="/data/profiles/own-1.yaml")
    moved = replace(PUMPS, profile="/data/profiles/own-2.yaml")
    [one, other] = [
        Installed(replace(SITE, meters=(m,)), {m.profile or "": replace(make, id=m.profile or "")})
        for m in (mine, moved)
    ]

    assert diff(one, other).unchanged == {"pumps"}
    changed = Installed(other.site, {moved.profile or "": load_make("acrel/adw300")})
    assert diff(one, changed).unchanged == frozenset()
