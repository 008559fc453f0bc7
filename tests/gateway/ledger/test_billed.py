"""An account without meters is known by its bills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from energy.bills import SupplierBill
from energy.organisations import Account, Organisation
from energy.periods import Span
from energy.quantities import Medium
from energy.sites import Site, Text
from gateway.ledger.scope import Node, NodeKind
from tests.gateway.ledger.books import NOBODY, books, kwh, over

SITE = Site(
    "here",
    Text("本地", "here"),
    "Asia/Shanghai",
    organisations=(
        Organisation("bureau", Text("局", "bureau")),
        Organisation("office", Text("室", "office"), parent="bureau"),
    ),
    accounts=(Account("330", Medium.ELECTRICITY, organisation="office"),),
)
BILL = SupplierBill("330", date(2026, 3, 2), date(2026, 3, 5), Decimal("100.000001"), Decimal("70.01"))
OFFICE = Node(NodeKind.ORGANISATION, "office")


async def test_a_bill_is_spread_over_its_days_and_is_by_hand_to_the_last_millionth() -> None:
    async with books(SITE, bills=[BILL]) as (kept, _):
        by_day = (await kept.consumption.of_node(OFFICE, over(96, Span.DAY)))[Medium.ELECTRICITY].figures
        above = (await kept.consumption.of_node(Node(NodeKind.ORGANISATION, "bureau"), over(72)))[Medium.ELECTRICITY]

    assert [v if v is None else round(v, 3) for v in kwh(by_day)] == [33.333, 33.333, 33.333, None]
    assert int(by_day.amount.sum()) == 100_000_001
    assert int(by_day.cost.sum()) == 70_010_000
    assert by_day.manual.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert above.counters == 1
    assert int(above.figures.amount.sum()) == 100_000_001


async def test_the_bills_of_an_account_with_meters_are_not_counted_beside_them() -> None:
    async with books(NOBODY, bills=[BILL]) as (kept, _):
        assert await kept.consumption.of_node(Node(NodeKind.SITE, "here"), over(24)) == {}
