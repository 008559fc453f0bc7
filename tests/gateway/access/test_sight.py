"""What who may see: by rules, by examples, and over random sites."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.consumption.allocation import WHOLE
from energy.organisations import Account, Basis
from energy.readings import Point
from energy.sites import Meter, Site, Text, VirtualPoint
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.access.seen_books import SeenScope
from gateway.access.seen_site import Listed, seen_kept
from gateway.access.sight import Ownership, Reach, Sight
from gateway.ledger.books import Kept
from gateway.ledger.scope import Move, Node, NodeKind, Scope
from tests.gateway.ledger.sites import ENERGY, meter, organisation, place, share, site

DAY = date(2026, 3, 1)
NAME = Text("某", "some")


def sight(where: Site, *organisations: str, role: Role = Role.READER, day: date = DAY) -> Sight:
    who = Identity("who", tuple(Grant(role, o) for o in organisations))
    return Sight.of(who, Permission.READ, where, day)


def two_offices(*meters: Any, **lists: Any) -> Site:
    given: dict[str, Any] = {
        "organisations": (organisation("city"), organisation("a", "city"), organisation("b", "city"))
    }
    return site(*meters, **{**given, **lists})


def test_a_meter_is_seen_with_what_is_behind_it_but_not_what_another_uses_there() -> None:
    where = two_offices(
        meter("main", organisation="a"),
        meter("light", "main"),
        meter("tenant", "main", organisation="b"),
        meter("tenant-light", "tenant"),
    )

    assert sight(where, "a").meters == {"main", "light"}
    assert sight(where, "b").meters == {"tenant", "tenant-light"}
    assert sight(where, "city").meters == {"main", "light", "tenant", "tenant-light"}


def test_a_shared_main_is_seen_by_those_alone_who_see_all_who_share_it() -> None:
    where = two_offices(
        meter("main"), meter("corridor", "main"), shares=(share(Basis.FIXED, ("a", "0.5"), ("b", "0.5"), meter="main"),)
    )

    assert sight(where, "a").meters == frozenset()
    assert sight(where, "a", "b").meters == {"main", "corridor"}


def test_a_meter_of_nobody_is_his_whose_place_it_is() -> None:
    where = two_offices(
        meter("a-main", organisation="a", place="east"),
        meter("a-lift", place="east-1"),
        meter("b-main", organisation="b", place="west"),
        meter("street", place="town"),
        meter("beyond", place="east"),
        meter("far", "beyond", place="west"),
        places=(place("town"), place("east", "town"), place("east-1", "east"), place("west", "town")),
    )

    seen = sight(where, "a")

    # `beyond` measures something in the west too, `street` the whole town.
    assert seen.meters == {"a-main", "a-lift"}
    assert seen.own_places == {"east", "east-1"}
    assert seen.places == {"town", "east", "east-1"}
    assert sight(where, "city").meters == {m.id for m in where.meters}


def test_above_there_are_names_alone_and_beside_nothing() -> None:
    where = two_offices(meter("m", organisation="a"))

    assert sight(where, "a").organisations == {"a"}
    assert sight(where, "a").named == {"city"}
    assert sight(where, "nobody") == Sight()


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR])
def test_administration_sees_no_data_and_with_a_reading_role_what_that_sees(role: Role) -> None:
    where = two_offices(meter("m", organisation="a"))

    for permission in Permission:
        assert Sight.of(Identity("who", (Grant(role),)), permission, where, DAY) == Sight()
    both = Identity("who", (Grant(role), Grant(Role.READER, "a")))
    assert Sight.of(both, Permission.READ, where, DAY).meters == {"m"}
    assert Sight.of(both, Permission.AUDIT, where, DAY) == Sight()


def test_a_grant_of_everything_sees_everything_for_what_it_permits() -> None:
    who = Identity("who", (Grant(Role.STATISTICIAN), Grant(Role.FILLER, "a")))

    assert Reach.of(who, Permission.READ).everything
    assert Reach.of(who, Permission.FILL) == Reach(organisations=frozenset({"a"}))


def test_a_partner_sees_the_meters_of_its_contract_and_no_account() -> None:
    where = two_offices(
        meter("main", organisation="a", account="1100"),
        meter("plant", "main"),
        accounts=(Account("1100", meter("x").medium),),
    )
    partner = Identity("who", (Grant(Role.PARTNER, meters=("plant",)),))

    seen = Sight.of(partner, Permission.READ, where, DAY)

    assert seen.meters == {"plant"}
    assert seen.accounts == seen.organisations == frozenset()
    assert sight(where, "a").accounts == {"1100"}


def test_an_account_is_compared_by_him_alone_who_sees_all_its_meters() -> None:
    where = two_offices(
        meter("m", organisation="a", account="1100"),
        meter("n", organisation="b", account="1100"),
        accounts=(Account("1100", meter("x").medium, organisation="a"),),
    )

    seen = seen_kept(Listed(Kept(where)), sight(where, "a"), Ownership(where, DAY)).site

    assert [a.id for a in seen.accounts] == ["1100"]
    assert [m.account for m in seen.meters] == [None]


def test_a_virtual_point_is_seen_where_all_that_it_rests_on_is() -> None:
    def virtual(name: str, formula: str) -> VirtualPoint:
        return VirtualPoint(name, NAME, meter("x").medium, ENERGY, formula)

    where = two_offices(
        meter("m", organisation="a"),
        meter("n", organisation="b"),
        virtual_points=(virtual("own", "m"), virtual("mixed", "m - n"), virtual("deep", "own + mixed")),
    )
    kept = Kept(where)

    seen = seen_kept(Listed(kept), sight(where, "a"), Ownership(where, DAY)).site

    assert [v.id for v in seen.virtual_points] == ["own"]


def test_a_removed_meter_stays_his_and_a_moved_one_shows_where_it_hangs() -> None:
    where = two_offices(
        meter("old", organisation="a", removed_on=date(2025, 1, 1)),
        meter("m", organisation="a", place="east"),
        places=(place("east"), place("west")),
    )
    own = Ownership(where, DAY, [Move("m", "west", date(2026, 1, 1))])

    seen = Sight.within(Reach(organisations=frozenset({"a"})), own)

    assert seen.meters == {"old", "m"}
    assert seen.places == {"east", "west"}


def test_the_rest_of_a_main_is_not_told_where_somebody_elses_meter_stands_behind_it() -> None:
    where = two_offices(
        meter("main", organisation="a"), meter("light", "main"), meter("tenant", "main", organisation="b")
    )
    own = Ownership(where, DAY)

    def balanced(of: str) -> list[str]:
        seen = Sight.within(Reach(organisations=frozenset({of})), own)
        kept = seen_kept(Listed(Kept(where)), seen, own).site
        return [main.id for main, _ in SeenScope(Scope(kept, DAY), Scope(where, DAY), seen).balanced()]

    assert (balanced("a"), balanced("city")) == ([], ["main"])


# -- random sites -----------------------------------------------------------------------------------------------------


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Every main is of an organisation or shared; behind it anything, in any place."""
    names = [f"o{i}" for i in range(draw(st.integers(1, 6)))]
    organisations = [
        organisation(n, draw(st.none() | st.sampled_from(names[:i])) if i else None) for i, n in enumerate(names)
    ]
    places = [place("p0"), place("p1", "p0"), place("p2", "p0"), place("p3", "p1")]
    meters: list[Meter] = []
    shares = []
    for i in range(draw(st.integers(1, 9))):
        parent = draw(st.none() | st.sampled_from([m.id for m in meters])) if meters else None
        shared = len(names) > 1 and draw(st.integers(0, 3)) == 0
        of = draw(st.sampled_from(names) if parent is None else st.none() | st.sampled_from(names))
        where = draw(st.none() | st.sampled_from([p.id for p in places]))
        meters.append(meter(f"m{i}", parent, organisation=None if shared else of, place=where))
        if shared:
            one, other = draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True))
            shares.append(share(Basis.FIXED, (one, "0.4"), (other, "0.6"), meter=f"m{i}"))
    return site(*meters, organisations=organisations, places=places, shares=shares)


def net(scope: Scope, node: Node) -> Counter[Point]:
    found: Counter[Point] = Counter()
    for components in scope.components(node).values():
        for c in components:
            found[c.point] += c.sign * (c.high - c.low)
    return Counter({point: amount for point, amount in found.items() if amount})


@settings(max_examples=300, deadline=None)
@given(sites())
def test_what_each_sees_of_its_own_is_together_the_whole(where: Site) -> None:
    own, whole = Ownership(where, DAY), Scope(where, DAY)
    together: Counter[Point] = Counter()
    for top in (o.id for o in where.organisations if o.parent is None):
        seen = Sight.within(Reach(organisations=frozenset({top})), own)
        kept = seen_kept(Listed(Kept(where)), seen, own).site
        assert kept.faults() == []
        scope = SeenScope(Scope(kept, DAY), whole, seen)
        for point, amount in net(scope, Node(NodeKind.ORGANISATION, top)).items():
            together[point] += amount

    assert {p: n for p, n in together.items() if n} == {
        Point(m.id, ENERGY): WHOLE for m in where.meters if not m.parent
    }


@settings(max_examples=300, deadline=None)
@given(sites())
def test_two_of_whom_none_stands_above_the_other_never_see_the_same_meter(where: Site) -> None:
    own = Ownership(where, DAY)
    sights = [Sight.within(Reach(organisations=frozenset({o.id})), own) for o in where.organisations]
    for one in sights:
        for other in sights:
            if not one.organisations & other.organisations:
                assert not one.meters & other.meters
                assert not one.own_places & other.own_places
                assert not one.accounts & other.accounts


@settings(max_examples=200, deadline=None)
@given(sites())
def test_who_stands_above_sees_all_that_those_below_see(where: Site) -> None:
    own = Ownership(where, DAY)
    for o in where.organisations:
        if o.parent is not None:
            below, above = (Sight.within(Reach(organisations=frozenset({n})), own) for n in (o.id, o.parent))
            assert below.meters <= above.meters
            assert below.places <= above.places
            assert below.organisations < above.organisations
