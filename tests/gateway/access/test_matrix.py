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
from tests.gateway.access.asks import ASKS, of_no_node
from tests.gateway.access.city import NODES, City
from tests.gateway.access.city import city as made
from tests.gateway.access.matrix import cases


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with made(tmp_path) as there:
        yield there


def test_the_matrix_knows_how_to_ask_every_route() -> None:
    assert {(r.method, r.path) for r in ROUTES} == set(ASKS), "write in asks.py how the route is asked"


async def test_nothing_foreign_is_in_any_answer_and_what_is_foreign_stands(city: City) -> None:
    found = [case async for case in cases(city, ROUTES)]

    assert len(found) == len(ROUTES) * len(Role) * len(NODES)
    assert [str(case) for case in found if case.leaks] == []

    services = city.services

    events = {k.event.meter: k for k in await services.lives.events() if k.who.startswith(("foreign", "parent"))}
    assert set(events) == {"foreign-main", "parent-main"}
    others = [k for k in await services.lives.events(withdrawn=True) if not k.event.meter.startswith(("own", "child"))]
    assert len(others) == 2
    bills = [k.value.account for k in await services.bills.entries(withdrawn=True)]
    assert bills.count("foreign-account") == bills.count("parent-account") == 1
    moves = [k.value.of for k in await services.stock.entries(withdrawn=True)]
    assert moves.count("organisation/foreign-office") == moves.count("organisation/parent-office") == 1
    assert [c.month for c in await services.closings.closings()] == ["2026-01"]


class _Blind(Sights):
    """As if the filter had been forgotten."""

    def of(self, services: Services, identity: Identity, permission: Permission) -> Services:
        return services


async def test_the_matrix_would_find_a_filter_that_was_forgotten(city: City) -> None:
    city.services = replace(city.services, sights=_Blind())

    leaking = {case.route.path async for case in cases(city, ROUTES) if case.leaks}

    # Accounts tell of no node. Tariffs and the list of closed months are everybody's; nothing is left to withdraw or to
    # correct.
    blind = {"/api/v1/tariffs", "/api/v1/periods", "/api/v1/periods/correct", "/api/v1/events/withdraw/preview"}
    blind |= {"/api/v1/audit/state", "/api/v1/audit/verify"}
    blind |= {path for (_, path), (_, ask) in ASKS.items() if ask is of_no_node}
    assert {route.path for route in ROUTES} - leaking == blind
