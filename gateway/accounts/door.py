"""The door of a gateway with accounts: cookies of sessions, and tokens of the API."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from aiohttp import web

from energy.ports import Clock
from energy.readings import to_ms
from gateway.access.door import NOBODY, Origin, Visit, agent_of, remember, visit_of
from gateway.access.roles import Identity
from gateway.accounts.people import Person
from gateway.accounts.secrecy import csrf_of
from gateway.accounts.service import Accounts
from gateway.accounts.sessions import Session
from gateway.accounts.tokens import Token
from gateway.api.problems import RequestError
from gateway.api.words import TextWords

CSRF_HEADER = "X-CSRF-Token"
# The page asks by itself, with nobody before it: this keeps no session alive.
BACKGROUND_HEADER = "X-Background"
_CACHED = 20_000
_CSRF = TextWords("会话校验未通过，请刷新页面", "The request does not come from this session's page; reload it")
_TOKEN = TextWords("令牌无效、已过期或已撤销", "The token is not valid, has expired, or was revoked")


@dataclass(slots=True)
class _Known:
    person: Person
    session: Session | None = None
    token: Token | None = None


class AccountsDoor:
    """Knows people by their session and programs by their token; remembers them until something changes."""

    required = True

    def __init__(self, accounts: Accounts, clock: Clock, *, behind_tls: bool = False) -> None:
        self._accounts, self._clock, self._behind_tls = accounts, clock, behind_tls
        self._cookie = "__Host-jieneng" if behind_tls else "jieneng"
        self._known: dict[str, _Known] = {}
        self._known_of = -1
        self._forgotten = 0

    def forget(self) -> None:
        """The records were changed by another process."""
        self._forgotten += 1

    async def identify(self, request: web.Request) -> Identity:
        visit = Visit(NOBODY, self._origin(request))
        bearer = request.headers.get("Authorization", "")
        secret = request.cookies.get(self._cookie, "")
        if bearer:
            await self._by_token(visit, bearer)
        elif secret:
            await self._by_session(visit, secret, request)
        remember(request, visit)
        return visit.identity

    async def is_still(self, request: web.Request) -> bool:
        bearer = request.headers.get("Authorization", "")
        secret = request.cookies.get(self._cookie, "")
        found = await self._of_token(bearer) if bearer else await self._of_session(secret)
        if found is None:
            return False
        scopes = found.token.scopes if found.token else None
        return found.person.identity(to_ms(self._clock.now()), scopes) == visit_of(request).identity

    def leave(self, visit: Visit, response: web.StreamResponse) -> None:
        if visit.cookie is None:
            return
        given = {"path": "/", "httponly": True, "samesite": "Strict", "secure": self._behind_tls}
        if visit.cookie:
            response.set_cookie(self._cookie, visit.cookie, **given)  # type: ignore[arg-type]
        else:
            response.del_cookie(self._cookie, **given)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-store"

    def _origin(self, request: web.Request) -> Origin:
        address = request.remote or ""
        forwarded = [h for name, h in request.headers.items() if name.lower() == "x-forwarded-for"]
        if self._behind_tls and forwarded:
            # The last one is written by our own proxy; those before it by whoever likes.
            address = forwarded[-1].rsplit(",", 1)[-1].strip()
        return Origin(address[:64], agent_of(request))

    async def _by_token(self, visit: Visit, bearer: str) -> None:
        found = await self._of_token(bearer)
        if found is None or found.token is None:
            raise RequestError(_TOKEN.en, 401, _TOKEN)
        visit.identity = found.person.identity(to_ms(self._clock.now()), found.token.scopes)
        visit.by_token = True

    async def _of_token(self, bearer: str) -> _Known | None:
        scheme, _, text = bearer.partition(" ")
        if scheme.lower() != "bearer" or not text:
            return None
        known, version = self._remembered(text), self._version
        if known is None:
            token = await self._accounts.tokens.find(text)
            if token is None:
                return None
            await self._accounts.tokens.used(token)
            known = _Known(await self._accounts.people.numbered(token.account), token=token)
            self._keep(text, known, version)
        assert known.token is not None
        holds = known.token.holds(to_ms(self._clock.now())) and not known.person.account.disabled
        return known if holds else None

    async def _by_session(self, visit: Visit, secret: str, request: web.Request) -> None:
        found = await self._of_session(secret)
        if found is None or found.session is None:
            visit.cookie = ""
            return
        visit.session, visit.csrf = found.session.id, csrf_of(secret)
        given = request.headers.get(CSRF_HEADER, "")
        safe = request.method in ("GET", "HEAD")
        if not safe and not hmac.compare_digest(given.encode(), visit.csrf.encode()):
            raise RequestError(f"{CSRF_HEADER} is not that of this session", 403, _CSRF, kind="urn:jieneng:csrf")
        if BACKGROUND_HEADER not in request.headers:
            found.session = await self._accounts.sessions.seen(found.session)
        if found.session.second:
            return
        # Whom a provider vouches for does not come by his password.
        by_password = found.session.provider is None
        visit.must_change = by_password and self._accounts.must_change(found.person.account)
        name = found.person.account.name
        visit.identity = Identity(name) if visit.must_change else found.person.identity(to_ms(self._clock.now()))

    async def _of_session(self, secret: str) -> _Known | None:
        known, version = self._remembered(secret), self._version
        if known is None:
            session = await self._accounts.sessions.find(secret)
            if session is None:
                return None
            known = _Known(await self._accounts.people.numbered(session.account), session)
            self._keep(secret, known, version)
        assert known.session is not None
        lasts = self._accounts.sessions.lasts(known.session) and not known.person.account.disabled
        return known if lasts else None

    @property
    def _version(self) -> int:
        return self._accounts.version + self._forgotten

    def _remembered(self, secret: str) -> _Known | None:
        if self._known_of != self._version or len(self._known) > _CACHED:
            self._known.clear()
            self._known_of = self._version
        return self._known.get(secret)

    def _keep(self, secret: str, known: _Known, version: int) -> None:
        # What was looked up before a change is not remembered after it.
        if version == self._version:
            self._known[secret] = known
