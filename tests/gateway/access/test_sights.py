"""Services as they are seen: followed, pushed, and closed where nobody thought of something."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from energy.errors import UnknownName
from energy.organisations import Organisation
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Text
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.api.problems import RequestError
from gateway.audit.service import Wanted
from gateway.closing.service import Closings
from gateway.edges.service import Edges
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.service import Range
from gateway.life.service import Lives
from gateway.live import hub as hub_module
from gateway.services import Services
from tests.gateway.access.city import ENERGY, FIRST, NOW, City, identity
from tests.gateway.access.city import city as made

READER = identity(Role.READER)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with made(tmp_path) as there:
        yield there


def seen(city: City, who: Identity = READER, permission: Permission = Permission.READ) -> Services:
    return city.services.seen_by(who, permission)


async def used(services: Services, kind: NodeKind, name: str) -> float:
    asked = Range(FIRST, FIRST + timedelta(days=1), None, services.books.kept.site.zone_info)
    found = await services.books.consumption.of_node(Node(kind, name), asked)
    return float(found[Medium.ELECTRICITY].figures.amount[0]) / 1e6


async def test_an_office_sees_its_own_use_with_its_share_of_a_main_that_it_does_not_see(city: City) -> None:
    own = seen(city)

    # 3 kWh itself, 5 the office below it, a quarter of the 24 that are shared.
    assert await used(own, NodeKind.ORGANISATION, "own-office") == (3 + 5 + 6) * 24
    assert await used(own, NodeKind.ORGANISATION, "child-office") == 5 * 24
    assert await used(own, NodeKind.PLACE, "town") == (3 + 5) * 24
    with pytest.raises(UnknownName, match="not in the site on"):
        await used(own, NodeKind.METER, "shared-main")
    with pytest.raises(UnknownName, match="ask of organisation/child-office, organisation/own-office"):
        await used(own, NodeKind.SITE, "court")


async def test_what_all_offices_see_of_their_own_is_the_whole(city: City) -> None:
    tops = ("parent", "foreign")
    own = [await used(seen(city, identity(Role.READER, n)), NodeKind.ORGANISATION, f"{n}-office") for n in tops]

    assert sum(own) == await used(city.services, NodeKind.SITE, "court") == (3 + 5 + 7 + 11 + 24) * 24


def _of_all(role: Role) -> tuple[Grant, ...]:
    """Of everything, with what is hidden."""
    return Grant(role), Grant(role, "secret-office")


async def test_the_site_as_a_file_is_for_who_administers_the_system_and_no_data_come_with_it(city: City) -> None:
    for role in Role:
        for permission in Permission:
            opened = seen(city, identity(role), permission).sites is city.services.sites
            assert opened == (role is Role.SYSTEM_ADMINISTRATOR and permission is Permission.ADMINISTER_SYSTEM)
    administrator = seen(city, identity(Role.SYSTEM_ADMINISTRATOR), Permission.ADMINISTER_SYSTEM)
    assert administrator.books.kept.site.meters == ()
    with pytest.raises(RequestError, match="the site file"):
        await seen(city, identity(Role.APPROVER)).sites.present()


async def test_who_sees_everything_sees_it_and_edges_where_he_operates(city: City) -> None:
    officer, auditor = (Identity("who", _of_all(r)) for r in (Role.ENERGY_OFFICER, Role.AUDITOR))

    everything = seen(city, officer)
    closed = {f.name for f in fields(Services) if getattr(everything, f.name) is not getattr(city.services, f.name)}
    assert closed == {"accounts", "audit", "sites"}
    assert await seen(city, auditor, Permission.AUDIT).audit.rows(Wanted(), limit=1)
    with pytest.raises(RequestError, match="the audit log"):
        await everything.audit.rows(Wanted(), limit=1)
    told = seen(city, auditor)
    assert told.books is city.services.books and told.lives is city.services.lives
    with pytest.raises(RequestError, match="edges are those of the whole installation"):
        told.edges.words()
    with pytest.raises(RequestError, match="refused readings"):
        await told.quarantine.counts()


async def test_a_token_narrows_to_its_scopes(city: City) -> None:
    token = Identity("who", _of_all(Role.ENERGY_OFFICER), scopes=frozenset({Permission.READ}))

    assert seen(city, token).books is city.services.books
    with pytest.raises(RequestError):
        seen(city, token).edges.words()
    assert seen(city, token, Permission.FILL).directory.meters == {}


async def test_services_are_made_once_and_again_when_records_change(city: City) -> None:
    first = seen(city)
    assert seen(city) is first
    assert seen(city, Identity("another", (Grant(Role.FILLER, "own-office"),))) is first

    site = city.books.told.site
    moved = tuple(replace(m, organisation="own-office") if m.id == "foreign-main" else m for m in site.meters)
    city.books.take(replace(city.books.told, site=replace(site, meters=moved)))

    assert "foreign-sub" not in first.directory.meters
    assert {"foreign-main", "foreign-sub"} <= set(seen(city).directory.meters)


async def test_what_a_meter_is_learnt_to_measure_is_seen_by_who_sees_it(city: City) -> None:
    assert "voltage_a" not in seen(city).directory.meters["own-main"].quantities

    city.services.directory.learn([Point("own-main", "voltage_l1"), Point("foreign-main", "voltage_l1")])

    assert "voltage_l1" in seen(city).directory.meters["own-main"].quantities
    assert "foreign-main" not in seen(city).directory.meters


async def test_the_overview_is_made_of_what_is_seen(city: City) -> None:
    told = await seen(city).present.overview()

    assert [p.place for p in told.places] == ["town", "own-place", "child-place"]
    assert {p.subject for p in told.problems} == {"own-sub", "child-sub"}
    assert told.edges == []
    (electricity,) = told.media
    assert electricity.meters == 2


async def test_a_closed_month_is_told_by_the_meters_that_are_seen(city: City) -> None:
    own, whole = seen(city), city.services.closings
    closing = await own.closings.closing("2026-01")

    found = await own.closings.closed_figures(closing)

    assert {p.meter for p in found} == {"own-main", "own-sub", "child-main", "child-sub"}
    assert found == {p: f for p, f in (await whole.closed_figures(closing)).items() if p in found}
    with pytest.raises(RequestError, match="whole installation"):
        await seen(city, identity(Role.APPROVER), Permission.APPROVE).closings.close("2026-02", "somebody")


def test_what_is_not_told_of_something_seen_fails() -> None:
    """A method that is added to a service tells nothing to who sees a part, until somebody says what."""
    from gateway.access import seen_present, seen_records

    for whole, part in (
        (Lives, seen_records.SeenLives),
        (Closings, seen_records.SeenClosings),
        (Edges, seen_present.SeenEdges),
    ):
        own = {n for n in set(dir(whole)) - set(part.__dict__) if not n.startswith("_")}
        inherited = [n for n in own if inspect.isfunction(getattr(whole, n))]
        for name in inherited:
            # They work on what the base sets, and that is not there.
            assert "self._" in inspect.getsource(getattr(whole, name)), name
        assert "super().__init__" not in inspect.getsource(part)


def test_every_service_is_narrowed_or_known_to_be_everybodys(city: City) -> None:
    own = seen(city)

    same = {f.name for f in fields(Services) if getattr(own, f.name) is getattr(city.services, f.name)}
    assert same == {"clock", "metrics", "tariffs", "door", "working_days"}


def _columns(name: str) -> ReadingColumns:
    return ReadingColumns.of([Point(name, ENERGY)], [0], [to_ms(NOW)], [1.0])


async def test_a_listener_hears_of_what_it_sees_for_as_long_as_it_sees_it(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "OVERVIEW_S", 0.02)
    app = web.Application()

    async def live(request: web.Request) -> web.StreamResponse:
        return await seen(city).hub.serve(request)

    app.router.add_get("/live", live)
    async with TestClient(TestServer(app)) as client, client.ws_connect("/live") as socket:
        assert (await socket.receive_json())["type"] == "hello"
        points = [f"{n}:{ENERGY}" for n in ("own-main", "foreign-main", "shared-main")]
        await socket.send_json({"subscribe": points, "overview": True})
        told: Any = await socket.receive_json()
        assert [p["place"] for p in told["overview"]["places"]] == ["town", "own-place", "child-place"]

        for name in ("foreign-main", "shared-main", "own-main"):
            city.services.hub.push(_columns(name))
        assert [r[0] for r in (await socket.receive_json())["readings"]] == [points[0]]

        # The office is closed, and its grant with it leads nowhere.
        site = city.books.told.site
        gone = Organisation("own-office", Text("x", "x"), parent=None)
        meters = tuple(m for m in site.meters if not m.id.startswith("own"))
        organisations = tuple(gone if o.id == "own-office" else o for o in site.organisations)
        city.books.take(replace(city.books.told, site=replace(site, meters=meters, organisations=organisations)))
        for listener in city.services.hub._listeners:
            listener.look_again()
        await socket.send_json({"subscribe": [points[0], f"child-main:{ENERGY}"]})
        await socket.send_json({"subscribe": [points[0], f"child-main:{ENERGY}"], "overview": True})
        assert (await socket.receive_json())["type"] == "overview"
        for name in ("own-main", "child-main"):
            city.services.hub.push(_columns(name))
        assert [r[0] for r in (await socket.receive_json())["readings"]] == [f"child-main:{ENERGY}"]
