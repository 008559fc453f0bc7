"""What is hidden is not there for whoever was granted of what stands above it, nor found by subtracting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Set
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.organisations import Account, Basis, Organisation
from energy.quantities import Medium
from energy.sites import Meter, Place, Site, Text
from energy.validity import ALWAYS, Validity
from gateway.access.reckoned import without
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.access.sight import Ownership, Reach, Sight, closed_to
from gateway.api.problems import RequestError
from gateway.ledger.scope import NodeKind, Scope
from tests.gateway.access.city import City
from tests.gateway.access.city import city as made
from tests.gateway.access.test_sights import used
from tests.gateway.ledger.sites import meter, organisation, place, share, site

DAY = date(2026, 3, 1)
NAME = Text("某", "some")


def hidden(node: Any, valid: Validity = ALWAYS) -> Any:
    return replace(node, hidden=valid)


def sight(where: Site, *organisations: str | None, day: date = DAY, meters: Iterable[str] = ()) -> Sight:
    grants = [Grant(Role.READER, o) for o in organisations]
    grants += [Grant(Role.PARTNER, meters=tuple(meters))] if meters else []
    return Sight.of(Identity("who", tuple(grants)), Permission.READ, where, day)


def bureau(*meters: Meter, **lists: Any) -> Site:
    """A city with the offices `a` and `h`; `h`, with `deep` below it, is hidden."""
    tree = (
        organisation("city"),
        organisation("a", "city"),
        hidden(organisation("h", "city")),
        organisation("deep", "h"),
    )
    return site(*meters, **{"organisations": tree, **lists})


HERE = bureau(
    meter("main", organisation="city"),
    meter("a-main", "main", organisation="a"),
    meter("h-main", "main", organisation="h"),
    meter("deep-main", "h-main", organisation="deep"),
)


@pytest.mark.parametrize(
    ("granted", "organisations", "meters"),
    [
        ((None,), {"city", "a"}, {"main", "a-main"}),
        (("city",), {"city", "a"}, {"main", "a-main"}),
        (("h",), {"h", "deep"}, {"h-main", "deep-main"}),
        # A grant within opens what is within, and no more of what is hidden.
        (("city", "deep"), {"city", "a", "deep"}, {"main", "a-main", "deep-main"}),
    ],
)
def test_a_grant_from_above_ends_at_what_is_hidden(granted: Any, organisations: Set[str], meters: Set[str]) -> None:
    seen = sight(HERE, *granted)

    assert (seen.organisations, seen.meters, seen.everything) == (organisations, meters, False)


@pytest.mark.parametrize("above", ["city", None])
def test_who_was_also_granted_of_what_is_hidden_sees_it(above: str | None) -> None:
    seen = sight(HERE, above, "h")
    assert seen.everything if above is None else seen.meters == {m.id for m in HERE.meters}


@pytest.mark.parametrize(("day", "is_seen"), [(date(2026, 1, 31), True), (date(2026, 2, 1), False), (DAY, True)])
def test_it_is_hidden_from_a_day_to_a_day(day: date, is_seen: bool) -> None:
    february = Validity(date(2026, 2, 1), date(2026, 3, 1))
    where = site(
        meter("h-main", organisation="h"),
        organisations=(organisation("city"), hidden(organisation("h", "city"), february)),
    )

    assert sight(where, "city", day=day).sees("h-main") is is_seen
    assert sight(where, None, day=day).everything is is_seen


def test_a_hidden_meter_is_seen_by_whom_its_user_is_named_to_and_by_its_partner() -> None:
    where = bureau(
        meter("a-main", organisation="a"), hidden(meter("server", "a-main")), meter("rack", "server"), places=()
    )

    assert sight(where, "city").meters == sight(where, None).meters == {"a-main"}
    assert sight(where, "a").meters == {"a-main", "server", "rack"}
    assert sight(where, meters=["rack"]).meters == {"rack"}


def test_a_hidden_place_is_not_named_and_what_hangs_in_it_is_not_there() -> None:
    where = bureau(
        meter("a-main", organisation="a", place="east"),
        meter("bunker", organisation="a", place="below"),
        meter("lamp", place="deepest"),
        places=(place("town"), place("east", "town"), hidden(place("below", "town")), place("deepest", "below")),
    )

    for seen in (sight(where, "city"), sight(where, None)):
        assert seen.meters == {"a-main"}
        assert seen.places == {"town", "east"}
        assert seen.own_places == {"east"}
    assert sight(where, "a").meters >= {"a-main", "bunker"}
    assert "below" in sight(where, "a").places


def test_a_place_where_only_what_is_hidden_is_measured_is_not_named_either() -> None:
    where = bureau(
        meter("a-main", organisation="a", place="east"),
        meter("h-main", organisation="h", place="west"),
        places=(place("east"), place("west")),
    )

    assert sight(where, None).places == {"east"}


def test_a_bill_over_a_hidden_meter_is_not_told() -> None:
    where = bureau(
        meter("main", organisation="city", account="x"),
        meter("h-main", organisation="h", account="x"),
        meter("a-main", organisation="a", account="y"),
        accounts=(Account("x", Medium.ELECTRICITY, organisation="city"), Account("y", Medium.ELECTRICITY)),
    )

    assert sight(where, "city").accounts == sight(where, None).accounts == {"y"}
    assert sight(where, "city", "h").accounts == {"x", "y"}


def _used(where: Site, *granted: str | None) -> dict[str, list[tuple[str, int]]]:
    own = Ownership(where, DAY)
    reach = Reach.of(Identity("who", tuple(Grant(Role.READER, o) for o in granted)), Permission.READ)
    scope = Scope(without(where, closed_to(reach, own), own), DAY)
    return {
        name: sorted((c.point.meter, c.sign) for _, c in components)
        for name, components in scope.by_organisation().items()
    }


def test_nothing_is_left_of_a_main_by_subtracting_what_its_owner_used() -> None:
    """With `h-main` taken off, the city's own use and its main would tell what `h` used."""
    assert _used(HERE, "city") == {"city": [("a-main", -1), ("main", 1)], "a": [("a-main", 1)]}
    assert _used(HERE, "city", "h")["city"] == [("a-main", -1), ("h-main", -1), ("main", 1)]


def test_the_part_of_a_shared_main_stays_what_it_is_for_everybody() -> None:
    where = bureau(
        meter("shared"),
        meter("h-sub", "shared", organisation="h"),
        shares=(share(Basis.FIXED, ("a", "0.25"), ("h", "0.75"), meter="shared"),),
    )

    assert _used(where, "city")["a"] == _used(where, "city", "h")["a"] == [("h-sub", -1), ("shared", 1)]
    assert sight(where, "city").meters == frozenset()


def test_what_hangs_behind_a_hidden_meter_hangs_behind_the_next_visible_one() -> None:
    where = bureau(
        meter("main", organisation="city"),
        meter("h-main", "main", organisation="h"),
        meter("kiosk", "h-main", organisation="a"),
    )

    assert _used(where, "city") == {"city": [("kiosk", -1), ("main", 1)], "a": [("kiosk", 1)]}


@st.composite
def _sites(draw: st.DrawFn) -> Site:
    """Organisations, places and meters in random trees, some of them hidden."""
    many = draw(st.integers(2, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 7))
    up = [[draw(st.none() | st.integers(0, i - 1)) if i else None for i in range(n)] for n in many]

    def valid() -> Validity | None:
        return draw(st.sampled_from((None, None, ALWAYS)))

    def name(kind: str, i: int | None) -> str | None:
        return None if i is None else f"{kind}{i}"

    def of(kind: str, n: int) -> str | None:
        return name(kind, draw(st.none() | st.integers(0, n - 1)))

    return site(
        *(
            meter(f"m{i}", name("m", up[2][i]), organisation=of("o", many[0]), place=of("p", many[1]), hidden=valid())
            for i in range(many[2])
        ),
        organisations=[Organisation(f"o{i}", NAME, parent=name("o", p), hidden=valid()) for i, p in enumerate(up[0])],
        places=[Place(f"p{i}", NAME, "building", name("p", p), hidden=valid()) for i, p in enumerate(up[1])],
    )


@given(_sites(), st.sets(st.sampled_from(("o0", "o1", None)), min_size=1))
@settings(deadline=None, max_examples=200)
def test_over_random_sites_hiding_shows_nobody_more_and_figures_rest_on_nothing_closed(
    where: Site, granted: set[str | None]
) -> None:
    bare = replace(
        where,
        organisations=tuple(replace(o, hidden=None) for o in where.organisations),
        places=tuple(replace(p, hidden=None) for p in where.places),
        meters=tuple(replace(m, hidden=None) for m in where.meters),
    )
    seen, before = sight(where, *granted), sight(bare, *granted)
    if not before.everything:
        assert seen.meters <= before.meters
        assert seen.organisations <= before.organisations
        assert seen.own_places <= before.own_places

    own = Ownership(where, DAY)
    reach = Reach.of(Identity("who", tuple(Grant(Role.READER, o) for o in granted)), Permission.READ)
    closed = closed_to(reach, own)
    if not seen.everything:
        assert closed.meters.isdisjoint(seen.meters)
        assert closed.organisations.isdisjoint(seen.organisations)
        counted = {m for o, of in _used(where, *granted).items() if o in seen.organisations for m, _ in of}
        assert closed.meters.isdisjoint(counted)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with made(tmp_path) as there:
        yield there


async def test_of_a_city_only_who_is_told_of_the_secret_office_knows_what_it_used(city: City) -> None:
    def asking(*offices: str) -> Any:
        return city.services.seen_by(Identity("who", tuple(Grant(Role.READER, o) for o in offices)), Permission.READ)

    knows, does_not = asking("own-office", "secret-office"), asking("own-office")

    # 0.7 kWh of the main of `own` are the secret office's.
    assert await used(does_not, NodeKind.METER, "own-main") == 3 * 24
    assert await used(does_not, NodeKind.ORGANISATION, "own-office") == (3 + 5 + 6) * 24
    assert await used(knows, NodeKind.ORGANISATION, "secret-office") == pytest.approx(0.7 * 24)
    assert await used(knows, NodeKind.ORGANISATION, "own-office") == pytest.approx((3 + 5 + 6) * 24)
    assert "own-main" not in {main.id for main, _ in does_not.books.consumption.scope(DAY).balanced()}
    assert "own-main" in {main.id for main, _ in knows.books.consumption.scope(DAY).balanced()}


async def test_the_log_and_the_edges_are_for_who_sees_all_and_for_the_administrations(city: City) -> None:
    def edges(*grants: Grant) -> Any:
        return city.services.seen_by(Identity("who", grants), Permission.OPERATE).edges.words()

    with pytest.raises(RequestError, match="whole installation"):
        edges(Grant(Role.DUTY))
    assert edges(Grant(Role.DUTY), Grant(Role.DUTY, "secret-office"))
    assert edges(Grant(Role.SYSTEM_ADMINISTRATOR))
    with pytest.raises(RequestError):
        await city.services.seen_by(Identity("who", (Grant(Role.AUDITOR),)), Permission.AUDIT).audit.verify()
    administrator = Identity("who", (Grant(Role.AUDIT_ADMINISTRATOR),))
    assert (await city.services.seen_by(administrator, Permission.AUDIT).audit.verify()).fault is None
