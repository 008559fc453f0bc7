"""An answer is given again to whom it was given, for what he sent, while he may still ask for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from gateway.access.roles import Grant, Role
from gateway.accounts.door import AccountsDoor
from gateway.app import application
from gateway.services import Services
from tests.gateway.accounts.visitor import EXCHANGED, Client, Visitor, account

EVENTS = "/api/v1/events"
KEY = {"Idempotency-Key": "order-7"}
BODY = {"events": [EXCHANGED], "who": "x", "why": "order 7"}


async def entered(visitor: Visitor, status: int = 200, body: Any = BODY, **headers: str) -> bool:
    """Whether the answer is one that was given before."""
    answer = await visitor.ask("POST", EVENTS, body, **KEY, **headers)
    assert answer.status == status, await answer.text()
    return "Idempotency-Replayed" in answer.headers


async def test_the_same_account_is_told_again_and_another_is_not(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    await account(services, "li", Role.FILLER)
    wang, li = Visitor(client), Visitor(client)
    await wang.sign_in()
    await li.sign_in("li")

    assert not await entered(wang)
    assert await entered(wang)
    assert not await entered(li)


async def test_who_may_no_longer_enter_is_told_nothing_again(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    await entered(wang)
    [held] = (await services.accounts.people.one("wang")).held
    await services.accounts.people.revoke(held.id, services.accounts.author("test"))

    assert not await entered(wang, 403)


async def test_who_is_permitted_other_things_now_is_told_nothing_again(services: Services, client: Client) -> None:
    """The answer was of what he saw then."""
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    await entered(wang)
    person = await services.accounts.people.one("wang")
    author = services.accounts.author("test")
    await services.accounts.people.revoke(person.held[0].id, author)
    await services.accounts.people.grant(person, Grant(Role.FILLER, "elsewhere"), author)

    assert not await entered(wang, 409)


async def test_another_body_and_a_session_that_ended_are_told_nothing_again(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    await entered(wang)

    assert not await entered(wang, 409, {**BODY, "why": "order 8"})
    assert not await entered(wang, 403, **{"X-CSRF-Token": "wrong"})
    await wang.post("/api/v1/session/end", {})
    assert not await entered(wang, 401)


async def test_a_key_is_of_one_path(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    await entered(wang)

    answer = await wang.ask("POST", f"{EVENTS}/preview", BODY, **KEY)
    assert (answer.status, "Idempotency-Replayed" in answer.headers) == (200, False)


async def test_a_gateway_that_was_started_anew_does_nothing_again(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang = Visitor(client)
    await wang.sign_in()
    await entered(wang)

    door = AccountsDoor(services.accounts, services.clock, behind_tls=True)
    async with TestClient(TestServer(application(replace(services, door=door)))) as anew:
        wang = Visitor(anew)
        await wang.sign_in()
        assert await entered(wang)
