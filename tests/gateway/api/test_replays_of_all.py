"""A POST that is sent again with its key to another process of the API is not done again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.answers_postgres import open_postgres_answers
from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.api.callers import callers
from gateway.api.idempotency import Replays
from gateway.api.problems import RequestError, problems
from tests.postgresql import PostgresServer

Client = TestClient[web.Request, web.Application]


class Process:
    """What is common to the processes: what was done, and as whom one comes."""

    def __init__(self) -> None:
        self.done: list[bytes] = []
        scopes = frozenset({Permission.READ, Permission.FILL, Permission.OPERATE})
        self.who = Identity("li", (Grant(Role.ENERGY_OFFICER),), scopes)

    def application(self, replays: Replays) -> web.Application:
        async def once(request: web.Request) -> web.Response:
            return await replays.once(request, self.who, "", lambda: self.do(request))

        app = web.Application(middlewares=[callers(behind_proxy=False), problems])
        app.router.add_post("/do", once)
        return app

    async def do(self, request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(0.05)
        if body == b"wrong":
            raise RequestError("wrong")
        self.done.append(body)
        return web.json_response({"done": len(self.done)})


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
async def clients(process: Process, postgres: PostgresServer) -> AsyncIterator[list[Client]]:
    name = postgres.new_name()
    postgres.sql(f"CREATE DATABASE {name}")
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            answers = await stack.enter_async_context(open_postgres_answers(postgres.address(name)))
            server = TestServer(process.application(Replays(of_all=answers)))
            made.append(await stack.enter_async_context(TestClient(server)))
        yield made


async def post(client: Client, body: bytes, key: str = "k") -> tuple[int, str]:
    answer = await client.post("/do", data=body, headers={"Idempotency-Key": key})
    return answer.status, await answer.text()


async def test_it_is_done_once_wherever_it_is_asked(clients: list[Client], process: Process) -> None:
    asked = await asyncio.gather(*(post(clients[i % 2], b"a") for i in range(6)))

    assert set(asked) == {(200, '{"done": 1}')}
    assert process.done == [b"a"]


async def test_what_failed_is_done_when_it_is_asked_again_elsewhere(clients: list[Client], process: Process) -> None:
    assert (await post(clients[0], b"wrong"))[0] == 400
    assert (await post(clients[1], b"right"))[0] == 200
    assert process.done == [b"right"]


async def test_another_body_and_other_rights_are_refused_elsewhere_too(clients: list[Client], process: Process) -> None:
    await post(clients[0], b"a")
    assert (await post(clients[1], b"b"))[0] == 409

    process.who = Identity("li")
    assert (await post(clients[1], b"a"))[0] == 409
    assert process.done == [b"a"]
