"""Answers that need not be sent again (ETag), and those that are sent smaller (gzip)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from aiohttp import web

_SMALL = 8_192


@web.middleware
async def conditional(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Mark what a GET is answered with by its content; 304 where the caller has just that."""
    answer = await handler(request)
    if request.method != "GET" or not isinstance(answer, web.Response) or answer.status != 200 or answer.cookies:
        return answer
    if not isinstance(answer.body, bytes) or answer.content_type != "application/json":
        return answer
    tag = hashlib.blake2b(answer.body, digest_size=12).hexdigest()
    answer.headers.setdefault("Cache-Control", "private, no-cache")
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["ETag"] = f'W/"{tag}"'
    known = request.if_none_match or ()
    if any(other.value in (tag, "*") for other in known):
        kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
        return web.Response(status=304, headers=kept)
    if len(answer.body) >= _SMALL and "gzip" in request.headers.get("Accept-Encoding", "").lower():
        answer.enable_compression(web.ContentCoding.gzip)
    return answer
