"""Nobody is told of what is not theirs: every route, every role, own, foreign, parent and child."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.roles import Identity, Permission, Role
from gateway.access.sights import Sights
from gateway.app import ROUTES
from gateway.services import Services
from tests.gateway.access.asks import ASKS
from tests.gateway.access.city import NODES, City, Entered
from tests.gateway.access.city import city as made
from tests.gateway.access.matrix import cases, cases_of_everything


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with made(tmp_path) as there:
        yield there


def test_the_matrix_knows_how_to_ask_every_route() -> None:
    assert {(r.method, r.path) for r in ROUTES} == set(ASKS), "write in asks.py how the route is asked"
    assert [str(r.path) for r in ROUTES if r.permission is not ASKS[r.method, r.path][0]] == []
    silent = [
        path
        for path, (_, ask) in ASKS.items()
        if not all(ask(node, Entered(*range(1, 1 + len(Entered._fields)))) for node in NODES)
    ]
    assert silent == [], "a route that is not asked is not in the matrix"


@pytest.mark.timeout(1200)
async def test_nothing_foreign_is_in_any_answer_and_what_is_foreign_stands(city: City) -> None:
    found = [case async for case in cases(city, ROUTES)]

    assert len(found) == len(ROUTES) * len(Role) * len(NODES)
    assert [str(case) for case in found if case.leaks] == []

    services = city.services

    events = {k.event.meter: k for k in await services.lives.events() if k.who.startswith(("foreign", "parent"))}
    assert set(events) == {"foreign-main", "parent-main"}
    others = [k for k in await services.lives.events(withdrawn=True) if not k.event.meter.startswith(("own", "child"))]
    assert len(others) == 3
    bills = [k.value.account for k in await services.bills.entries(withdrawn=True)]
    assert bills.count("foreign-account") == bills.count("parent-account") == 1
    moves = [k.value.of for k in await services.stock.entries(withdrawn=True)]
    assert moves.count("organisation/foreign-office") == moves.count("organisation/parent-office") == 1
    quotas = [k.value.of for k in await services.quotas.entries.entries()]
    assert quotas.count("organisation/foreign-office") == quotas.count("organisation/parent-office") == 1
    assert [c.month for c in await services.closings.closings()] == ["2026-01"]
    await _must_stand_as_they_were(city)


async def _must_stand_as_they_were(city: City) -> None:
    """The accounts of others, but for what was asked by who administers them."""
    people = {p.account.name: p for p in await city.services.accounts.people.all()}
    assert set(people) == {"who", *(f"{node}-clerk" for node in NODES)}
    for node in NODES:
        clerk = people[f"{node}-clerk"]
        assert [(h.id, h.to_ms, h.grant.organisation) for h in clerk.held] == [
            (city.grants[node], None, f"{node}-office")
        ]
        assert not clerk.account.disabled
        [token] = await city.services.accounts.tokens.of(clerk.account)
        assert token.revoked_at_ms is None
    assert people["who"].held == ()


async def test_who_sees_everything_is_told_nothing_of_what_is_hidden(city: City) -> None:
    found = [case async for case in cases_of_everything(city, ROUTES)]

    assert len(found) == len(ROUTES) * len(Role)
    assert [str(case) for case in found if case.leaks] == []


async def test_and_the_matrix_would_find_it(city: City) -> None:
    city.services = replace(city.services, sights=_Blind())

    leaking = {case.route.path async for case in cases_of_everything(city, ROUTES, (Role.READER,)) if case.leaks}

    told = {
        "/api/v1/meters",
        "/api/v1/series",
        "/api/v1/consumption",
        "/api/v1/trees",
        "/api/v1/bills",
        "/api/v1/stock",
    }
    told |= {"/api/v1/latest", "/api/v1/events", "/api/v1/balance", "/api/v1/periods/{month}", "/api/v1/overview"}
    assert told - leaking == set()


class _Blind(Sights):
    """As if the filter had been forgotten."""

    def of(self, services: Services, identity: Identity, permission: Permission) -> Services:
        return services


async def test_the_matrix_would_find_a_filter_that_was_forgotten(city: City) -> None:
    city.services = replace(city.services, sights=_Blind())

    leaking = {case.route.path async for case in cases(city, ROUTES, (Role.FILLER,)) if case.leaks}

    # Who signs in, and what is one's own, is asked in the same words whoever it is. Tariffs and the list of closed
    # months are everybody's; nothing is left to withdraw or to correct.
    blind = {"/api/v1/tariffs", "/api/v1/periods", "/api/v1/periods/correct", "/api/v1/events/withdraw/preview"}
    blind |= {"/api/v1/audit/state", "/api/v1/audit/verify"}
    # The sheets are everybody's; a file that was not compared is applied for nobody.
    blind |= {"/api/v1/site/template", "/api/v1/site/apply"}
    # Nobody has links here, nor has the account that was made on the way.
    blind |= {"/api/v1/accounts/links", "/api/v1/accounts/links/drop"}
    blind |= {route.path for route in ROUTES if route.permission in (Permission.OPEN, Permission.OWN)}
    blind.add("/api/v1/quotas/standards")
    # Of a copy of everything nothing is told but where it is.
    blind.add("/api/v1/backup/copy")
    # It says back what was asked of the one roster that there is.
    blind |= {"/api/v1/duty/swap", "/api/v1/alarm-messages/test"}
    assert {route.path for route in ROUTES} - leaking == blind
