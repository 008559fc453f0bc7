"""Every route of the application asks who comes, and each role may do what it permits, no less and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.access.door import LocalDoor, Origin, Visit, admitted, marked, must_all_ask, permission_of, remember
from gateway.access.roles import PERMITS, Grant, Identity, Permission, Role
from gateway.accounts.door import AccountsDoor
from gateway.api.problems import RequestError
from gateway.api.words import OngoingProblem, TextWords
from gateway.app import ROUTES, application
from gateway.services import Services
from tests.gateway.accounts.visitor import Client, Visitor, account

GUARDED = [r for r in ROUTES if r.permission is not Permission.OPEN]
SPECIAL = [("GET", "/api/v1/live", Permission.READ), ("GET", "/metrics", Permission.OPERATE)]
_NAMES = {"{month}": "2026-01", "{edge}": "north", "{id}": "1", "{statement}": "1", "{contract}": "lighting"}


def _named(path: str) -> str:
    for name, given in _NAMES.items():
        path = path.replace(name, given)
    return path


ASKED = [(r.method, _named(r.path), r.permission) for r in GUARDED] + SPECIAL


def test_every_route_of_the_application_has_a_permission(services: Services) -> None:
    app = application(services)

    assert len(list(app.router.routes())) > len(ROUTES)
    assert [r for r in app.router.routes() if permission_of(r) is None] == []


def test_an_application_with_a_route_that_asks_nobody_is_not_served() -> None:
    async def leak(_request: web.Request) -> web.Response:
        return web.Response(text="everything")

    app = web.Application()
    app.router.add_get("/open", marked(Permission.OPEN, leak))
    must_all_ask(app)

    async def other(_request: web.Request) -> web.Response:
        return web.Response(text="everything")

    app.router.add_get("/leak", other)
    with pytest.raises(RuntimeError, match="/leak"):
        must_all_ask(app)


def test_what_is_open_is_little() -> None:
    assert sorted({r.path for r in ROUTES} - {r.path for r in GUARDED}) == [
        "/api/v1/first",
        "/api/v1/session",
        "/api/v1/session/end",
        "/api/v1/session/provider",
        "/api/v1/session/provider/return",
        "/api/v1/session/providers",
        "/api/v1/session/second",
    ]
    changing = {r.permission for r in ROUTES if r.method == "POST"}
    assert Permission.READ not in changing


async def test_nobody_is_let_in_before_anything_is_read(client: Client) -> None:
    """The body is nonsense: what is refused for it was read before the door was passed."""
    let_in = []
    for method, path, permission in ASKED:
        answer = await Visitor(client).ask(method, path, "nonsense" if method == "POST" else None)
        if (answer.status, answer.content_type) != (401, "application/problem+json"):
            let_in.append((method, path, permission, answer.status, await answer.text()))

    assert let_in == []


@pytest.fixture
async def roles(services: Services, client: Client) -> dict[Role, dict[str, str]]:
    """A token for each role, with all scopes."""
    accounts, found = services.accounts, {}
    scopes = set(Permission) - {Permission.OPEN, Permission.OWN}
    for role in Role:
        await account(services, role.value, Grant(role, None, ("east-main",) if role is Role.PARTNER else ()))
        person = await accounts.people.one(role.value)
        token = await accounts.tokens.make(person.account, "all", scopes, 1, accounts.author("test"))
        found[role] = {"Authorization": f"Bearer {token}"}
    return found


async def test_each_role_may_what_it_permits_on_each_route(client: Client, roles: dict[Role, dict[str, str]]) -> None:
    """Denied is 403 by the door; permitted is anything else: what is asked is mostly wrong in other ways."""
    visitor, wrong = Visitor(client), []
    for role, token in roles.items():
        for method, path, permission in ASKED:
            if permission is Permission.OWN:
                continue
            answer = await visitor.ask(method, path, "nonsense" if method == "POST" else None, **token)
            denied = answer.status == 403
            if answer.status == 401 or denied == (permission in PERMITS[role]):
                wrong.append((role.value, method, path, answer.status))
    assert wrong == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
async def test_the_door_lets_in_by_the_table_of_permits(role: Role, permission: Permission) -> None:
    identity = Identity("wang", (Grant(role, None, ("m",) if role is Role.PARTNER else ()),))

    class Fixed(LocalDoor):
        async def identify(self, request: web.Request) -> Identity:
            remember(request, Visit(identity, Origin("10.0.0.1")))
            return identity

    request: Any = {}
    always = {Permission.OPEN, Permission.OWN}
    if permission in PERMITS[role] | always:
        assert (await admitted(Fixed(), request, permission)).identity is identity
    else:
        with pytest.raises(RequestError, match="not permitted"):
            await admitted(Fixed(), request, permission)


async def test_health_tells_strangers_nothing_but_whether_it_is_well(client: Client, services: Services) -> None:
    stranger, wang = Visitor(client), Visitor(client)
    assert await stranger.get("/health") == {"status": "ok"}

    await account(services, "wang", Role.READER)
    await wang.sign_in()
    assert set(await wang.get("/health")) == {"status", "version", "problems", "refused"}


async def test_who_sees_a_part_is_told_of_no_more_by_health_and_metrics(client: Client, services: Services) -> None:
    wrong = OngoingProblem("broker.unreachable", "mqtt", 0, TextWords("无法连接", "It cannot be reached"))
    services.present.of_gateway = lambda: [wrong]
    part, whole = Visitor(client), Visitor(client)
    await account(services, "wang", Grant(Role.DUTY, "nowhere"))
    await account(services, "li", Grant(Role.DUTY))
    await part.sign_in()
    await whole.sign_in("li")

    told = await part.get("/health")
    assert (told["status"], told["problems"], told["refused"]) == ("degraded", [], None)
    assert [p["kind"] for p in (await whole.get("/health"))["problems"]] == ["broker.unreachable"]
    assert (await part.ask("GET", "/metrics")).status == 403
    assert (await whole.ask("GET", "/metrics")).status == 200


async def test_metrics_are_for_this_machine_and_for_operators(client: Client) -> None:
    assert (await Visitor(client).ask("GET", "/metrics")).status == 401
    assert (await Visitor(client, "127.0.0.1").ask("GET", "/metrics")).status == 200


async def test_who_shows_the_token_of_metrics_fetches_them_from_elsewhere_and_nothing_else(services: Services) -> None:
    token = "a-token-of-prometheus-alone"
    door = AccountsDoor(services.accounts, services.clock, behind_tls=True)
    async with TestClient(TestServer(application(replace(services, door=door), metrics_token=token))) as client:
        visitor, shown = Visitor(client), {"Authorization": f"Bearer {token}"}

        assert (await visitor.ask("GET", "/metrics", **shown)).status == 200
        assert (await visitor.ask("GET", "/metrics", Authorization=f"Bearer {token[:-1]}")).status == 401
        assert (await visitor.ask("GET", "/metrics", Authorization=token)).status == 401
        assert (await visitor.ask("GET", "/metrics")).status == 401
        assert (await visitor.ask("GET", "/api/v1/site", **shown)).status == 401
        assert "refused" not in await visitor.get("/health", 401, **shown)


async def test_where_accounts_are_off_everybody_is_local_and_administers_nothing(services: Services) -> None:
    async with TestClient(TestServer(application(replace(services, door=LocalDoor())))) as client:
        visitor = Visitor(client)
        told = await visitor.get("/api/v1/session")
        assert (told["accounts"], told["name"]) == ("off", "local")
        await visitor.get("/api/v1/site")
        await visitor.get("/api/v1/accounts", 403)
        await visitor.get("/api/v1/tokens", 403)
