"""Idempotency keys: a POST that is sent again with its key is not done again; its answer is given again.

Looked at behind the permission of the route. A key belongs to the account that used it, to the path and to the body;
and what the account was permitted then it must be permitted still, or its answer is not given again.

All that a POST does is written to the records, and the key with it in one transaction (`records.keys`): so it is done
once, also where a connection breaks in the midst, the process is killed, or the same is asked of another process. The
answer is kept after that. Where it was lost meanwhile, who asks again is told that it was done.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

import msgspec
import structlog
from aiohttp import web

from energy.errors import EnergyError, StoreError
from gateway.access.roles import Identity
from gateway.api.problems import RequestError
from gateway.records.database import Records
from gateway.records.keys import Answered, Asked, Known, find_asked, forget_asked, keep_answer, under_key

log = structlog.get_logger()

KEY = "Idempotency-Key"
_LONGEST = 128
_BYTES = 1 << 16
# So long who did it may take to answer before the answer counts as lost; and so often is looked for it.
_PATIENCE_S, _LOOK_S = 10.0, 0.1


# What these answer holds secrets, and cookies: it is not kept.
_SECRET = tuple(f"/api/v1/{name}" for name in ("session", "first", "password", "second", "tokens", "accounts"))


def takes_key(path: str) -> bool:
    """Whether a POST to the path may carry a key."""
    return not path.startswith(_SECRET)


class Replays:
    """The answers that may be given again, of all applications over the same records."""

    def __init__(
        self, records: Records, now: Callable[[], float] = time.time, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._records, self._now, self._patience_s = records, now, patience_s
        # Of what is being done here; who asks the same waits for it.
        self._turns = WeakValueDictionary[str, asyncio.Lock]()

    async def once(
        self,
        request: web.Request,
        who: Identity,
        address: str,
        do: Callable[[], Awaitable[web.Response]],
        digest: bytes | None = None,
    ) -> web.Response:
        """Do it, or give the answer of when it was done; a key of another body, or of who was permitted other things
        then, is refused, and so is one of which the answer was lost (409).

        address : stands for the account where there is none. digest : SHA-256 of a body that was read already.
        """
        key = request.headers.get(KEY)
        if request.method != "POST" or key is None or not takes_key(request.path):
            return await do()
        _must_be_a_key(key)
        body = hashlib.sha256(await request.read()).digest() if digest is None else digest
        name = _digest((who.account or address, request.path_qs, key))
        asked = Asked(name, _digest(who), body.hex(), round(self._now() * 1000))
        async with self._turns.setdefault(name, asyncio.Lock()):
            known = await self._find(asked)
            if known is None:
                return await self._done(asked, key, who, do)
            return await self._told(asked, known, key, who)

    async def _done(
        self, asked: Asked, key: str, who: Identity, do: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        try:
            with under_key(asked):
                answer = await do()
        except StoreError:
            raise  # nobody knows what of it is written but the records, and who asks again is told what they say
        except EnergyError:
            if (known := await self._of_another(asked)) is not None:
                return await self._told(asked, known, key, who)
            await self._forget(asked)  # it was refused: it may be mended and sent again
            raise
        if answer.status >= 300:
            await self._forget(asked)
        elif len(_bytes(answer)) <= _BYTES:
            await self._keep(asked, answer)
        return answer

    async def _told(self, asked: Asked, known: Known, key: str, who: Identity) -> web.Response:
        """Its answer, for which whoever did it may take a moment."""
        _must_be_the_same(key, who.account, body=known.body == asked.body, permitted=known.who == asked.who)
        until_ms = known.at_ms + self._patience_s * 1000
        while known.answered is None:
            if self._now() * 1000 >= until_ms:
                raise RequestError(
                    f"what was asked under {KEY} {key} was done, and its answer is not known; look at what is there",
                    status=409,
                )
            await asyncio.sleep(_LOOK_S)
            known = await self._find(asked) or known
        return _again(known.answered)

    async def _find(self, asked: Asked) -> Known | None:
        async with self._records.reading() as connection:
            return await find_asked(connection, asked)

    async def _of_another(self, asked: Asked) -> Known | None:
        """Where we wrote nothing: whether somebody else has, at the same time."""
        return None if asked.noted else await self._find(asked)

    async def _keep(self, asked: Asked, answer: web.Response) -> None:
        try:
            async with self._records.writing() as connection:
                await keep_answer(connection, asked, _answered(answer))
        except StoreError as error:
            # It is done, and who asked is to know.
            log.error("answer.unkept", cause=str(error))

    async def _forget(self, asked: Asked) -> None:
        if not asked.noted:
            return
        try:
            async with self._records.writing() as connection:
                await forget_asked(connection, asked)
        except StoreError as error:
            log.error("answer.unkept", cause=str(error))


def _digest(of: object) -> str:
    return hashlib.sha256(msgspec.json.encode(of, order="deterministic")).hexdigest()


def _must_be_the_same(key: str, account: str, *, body: bool, permitted: bool) -> None:
    if not body:
        raise RequestError(f"{KEY} {key} was used for another body; make a new key", status=409)
    if not permitted:
        raise RequestError(f"{KEY} {key} was used when {account} was permitted other things", status=409)


def _answered(answer: web.Response) -> Answered:
    return Answered(answer.status, _bytes(answer), answer.content_type)


def _again(answered: Answered) -> web.Response:
    return web.Response(
        body=answered.answer,
        status=answered.status,
        content_type=answered.content_type,
        charset="utf-8",
        headers={"Idempotency-Replayed": "true"},
    )


def _bytes(answer: web.Response) -> bytes:
    return bytes(answer.body) if isinstance(answer.body, bytes | bytearray) else b""


def _must_be_a_key(key: str) -> None:
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise RequestError(f"{KEY} is 1 to {_LONGEST} printable characters of ASCII, such as a UUID")
