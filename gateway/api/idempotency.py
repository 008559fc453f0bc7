"""Idempotency keys: a POST that is sent again with its key is not done again; its answer is given again.

Looked at behind the permission of the route. A key belongs to the account that used it, to the path and to the body;
and what the account was permitted then it must be permitted still, or its answer is not given again.

Kept in memory for a day. After a restart of the gateway a key is new; what is entered is then told apart by what it
says. Of several processes they are kept in a database that all reach, where a restart changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import structlog
from aiohttp import web

from energy.errors import StoreError
from gateway.access.roles import Identity
from gateway.api.problems import RequestError

if TYPE_CHECKING:
    from adapters.answers_postgres import PostgresAnswers

log = structlog.get_logger()

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
    """What was asked under a key, by whom; `lock` is held while it is done, the answer is None until it was."""

    who: Identity
    body: bytes
    since: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    status: int = 0
    answer: bytes | None = None
    content_type: str = ""


_Name = tuple[str, str, str]


class Replays:
    """The answers that may be given again, of one application, or where `of_all` of all that have the same."""

    def __init__(self, now: Callable[[], float] = time.monotonic, of_all: PostgresAnswers | None = None) -> None:
        self._now, self._of_all = now, of_all
        self._kept: OrderedDict[_Name, _Told] = OrderedDict()

    async def once(
        self,
        request: web.Request,
        who: Identity,
        address: str,
        do: Callable[[], Awaitable[web.Response]],
        digest: bytes | None = None,
    ) -> web.Response:
        """Do it, or give the answer of when it was done; a key of another body, or of who was permitted other things
        then, is refused (409).

        address : stands for the account where there is none. digest : SHA-256 of a body that was read already.
        """
        key = request.headers.get(KEY)
        if request.method != "POST" or key is None or not takes_key(request.path):
            return await do()
        _must_be_a_key(key)
        body = hashlib.sha256(await request.read()).digest() if digest is None else digest
        name = (who.account or address, request.path_qs, key)
        if self._of_all is not None:
            return await self._once_of_all(self._of_all, name, who, body, do)
        self._forget()
        told = self._kept.setdefault(name, _Told(who, body, self._now()))
        _must_be_the_same(key, who.account, body=told.body == body, permitted=told.who == who)
        async with told.lock:
            if told.answer is not None:
                return _again(told.status, told.answer, told.content_type)
            return await self._done(name, told, do)

    async def _once_of_all(
        self,
        of_all: PostgresAnswers,
        name: _Name,
        who: Identity,
        body: bytes,
        do: Callable[[], Awaitable[web.Response]],
    ) -> web.Response:
        permitted = hashlib.sha256(msgspec.json.encode(who, order="deterministic")).digest()
        async with of_all.alone(msgspec.json.encode(name)) as named:
            told = await named.find()
            if told is not None:
                _must_be_the_same(name[2], who.account, body=told.body == body, permitted=told.who == permitted)
                return _again(told.status, told.answer, told.content_type)
            answer = await do()
            if _may_be_kept(answer):
                from adapters.answers_postgres import KeptAnswer

                kept = KeptAnswer(permitted, body, answer.status, _bytes(answer), answer.content_type)
                try:
                    await named.keep(kept)
                except StoreError as error:
                    # It is done, and who asked is to know.
                    log.error("answer.unkept", cause=str(error))
        return answer

    async def _done(self, name: _Name, told: _Told, do: Callable[[], Awaitable[web.Response]]) -> web.Response:
        try:
            answer = await do()
        except BaseException:
            self._kept.pop(name, None)  # nothing was done: it may be mended and sent again
            raise
        if _may_be_kept(answer):
            told.status, told.answer, told.content_type = answer.status, _bytes(answer), answer.content_type
        else:
            self._kept.pop(name, None)
        return answer

    def _forget(self) -> None:
        """Let go what is a day old, and of what was done the oldest where there is too much."""
        before = self._now() - _KEPT_S
        for name, told in list(self._kept.items()):
            if told.since >= before and len(self._kept) < _ANSWERS:
                return
            if told.answer is not None or not told.lock.locked():
                del self._kept[name]


def _must_be_the_same(key: str, account: str, *, body: bool, permitted: bool) -> None:
    if not body:
        raise RequestError(f"{KEY} {key} was used for another body; make a new key", status=409)
    if not permitted:
        raise RequestError(f"{KEY} {key} was used when {account} was permitted other things", status=409)


def _may_be_kept(answer: web.Response) -> bool:
    return answer.status < 300 and len(_bytes(answer)) <= _BYTES


def _again(status: int, answer: bytes, content_type: str) -> web.Response:
    headers = {"Idempotency-Replayed": "true"}
    return web.Response(body=answer, status=status, content_type=content_type, charset="utf-8", headers=headers)


def _bytes(answer: web.Response) -> bytes:
    return bytes(answer.body) if isinstance(answer.body, bytes | bytearray) else b""


def _must_be_a_key(key: str) -> None:
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise RequestError(f"{KEY} is 1 to {_LONGEST} printable characters of ASCII, such as a UUID")
