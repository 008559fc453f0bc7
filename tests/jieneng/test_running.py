"""A command whose store is held by a gateway asks that gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from energy.errors import EnergyError, StoreError
from gateway.access.roles import Permission
from gateway.api.problems import problems
from gateway.api.route import NoQuery, Route, register
from jieneng.running import asked, posted
from jieneng.settings import Settings
from tests.gateway.doors import Opened

LOCKED = StoreError("readings.duckdb is in use by process 7")


class Words(msgspec.Struct):
    """What is asked and answered."""

    text: list[str] = []


async def heard(_services: Opened, query: Words) -> Words:
    if query.text == ["wrong"]:
        raise EnergyError("there is no such thing")
    return query


async def taken(_services: Opened, _query: NoQuery, body: Words) -> Words:
    return body


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    app = web.Application(middlewares=[problems])
    both = (
        Route("/heard", "", Permission.READ, Words, Words, heard),
        Route("/heard", "", Permission.FILL, NoQuery, Words, taken, "POST", Words),
    )
    register(app, both, Opened())
    async with TestServer(app) as server:
        yield Settings(listen=f"127.0.0.1:{server.port}")


async def test_what_is_asked_is_answered(settings: Settings) -> None:
    given = {"text": ["电", "b"], "other": None}

    assert await asyncio.to_thread(asked, settings, "/heard", given, Words, LOCKED) == Words(["电", "b"])
    assert await asyncio.to_thread(posted, settings, "/heard", Words(["c"]), Words, LOCKED) == Words(["c"])


async def test_a_problem_is_told_in_its_words(settings: Settings) -> None:
    with pytest.raises(EnergyError, match="there is no such thing"):
        await asyncio.to_thread(asked, settings, "/heard", {"text": ["wrong"]}, Words, LOCKED)


def test_where_nobody_answers_the_reason_is_that_the_store_is_held() -> None:
    with pytest.raises(EnergyError, match=r"in use by process 7; asked at .*, nobody answered \(--listen"):
        asked(Settings(listen=f"127.0.0.1:{unused_port()}"), "/heard", {}, Words, LOCKED)
