"""The log as the API tells it, and what the API leaves in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.access.door import LocalDoor, Origin, Visit, remember
from gateway.access.roles import Grant, Identity, Role
from gateway.app import application
from gateway.audit import routes
from gateway.audit.chain import Action
from gateway.services import Services
from tests.gateway.test_api import Client, clock, get, services  # noqa: F401


class AuditorsDoor(LocalDoor):
    """Whoever comes enters, and sees what was done."""

    async def identify(self, request: web.Request) -> Identity:
        identity = Identity("", (Grant(Role.ENERGY_OFFICER), Grant(Role.AUDITOR)))
        remember(request, Visit(identity, Origin("127.0.0.1")))
        return identity


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:  # noqa: F811
    async with TestClient(TestServer(application(replace(services, door=AuditorsDoor())))) as made:
        yield made


async def test_rows_are_told_page_by_page(client: Client, services: Services) -> None:  # noqa: F811
    for i in range(5):
        await services.audit.record(Action.SIGN_IN, f"account/{i}", account="li")

    first = await get(client, "/api/v1/audit?limit=2&action=sign_in&account=li")
    second = await get(client, f"/api/v1/audit?limit=2&cursor={first['next']}")
    third = await get(client, f"/api/v1/audit?limit=2&cursor={second['next']}")

    assert [[row["seq"] for row in page["rows"]] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third["next"] is None
    assert first["rows"][0]["previous"] == first["rows"][1]["hash"]


async def test_the_log_is_checked_and_says_until_when(client: Client, services: Services) -> None:  # noqa: F811
    for i in range(3):
        await services.audit.record(Action.SIGN_IN, f"account/{i}", account="li")
    before = await get(client, "/api/v1/audit/state")
    assert (before["rows"], before["newest"], before["checked"]) == (3, 3, None)

    answer = await client.post("/api/v1/audit/verify", json={})
    checked = (await answer.json())["checked"]
    [newest] = (await get(client, "/api/v1/audit?limit=1"))["rows"]
    assert (checked["rows"], checked["until"], checked["row"]) == (3, newest["at"], None)
    assert checked["head"] == newest["hash"]


async def test_an_export_is_told_part_by_part_and_is_a_row_itself(
    client: Client,
    services: Services,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes, "_PART", 2)
    for i in range(3):
        await services.audit.record(Action.SIGN_IN, f"account/={i}", account="=li")

    first = await (await client.post("/api/v1/audit/export", json={})).json()
    second = await (await client.post("/api/v1/audit/export", json={"cursor": first["next"]})).json()
    lines = (first["text"] + second["text"]).splitlines()
    assert (first["rows"], second["rows"], second["next"]) == (2, 1, None)
    assert lines[0].startswith("seq,at_ms,account")
    assert [line.split(",")[2] for line in lines[1:]] == ["'=li"] * 3
    exports = (await get(client, "/api/v1/audit?action=export"))["rows"]
    assert [row["detail"]["rows"] for row in exports] == [1, 2]


async def test_a_wrong_cursor_is_told(client: Client) -> None:
    for cursor in ("x", "WyJhIl0", "Wy0xXQ"):
        assert "cursor" in (await get(client, f"/api/v1/audit?cursor={cursor}", 400))["detail"]


async def test_what_is_entered_stands_in_the_log_with_the_address(client: Client) -> None:
    event = {"meter": "east-main", "kind": "calibrated", "at": 1000, "note": "call 13812345678"}
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = await client.post("/api/v1/events", json={"events": [event], "who": "li"}, headers=headers)
        assert (await answer.json())["added"] == [1]

    [row] = (await get(client, "/api/v1/audit?subject=meter_event/1"))["rows"]
    assert (row["account"], row["address"], row["action"]) == ("li", "127.0.0.1", "change")
    assert (row["detail"]["before"], row["detail"]["after"]["note"]) == (None, "call 138****5678")


async def test_a_request_that_is_refused_stands_in_the_log(client: Client) -> None:
    foreign = {"Origin": "http://evil.example"}
    answer = await client.post("/api/v1/events/withdraw", json={}, headers=foreign)
    assert answer.status == 403

    [row] = (await get(client, "/api/v1/audit?action=refused"))["rows"]
    assert row["outcome"] == "refused"
    assert row["detail"] == {"method": "POST", "path": "/api/v1/events/withdraw", "status": 403}


async def test_who_is_refused_again_and_again_does_not_fill_the_disk(client: Client) -> None:
    for _ in range(40):
        await client.post("/api/v1/events/withdraw", json={}, headers={"Origin": "http://evil.example"})

    assert len((await get(client, "/api/v1/audit?action=refused"))["rows"]) == 20


async def test_events_are_told_page_by_page(client: Client) -> None:
    events = [{"meter": "east-main", "kind": "calibrated", "at": 1000 * i} for i in range(1, 6)]
    await client.post("/api/v1/events", json={"events": events, "who": "li"})

    told, cursor = [], ""
    while True:
        page = await get(client, f"/api/v1/events?limit=2{cursor}")
        told += [kept["event"]["at"] for kept in page["events"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert told == [1000, 2000, 3000, 4000, 5000]
