"""A POST that is sent again with its key is not done again: at whichever process, and whatever breaks within it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient, TestServer

from gateway.access.roles import Grant, Identity, Permission, Role
from gateway.api.callers import callers
from gateway.api.idempotency import Replays
from gateway.api.problems import RequestError, problems
from gateway.records.changes import Author, Change, log_changes, logged_changes
from gateway.records.database import Records, open_records
from tests.adapters.ledger_rigs import Rig, rig, shared_rig
from tests.databases import NewDatabase

__all__ = ["rig", "shared_rig"]
Client = TestClient[web.Request, web.Application]
LOST = "what was asked under Idempotency-Key k was done, and its answer is not known; look at what is there"


async def nothing() -> None:
    """Nothing goes wrong."""


class Process:
    """A process with an API that notes what it is sent. `amid` comes before the transaction ends, `after` follows it;
    nobody waits long for lost answers."""

    def __init__(self, records: Records) -> None:
        self.records, self.replays = records, Replays(records, patience_s=0.5)
        scopes = frozenset({Permission.READ, Permission.FILL, Permission.OPERATE})
        self.who = Identity("li", (Grant(Role.ENERGY_OFFICER),), scopes)
        self.amid: Callable[[], Awaitable[None]] = nothing
        self.after: Callable[[], Awaitable[None]] = nothing
        self.client: Client

    def application(self) -> web.Application:
        async def once(request: web.Request) -> web.Response:
            return await self.replays.once(request, self.who, "", lambda: self.do(request))

        app = web.Application(middlewares=[callers(behind_proxy=False), problems])
        app.router.add_post("/do", once)
        return app

    async def do(self, request: web.Request) -> web.Response:
        body = await request.text()
        if body == "look":
            await self.after()
            return web.json_response({"looked": True})
        async with self.records.writing() as connection:
            await log_changes(connection, [Change("meter", body, None, {"ct": 1})], Author("li", "", 0))
            await self.amid()
        await self.after()
        if body.startswith("wrong"):
            raise RequestError("wrong")
        return web.json_response({"done": body})

    async def done(self) -> list[str]:
        return [logged.change.key for logged in await logged_changes(self.records)]

    async def post(self, body: str, key: str = "k") -> tuple[int, str]:
        answer = await self.client.post("/do", data=body, headers={"Idempotency-Key": key})
        told = await answer.json(content_type=None)
        return answer.status, told["detail"] if answer.status >= 400 else told.get("done", "looked")


@asynccontextmanager
async def process_at(address: str, folder: Path) -> AsyncIterator[Process]:
    async with open_records(address, folder) as records:
        process = Process(records)
        async with TestClient(TestServer(process.application())) as process.client:
            yield process


@pytest.fixture
async def both(new_database: NewDatabase, tmp_path: Path) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes over the same records."""
    address = new_database()
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(process_at(address, tmp_path)) for _ in range(2)]
        yield one, other


Both = tuple[Process, Process]


async def test_it_is_done_once_wherever_it_is_asked(both: Both) -> None:
    asked = await asyncio.gather(*(both[i % 2].post("a") for i in range(6)))

    assert set(asked) == {(200, "a")}
    assert await both[0].done() == ["a"]


async def test_what_comes_second_waits_for_the_answer_of_what_is_being_done(both: Both) -> None:
    one, other = both
    goes_on, is_written = asyncio.Event(), asyncio.Event()

    async def after() -> None:
        is_written.set()
        await goes_on.wait()

    one.after = after
    first = asyncio.create_task(one.post("a"))
    await is_written.wait()
    other.replays = Replays(other.records, patience_s=600)
    second = asyncio.create_task(other.post("a"))
    await asyncio.sleep(0.2)
    assert not second.done()
    goes_on.set()

    assert {await first, await second} == {(200, "a")}
    assert await one.done() == ["a"]


async def test_two_that_begin_before_either_has_written_write_once(both: Both) -> None:
    """Neither finds the key when it looks; of those that write, the second finds that of the first."""
    one, other = both
    begun = asyncio.Barrier(2)
    do = Process.do

    async def together(process: Process, request: web.Request) -> web.Response:
        await begun.wait()
        return await do(process, request)

    for process in both:
        process.do = lambda request, process=process: together(process, request)  # type: ignore[method-assign,misc]
        process.replays = Replays(process.records, patience_s=600)

    assert set(await asyncio.gather(one.post("a"), other.post("a"))) == {(200, "a")}
    assert await one.done() == ["a"]


async def test_a_process_that_is_started_anew_knows_its_keys(new_database: NewDatabase, tmp_path: Path) -> None:
    address = new_database()
    for _ in range(2):
        async with process_at(address, tmp_path) as process:
            assert await process.post("a") == (200, "a")
            assert await process.done() == ["a"]


async def test_who_dies_between_doing_and_answering_has_done_it_once(both: Both) -> None:
    one, other = both

    async def die() -> None:
        raise asyncio.CancelledError

    one.after = die
    with pytest.raises(ClientError):
        await one.post("a")

    assert await other.post("a") == (409, LOST)
    assert await other.post("a", "another key") == (200, "a")
    assert await other.done() == ["a", "a"]


async def test_an_answer_that_is_too_large_to_be_kept_is_not_made_twice(both: Both) -> None:
    one, other = both
    large = "a" * 70_000

    assert await one.post(large) == (200, large)
    assert await other.post(large) == (409, LOST)
    assert len(await other.done()) == 1


async def test_what_was_refused_is_done_when_it_is_asked_again_elsewhere(both: Both) -> None:
    one, other = both

    assert await one.post("wrong") == (400, "wrong")
    assert await other.post("right") == (200, "right")


async def test_what_writes_nothing_is_answered_as_before(both: Both) -> None:
    assert await both[0].post("look") == (200, "looked")
    assert (await both[1].post("other"))[0] == 409


async def test_another_body_and_other_rights_are_refused_elsewhere_too(both: Both) -> None:
    one, other = both
    await one.post("a")
    assert (await other.post("b"))[0] == 409

    other.who = Identity("li")
    assert (await other.post("a"))[0] == 409
    assert await other.done() == ["a"]


async def test_what_is_written_after_the_answer_is_no_part_of_what_was_asked(both: Both) -> None:
    """A task that a request began lives on in the context of that request."""
    one, other = both
    is_answered = asyncio.Event()
    later: list[asyncio.Task[None]] = []

    async def write() -> None:
        await is_answered.wait()
        async with one.records.writing() as connection:
            await log_changes(connection, [Change("meter", "later", None, {"ct": 1})], Author("li", "", 0))

    async def begin() -> None:
        later.append(asyncio.create_task(write()))

    one.after = begin
    assert await one.post("look") == (200, "looked")
    is_answered.set()
    await later[0]

    assert await other.post("look") == (200, "looked")
    assert await other.done() == ["later"]


# -- a connection that breaks ------------------------------------------------------------------------------------------


@pytest.fixture
async def broken(rig: Rig, tmp_path: Path) -> AsyncIterator[Process]:
    async with process_at(rig.address, tmp_path) as process:
        yield process


async def test_a_connection_that_breaks_before_the_end_has_done_nothing(rig: Rig, broken: Process) -> None:
    async def cut() -> None:
        rig.wire.cut()

    broken.amid = cut
    assert (await broken.post("a"))[0] == 503
    rig.wire.mend()
    broken.amid = nothing

    assert await broken.post("a") == (200, "a")
    assert await broken.done() == ["a"]


async def test_an_end_that_nobody_hears_of_is_found_by_who_asks_again(rig: Rig, broken: Process) -> None:
    async def swallow() -> None:
        rig.wire.swallows = True

    broken.amid = swallow
    assert (await broken.post("a"))[0] == 503
    rig.wire.mend()
    broken.amid = nothing

    assert await broken.post("a") == (409, LOST)
    assert await broken.done() == ["a"]


async def test_a_connection_that_breaks_before_the_answer_is_kept_has_done_it_once(rig: Rig, broken: Process) -> None:
    async def cut() -> None:
        rig.wire.cut()

    broken.after = cut
    assert await broken.post("a") == (200, "a")
    rig.wire.mend()
    broken.after = nothing

    assert await broken.post("a") == (409, LOST)
    assert await broken.done() == ["a"]
