"""Whence a request comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.audit.asking import asked_from


def address_of(request: web.Request, *, behind_proxy: bool) -> str:
    """The address of the caller; behind a proxy what the proxy says, the last of X-Forwarded-For.

    What stands before that was written by the caller itself and proves nothing.
    """
    if behind_proxy and (told := request.headers.getall("X-Forwarded-For", [])):
        last = told[-1].rpartition(",")[2].strip()
        try:
            return str(ip_address(last))
        except ValueError:
            pass
    return request.remote or ""


def is_loopback(address: str) -> bool:
    """Whether somebody on this machine asks."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def callers(*, behind_proxy: bool) -> Middleware:
    """Let what is done for a request know whence it comes."""

    @web.middleware
    async def known(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        with asked_from(address_of(request, behind_proxy=behind_proxy)):
            return await handler(request)

    return known
