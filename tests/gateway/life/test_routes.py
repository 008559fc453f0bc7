"""Events through the API: told, entered and withdrawn; only our own page may post from a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.clocks import SteppedClock
from gateway.api.problems import problems
from gateway.api.route import register
from gateway.life.routes import ROUTES
from gateway.life.service import Lives
from gateway.records.database import Records
from gateway.services import Services
from tests.gateway.doors import Opened

Client = TestClient[web.Request, web.Application]
EXCHANGE = {"meter": "main", "kind": "exchanged", "at": 1000, "final_register": 5.0, "initial_register": 0.0}


@pytest.fixture
async def client(records: Records) -> AsyncIterator[Client]:
    """The routes of this subject alone."""
    lives = Lives(records, SteppedClock(datetime(2026, 7, 1, tzinfo=UTC)))
    app = web.Application(middlewares=[problems], client_max_size=1 << 20)
    register(app, ROUTES, cast(Services, Opened(lives=lives)))
    async with TestClient(TestServer(app)) as made:
        yield made


async def get(client: Client, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def post(client: Client, path: str, body: Any, status: int = 200, **headers: str) -> Any:
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)


async def enter(client: Client, *events: dict[str, Any], status: int = 200) -> Any:
    return await post(client, "/api/v1/events", {"events": events, "who": "li", "why": "order 7"}, status)


async def test_what_is_entered_is_told_again(client: Client) -> None:
    told = await enter(client, EXCHANGE)

    [event] = (await get(client, "/api/v1/events?meter=main"))["events"]
    assert told == {"added": [event["id"]], "known": 0, "withdrawn": [], "contradicting": []}
    assert {key: event["event"][key] for key in EXCHANGE} == EXCHANGE
    assert (event["who"], event["why"], event["withdrawn_at"]) == ("li", "order 7", None)
    assert (await get(client, "/api/v1/events?meter=other"))["events"] == []


async def test_a_contradiction_is_told_with_what_is_kept(client: Client) -> None:
    [event_id] = (await enter(client, EXCHANGE))["added"]

    told = await enter(client, {**EXCHANGE, "final_register": 6.0})

    assert told["added"] == []
    assert [(c["event"]["final_register"], c["kept"]["id"]) for c in told["contradicting"]] == [(6.0, event_id)]


async def test_an_event_is_withdrawn_once(client: Client) -> None:
    [event_id] = (await enter(client, EXCHANGE))["added"]
    body = {"id": event_id, "who": "wang", "why": "wrong meter"}

    told = await post(client, "/api/v1/events/withdraw", body)

    assert (told["withdrawn_by"], told["withdrawn_why"]) == ("wang", "wrong meter")
    assert (await get(client, "/api/v1/events"))["events"] == []
    assert len((await get(client, "/api/v1/events?withdrawn=true"))["events"]) == 1
    assert "already" in (await post(client, "/api/v1/events/withdraw", body, 400))["detail"]
    assert "99" in (await post(client, "/api/v1/events/withdraw", {**body, "id": 99}, 404))["detail"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({**EXCHANGE, "initial_register": None}, "exchanged needs final_register and initial_register, or neither"),
        ({**EXCHANGE, "kind": "exchange"}, "Invalid enum value 'exchange'"),
        ({**EXCHANGE, "quantity": "active_power"}, "is a gauge"),
        ({**EXCHANGE, "quantity": "actve_power"}, "is not known"),
        ({**EXCHANGE, "meter": "a/b"}, "meter id 'a/b'"),
        ({**EXCHANGE, "remark": "x"}, "unknown field"),
    ],
)
async def test_a_wrong_event_is_told_and_nothing_is_kept(client: Client, event: dict[str, Any], told: str) -> None:
    problem = await enter(client, {**EXCHANGE, "at": 5}, event, status=400)

    assert told in problem["detail"]
    assert (await get(client, "/api/v1/events"))["events"] == []


async def test_a_page_of_another_host_cannot_post(client: Client) -> None:
    body = {"events": [EXCHANGE], "who": "li"}

    assert (await post(client, "/api/v1/events", body, 403, Origin="https://evil.example"))["status"] == 403
    assert (await post(client, "/api/v1/events", body, 403, Origin="null"))["title"] == "Not allowed"
    assert await post(client, "/api/v1/events", body, Origin=f"http://{client.host}:{client.port}")


async def test_what_a_form_can_send_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/events", data='{"events": []}', headers={"Content-Type": "text/plain"})

    assert answer.status == 415


@pytest.mark.parametrize(("text", "status"), [(b"{", 400), (b"[]", 400), (b" " * (1 << 20) + b"{}", 413)])
async def test_a_body_that_cannot_be_read_is_a_problem_in_words(client: Client, text: bytes, status: int) -> None:
    answer = await client.post("/api/v1/events", data=text, headers={"Content-Type": "application/json"})

    assert answer.status == status
    assert (await answer.json(content_type=None))["status"] == status
