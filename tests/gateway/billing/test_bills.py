"""Bills are entered once and withdrawn, never changed; two that charge for the same day contradict."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from energy.bills import BilledLine, SupplierBill
from energy.errors import EnergyError, UnknownName
from energy.readings import to_ms
from gateway.billing.answers import unbilled
from gateway.billing.service import Bills
from gateway.records.changes import logged_changes
from gateway.records.database import Records

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)


@pytest.fixture
def bills(records: Records) -> Bills:
    return Bills(records, SteppedClock(NOW))


def of(month: int, amount: str = "372.00", quantity: str = "744", **given: Any) -> SupplierBill:
    start, end = date(2026, month, 1), date(2026, month + 1, 1)
    return SupplierBill("1100", start, end, Decimal(quantity), Decimal(amount), **given)


async def test_a_bill_is_kept_with_all_that_stands_on_it(bills: Bills, records: Records) -> None:
    lines = (BilledLine("峰", Decimal("300.00"), Decimal("300"), Decimal("1.00")), BilledLine("谷", Decimal("72.00")))
    given = of(1, number="2026-01/17", note="paper", lines=lines)

    added = await bills.add([given], "li", "the post of today")

    [kept] = await bills.entries(["1100"])
    assert (added.ids, kept.value) == ([kept.id], given)
    assert (kept.who, kept.why, kept.entered_at_ms) == ("li", "the post of today", to_ms(NOW))
    [logged] = await logged_changes(records, kinds=["bill"])
    assert logged.change.after is not None and logged.change.after["from_day"] == "2026-01-01"


async def test_a_file_that_is_entered_twice_adds_nothing(bills: Bills) -> None:
    await bills.add([of(1), of(2)], "li")

    added = await bills.add([of(1, note="again"), of(2), of(3)], "wang")

    assert (len(added.ids), added.known, added.contradicting) == (1, 2, [])
    assert len(await bills.entries()) == 3


async def test_a_bill_that_says_otherwise_or_charges_for_a_day_twice_is_told_and_the_others_are_kept(
    bills: Bills,
) -> None:
    await bills.add([of(1)], "li")
    half = SupplierBill("1100", date(2026, 1, 31), date(2026, 2, 15), Decimal(1), Decimal("1.00"))

    added = await bills.add([of(1, amount="371.00"), half, of(3)], "wang")

    assert [(c.given, c.kept.value) for c in added.contradicting] == [(of(1, amount="371.00"), of(1)), (half, of(1))]
    assert [kept.value for kept in await bills.entries()] == [of(1), of(3)]


async def test_two_of_one_file_that_contradict_are_told(bills: Bills) -> None:
    added = await bills.add([of(1), of(1, amount="0.00")], "li")

    assert (len(added.ids), added.contradicting[0].kept.id) == (1, 0)


async def test_the_same_days_of_another_account_are_no_contradiction(bills: Bills) -> None:
    other = SupplierBill("2200", date(2026, 1, 1), date(2026, 2, 1), Decimal(1), Decimal("1.00"))

    assert len((await bills.add([of(1), other], "li")).ids) == 2
    assert [kept.value.account for kept in await bills.entries(["2200"])] == ["2200"]


async def test_a_withdrawn_bill_is_kept_holds_no_longer_and_comes_back_only_when_told(bills: Bills) -> None:
    [bill_id] = (await bills.add([of(1)], "li")).ids
    await bills.withdraw(bill_id, "wang", "credited")

    assert await bills.entries() == []
    [gone] = await bills.entries(withdrawn=True)
    assert (gone.withdrawn_by, gone.withdrawn_why) == ("wang", "credited")
    assert [kept.id for kept in (await bills.add([of(1)], "li")).withdrawn] == [bill_id]
    assert len((await bills.add([of(1)], "li", again=True)).ids) == 1
    with pytest.raises(EnergyError, match="bill 1 was withdrawn already, by wang"):
        await bills.withdraw(bill_id, "li", "again")
    with pytest.raises(UnknownName, match="bill 99 is not known"):
        await bills.withdraw(99, "li", "wrong")
    with pytest.raises(UnknownName, match="is not known"):
        await bills.withdraw(10**20, "li", "wrong")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"end": date(2026, 1, 1)}, "from 2026-01-01 must be before to 2026-01-01"),
        ({"amount": Decimal("1.005")}, "must be in whole cents"),
        ({"quantity": Decimal("NaN")}, "quantity NaN must be a number"),
        ({"account": "a/b"}, "account id 'a/b'"),
        ({"lines": (BilledLine("all", Decimal("1.00")),)}, "the lines sum to 1.00, not to 372.00"),
    ],
)
def test_a_bill_refuses_to_be_wrong(wrong: dict[str, Any], told: str) -> None:
    right = {"account": "1100", "start": date(2026, 1, 1), "end": date(2026, 2, 1)}
    with pytest.raises(ValueError, match=told):
        SupplierBill(**{**right, "quantity": Decimal(744), "amount": Decimal("372.00"), **wrong})


def test_the_days_without_a_bill_are_told() -> None:
    january, march = of(1), of(3)

    assert unbilled([march, january], None, None) == [(date(2026, 2, 1), date(2026, 3, 1))]
    assert unbilled([january], date(2025, 12, 20), date(2026, 2, 3)) == [
        (date(2025, 12, 20), date(2026, 1, 1)),
        (date(2026, 2, 1), date(2026, 2, 3)),
    ]
    assert unbilled([], None, None) == []
    assert unbilled([], date(2026, 1, 1), date(2026, 2, 1)) == [(date(2026, 1, 1), date(2026, 2, 1))]
