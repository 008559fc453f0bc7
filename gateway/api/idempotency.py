"""Idempotency keys: a POST that is sent again with its key is not done again; its answer is given again.

Kept in memory for a day. After a restart of the gateway a key is new; what is entered is then told apart by what it
says.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.api.problems import RequestError
from gateway.audit.asking import asking

KEY = "Idempotency-Key"
_KEPT_S = 86_400.0
_LONGEST = 128
_ANSWERS = 2_000
_BYTES = 1 << 16


# What these answer holds secrets, and cookies: it is not kept.
_SECRET = tuple(f"/api/v1/{name}" for name in ("session", "first", "password", "second", "tokens", "accounts"))


def takes_key(path: str) -> bool:
    """Whether a POST to the path may carry a key."""
    return not path.startswith(_SECRET)


@dataclass(slots=True)
class _Told:
    """What was asked under a key; `lock` is held while it is being done, the answer is None until it was."""

    body: bytes
    since: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    status: int = 0
    answer: bytes | None = None
    content_type: str = ""


def idempotent(now: Callable[[], float] = time.monotonic) -> Middleware:
    """Give the answer of a POST again where its key was used; a key with another body is refused (409)."""
    kept: OrderedDict[tuple[str, str, str], _Told] = OrderedDict()

    @web.middleware
    async def once(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        key = request.headers.get(KEY)
        if request.method != "POST" or key is None or not takes_key(request.path):
            return await handler(request)
        _must_be_a_key(key)
        body = hashlib.sha256(await request.read()).digest()
        _forget(kept, now() - _KEPT_S)
        asked = asking()
        name = (asked.account or asked.address, request.path_qs, key)
        told = kept.setdefault(name, _Told(body, now()))
        if told.body != body:
            raise RequestError(f"{KEY} {key} was used for another body; make a new key", status=409)
        async with told.lock:
            if told.answer is not None:
                again = {"Idempotency-Replayed": "true"}
                return web.Response(
                    body=told.answer, status=told.status, content_type=told.content_type, charset="utf-8", headers=again
                )
            try:
                answer = await handler(request)
            except BaseException:
                kept.pop(name, None)  # nothing was done: it may be mended and sent again
                raise
            if isinstance(answer, web.Response) and answer.status < 300 and len(_bytes(answer)) <= _BYTES:
                told.status, told.answer, told.content_type = answer.status, _bytes(answer), answer.content_type
            else:
                kept.pop(name, None)
            return answer

    return once


def _bytes(answer: web.Response) -> bytes:
    return bytes(answer.body) if isinstance(answer.body, bytes | bytearray) else b""


def _must_be_a_key(key: str) -> None:
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise RequestError(f"{KEY} is 1 to {_LONGEST} printable characters of ASCII, such as a UUID")


def _forget(kept: OrderedDict[tuple[str, str, str], _Told], before: float) -> None:
    """Let go what is a day old, and of what was done the oldest where there is too much."""
    for name, told in list(kept.items()):
        if told.since >= before and len(kept) < _ANSWERS:
            return
        if told.answer is not None or not told.lock.locked():
            del kept[name]
