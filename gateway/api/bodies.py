"""What is posted: JSON of a known type, from our own page or from a program, never from the page of a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from gateway.api.problems import RequestError

B = TypeVar("B", bound=msgspec.Struct)


# So long may a body take to come; who sends a byte a minute keeps no place.
BODY_S = 30.0


async def read_in_time(request: web.Request) -> None:
    """The whole body is there; RequestError 408 where it does not come."""
    try:
        async with asyncio.timeout(BODY_S):
            await request.read()
    except TimeoutError:
        raise RequestError(f"the body did not come within {BODY_S:g} s", status=408) from None


async def body_of(request: web.Request, words: type[B]) -> B:
    """The body of a request; its size is bounded by the application (413)."""
    try:
        return msgspec.json.decode(await request.read(), type=words)
    except msgspec.DecodeError as error:  # a ValidationError is one too
        raise RequestError(f"the body: {error}") from error


def must_be_ours(request: web.Request, types: Collection[str] = ("application/json",)) -> None:
    """A foreign page can make a browser post forms, but not these content types without asking, and not our origin.

    What is compressed is not unfolded: a few bytes could stand for very many.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError("a compressed body is not taken; send it as it is", status=415)
    if request.content_type not in types:
        raise RequestError(f"Content-Type is {request.content_type}; send {' or '.join(types)}", status=415)
    must_be_of_our_page(request)


def must_be_of_our_page(request: web.Request) -> None:
    """A request of a browser comes from our own page."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        raise RequestError(f"the request comes from a page of {origin}, this is {request.host}", status=403)
