"""Signing in: who guesses is slowed, who is signed in is so for a time, and a page of a stranger cannot ask for him."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pyotp
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from adapters.clocks import SteppedClock
from gateway.access.door import LocalDoor
from gateway.access.roles import Role
from gateway.accounts.door import AccountsDoor
from gateway.accounts.lockout import delay_ms
from gateway.accounts.passwords import Passwords
from gateway.accounts.second import RECOVERY_CODES, STEP_S
from gateway.app import application
from gateway.audit.service import Wanted
from gateway.process import application as frame
from gateway.services import Services
from tests.gateway.accounts.visitor import COOKIE, EXCHANGED, PASSWORD, Client, Visitor, account
from tests.waiting import PATIENCE_S

SITE = "/api/v1/site"
MINUTE = 60


async def test_who_signs_in_reads_and_who_signs_out_does_no_longer(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.READER)
    assert (await visitor.get(SITE, 401))["text"]["zh"] == "请先登录"

    assert (await visitor.sign_in("Wang "))["stage"] == "in"
    told = await visitor.get("/api/v1/session")
    assert (told["name"], told["stage"], told["permissions"]) == ("wang", "in", ["open", "own", "read"])
    cookie = visitor.cookie
    await visitor.get(SITE)

    await visitor.post("/api/v1/session/end", {})
    visitor.cookie = cookie
    await visitor.get(SITE, 401)


async def test_the_cookie_is_kept_from_scripts_and_other_sites(services: Services, visitor: Visitor) -> None:
    await account(services)
    await visitor.sign_in()

    attributes = {part.strip() for part in visitor.set_cookie.split(";")}
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Secure"} <= attributes


async def test_without_tls_the_cookie_is_not_called_secure(services: Services, client: Client) -> None:
    door = AccountsDoor(services.accounts, services.clock)

    assert door._cookie == "jieneng"
    assert client.app is not None


def test_the_delay_grows_to_half_an_hour() -> None:
    assert [delay_ms(n) / 60_000 for n in (0, 4, 5, 6, 7, 8, 9, 10, 1000)] == [0, 0, 1, 2, 4, 8, 16, 30, 30]


async def test_guessing_is_locked_for_its_address_and_nobody_else(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    await account(services)
    thief, wang = Visitor(client, "10.0.0.66"), Visitor(client, "10.0.0.1")
    for _ in range(5):
        await thief.sign_in(password="wrong", status=401)

    locked = await thief.ask("POST", "/api/v1/session", {"name": "wang", "password": PASSWORD})
    assert (locked.status, locked.headers["Retry-After"]) == (429, "60")
    await wang.sign_in()

    await clock.step(MINUTE)
    await thief.sign_in(password="wrong", status=401)
    await clock.step(MINUTE)
    await thief.sign_in(password="wrong", status=429)
    await clock.step(MINUTE)
    await thief.sign_in()


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(services: Services, client: Client) -> None:
    await account(services)
    guesses = [Visitor(client).ask("POST", "/api/v1/session", {"name": "wang", "password": str(i)}) for i in range(20)]

    answers = [answer.status for answer in await asyncio.gather(*guesses)]

    assert sorted(answers) == [401] * 5 + [429] * 15


async def test_an_ipv6_network_is_one_address(services: Services, client: Client) -> None:
    await account(services)
    for i in range(5):
        await Visitor(client, f"2001:db8::{i + 1}").sign_in(password="wrong", status=401)

    await Visitor(client, "2001:db8::ffff").sign_in(status=429)
    await Visitor(client, "2001:db8:0:1::1").sign_in()


async def test_it_is_not_told_whether_there_is_such_an_account(services: Services, client: Client) -> None:
    await account(services, "wang")
    await account(services, "gone")
    gone = (await services.accounts.people.one("gone")).account
    await services.accounts.disable(gone, services.accounts.author("test"), disabled=True)

    answers = [await Visitor(client).sign_in(n, p, 401) for n, p in (("wang", "x"), ("li", "x"), ("gone", PASSWORD))]

    assert answers[0] == answers[1] == answers[2]


async def test_an_unknown_name_costs_as_much_as_a_known_one() -> None:
    """Both are one verification by argon2; the second is against the password of nobody."""
    passwords = Passwords(time_cost=3, memory_kib=8192)
    known, costs = await passwords.hashed(PASSWORD), []
    for given in (known, None):
        begun = time.process_time()
        for _ in range(5):
            assert not await passwords.matches(given, "x")
        costs.append(time.process_time() - begun)

    assert 0.3 < costs[0] / costs[1] < 3


async def test_the_id_of_a_session_is_another_after_signing_in(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.READER)
    visitor.cookie = "fixed-by-a-thief"
    await visitor.sign_in()
    assert visitor.cookie != "fixed-by-a-thief"

    first = visitor.cookie
    await visitor.sign_in()
    assert visitor.cookie != first
    visitor.cookie = first
    await visitor.get(SITE, 401)


async def test_a_post_needs_the_word_of_its_session(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang, other = Visitor(client), Visitor(client)
    await wang.sign_in()
    await other.sign_in()
    body = {"events": [EXCHANGED], "who": "somebody", "why": ""}

    for wrong in ("wrong", other.csrf, "é"):
        problem = await wang.post("/api/v1/events", body, 403, **{"X-CSRF-Token": wrong})
        assert problem["type"] == "urn:jieneng:csrf"
    csrf, wang.csrf = wang.csrf, ""
    await wang.post("/api/v1/events", body, 403)
    wang.csrf = (await wang.get("/api/v1/session"))["csrf"]
    assert wang.csrf == csrf
    await wang.post("/api/v1/events", body)


async def test_what_is_entered_is_signed_by_who_is_signed_in(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.FILLER)
    await visitor.sign_in()
    await visitor.post("/api/v1/events", {"events": [EXCHANGED], "who": "the director", "why": "order 7"})

    assert [kept["who"] for kept in (await visitor.get("/api/v1/events"))["events"]] == ["wang"]


async def test_who_is_signed_in_need_not_say_who_he_is(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.FILLER)
    await visitor.sign_in()
    [added] = (await visitor.post("/api/v1/events", {"events": [EXCHANGED]}))["added"]
    await visitor.post("/api/v1/events/withdraw", {"id": added, "why": "typed wrongly"})

    [kept] = (await visitor.get("/api/v1/events?withdrawn=true"))["events"]
    assert (kept["who"], kept["withdrawn_by"]) == ("wang", "wang")


async def test_where_nobody_signs_in_who_enters_must_be_said(services: Services) -> None:
    async with TestClient(TestServer(application(replace(services, door=LocalDoor())))) as client:
        visitor = Visitor(client)
        for who in ({}, {"who": "  "}):
            problem = await visitor.post("/api/v1/events", {"events": [EXCHANGED], **who}, 400)
            assert "登记人" in problem["text"]["zh"]
        await visitor.post("/api/v1/events", {"events": [EXCHANGED], "who": "li"})

        [kept] = (await visitor.get("/api/v1/events"))["events"]
        assert kept["who"] == "li"


async def test_a_session_ends_by_idleness(services: Services, visitor: Visitor, clock: SteppedClock) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in()
    for _ in range(3):
        await clock.step(29 * MINUTE)
        await visitor.get(SITE)
    await clock.step(30 * MINUTE)
    await visitor.get(SITE, 401)


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    services: Services, visitor: Visitor, clock: SteppedClock
) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in()
    await clock.step(29 * MINUTE)
    await visitor.get(SITE, 200, **{"X-Background": "1"})
    await clock.step(MINUTE)
    await visitor.get(SITE, 401)


async def test_a_session_ends_after_half_a_day_however_busy(
    services: Services, visitor: Visitor, clock: SteppedClock
) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in()
    for _ in range(12 * 3 - 1):
        await clock.step(20 * MINUTE)
        await visitor.get(SITE)
    await clock.step(20 * MINUTE)
    await visitor.get(SITE, 401)


async def test_who_is_disabled_is_out_at_once(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in()
    await visitor.get(SITE)
    wang = (await services.accounts.people.one("wang")).account
    await services.accounts.disable(wang, services.accounts.author("test"), disabled=True)

    await visitor.get(SITE, 401)


async def test_a_listener_is_cut_off_when_his_session_ends(
    services: Services, client: Client, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "_STILL_EVERY_S", 0.02)
    await account(services, "wang", Role.READER)
    with pytest.raises(WSServerHandshakeError, match="401"):
        await client.ws_connect("/api/v1/live")
    await visitor.sign_in()
    own = {"Cookie": f"{COOKIE}={visitor.cookie}"}
    with pytest.raises(WSServerHandshakeError, match="403"):
        await client.ws_connect("/api/v1/live", headers={**own, "Origin": "http://evil.example"})

    async with client.ws_connect("/api/v1/live", headers=own) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await visitor.post("/api/v1/session/end", {})
        assert (await socket.receive(timeout=PATIENCE_S)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)


async def test_the_second_factor_is_asked_for_and_each_code_taken_once(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    await account(services, "wang", Role.READER)
    wang = Visitor(client)
    await wang.sign_in()
    await wang.post("/api/v1/second/enrol", {"password": "wrong"}, 403)
    enrolled = await wang.post("/api/v1/second/enrol", {"password": PASSWORD})
    totp = pyotp.TOTP(enrolled["secret"])
    await wang.post("/api/v1/second/confirm", {"code": "000000"}, 400)
    codes = (await wang.post("/api/v1/second/confirm", {"code": totp.at(clock.now())}))["codes"]
    assert len(set(codes)) == RECOVERY_CODES
    kept = (await services.accounts.people.one("wang")).account.totp
    assert kept is not None
    assert enrolled["secret"] not in kept

    await clock.step(STEP_S)
    code = totp.at(clock.now())
    other, thief = Visitor(client), Visitor(client)
    assert (await other.sign_in())["stage"] == "second"
    half = other.cookie
    await other.get(SITE, 401)
    await other.post("/api/v1/password", {"old": PASSWORD, "new": "Grey-heron 28"}, 401)
    await other.post("/api/v1/session/second", {"code": code})
    assert other.cookie != half
    await other.get(SITE)

    await thief.sign_in()
    await thief.post("/api/v1/session/second", {"code": code}, 401)
    await thief.post("/api/v1/session/second", {"code": codes[0].upper()})
    again = Visitor(client)
    await again.sign_in()
    await again.post("/api/v1/session/second", {"code": codes[0]}, 401)


async def test_guesses_of_the_second_factor_are_counted_wherever_they_come_from(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    await account(services, "wang", Role.READER)
    visitor = Visitor(client)
    await visitor.sign_in()
    secret = (await visitor.post("/api/v1/second/enrol", {"password": PASSWORD}))["secret"]
    await visitor.post("/api/v1/second/confirm", {"code": pyotp.TOTP(secret).at(clock.now())})
    for i in range(5):
        thief = Visitor(client, f"10.0.9.{i}")
        await thief.sign_in()
        await thief.post("/api/v1/session/second", {"code": "000000"}, 401)
    thief = Visitor(client, "10.0.9.99")
    await thief.sign_in()
    await thief.post("/api/v1/session/second", {"code": "000000"}, 429)


async def test_sign_ins_refusals_and_sign_outs_stand_in_the_audit_log(services: Services, visitor: Visitor) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in(password="Not-the-one-1", status=401)
    await visitor.sign_in()
    await visitor.post("/api/v1/session/end", {})

    rows = await services.audit.rows(Wanted(subject="account/wang"), limit=3)
    assert [(r.action, r.outcome) for r in rows] == [("sign_out", "done"), ("sign_in", "done"), ("sign_in", "refused")]
