"""Accounts: passwords, tokens, the first administrator, and administrations that one account cannot hold together."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyotp
import pytest

from adapters.clocks import SteppedClock
from energy.errors import EnergyError
from energy.names import Text
from energy.organisations import Organisation
from gateway.access.roles import Grant, Role
from gateway.accounts.passwords import PasswordRules, random_password
from gateway.accounts.second import RECOVERY_CODES, qr_of
from gateway.accounts.secrecy import Seal, open_seal
from gateway.audit.service import Wanted
from gateway.records.changes import logged_changes
from gateway.services import Services
from tests.gateway.accounts.visitor import EXCHANGED, PASSWORD, Client, Visitor, account

SITE = "/api/v1/site"
DAY = 86_400


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("Ab1-xyz", "at least 10"),
        ("onlysmalletters", "three of"),
        ("lowercase123456", "three of"),
        ("Wang.li-2026!!", "name"),
        ("Password123!", "common"),
        ("P@ssw0rd2026!", "common"),
        ("Jieneng@2026", "common"),
        ("A1-" * 60, "at most"),
        ("1234567890!", "common"),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, said: str) -> None:
    assert any(said in fault.en for fault in PasswordRules().faults("wang.li", password))


@pytest.mark.parametrize(
    "password", [PASSWORD, "三字经 Abc-人之初性", "tR0ub4dor&3-kite", pytest.param(random_password(), id="random")]
)
def test_a_strong_password_is_taken(password: str) -> None:
    assert PasswordRules().faults("wang.li", password) == []


async def test_a_first_password_must_be_changed_before_anything_else(services: Services, visitor: Visitor) -> None:
    first = await services.accounts.add("wang", services.accounts.author("test"))
    wang = await services.accounts.people.one("wang")
    await services.accounts.people.grant(wang, Grant(Role.READER), services.accounts.author("test"))
    await visitor.sign_in(password=first)

    assert (await visitor.get("/api/v1/session"))["must_change"]
    assert "password" in (await visitor.get(SITE, 403))["detail"]
    await visitor.post("/api/v1/tokens", {"name": "t", "scopes": ["read"]}, 403)
    before = visitor.cookie
    await visitor.post("/api/v1/password", {"old": first, "new": PASSWORD})
    await visitor.get(SITE)
    visitor.cookie = before
    await visitor.get(SITE, 401)


async def test_the_last_five_passwords_are_not_taken_again(services: Services, visitor: Visitor) -> None:
    await account(services)
    await visitor.sign_in()
    used = [PASSWORD, *(f"Blue-heron {i}" for i in range(30, 34))]
    for old, new in pairwise(used):
        await visitor.post("/api/v1/password", {"old": old, "new": new})
    for again in used:
        problem = await visitor.post("/api/v1/password", {"old": used[-1], "new": again}, 400)
        assert "last 5" in problem["text"]["en"]

    await visitor.post("/api/v1/password", {"old": used[-1], "new": "Blue-heron 99"})
    await visitor.post("/api/v1/password", {"old": "Blue-heron 99", "new": PASSWORD})


async def test_a_password_is_changed_by_who_knows_it(services: Services, visitor: Visitor) -> None:
    await account(services)
    await visitor.sign_in()

    await visitor.post("/api/v1/password", {"old": "guessed", "new": "Blue-heron 99"}, 403)


async def token_of(visitor: Visitor, *scopes: str, days: int = 90) -> dict[str, Any]:
    made = await visitor.post("/api/v1/tokens", {"name": "reports", "scopes": list(scopes), "days": days})
    assert made["token"].startswith("jn_")
    return {"Authorization": f"Bearer {made['token']}"}


async def test_a_token_permits_its_scopes_and_no_more_than_its_account(services: Services, client: Client) -> None:
    await account(services, "wang", Role.FILLER)
    wang, program = Visitor(client), Visitor(client)
    await wang.sign_in()
    reads, approves = await token_of(wang, "read"), await token_of(wang, "approve", "read")
    body = {"events": [EXCHANGED], "who": "x", "why": ""}

    await program.get(SITE, **reads)
    await program.post("/api/v1/events", body, 403, **reads)
    await program.post("/api/v1/periods/close", {"month": "2026-01", "who": "x"}, 403, **approves)
    await program.post("/api/v1/events", body, **await token_of(wang, "fill"))
    await program.post("/api/v1/tokens", {"name": "more", "scopes": ["fill"]}, 403, **reads)
    wrongs: list[dict[str, Any]] = [{"scopes": []}, {"scopes": ["own"]}, {"scopes": ["read"], "days": 400}]
    for wrong in wrongs:
        await wang.post("/api/v1/tokens", {"name": "t", **wrong}, 400)


async def test_a_token_ends_by_its_date_by_revocation_and_with_its_account(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    await account(services, "wang", Role.READER)
    wang, program = Visitor(client), Visitor(client)
    await wang.sign_in()
    revoked, short, long = (
        await token_of(wang, "read"),
        await token_of(wang, "read", days=1),
        await token_of(wang, "read"),
    )
    for token in (revoked, short, long):
        await program.get(SITE, **token)
    [_, _, first] = (await wang.get("/api/v1/tokens"))["tokens"]
    await wang.post("/api/v1/tokens/revoke", {"id": first["id"]})
    assert "revoked" in (await program.get(SITE, 401, **revoked))["text"]["en"]

    await clock.step(DAY)
    await program.get(SITE, 401, **short)
    await program.get(SITE, **long)
    person = await services.accounts.people.one("wang")
    await services.accounts.disable(person.account, services.accounts.author("test"), disabled=True)
    await program.get(SITE, 401, **long)
    await program.get(SITE, 401, Authorization="Bearer jn_nonsense")
    await program.get(SITE, 401, Authorization="Basic d2FuZzp4")


async def test_nobody_revokes_the_token_of_another(services: Services, client: Client) -> None:
    await account(services, "wang", Role.READER)
    await account(services, "li", Role.READER)
    wang, li = Visitor(client), Visitor(client)
    await wang.sign_in()
    await li.sign_in("li")
    await token_of(wang, "read")
    [token] = (await wang.get("/api/v1/tokens"))["tokens"]

    await li.post("/api/v1/tokens/revoke", {"id": token["id"]}, 404)
    assert (await li.get("/api/v1/tokens"))["tokens"] == []


async def test_the_first_link_makes_one_administrator_once(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    old, link = await services.accounts.new_link(), await services.accounts.new_link()
    visitor, thief = Visitor(client), Visitor(client, "10.0.0.66")
    body = {"link": link, "name": "anquan", "password": PASSWORD}

    await visitor.post("/api/v1/first", {**body, "link": old}, 403)
    await visitor.post("/api/v1/first", {**body, "password": "weak"}, 400)
    await visitor.post("/api/v1/first", {**body, "name": "no name"}, 400)
    await visitor.post("/api/v1/first", body)
    assert "administer_security" in (await visitor.get("/api/v1/session"))["permissions"]
    await thief.post("/api/v1/first", {**body, "name": "thief"}, 403)

    late = await services.accounts.new_link()
    await clock.step(DAY)
    await thief.post("/api/v1/first", {**body, "link": late, "name": "thief"}, 403)


async def administrator(services: Services, client: Client) -> Visitor:
    await account(services, "anquan", Role.SECURITY_ADMINISTRATOR)
    visitor = Visitor(client)
    await visitor.sign_in("anquan")
    return visitor


async def test_an_administrator_makes_accounts_grants_and_takes_them_back(services: Services, client: Client) -> None:
    admin, wang = await administrator(services, client), Visitor(client)
    made = await admin.post("/api/v1/accounts", {"name": "Wang", "why": "letter 12"})
    await admin.post("/api/v1/accounts", {"name": "wang"}, 409)
    await wang.sign_in("wang", made["password"])
    await wang.post("/api/v1/password", {"old": made["password"], "new": PASSWORD})
    await wang.get(SITE, 403)

    told = await admin.post("/api/v1/grants", {"name": "wang", "role": "reader", "why": "letter 12"})
    [grant] = told["grants"]
    assert (grant["role"], grant["who"], grant["why"]) == ("reader", "anquan", "letter 12")
    await wang.get(SITE)
    await admin.post("/api/v1/grants/revoke", {"id": grant["id"]})
    await wang.get(SITE, 403)
    await admin.post("/api/v1/grants/revoke", {"id": grant["id"]}, 404)

    again = await admin.post("/api/v1/accounts/reset", {"name": "wang"})
    await wang.get("/api/v1/tokens", 401)
    await Visitor(client).sign_in("wang", again["password"])
    await admin.post("/api/v1/accounts/disable", {"name": "wang", "disabled": True})
    await Visitor(client).sign_in("wang", again["password"], 401)
    assert [a["name"] for a in (await admin.get("/api/v1/accounts"))["accounts"]] == ["anquan", "wang"]


async def test_the_three_administrations_are_of_three_accounts(services: Services, client: Client) -> None:
    admin = await administrator(services, client)
    await account(services, "wang", Role.SYSTEM_ADMINISTRATOR)

    for role in ("security_administrator", "audit_administrator"):
        problem = await admin.post("/api/v1/grants", {"name": "wang", "role": role}, 409)
        assert "三种权限" in problem["text"]["zh"]
    await admin.post("/api/v1/grants", {"name": "anquan", "role": "reader"}, 403)
    await admin.post("/api/v1/accounts/disable", {"name": "anquan", "disabled": True}, 403)
    await admin.post("/api/v1/grants", {"name": "wang", "role": "partner"}, 400)


async def test_a_grant_holds_from_its_day_to_its_day(services: Services, client: Client, clock: SteppedClock) -> None:
    admin, wang = await administrator(services, client), Visitor(client)
    await account(services, "wang")
    await wang.sign_in()
    now_ms = int(clock.now().timestamp() * 1000)
    body = {"name": "wang", "role": "reader", "from": now_ms + 60_000, "to": now_ms + 120_000}
    await admin.post("/api/v1/grants", body)

    seen = []
    for _ in range(3):
        seen.append((await wang.ask("GET", SITE)).status)
        await clock.step(60)
    assert seen == [403, 200, 403]


async def test_changes_of_accounts_are_logged_without_what_lets_one_in(services: Services, client: Client) -> None:
    admin = await administrator(services, client)
    made = await admin.post("/api/v1/accounts", {"name": "wang", "why": "letter 12"})
    hashed = (await services.accounts.people.one("wang")).account.password

    changes: Any = await logged_changes(services.accounts._records)
    assert changes[-1].who == "anquan"
    told = repr(changes)
    assert made["password"] not in told
    assert hashed is not None
    assert hashed not in told


async def test_an_account_tells_its_owner_grants_sessions_and_rules(services: Services, client: Client) -> None:
    await account(services, "wang", Role.READER)
    here, there = Visitor(client), Visitor(client, "10.0.0.2")
    await here.sign_in()
    await there.sign_in()

    own = await here.get("/api/v1/account")
    assert (own["name"], own["second_factor"], own["recovery_codes"]) == ("wang", False, 0)
    assert [(g["role"], g["organisation"]) for g in own["grants"]] == [("reader", None)]
    assert own["rules"] == {"least": 10, "most": 128, "kinds": 3, "kept": 5}
    [other] = [s for s in own["sessions"] if not s["current"]]
    assert (len(own["sessions"]), other["address"]) == (2, "10.0.0.2")

    left = await here.post("/api/v1/sessions/end", {"id": other["id"]})
    assert [s["current"] for s in left["sessions"]] == [True]
    await there.get(SITE, 401)
    await here.post("/api/v1/sessions/end", {"id": other["id"]}, 404)


async def test_nobody_ends_the_session_of_another(services: Services, client: Client) -> None:
    await account(services, "wang")
    await account(services, "li", Role.READER)
    wang, li = Visitor(client), Visitor(client)
    await wang.sign_in()
    await li.sign_in("li")
    [session] = (await li.get("/api/v1/account"))["sessions"]

    await wang.post("/api/v1/sessions/end", {"id": session["id"]}, 404)
    await li.get(SITE)


async def test_what_is_wrong_with_a_password_is_told_rule_by_rule(services: Services, visitor: Visitor) -> None:
    await account(services)
    await visitor.sign_in()

    problem = await visitor.post("/api/v1/password", {"old": PASSWORD, "new": "wang1"}, 400)
    said = [fault["en"] for fault in problem["faults"]]
    assert [word for word in ("at least 10", "three of", "name") if any(word in s for s in said)] == [
        "at least 10",
        "three of",
        "name",
    ]


async def test_accounts_are_found_by_name_role_and_state_page_by_page(services: Services, client: Client) -> None:
    admin = await administrator(services, client)
    for i in range(5):
        await account(services, f"wang{i}", *([Role.FILLER] if i % 2 else []))
    await account(services, "li_100")
    await admin.post("/api/v1/accounts/disable", {"name": "wang4", "disabled": True})

    async def names(query: str) -> list[str]:
        return [a["name"] for a in (await admin.get(f"/api/v1/accounts?{query}"))["accounts"]]

    first = await admin.get("/api/v1/accounts?search=WANG&limit=2")
    assert ([a["name"] for a in first["accounts"]], first["count"]) == (["wang0", "wang1"], 5)
    assert await names(f"search=wang&limit=2&cursor={first['next']}") == ["wang2", "wang3"]
    assert await names("role=filler") == ["wang1", "wang3"]
    assert await names("disabled=true") == ["wang4"]
    assert await names("search=i_1") == ["li_100"]
    assert await names("search=%25wang") == []
    assert "cursor" in (await admin.get("/api/v1/accounts?cursor=WzFd", 400))["detail"]


async def test_an_administrator_unlocks_ends_sessions_and_resets_the_second_factor(
    services: Services, client: Client, clock: SteppedClock
) -> None:
    admin, wang, thief = await administrator(services, client), Visitor(client), Visitor(client, "10.0.0.66")
    await account(services, "wang", Role.READER)
    for _ in range(5):
        await thief.sign_in(password="wrong", status=401)
    [told] = (await admin.get("/api/v1/accounts?search=wang"))["accounts"]
    assert told["locked_until"] == int(clock.now().timestamp() * 1000) + 60_000
    assert (await admin.post("/api/v1/accounts/unlock", {"name": "wang"}))["locked_until"] is None
    await thief.sign_in(password="wrong", status=401)

    await wang.sign_in()
    enrolled = await wang.post("/api/v1/second/enrol", {"password": PASSWORD})
    await wang.post("/api/v1/second/confirm", {"code": pyotp.TOTP(enrolled["secret"]).at(clock.now())})
    assert (await wang.get("/api/v1/account"))["recovery_codes"] == RECOVERY_CODES
    await admin.post("/api/v1/accounts/sessions/end", {"name": "wang"})
    await wang.get(SITE, 401)

    assert not (await admin.post("/api/v1/accounts/second/reset", {"name": "wang"}))["second_factor"]
    assert (await wang.sign_in())["stage"] == "in"
    await admin.post("/api/v1/accounts/second/reset", {"name": "anquan"}, 403)
    rows = await services.audit.rows(Wanted(account="anquan", subject="user_account/wang"), limit=9)
    assert [json.loads(row.detail)["after"]["done"] for row in reversed(rows)] == [
        "unlocked",
        "sessions ended",
        "second factor taken away",
        "sessions ended",
    ]


async def test_a_role_is_granted_of_an_organisation_there_is(services: Services, client: Client) -> None:
    admin, wang = await administrator(services, client), Visitor(client)
    await account(services, "wang")
    bureau = Organisation("bureau", Text("教育局", "Education bureau"))
    services.accounts.organisations = lambda: [bureau]

    [told] = (await admin.get("/api/v1/accounts/organisations"))["organisations"]
    assert (told["id"], told["name"]["zh"]) == ("bureau", "教育局")
    await admin.post("/api/v1/grants", {"name": "wang", "role": "filler", "organisation": "nowhere"}, 404)
    await admin.post("/api/v1/grants", {"name": "wang", "role": "filler", "organisation": "bureau"})
    await wang.sign_in()
    [grant] = (await wang.get("/api/v1/account"))["grants"]
    assert (grant["role"], grant["name"]["en"]) == ("filler", "Education bureau")
    await wang.get("/api/v1/accounts/organisations", 403)


def test_a_qr_code_says_its_address() -> None:
    """The three large squares of corners are where they belong; the rest is the library's."""
    size, path = qr_of("otpauth://totp/x?secret=ABC")

    assert size == 29 + 8
    dark = {tuple(map(int, part.split("h")[0].split())) for part in path.strip("Mz").split("zM")}
    for x, y in ((4, 4), (size - 11, 4), (4, size - 11)):
        assert {(x + i, y) for i in range(7)} <= dark
        assert (x + 1, y + 1) not in dark
    assert min(min(at) for at in dark) == 4


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret.key"
    sealed = open_seal(file).sealed("ABCDEFGH")

    assert file.stat().st_mode & 0o777 == 0o600
    assert open_seal(file).opened(sealed) == "ABCDEFGH"
    assert open_seal(file).sealed("ABCDEFGH") != sealed
    with pytest.raises(EnergyError, match=r"secret\.key"):
        Seal(bytes(32)).opened(sealed)
    file.chmod(0o644)
    with pytest.raises(EnergyError, match="chmod 600"):
        open_seal(file)
