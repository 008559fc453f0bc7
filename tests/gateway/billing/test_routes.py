"""Tariffs, bills, stocks and closed months through the API, over one office."""

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
from gateway.billing.routes import ROUTES as BILLING
from gateway.billing.service import Bills
from gateway.closing.routes import ROUTES as CLOSING
from gateway.closing.service import Closings
from gateway.records.database import Records
from gateway.services import Services
from gateway.stock.routes import ROUTES as STOCK
from gateway.stock.service import Stock
from gateway.tariffs.documents import documents_of
from gateway.tariffs.routes import ROUTES as TARIFFS
from gateway.tariffs.service import Tariffs
from tests.analytics.tariffs.files import CONFIG, tariff, version
from tests.gateway.billing.accounts import FLAT, hourly, meter, site
from tests.gateway.doors import Opened
from tests.gateway.ledger.books import books

Client = TestClient[web.Request, web.Application]
BILL = {"account": "1100", "from": "2026-01-01", "to": "2026-02-01", "quantity": "800", "amount": "440.00"}
MOVE = {"of": "place/east", "fuel": "diesel", "kind": "purchase", "day": "2026-01-05", "quantity": "40", "unit": "L"}


@pytest.fixture
async def client(records: Records) -> AsyncIterator[Client]:
    clock = SteppedClock(datetime(2026, 3, 10, tzinfo=UTC))
    app = web.Application(middlewares=[problems])
    here = site([meter("main", account="1100"), meter("sub", parent="main")])
    async with books(here, tariffs=[tariff(version(FLAT))]) as (kept, store):
        await store.write(hourly("main", 60))
        await kept.catch_up()
        tariffs, given = Tariffs(records, clock), documents_of(CONFIG / "example-tou.yaml")
        await tariffs.apply(given, await tariffs.differences(given), "li", "letter 12")
        subjects = {"tariffs": tariffs, "bills": Bills(records, clock), "stock": Stock(records, clock)}
        closings = Closings(records, clock, kept)
        services = cast(Services, Opened(clock=clock, books=kept, closings=closings, **subjects))
        register(app, (*TARIFFS, *BILLING, *STOCK, *CLOSING), services)
        async with TestClient(TestServer(app)) as made:
            yield made


async def get(client: Client, path: str, status: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)


async def post(client: Client, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)


async def test_tariffs_are_told_with_their_versions_and_the_half_hours_of_a_day(client: Client) -> None:
    told = await get(client, "/api/v1/tariffs?day=2026-07-01")

    [one] = told["tariffs"]
    assert (told["day"], told["zone"], one["id"], one["why"]) == (
        "2026-07-01",
        "Asia/Shanghai",
        "example-tou",
        "letter 12",
    )
    assert one["versions"][0]["valid_from"] == "2026-01-01"
    assert one["versions"][0]["confidences"]["time_of_use"] == "single_source"
    assert [one["half_hours"][i]["band"] for i in (0, 20, 22)] == ["valley", "peak", "sharp"]
    assert one["half_hours"][22]["price"] == "1.230000"
    assert told["bands"]["sharp"]["zh"] == "尖峰"
    assert (await get(client, "/api/v1/tariffs"))["day"] == "2026-03-10"


async def test_a_bill_is_entered_compared_and_withdrawn(client: Client) -> None:
    added = await post(client, "/api/v1/bills", {"bills": [BILL, BILL], "who": "li", "why": "post"})
    assert (len(added["added"]), added["known"]) == (1, 1)

    told = await get(client, "/api/v1/bills?account=1100")
    [one] = told["bills"]
    assert (one["metered"]["quantity"], one["difference"]["amount"]) == ("744", "68.00")
    assert one["difference"]["causes"] == {
        "period": "0.00",
        "quantity": "28.00",
        "price": "40.00",
        "rounding": "0.00",
        "unexplained": "0.00",
    }

    gone = await post(client, "/api/v1/bills/withdraw", {"id": added["added"][0], "who": "li", "why": "credited"})
    assert gone["withdrawn_why"] == "credited"
    assert (await get(client, "/api/v1/bills?account=1100"))["bills"] == []


async def test_a_bill_that_contradicts_is_told_with_the_one_that_is_kept(client: Client) -> None:
    await post(client, "/api/v1/bills", {"bills": [BILL], "who": "li"})

    told = await post(client, "/api/v1/bills", {"bills": [{**BILL, "amount": "441.00"}], "who": "li"})

    [one] = told["contradicting"]
    assert (told["added"], one["bill"]["amount"], one["kept"]["bill"]["amount"]) == ([], "441.00", "440.00")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"to": "2026-01-01"}, "must be before to"),
        ({"amount": "1.001"}, "whole cents"),
        ({"from": "yesterday"}, "Invalid RFC3339"),
        ({"paid": True}, "unknown field"),
    ],
)
async def test_a_wrong_bill_is_a_problem_in_words(client: Client, wrong: dict[str, Any], told: str) -> None:
    problem = await post(client, "/api/v1/bills", {"bills": [{**BILL, **wrong}], "who": "li"}, 400)

    assert told in problem["detail"]
    assert (await get(client, "/api/v1/bills"))["bills"] == []


async def test_bills_of_an_account_of_no_site_and_of_a_turned_range_are_problems(client: Client) -> None:
    assert "'2200' is of no site" in (await _of_unknown_account(client))["detail"]
    assert "must be before" in (await get(client, "/api/v1/bills?from=2026-02-01&to=2026-01-01", 400))["detail"]


async def _of_unknown_account(client: Client) -> Any:
    await post(client, "/api/v1/bills", {"bills": [{**BILL, "account": "2200"}], "who": "li"})
    return await get(client, "/api/v1/bills?account=2200", 404)


async def test_a_stock_is_entered_told_and_set_right(client: Client) -> None:
    added = await post(client, "/api/v1/stock", {"moves": [MOVE], "who": "li"})

    told = await get(client, "/api/v1/stock?of=site/campus&from=2026-01-01&to=2027-01-01")
    [use] = told["uses"]
    assert (use["used"], use["basis"], use["estimated"], use["spent"]) == ("40", "purchases", True, None)
    assert use["converted"]["coal_kg"] == told["totals"][0]["coal_kg"] > 40
    await post(client, "/api/v1/stock/withdraw", {"id": added["added"][0], "who": "li", "why": "twice"})
    assert (await get(client, "/api/v1/stock?of=site/campus&from=2026-01-01&to=2027-01-01"))["uses"] == []
    wrong = {"moves": [{**MOVE, "unit": "kWh"}], "who": "li"}
    assert "unit 'kWh' must be" in (await post(client, "/api/v1/stock", wrong, 400))["detail"]


async def test_a_month_is_closed_and_told(client: Client) -> None:
    closed = await post(client, "/api/v1/periods/close", {"month": "2026-01", "who": "li"})

    assert (closed["counters"], closed["figures"][0]["closed"]["amount"]) == (1, "744.000000")
    assert [one["month"] for one in (await get(client, "/api/v1/periods"))["closings"]] == ["2026-01"]
    assert (await get(client, "/api/v1/periods/2026-01"))["differences"] == []
    assert "closed already" in (await _post_month(client, "close", "2026-01"))["detail"]
    assert "not ended" in (await _post_month(client, "close", "2026-03"))["detail"]
    assert "nothing of 2026-01 differs" in (await _post_month(client, "correct", "2026-01"))["detail"]
    assert "2026-02 is not closed" in (await get(client, "/api/v1/periods/2026-02", 404))["detail"]
    assert (await get(client, "/api/v1/periods/2026-13", 400))["status"] == 400


async def _post_month(client: Client, what: str, month: str) -> Any:
    return await post(client, f"/api/v1/periods/{what}", {"month": month, "who": "li", "why": "to see"}, 400)
