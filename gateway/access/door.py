"""The door: who is asking, and whether what is asked is permitted, before a request is read any further."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.api.problems import RequestError
from gateway.api.words import TextWords
from gateway.audit.asking import asking

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOBODY = Identity("")
# Where accounts are off: reads, enters, closes and operates everything; administers nothing.
LOCAL = Identity("local", (Grant(Role.ENERGY_OFFICER),))
_SIGN_IN = TextWords("请先登录", "Sign in first")
_NOT_PERMITTED = TextWords("您的账户没有此项权限", "Your account is not permitted to do this")
_CHANGE_FIRST = TextWords("请先修改密码", "Change your password first")
_NO_TOKEN = TextWords("此操作须本人登录，不能使用令牌", "This needs a person who is signed in, not a token")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from."""

    address: str
    agent: str = ""

    @property
    def network(self) -> str:
        """The address, or for IPv6 its /64: whoever has one of these addresses has them all."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        return self.address if address.version == 4 else str(ip_network((address, 64), strict=False))

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


@dataclass(slots=True)
class Visit:
    """A request with who makes it.

    session, csrf : of the cookie it came with. by_token : it came with an API token. must_change : only the password
    can be changed. cookie : what the answer sets as session; empty ends it, None leaves it.
    """

    identity: Identity
    origin: Origin
    session: int | None = None
    csrf: str = ""
    by_token: bool = False
    must_change: bool = False
    cookie: str | None = None

    @property
    def is_known(self) -> bool:
        return self.identity is not NOBODY


VISIT = web.RequestKey("jieneng.visit", Visit)


class Door(Protocol):
    """Knows who is asking."""

    @property
    def required(self) -> bool:
        """Whether there are accounts, and one is needed."""

    async def identify(self, request: web.Request) -> Identity:
        """Who is asking, NOBODY where that is not known; RequestError where what was shown is not valid."""

    async def is_still(self, request: web.Request) -> bool:
        """Whether who came in with this request would come in again."""

    def leave(self, visit: Visit, response: web.StreamResponse) -> None:
        """Give the answer its cookie."""


class LocalDoor:
    """Accounts are off: whoever comes is `local`."""

    required = False

    async def identify(self, request: web.Request) -> Identity:
        remember(request, Visit(LOCAL, Origin(request.remote or "", agent_of(request))))
        return LOCAL

    async def is_still(self, _request: web.Request) -> bool:
        return True

    def leave(self, visit: Visit, response: web.StreamResponse) -> None:
        """There are no cookies."""


def agent_of(request: web.Request) -> str:
    return request.headers.get("User-Agent", "")[:200]


def remember(request: web.Request, visit: Visit) -> None:
    request[VISIT] = visit


def visit_of(request: web.Request) -> Visit:
    """The visit of a request that has come through the door."""
    return request[VISIT]


async def _known(door: Door, request: web.Request) -> Visit:
    """The visit of a request, looked for once; what is done for it is told to the audit log as the account's."""
    if VISIT not in request:
        await door.identify(request)
        if door.required:
            asking().account = visit_of(request).identity.account
    return visit_of(request)


def visits(door: Door) -> Middleware:
    """Let it be known who asks the API, before anything is done for him."""

    @web.middleware
    async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/"):
            await _known(door, request)
        return await handler(request)

    return known


async def admitted(door: Door, request: web.Request, permission: Permission) -> Visit:
    """The visit, where it may do this; RequestError 401 where nobody is known, 403 where it is not permitted."""
    visit = await _known(door, request)
    identity = visit.identity
    if permission is Permission.OPEN:
        return visit
    if not visit.is_known:
        raise RequestError("sign in, or send an API token", 401, _SIGN_IN)
    if permission is Permission.OWN:
        if visit.by_token:
            raise RequestError("an API token does not do this; sign in", 403, _NO_TOKEN)
    elif not identity.may(permission):
        if visit.must_change:
            raise RequestError("change your password first", 403, _CHANGE_FIRST)
        raise RequestError(f"{identity.account} is not permitted to {permission}", 403, _NOT_PERMITTED)
    return visit


_MARK = "jieneng_permission"


def guarded(door: Door, permission: Permission, handler: Handler) -> Handler:
    """The handler behind the door."""

    async def respond(request: web.Request) -> web.StreamResponse:
        await admitted(door, request, permission)
        return await handler(request)

    return marked(permission, respond)


def marked(permission: Permission, handler: Handler) -> Handler:
    """The handler, known to ask for this itself."""
    setattr(handler, _MARK, permission)
    return handler


def permission_of(route: web.AbstractRoute) -> Permission | None:
    """What a route of the application asks for; None where it asks nobody."""
    found = getattr(route.handler, _MARK, None)
    if isinstance(found, Permission):
        return found
    # Files of the page: they hold nothing of anybody.
    return Permission.OPEN if isinstance(route.resource, web.StaticResource) else None


def must_all_ask(app: web.Application) -> None:
    """An application with a route that does not ask who comes is never served."""
    open_ones = [f"{route.method} {route.resource}" for route in app.router.routes() if permission_of(route) is None]
    if open_ones:
        raise RuntimeError(f"routes without a permission: {', '.join(open_ones)}")
