"""Signing in by an identity provider: who it vouches for is let in, and nobody else by whatever is sent instead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from aiohttp.test_utils import unused_port
from joserfc import jwt
from joserfc.jwk import OctKey

from adapters.clocks import SteppedClock
from energy.sites import Text
from gateway.access.roles import Role
from gateway.accounts.provider import Provider as Settings
from gateway.accounts.provider import Providers, Second
from gateway.accounts.service import AccountRules
from gateway.audit.service import Wanted
from gateway.services import Services
from tests.gateway.accounts.provider import OTHER, PAGE, SECRET, Provider
from tests.gateway.accounts.provider import provider as run
from tests.gateway.accounts.visitor import PASSWORD, Client, Visitor, account

BEGIN, BACK, SITE = "/api/v1/session/provider", "/api/v1/session/provider/return", "/api/v1/site"


@pytest.fixture
async def provider(clock: SteppedClock) -> AsyncIterator[Provider]:
    async with run(clock) as made:
        yield made


@pytest.fixture
def rules(provider: Provider) -> AccountRules:
    return AccountRules(providers=Providers(PAGE, (provider.settings(),)))


def _set(services: Services, provider: Provider, **given: Any) -> None:
    services.accounts.openid.providers = Providers(PAGE, (provider.settings(**given),))


@pytest.fixture
async def linked(services: Services) -> Services:
    """`wang`, who reads, is whom the provider knows as 4711."""
    await account(services, "wang", Role.READER)
    person = await services.accounts.people.one("wang")
    await services.accounts.openid.link_named(person.account, "gov", "4711", services.accounts.author("test"))
    return services


async def _back(visitor: Visitor, provider: Provider, **given: str) -> dict[str, str]:
    """What the page sends when the browser is back from the provider."""
    begun = await visitor.post(BEGIN, {"provider": "gov"})
    return {"flow": begun["flow"], **provider.authorize(begun["address"]), **given}


async def _refused(visitor: Visitor, provider: Provider, status: int = 401, **given: str) -> dict[str, Any]:
    answer: dict[str, Any] = await visitor.post(BACK, await _back(visitor, provider, **given), status)
    assert answer["text"]["zh"] and answer["text"]["en"]
    await visitor.get(SITE, 401)
    return answer


async def test_whom_the_provider_vouches_for_reads_and_the_log_tells(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    assert await visitor.get("/api/v1/session/providers") == {
        "providers": [{"id": "gov", "name": {"zh": "统一身份认证", "en": "Single sign-on"}}]
    }

    assert (await visitor.post(BACK, await _back(visitor, provider)))["stage"] == "in"

    await visitor.get(SITE)
    [row] = await linked.audit.rows(Wanted(action="sign_in"), limit=9)
    assert (row.account, row.outcome, json.loads(row.detail)["subject"]) == ("wang", "done", "4711")
    # The client proves itself by its secret, and the flow by what was hashed before.
    [form] = provider.seen
    assert len(form["code_verifier"]) >= 43
    assert SECRET not in str(form)


async def test_a_session_that_there_was_ends_when_another_begins(
    linked: Services, visitor: Visitor, client: Client, provider: Provider
) -> None:
    """Whoever knows the cookie of before, or planted it, is not signed in by it."""
    await visitor.sign_in()
    before = visitor.cookie
    await visitor.post(BACK, await _back(visitor, provider))

    other = Visitor(client)
    other.cookie = before
    assert visitor.cookie != before
    await other.get(SITE, 401)


def _nonce(claims: dict[str, Any]) -> None:
    claims["nonce"] = "of another flow"


def _no_nonce(claims: dict[str, Any]) -> None:
    del claims["nonce"]


def _audience(claims: dict[str, Any]) -> None:
    claims["aud"] = "another-client"


def _party(claims: dict[str, Any]) -> None:
    claims["aud"], claims["azp"] = ["jieneng", "another-client"], "another-client"


def _issuer(claims: dict[str, Any]) -> None:
    claims["iss"] = "https://elsewhere.example"


def _expired(claims: dict[str, Any]) -> None:
    claims["exp"] -= 300 + 61


def _not_yet(claims: dict[str, Any]) -> None:
    claims["nbf"] = claims["iat"] + 3600


def _no_end(claims: dict[str, Any]) -> None:
    del claims["exp"]


def _no_subject(claims: dict[str, Any]) -> None:
    del claims["sub"]


def _of_other_access_token(claims: dict[str, Any]) -> None:
    claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"


WRONG = (
    _nonce,
    _no_nonce,
    _audience,
    _party,
    _issuer,
    _expired,
    _not_yet,
    _no_end,
    _no_subject,
    _of_other_access_token,
)


@pytest.mark.parametrize("wrong", WRONG, ids=[w.__name__.strip("_") for w in WRONG])
async def test_a_token_that_says_something_else_is_not_taken(
    linked: Services, visitor: Visitor, provider: Provider, wrong: Any
) -> None:
    provider.wrong = wrong

    await _refused(visitor, provider)

    [row] = await linked.audit.rows(Wanted(action="sign_in"), limit=9)
    assert (row.subject, row.outcome) == ("account/gov:", "refused")


async def test_a_token_that_nobody_signed_is_not_taken(linked: Services, visitor: Visitor, provider: Provider) -> None:
    provider.algorithm = "none"
    await _refused(visitor, provider)


async def test_a_token_of_another_key_is_not_taken(linked: Services, visitor: Visitor, provider: Provider) -> None:
    provider.key = OTHER
    await _refused(visitor, provider)


async def test_a_token_signed_with_what_the_client_knows_too_is_not_taken(
    linked: Services, visitor: Visitor, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HS256 with the client's secret: a provider may do so; whoever has the secret would be anybody."""
    key = OctKey.import_key(SECRET * 2)
    signed = lambda claims: jwt.encode({"alg": "HS256"}, claims, key)  # noqa: E731
    monkeypatch.setattr(provider, "_signed", signed)
    await _refused(visitor, provider)


async def test_a_flow_is_used_once(linked: Services, visitor: Visitor, client: Client, provider: Provider) -> None:
    sent = await _back(visitor, provider)
    await visitor.post(BACK, sent)

    again = Visitor(client)
    assert (await again.post(BACK, sent, 401))["text"]["zh"].startswith("登录已超时")
    await again.get(SITE, 401)


async def test_a_browser_that_began_nothing_is_not_signed_in_by_somebody_elses_answer(
    linked: Services, client: Client, provider: Provider
) -> None:
    """Else whoever sends you his own link has you enter your figures under his name."""
    own, victim = Visitor(client), Visitor(client, "10.0.0.2")
    sent = await _back(own, provider)

    mine = await victim.post(BEGIN, {"provider": "gov"})
    await victim.post(BACK, {**sent, "flow": mine["flow"]}, 401)
    # What was guessed at is spent.
    await victim.post(BACK, {**provider.authorize(mine["address"]), "flow": mine["flow"]}, 401)
    await victim.get(SITE, 401)


async def test_a_code_of_another_flow_is_refused_by_its_verifier(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    stolen = (await _back(visitor, provider))["code"]

    assert (await _refused(visitor, provider, 503, code=stolen))["text"]["zh"].startswith("统一身份认证暂时")


async def test_a_flow_ends_after_ten_minutes(
    linked: Services, visitor: Visitor, provider: Provider, clock: SteppedClock
) -> None:
    sent = await _back(visitor, provider)
    await clock.step(601)
    await visitor.post(BACK, sent, 401)


async def test_who_said_no_at_the_provider_is_told_so(linked: Services, visitor: Visitor, provider: Provider) -> None:
    told = await _refused(visitor, provider, code="", error="access_denied")

    assert told["text"]["zh"] == "统一身份认证未同意登录"


async def test_a_provider_that_says_it_is_another_is_not_asked_further(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    provider.found["issuer"] = "https://elsewhere.example"

    told = await visitor.post(BEGIN, {"provider": "gov"}, 503)

    assert "'https://elsewhere.example'" in told["detail"]


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_endpoints_of_other_hosts_are_refused_unless_they_are_listed(
    linked: Services, visitor: Visitor, provider: Provider, name: str
) -> None:
    provider.found[name] = "https://elsewhere.example/x"
    await visitor.post(BEGIN, {"provider": "gov"}, 503)

    _set(linked, provider, hosts=frozenset({"elsewhere.example"}))
    await visitor.post(BEGIN, {"provider": "gov"})


async def test_a_provider_that_is_down_is_told_of_and_passwords_still_work(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    away = replace(provider.settings(), issuer=f"http://127.0.0.1:{unused_port()}")
    linked.accounts.openid.providers = Providers(PAGE, (away,))

    told = await visitor.post(BEGIN, {"provider": "gov"}, 503)

    assert told["text"]["zh"].startswith("统一身份认证暂时无法使用")
    await visitor.sign_in()


async def test_a_name_in_a_private_network_is_asked_only_where_that_is_listed(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
    _set(linked, provider)
    told = await visitor.post(BEGIN, {"provider": "gov"}, 503)
    assert "of a private network that is not among the networks" in told["detail"]

    _set(linked, provider, networks=("127.0.0.0/8",))
    await visitor.post(BEGIN, {"provider": "gov"})


async def test_whom_nobody_linked_is_refused_and_the_log_names_him(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    provider.claims = {"sub": "4712", "preferred_username": "wang"}

    told = await _refused(visitor, provider, 403)

    assert told["text"]["zh"] == "您的身份尚未关联账户，请联系安全管理员"
    [row] = await linked.audit.rows(Wanted(action="sign_in"), limit=9)
    assert (row.subject, row.outcome) == ("account/gov:4712", "refused")


async def test_a_disabled_account_is_not_let_in(linked: Services, visitor: Visitor, provider: Provider) -> None:
    person = await linked.accounts.people.one("wang")
    await linked.accounts.disable(person.account, linked.accounts.author("test"), disabled=True)
    await _refused(visitor, provider, 403)


async def test_where_accounts_are_made_the_new_one_sees_nothing_and_takes_nobodys_place(
    linked: Services, visitor: Visitor, provider: Provider
) -> None:
    _set(linked, provider, makes_accounts=True)
    provider.claims = {"sub": "4713", "preferred_username": "Li.Na"}
    await visitor.post(BACK, await _back(visitor, provider))
    told = await visitor.get("/api/v1/session")
    assert (told["name"], told["permissions"], told["must_change"]) == ("li.na", ["open", "own"], False)
    await visitor.get(SITE, 403)

    provider.claims = {"sub": "4714", "preferred_username": "wang"}
    assert "同名账户" in (await visitor.post(BACK, await _back(visitor, provider), 403))["text"]["zh"]


@pytest.mark.parametrize(
    ("second", "amr", "stage"),
    [
        (Second.ASK, ["mfa"], "second"),
        (Second.AMR, ["pwd"], "second"),
        (Second.AMR, None, "second"),
        (Second.AMR, ["pwd", "otp"], "in"),
        (Second.TRUSTED, None, "in"),
    ],
)
async def test_our_second_factor_is_asked_for_unless_the_setting_lets_the_providers_stand_for_it(
    linked: Services, visitor: Visitor, provider: Provider, second: Second, amr: list[str] | None, stage: str
) -> None:
    _set(linked, provider, second=second)
    provider.claims = {"sub": "4711"} | ({} if amr is None else {"amr": amr})
    await visitor.sign_in()
    secret = (await visitor.post("/api/v1/second/enrol", {"password": PASSWORD}))["secret"]
    now = linked.clock.now().timestamp()
    await visitor.post("/api/v1/second/confirm", {"code": pyotp.TOTP(secret).at(now)})

    assert (await visitor.post(BACK, await _back(visitor, provider)))["stage"] == stage
    if stage == "second":
        await visitor.get(SITE, 401)
        await visitor.post("/api/v1/session/second", {"code": pyotp.TOTP(secret).at(now + 30)})
    await visitor.get(SITE)


async def test_owners_link_and_unlink_their_own_account_with_its_password(
    services: Services, visitor: Visitor, client: Client, provider: Provider
) -> None:
    await account(services, "wang", Role.READER)
    await visitor.sign_in()
    await visitor.post("/api/v1/links/begin", {"provider": "gov", "password": "Wrong-one 12"}, 403)
    begun = await visitor.post("/api/v1/links/begin", {"provider": "gov", "password": PASSWORD})
    sent = {"flow": begun["flow"], **provider.authorize(begun["address"])}
    [link] = (await visitor.post("/api/v1/links/return", sent))["links"]
    assert (link["issuer"], link["subject"], link["who"]) == (provider.issuer, "4711", "wang")

    await Visitor(client).post(BACK, await _back(Visitor(client), provider))

    await visitor.post("/api/v1/links/drop", {"id": link["id"]})
    await _refused(Visitor(client), provider, 403)
    log = await services.audit.rows(Wanted(subject=f"user_subject/wang/{link['id']}"), limit=9)
    assert len(log) == 2


async def test_a_flow_to_link_is_no_sign_in_and_links_nobody_else(
    services: Services, visitor: Visitor, client: Client, provider: Provider
) -> None:
    await account(services, "wang")
    await account(services, "li")
    await visitor.sign_in()
    other = Visitor(client)
    await other.sign_in("li")

    for who, path, status in ((Visitor(client), BACK, 401), (other, "/api/v1/links/return", 403)):
        begun = await visitor.post("/api/v1/links/begin", {"provider": "gov", "password": PASSWORD})
        await who.post(path, {"flow": begun["flow"], **provider.authorize(begun["address"])}, status)
    assert (await other.get("/api/v1/links"))["links"] == []


async def test_an_administrator_links_and_an_identity_is_of_one_account(linked: Services, visitor: Visitor) -> None:
    await account(linked, "chief", Role.SECURITY_ADMINISTRATOR)
    await account(linked, "li")
    await visitor.sign_in("chief")
    given = {"name": "li", "provider": "gov", "why": "letter 3"}

    taken = await visitor.post("/api/v1/accounts/links", {**given, "subject": "4711"}, 409)
    assert taken["text"]["zh"] == "该外部身份已关联到一个账户"
    [link] = (await visitor.post("/api/v1/accounts/links", {**given, "subject": "4712"}))["links"]
    assert await visitor.get("/api/v1/accounts/links?account=li") == {"links": [link]}
    await visitor.post("/api/v1/accounts/links/drop", {"id": link["id"]})
    assert await visitor.get("/api/v1/accounts/links?account=li") == {"links": []}


@pytest.mark.parametrize("issuer", ["http://idp.example", "https://idp.example/?a=1", "ftp://idp.example", "idp"])
def test_an_issuer_is_an_address_of_https(issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        Settings("gov", issuer, "c", Text("名", "name"))


def test_a_secret_is_in_no_words_about_a_provider() -> None:
    assert SECRET not in repr(Settings("gov", "https://idp.example", "c", Text("名", "name"), SECRET))
