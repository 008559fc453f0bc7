"""How often which route was asked, how it was answered, and how long that took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

# Whatever no route answers: strangers ask for paths without end.
UNKNOWN = "unknown"


# Who asked did not wait for the answer.
_LEFT = 499


def counted(answered: Callable[[str, int, float | None], None]) -> Middleware:
    """Tell `answered` the route as it is declared, the status and the seconds, None where it was a WebSocket."""

    @web.middleware
    async def timed(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        began, status, upgraded = time.perf_counter(), 500, False
        try:
            response = await handler(request)
            status, upgraded = response.status, isinstance(response, web.WebSocketResponse)
        except asyncio.CancelledError:
            status = _LEFT
            raise
        except web.HTTPException as error:
            status = error.status
            raise
        else:
            return response
        finally:
            answered(_route(request), status, None if upgraded else time.perf_counter() - began)

    return timed


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return UNKNOWN if resource is None else resource.canonical
