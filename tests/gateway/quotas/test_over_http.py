"""Quotas as they travel: what is entered is in the list, and what is wrong is told as a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.app import application
from tests.gateway.access.city import city

Client = TestClient[Any, Any]
QUOTA = {
    "of": "organisation/child-office",
    "limited": "electricity",
    "year": 2026,
    "amount": "50000.5",
    "method": "handed_down",
    "document": "letter 8",
    "dated": "2026-02-02",
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with city(tmp_path) as there, TestClient(TestServer(application(there.services))) as made:
        yield made


async def sent(client: Client, path: str, **body: Any) -> tuple[int, Any]:
    answer = await client.post(f"/api/v1/quotas{path}", json=body)
    return answer.status, await answer.json()


async def test_what_is_entered_takes_the_place_of_an_older_document_and_can_be_withdrawn(client: Client) -> None:
    _, added = await sent(client, "", quotas=[QUOTA], who="li")

    listed = await (await client.get("/api/v1/quotas", params={"of": "organisation/child-office"})).json()
    [pace] = listed["quotas"]
    assert (pace["id"], pace["quota"]["amount"]) == (added["added"][0], "50000.5")
    whole = await (await client.get(f"/api/v1/quotas/{pace['id']}")).json()
    assert [v["quota"]["document"] for v in whole["versions"]] == ["child-letter", "letter 8"]

    status, gone = await sent(client, "/withdraw", id=pace["id"], who="li", why="not signed")
    assert (status, gone["withdrawn_why"]) == (200, "not signed")
    listed = await (await client.get("/api/v1/quotas", params={"of": "organisation/child-office"})).json()
    assert [p["quota"]["document"] for p in listed["quotas"]] == ["child-letter"]


async def test_what_is_wrong_is_told_and_nothing_is_entered(client: Client) -> None:
    good = QUOTA | {"dated": "2026-02-03"}

    for wrong, status, detail in (
        ({"amount": "-1"}, 400, "must be above 0"),
        ({"months": ["1"] * 12}, 400, "months sum to 12, not to the amount 50000.5"),
        ({"of": "organisation/elsewhere"}, 404, "'elsewhere' is not in the site"),
        ({"limited": "energy", "factor_set": "no-such"}, 400, "factor set 'no-such' is not known"),
    ):
        answered, problem = await sent(client, "", quotas=[good, good | wrong], who="li")
        assert (answered, detail in problem["detail"]) == (status, True), problem

    assert (await (await client.get("/api/v1/quotas/999")).json())["status"] == 404
    listed = await (await client.get("/api/v1/quotas", params={"of": "organisation/child-office"})).json()
    assert [p["quota"]["document"] for p in listed["quotas"]] == ["child-letter"]
