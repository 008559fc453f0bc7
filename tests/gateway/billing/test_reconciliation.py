"""A bill is compared with what the meters of its account say; the causes add up to the difference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from energy.bills import SupplierBill
from energy.errors import UnknownName
from energy.sites import Meter, Site
from gateway.api.words import TextWords
from gateway.billing.answers import told
from gateway.billing.metered import points_of
from gateway.billing.service import Bills
from gateway.billing.words import BillsAnswer, BillsQuery, CauseWords
from gateway.records.database import Records
from tests.analytics.tariffs.files import DAY_AND_NIGHT, tariff, version
from tests.gateway.billing.accounts import ENERGY, FLAT, hourly, meter, site
from tests.gateway.ledger.books import books

MAIN = meter("main", account="1100")
NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)


@pytest.fixture
def bills(records: Records) -> Bills:
    return Bills(records, SteppedClock(NOW))


def bill(quantity: str, amount: str, start: date = date(2026, 1, 1), end: date = date(2026, 2, 1)) -> SupplierBill:
    return SupplierBill("1100", start, end, Decimal(quantity), Decimal(amount))


async def reconciled(
    bills: Bills, *given: SupplierBill, of: Site | None = None, keys: Sequence[str] = (FLAT,), readings: Any = None
) -> BillsAnswer:
    """The answer, over 60 days of a kilowatt-hour an hour."""
    await bills.add(given, "li")
    async with books(of or site([MAIN]), tariffs=[tariff(version(*keys))]) as (kept, store):
        for columns in readings or [hourly("main", 60)]:
            await store.write(columns)
        await kept.catch_up()
        return await told(bills, kept, BillsQuery("1100"))


def causes(words: CauseWords) -> dict[str, str]:
    return {name: str(value) for name, value in zip(words.__struct_fields__, _values(words), strict=True) if value}


def _values(words: CauseWords) -> list[Decimal]:
    return [getattr(words, name) for name in words.__struct_fields__]


async def test_a_right_bill_differs_by_nothing(bills: Bills) -> None:
    [one] = (await reconciled(bills, bill("744", "372.00"))).bills

    assert one.metered is not None and one.difference is not None
    assert (one.metered.quantity, one.metered.amount, one.metered.basis) == (Decimal(744), Decimal("372.00"), "tariff")
    assert (one.metered.meters, one.metered.unit, one.metered.shares.measured) == (["main"], "kWh", 1.0)
    assert not one.difference.amount and causes(one.difference.causes) == {}


async def test_a_bill_that_differs_by_quantity_and_by_price_is_explained_to_the_cent(bills: Bills) -> None:
    # 800 kWh at 0.55 instead of 744 at 0.50: 56 kWh at our price, and 0.05 more for each of the 800.
    [one] = (answer := await reconciled(bills, bill("800", "440.00"))).bills

    assert one.difference is not None and answer.total is not None
    assert [one.difference.amount, one.difference.quantity] == [Decimal(68), Decimal(56)]
    assert causes(one.difference.causes) == {"quantity": "28.00", "price": "40.00"}
    assert sum(_values(one.difference.causes)) == one.difference.amount
    assert (answer.total.compared, answer.total.differing) == (1, Decimal(68))


async def test_a_bill_by_bands_takes_the_metered_half_hours_of_each_band(bills: Bills) -> None:
    # 31 days of 16 hours at 1.00 and 8 at 0.40.
    by_band = (
        "price: {peak: 1.00, valley: 0.40}",
        f"time_of_use: {{hours: {{all_year: {{every_day: {DAY_AND_NIGHT}}}}}}}",
    )
    [one] = (await reconciled(bills, bill("744", "595.20"), keys=by_band)).bills

    assert one.metered is not None
    assert one.metered.amount == Decimal("595.20") == 31 * 16 + Decimal("0.40") * 31 * 8


async def test_a_bill_of_no_whole_month_is_compared_with_the_cost_by_use(bills: Bills) -> None:
    ten_days = bill("240", "120.00", date(2026, 1, 10), date(2026, 1, 20))

    [one] = (await reconciled(bills, ten_days)).bills

    assert one.metered is not None and one.difference is not None
    assert (one.metered.basis, one.metered.amount, one.difference.amount) == ("use", Decimal(120), Decimal(0))


async def test_a_bill_over_new_year_takes_both_sides_of_it(bills: Bills) -> None:
    start = datetime.fromisoformat("2025-12-20T00:00:00+08:00")
    over = bill("480", "240.00", date(2025, 12, 20), date(2026, 1, 9))

    [one] = (await reconciled(bills, over, readings=[hourly("main", 30, start=start)])).bills

    # December has no price in this tariff.
    assert one.metered is not None
    assert (one.metered.quantity, one.metered.shares.measured) == (Decimal(480), 1.0)
    assert (one.metered.amount, one.difference) == (None, None)
    assert one.metered.lacking is not None
    assert "no price is known for some of the use" in one.metered.lacking.en


async def test_the_basic_charge_follows_the_capacity_of_the_account(bills: Bills) -> None:
    keys = (FLAT, "basic_charge: {capacity: 30}")

    [one] = (await reconciled(bills, bill("744", "3372.00"), of=site([MAIN], capacity_kva=100.0), keys=keys)).bills

    assert one.metered is not None and one.metered.amount == Decimal("3372.00")


async def test_what_the_tariff_asks_for_and_nobody_told_is_named_and_nothing_is_compared(bills: Bills) -> None:
    [one] = (await reconciled(bills, bill("744", "3372.00"), keys=(FLAT, "basic_charge: {capacity: 30}"))).bills

    assert one.metered is not None
    assert (one.metered.quantity, one.metered.missing, one.difference) == (Decimal(744), ["capacity"], None)
    assert one.metered.lacking == TextWords("按电价 t 计算账单，还缺变压器容量", "the bill by tariff t lacks capacity")


async def test_what_was_used_before_in_the_year_is_taken_from_the_ledger(bills: Bills) -> None:
    # 744 kWh in January: of the 672 of February 256 lie below 1,000.
    keys = ("tiers: {period: year, steps: [{up_to: 1000, price: 1}, {price: 2}]}",)

    [one] = (await reconciled(bills, bill("672", "1088.00", date(2026, 2, 1), date(2026, 3, 1)), keys=keys)).bills

    assert one.metered is not None and one.metered.amount == 256 + 2 * 416


async def test_where_part_of_the_time_is_missing_the_shares_say_so(bills: Bills) -> None:
    [one] = (await reconciled(bills, bill("744", "372.00"), readings=[hourly("main", 10)])).bills

    assert one.metered is not None and one.difference is not None
    assert one.metered.quantity == 240
    assert one.metered.shares.missing == pytest.approx(21 / 31, abs=1e-6)
    assert one.difference.quantity == 504


@pytest.mark.parametrize(
    ("of", "zh", "en"),
    [
        (site([meter("main")]), "没有表计登记在这个户号下", "no meter names this account"),
        (site([meter("silent", account="1100")]), "这些天没有任何数据", "nothing of these days is known"),
        (site([MAIN], tariff=None), "这个户号没有登记电价", "the account has no tariff"),
        (site([MAIN], tariff="other"), "电价 'other' 不在记录中", "tariff 'other' is not in the records"),
    ],
)
async def test_what_cannot_be_compared_says_why_in_both_languages(bills: Bills, of: Site, zh: str, en: str) -> None:
    [one] = (await reconciled(bills, bill("744", "372.00"), of=of)).bills

    assert one.metered is not None
    assert (one.metered.lacking, one.metered.amount, one.difference) == (TextWords(zh, en), None, None)


async def test_withdrawn_bills_and_those_of_all_accounts_are_only_told(bills: Bills) -> None:
    [bill_id] = (await bills.add([bill("744", "372.00")], "li")).ids
    await bills.withdraw(bill_id, "li", "wrong")
    async with books(site([MAIN])) as (kept, _):
        [gone] = (await told(bills, kept, BillsQuery("1100", withdrawn=True))).bills
        everything = await told(bills, kept, BillsQuery())

    assert (gone.metered, gone.bill.withdrawn_why) == (None, "wrong")
    assert (everything.bills, everything.total) == ([], None)


async def test_an_account_of_no_site_is_told(bills: Bills) -> None:
    await bills.add([bill("744", "372.00")], "li")
    async with books() as (kept, _):
        with pytest.raises(UnknownName, match="account '1100' is of no site"):
            await told(bills, kept, BillsQuery("1100"))


@pytest.mark.parametrize(
    ("meters", "counted"),
    [
        ([MAIN, meter("sub", parent="main", account="1100")], ["main"]),
        ([MAIN, meter("between", parent="main"), meter("sub", parent="between", account="1100")], ["main"]),
        ([MAIN, meter("other", account="1100")], ["main", "other"]),
        ([meter("top"), meter("sub", parent="top", account="1100")], ["sub"]),
    ],
)
def test_no_meter_of_an_account_is_counted_behind_another_of_it(meters: list[Meter], counted: list[str]) -> None:
    assert [(p.meter, p.quantity) for p in points_of(site(meters), "1100")] == [(name, ENERGY) for name in counted]
