"""Who uses a site, how large they are and how they share: dated, and checked with the rest of the site."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from energy.organisations import Account, Basis, Fact, FactName, Organisation, Part, Share
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, RegisterSettings, Site, Text, VirtualPoint
from energy.validity import ALWAYS, Validity

NAME = Text("名", "name")
Y2024, Y2025, Y2026 = date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1)
TAX, ROADS = Organisation("tax", NAME), Organisation("roads", NAME)
HOUSE = Place("house", NAME, "office")
MAIN = Meter("main", NAME, Medium.ELECTRICITY)
HALF = Decimal("0.5")


def site(**given: Any) -> Site:
    made = Site("campus", NAME, "Asia/Shanghai", places=(HOUSE,), meters=(MAIN,), organisations=(TAX, ROADS))
    return replace(made, **given)


def share(basis: Basis = Basis.FIXED, weights: tuple[Decimal | None, ...] = (HALF, HALF), **given: Any) -> Share:
    parts = tuple(Part(name, weight) for name, weight in zip(("tax", "roads"), weights, strict=False))
    return replace(Share(basis, "deed 3", parts, place="house"), **given)


def area(value: int = 100, valid: Validity = ALWAYS, of: str = "tax") -> Fact:
    return Fact(FactName.AREA_M2, Decimal(value), organisation=of, valid=valid)


def told(made: Site) -> list[str]:
    return [f"{'.'.join(map(str, way))}: {text}" for way, text in made.faults()]


def test_the_last_day_is_not_included_and_so_two_validities_meet_without_overlapping() -> None:
    before, after = Validity(None, Y2025), Validity(Y2025, None)

    assert not before.overlaps(after)
    assert not after.overlaps(before)
    assert before.overlaps(ALWAYS)
    assert (before.holds(Y2024), before.holds(Y2025), after.holds(Y2025)) == (True, False, True)


@pytest.mark.parametrize("end", [Y2024, Y2025])
def test_a_validity_that_ends_before_it_begins_is_refused(end: date) -> None:
    with pytest.raises(ValueError, match="from 2025-01-01 must be before to"):
        Validity(Y2025, end)


def test_a_site_with_everything_fits_together() -> None:
    made = site(
        places=(HOUSE, Place("floor", NAME, "floor", parent="house")),
        meters=(replace(MAIN, organisation="tax", account="3301", place="floor"),),
        organisations=(replace(TAX, parent="roads"), ROADS),
        facts=(area(100, Validity(None, Y2025)), area(120, Validity(Y2025)), area(of="roads")),
        shares=(share(valid=Validity(None, Y2025)), share(Basis.AREA, (None, None), valid=Validity(Y2025))),
        virtual_points=(VirtualPoint("rest", NAME, Medium.ELECTRICITY, "active_energy_import", "main - 1"),),
        accounts=(Account("3301", Medium.ELECTRICITY, organisation="tax"),),
    )

    assert made.faults() == []
    assert [meter.id for meter in made.of_account("3301")] == ["main"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"places": (replace(HOUSE, parent="x"),)}, "places.0.parent: parent 'x' is none of house"),
        ({"places": (replace(HOUSE, parent="house"),)}, "parents go in a circle: house -> house"),
        (
            {"organisations": (replace(TAX, parent="roads"), replace(ROADS, parent="tax"))},
            "organisations.0.parent: parents go in a circle: tax -> roads -> tax",
        ),
        (
            {"meters": (replace(MAIN, organisation="x"),)},
            "meters.0.organisation: organisation 'x' is none of roads, tax",
        ),
        ({"meters": (replace(MAIN, account="x"),)}, "meters.0.account: account 'x' is none of (none is given)"),
        (
            {"meters": (replace(MAIN, account="3"),), "accounts": (Account("3", Medium.WATER),)},
            "meters.0.account: account '3' is for water, this meter measures electricity",
        ),
        (
            {"meters": (replace(MAIN, line="bus", removed_on=Y2025),), "lines": (LineSettings("bus", "tcp://a"),)},
            "meters.0.removed_on: a meter that was removed is on no line; take its `line` away",
        ),
        ({"facts": (area(of="x"),)}, "facts.0.organisation: organisation 'x' is none of roads, tax"),
        (
            {"facts": (area(1, Validity(None, Y2026)), area(2, Validity(Y2025)))},
            "facts.1: area_m2 of organisation tax is said twice: it holds always to 2026-01-01 already",
        ),
        ({"shares": (share(place="x"),)}, "shares.0.place: place 'x' is none of house"),
        ({"shares": (share(), share(valid=Validity(Y2025)))}, "shares.1: place house is shared twice"),
        (
            {"shares": (share(weights=(HALF, Decimal("0.4"))),)},
            "shares.0.parts: fixed weights must be given to all and sum to 1, these sum to 0.9",
        ),
        ({"shares": (share(weights=(HALF, None)),)}, "fixed weights must be given to all and sum to 1"),
        ({"shares": (share(weights=()),)}, "shares.0.parts: nobody has a part of it"),
        ({"shares": (share(Basis.SUB_METER),)}, "basis sub_meter takes no weights"),
        ({"shares": (share(Basis.AREA, (HALF, None)),)}, "give a weight to every part, or to none"),
        ({"shares": (share(Basis.AREA, (Decimal(0), Decimal(0))),)}, "and not 0 to all"),
        (
            {"shares": (share(Basis.AREA, (None, None)),), "facts": (area(),)},
            "shares.0.parts.1.organisation: has neither a weight here nor a fact area_m2 to take it from",
        ),
        (
            {"shares": (replace(share(), parts=(Part("tax", HALF), Part("tax", HALF))),)},
            "organisation 'tax' has two parts",
        ),
        (
            {"virtual_points": (VirtualPoint("main", NAME, Medium.WATER, "volume", "a"),)},
            "virtual_points.0.id: id 'main' is used twice",
        ),
        ({"accounts": (Account("3", Medium.WATER, organisation="x"),)}, "accounts.0.organisation: organisation 'x'"),
    ],
)
def test_what_does_not_fit_together_is_told_with_the_way_to_its_key(given: dict[str, Any], fault: str) -> None:
    assert any(fault in one for one in told(site(**given))), told(site(**given))


def test_fixed_thirds_that_are_written_exactly_sum_to_one() -> None:
    weights = Decimal("0.333333"), Decimal("0.666667")

    assert told(site(shares=(share(weights=weights),))) == []


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Fact(FactName.BEDS, Decimal(1)), "a place or of an organisation"),
        (lambda: Fact(FactName.BEDS, Decimal(1), place="a", organisation="b"), "a place or of an organisation"),
        (lambda: area(-1), "area_m2 -1 must be a number not below 0"),
        (lambda: Share(Basis.AREA, "deed", ()), "a meter or of a place"),
        (lambda: share(weights=(Decimal("NaN"), HALF)), "weight NaN of tax"),
        (lambda: Account("3", Medium.WATER, capacity_kva=0), "capacity_kva 0 is not above 0"),
        (lambda: RegisterSettings(modulus=0), "modulus 0 is not above 0"),
        (lambda: VirtualPoint("v", NAME, Medium.WATER, "volume", " "), "has no formula"),
        (lambda: replace(MAIN, registers={"active_power": RegisterSettings()}), "active_power is a gauge"),
        (lambda: Organisation("a b", NAME), "organisation id 'a b'"),
    ],
)
def test_a_value_that_cannot_be_is_refused(made: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made()
