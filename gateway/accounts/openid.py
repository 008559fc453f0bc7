"""Signing in by an identity provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import structlog

from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.door import Origin
from gateway.accounts.flows import Flow, Flows
from gateway.accounts.people import Account, People, Person, folded
from gateway.accounts.provider import Provider, Providers
from gateway.accounts.provider_web import ProviderFault, asking
from gateway.accounts.sessions import Sessions
from gateway.accounts.subjects import Subjects
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.records.changes import Author

log = structlog.get_logger()

_KIND = "urn:jieneng:provider"
_LONGEST = 255
_UNKNOWN = TextWords("没有这个登录方式", "There is no such way to sign in")
_DOWN = TextWords(
    "统一身份认证暂时无法使用，请稍后再试或用密码登录", "The identity provider cannot be used now; try later"
)
_LOST = TextWords(
    "登录已超时、已使用过或不是从本浏览器发起，请重新登录", "The sign-in is too old or not of here; begin anew"
)
_DENIED = TextWords("统一身份认证未同意登录", "The identity provider did not let you in")
_TOKEN = TextWords("统一身份认证返回的凭证未通过校验", "What the identity provider says of you did not hold")
_UNLINKED = TextWords(
    "您的身份尚未关联账户，请联系安全管理员", "Your identity is linked to no account; ask an administrator"
)
_NAMESAKE = TextWords(
    "已有同名账户但尚未关联，请联系安全管理员",
    "An account of this name is there, but not linked to you; ask an administrator",
)
_DISABLED = TextWords("此账户不能登录，请联系安全管理员", "This account may not sign in; ask an administrator")


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom a provider vouches for."""

    provider: Provider
    subject: str
    claims: dict[str, Any]
    flow: Flow


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that was begun, and whose."""

    secret: str
    name: str
    vouched: Vouched


class OpenId:
    """Identity providers of an installation."""

    def __init__(self, providers: Providers, people: People, sessions: Sessions, flows: Flows, clock: Clock) -> None:
        self.providers = providers
        self.subjects = Subjects(people.records)
        self._people, self._sessions, self._flows, self._clock = people, sessions, flows, clock
        if providers.all:
            # Where there is nobody to vouch it is not loaded; where there is, the first who signs in does not wait.
            import_module("gateway.accounts.id_tokens")

    async def begin(self, provider_id: str, account: Account | None = None) -> tuple[str, str]:
        """Where the browser goes, and the secret that it keeps meanwhile."""
        from gateway.accounts.id_tokens import entrance

        provider = self._provider(provider_id)
        try:
            async with asking(provider) as web:
                found = await web.discovered()
        except ProviderFault as fault:
            raise _down(provider, fault) from fault
        begun = await self._flows.begin(provider.id, account.id if account else None)
        asked = {"redirect_uri": self.providers.page, "state": begun.state, "nonce": begun.flow.nonce}
        return entrance(found["authorization_endpoint"], provider, begun.flow.verifier, asked), begun.secret

    async def vouched(
        self, secret: str, state: str, code: str, error: str, tell: Callable[[str], None] = lambda _: None
    ) -> Vouched:
        """Who came back with a code; `tell` is told as whom somebody tries, as far as that is known."""
        flow = await self._flows.take(secret, state)
        if flow is None:
            raise RequestError(
                "the flow is not known, was used, is too old, or has another state", 401, _LOST, kind=_KIND
            )
        provider = self._provider(flow.provider)
        tell(f"{provider.id}:")
        if error or not code:
            raise RequestError(f"{provider.id} answers {error or 'no code'}", 401, _DENIED, kind=_KIND)
        claims = await self._claims(provider, flow, code)
        subject = claims.get(provider.claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST:
            raise RequestError(f"the token has no claim {provider.claim!r} that is a text", 401, _TOKEN, kind=_KIND)
        tell(f"{provider.id}:{subject}")
        return Vouched(provider, subject, claims, flow)

    async def _claims(self, provider: Provider, flow: Flow, code: str) -> dict[str, Any]:
        from gateway.accounts.id_tokens import TokenFault, claims_of

        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.providers.page,
            "code_verifier": flow.verifier,
        }
        try:
            async with asking(provider) as web:
                found = await web.discovered()
                given = await web.tokens(found, form)
                keys = await web.keys(found)
            return claims_of(given, keys, provider, flow.nonce, self._clock.now().timestamp())
        except ProviderFault as fault:
            raise _down(provider, fault) from fault
        except TokenFault as fault:
            log.warning("account.refused", provider=provider.id, factor="provider", cause=str(fault))
            raise RequestError(str(fault), 401, _TOKEN, kind=_KIND) from fault

    async def sign_in(self, vouched: Vouched, origin: Origin, session: int | None) -> Entered:
        """A new session, in place of the one there was; its second factor waits where it is still asked for."""
        if vouched.flow.account is not None:
            raise RequestError("the flow was begun to link an account", 401, _LOST, kind=_KIND)
        provider, account = vouched.provider, (await self._person(vouched)).account
        if account.disabled:
            log.warning("account.refused", name=account.name, address=origin.address, factor="provider")
            raise RequestError(f"account {account.name} is disabled", 403, _DISABLED, kind=_KIND)
        second = account.totp is not None and not provider.is_second(vouched.claims)
        given = {"second": second, "instead": session, "provider": provider.id}
        secret = await self._sessions.begin(account.id, origin, **given)  # type: ignore[arg-type]
        if not second:
            log.info("account.signed_in", name=account.name, address=origin.address, provider=provider.id)
        return Entered(secret, account.name, vouched)

    async def _person(self, vouched: Vouched) -> Person:
        provider = vouched.provider
        account_id = await self.subjects.account_of(provider.issuer, vouched.subject)
        if account_id is not None:
            return await self._people.numbered(account_id)
        name = vouched.claims.get(provider.named_by)
        if not provider.makes_accounts or not isinstance(name, str):
            raise RequestError(
                f"{vouched.subject} of {provider.id} is linked to no account", 403, _UNLINKED, kind=_KIND
            )
        if await self._people.named(name) is not None:
            # Whoever bears the name of an account is not taken for its owner.
            raise RequestError(f"there is an account {folded(name)} that is not linked", 403, _NAMESAKE, kind=_KIND)
        author = Author(folded(name), f"first sign-in by {provider.id}", to_ms(self._clock.now()))
        account = await self._people.add(name, None, author, must_change=False)
        await self.subjects.link(account, provider.issuer, vouched.subject, author)
        return Person(account, ())

    async def link(self, vouched: Vouched, account: Account, author: Author) -> None:
        """Link an account to whom the flow, which its owner began, brought."""
        if vouched.flow.account != account.id:
            raise RequestError("the flow was not begun by this account", 403, _LOST, kind=_KIND)
        await self.subjects.link(account, vouched.provider.issuer, vouched.subject, author)

    async def link_named(self, account: Account, provider_id: str, subject: str, author: Author) -> None:
        """Link an account to whom a provider knows under `subject`."""
        await self.subjects.link(account, self._provider(provider_id).issuer, subject, author)

    def _provider(self, provider_id: str) -> Provider:
        provider = self.providers.named(provider_id)
        if provider is None:
            raise RequestError(f"provider {provider_id!r} is not known", 404, _UNKNOWN, kind=_KIND)
        return provider


def _down(provider: Provider, fault: ProviderFault) -> RequestError:
    log.warning("provider.failing", provider=provider.id, cause=str(fault))
    return RequestError(f"{provider.id}: {fault}", 503, _DOWN, kind=_KIND, retry_after_s=30)
