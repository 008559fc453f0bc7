"""What every answer of the API has around it: headers, tags, compression, limits, keys, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from gateway.access.roles import Identity
from gateway.api.callers import address_of, callers
from gateway.api.conditional import conditional
from gateway.api.headers import content_policy, security_headers
from gateway.api.idempotency import Replays
from gateway.api.limits import Buckets, Limits, Rate
from gateway.api.paging import cursor_of, last_page_of, page_of
from gateway.api.problems import RequestError, problems
from gateway.audit.asking import asking
from gateway.records.database import Records, open_records
from tests.databases import new_records

Client = TestClient[web.Request, web.Application]


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with open_records(new_records(tmp_path / "records.sqlite")) as made:
        yield made


@pytest.fixture
async def client(now: Now, records: Records) -> AsyncIterator[Client]:
    done: list[bytes] = []

    async def small(_request: web.Request) -> web.Response:
        return web.json_response({"address": asking().address})

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b"[" + b"1," * 9000 + b"1]", content_type="application/json")

    replays = Replays(records, now)

    async def do(request: web.Request) -> web.Response:
        return await replays.once(request, Identity("li"), "", lambda: done_once(request))

    async def done_once(request: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        body = await request.read()
        if body == b"wrong":
            raise RequestError("wrong")
        done.append(body)
        return web.json_response({"done": len(done)})

    limits = Limits(Rate(1, 3), Rate(0.1, 2), now)
    frame = [callers(behind_proxy=True), limits.by_address, problems, conditional]
    app = web.Application(middlewares=frame, client_max_size=1000)
    app.router.add_get("/small", small)
    app.router.add_get("/large", large)
    app.router.add_get("/health", small)
    app.router.add_post("/do", do)
    app.on_response_prepare.append(security_headers(tls=True))
    async with TestClient(TestServer(app)) as made:
        yield made


async def post(client: Client, body: bytes, key: str) -> tuple[int, Any]:
    answer = await client.post("/do", data=body, headers={"Idempotency-Key": key})
    return answer.status, await answer.json(content_type=None)


async def test_what_is_sent_again_with_its_key_is_done_once(client: Client, now: Now) -> None:
    assert await post(client, b"a", "k1") == (200, {"done": 1})
    assert await post(client, b"a", "k1") == (200, {"done": 1})
    assert await post(client, b"a", "k2") == (200, {"done": 2})
    now.s = 86_401
    assert await post(client, b"a", "k1") == (200, {"done": 3})


async def test_a_key_with_another_body_is_refused(client: Client) -> None:
    await post(client, b"a", "k")
    status, problem = await post(client, b"b", "k")

    assert status == 409
    assert problem["text"]["zh"] == "Idempotency-Key k 已用于其他内容，请换一个新的"


async def test_two_at_once_with_one_key_are_done_once(client: Client) -> None:
    assert await asyncio.gather(*(post(client, b"a", "k") for _ in range(5))) == [(200, {"done": 1})] * 5


async def test_what_was_wrong_can_be_mended_under_its_key(client: Client) -> None:
    assert (await post(client, b"wrong", "k"))[0] == 400
    assert await post(client, b"right", "k") == (200, {"done": 1})


async def test_a_key_is_short_and_printable(client: Client) -> None:
    assert [(await post(client, b"a", key))[0] for key in ("x" * 129, "")] == [400, 400]


async def test_a_body_that_is_too_large_is_a_problem(client: Client) -> None:
    status, problem = await post(client, b"x" * 1001, "k")

    assert (status, problem["title"]) == (413, "The request is too large")


async def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    first = await client.get("/small")
    tag = first.headers["ETag"]
    again = await client.get("/small", headers={"If-None-Match": tag})
    other = await client.get("/small", headers={"If-None-Match": 'W/"other"'})

    assert tag.startswith('W/"')
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
    assert other.status == 200


async def test_large_answers_are_compressed_for_who_can_read_that(client: Client) -> None:
    able = await client.get("/large", headers={"Accept-Encoding": "gzip"})
    unable = await client.get("/large", headers={"Accept-Encoding": "identity"})
    small = await client.get("/small", headers={"Accept-Encoding": "gzip"})

    codings = [answer.headers.get("Content-Encoding") for answer in (able, unable, small)]
    assert codings == ["gzip", None, None]
    assert await able.read() == await unable.read()
    assert int(able.headers["Content-Length"]) < 1000


async def test_a_stranger_who_asks_too_often_is_told_when_to_come_again(client: Client, now: Now) -> None:
    far = {"X-Forwarded-For": "203.0.113.9"}
    statuses = [(await client.get("/small", headers=far)).status for _ in range(4)]
    answer = await client.get("/small", headers=far)

    assert statuses == [200, 200, 200, 429]
    assert (answer.content_type, answer.headers["Retry-After"]) == ("application/problem+json", "1")
    assert (await client.get("/small", headers={"X-Forwarded-For": "203.0.113.10"})).status == 200
    assert (await client.get("/health", headers=far)).status == 200
    assert (await client.post("/do", data=b"x", headers=far)).status == 200  # writing has a limit of its own
    now.s = 1.0
    assert (await client.get("/small", headers=far)).status == 200


async def test_this_machine_is_not_limited(client: Client) -> None:
    assert {(await client.get("/small")).status for _ in range(20)} == {200}


async def test_an_account_is_limited_wherever_it_asks_from(now: Now) -> None:
    limits = Limits(Rate(1, 2), Rate(1, 2), now)

    @web.middleware
    async def signed_in(request: web.Request, handler: Any) -> web.StreamResponse:
        asking().account = request.headers["X-Test"]
        return await handler(request)  # type: ignore[no-any-return]

    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[callers(behind_proxy=False), signed_in, limits.by_account])
    app.router.add_get("/", answer)
    async with TestClient(TestServer(app)) as client:
        asked = [(await client.get("/", headers={"X-Test": who})).status for who in ("li", "li", "li", "wang")]
    assert asked == [200, 200, 429, 200]


def test_a_caller_of_ipv6_is_its_network(now: Now) -> None:
    buckets = Buckets(Rate(1, 1), now, names=2)
    assert [buckets.wait_s(name) for name in ("a", "a", "b", "c", "a")] == [0.0, 1.0, 0.0, 0.0, 0.0]


def test_what_a_caller_says_of_itself_is_not_believed() -> None:
    def asked(told: str | None) -> web.Request:
        return make_mocked_request("GET", "/", headers={"X-Forwarded-For": told} if told else {})

    forged = asked("127.0.0.1, 203.0.113.9")
    assert address_of(forged, behind_proxy=True) == "203.0.113.9"
    assert address_of(forged, behind_proxy=False) == (forged.remote or "")
    assert address_of(asked("nonsense"), behind_proxy=True) == (asked(None).remote or "")


async def test_every_answer_carries_the_headers_errors_too(client: Client) -> None:
    for path in ("/small", "/nothing"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_a_host_that_is_none_does_not_get_into_the_policy() -> None:
    assert "wss://energy.example:8443;" in content_policy("energy.example:8443")
    assert "evil" not in content_policy("x; script-src evil")


def test_pages_follow_each_other_without_gap_or_repeat_while_things_are_added() -> None:
    items = [("a", i) for i in range(0, 10, 2)]
    page, cursor = page_of(items, lambda item: item, 2, None)
    items = sorted([*items, ("a", 1), ("a", 3)])
    rest, end = page_of(items, lambda item: item, 9, cursor)

    assert (page, rest, end) == ([("a", 0), ("a", 2)], [("a", 3), ("a", 4), ("a", 6), ("a", 8)], None)
    newest, older = last_page_of(items, lambda item: item, 2, None)
    before, none = last_page_of(items, lambda item: item, 9, older)
    assert ([*before, *newest], none) == (items, None)


@pytest.mark.parametrize("cursor", ["!", "abc", cursor_of(("a",))[:-1], cursor_of((1, 2)), "é"])
def test_a_cursor_that_was_not_given_is_a_wrong_request(cursor: str) -> None:
    with pytest.raises(RequestError, match="cursor"):
        page_of([("a", 1)], lambda item: item, 2, cursor)
