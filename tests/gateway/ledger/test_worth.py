"""What consumption costs, half hour by half hour, to the last millionth."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from analytics.tariffs.tariff import Tariff
from energy.hours import UNPRICED, Hours
from energy.periods import Span
from energy.readings import to_ms
from energy.sites import Site
from gateway.ledger.books import Books, Kept
from gateway.ledger.service import Range
from gateway.ledger.worth import TariffWorth
from tests.analytics.tariffs.files import tariff, version
from tests.gateway.ledger.books import MAIN, NOBODY, START, books, columns, kwh, over, quarters
from tests.gateway.ledger.sites import account, meter, point, site

HALF = timedelta(minutes=30)
EDGE_AT_HALF_PAST = "time_of_use: {hours: {all_year: {every_day: {peak: [07:30-22:30], valley: [22:30-07:30]}}}}"
DAY_AND_NIGHT = tariff(version("price: {peak: 1.0, valley: 0.4}", EDGE_AT_HALF_PAST))
BILLED = site(meter("main", account="1001"), accounts=[account("1001", "t")])


async def yuan(kept: Books, asked: Range) -> list[float]:
    found = await kept.consumption.of_point(MAIN, asked)
    return [c / 1e6 for c in found.cost.tolist()]


async def priced(
    campus: Site, paid: Tariff, hours: float, by: Span = Span.HOUR, start: datetime = START
) -> list[float]:
    async with books(campus, tariffs=[paid]) as (kept, store):
        await store.write(columns(quarters(round(hours * 4), start=start)))
        await kept.catch_up()
        return await yuan(kept, over(hours, by, start))


async def test_the_hour_in_which_the_band_changes_costs_each_half_at_its_own_price() -> None:
    """Ten kWh an hour: 4 yuan at night, 10 by day, and between seven and eight 5 × 0.4 + 5 × 1.0."""
    found = await priced(BILLED, DAY_AND_NIGHT, 24)

    assert found == [4.0] * 7 + [7.0] + [10.0] * 14 + [7.0] + [4.0]


async def test_halves_of_an_hour_are_priced_by_what_flowed_in_each() -> None:
    """Between seven and eight 1 kWh flows in the first half, 9 in the second."""
    use = [2.5] * 28 + [0.5, 0.5, 4.5, 4.5] + [2.5] * 64
    async with books(BILLED, tariffs=[DAY_AND_NIGHT]) as (kept, store):
        await store.write(columns(quarters(96, use)))
        await kept.catch_up()

        assert (await yuan(kept, over(24)))[7] == 1 * 0.4 + 9 * 1.0
        assert await yuan(kept, over(24, Span.DAY)) == [14 * 10.0 + 9.4 + 8 * 4.0 + 7.0]


async def test_the_money_of_the_halves_of_an_hour_is_the_money_of_the_hour() -> None:
    async with books(BILLED, tariffs=[DAY_AND_NIGHT]) as (kept, store):
        await store.write(columns(quarters(96)))
        await kept.catch_up()
        halves = [await yuan(kept, over(0.5, Span.DAY, START + i * HALF)) for i in (14, 15)]

    assert halves[0][0] + halves[1][0] == 7.0


async def test_a_price_changes_at_local_midnight() -> None:
    """On 1 March in Shanghai, which is four in the afternoon of the day before in UTC."""
    paid = tariff(
        version("price: 0.5", since="2026-01-01", until="2026-02-28"), version("price: 0.8", since="2026-03-01")
    )
    start = datetime.fromisoformat("2026-02-28T22:00:00+08:00")

    assert await priced(BILLED, paid, 4, start=start) == [5.0, 5.0, 8.0, 8.0]


async def test_hours_that_no_tariff_prices_are_told_and_are_not_for_nothing() -> None:
    paid = tariff(version("price: 0.5", since="2026-03-03"))
    async with books(BILLED, tariffs=[paid]) as (kept, store):
        await store.write(columns(quarters(192)))
        await kept.catch_up()
        rows = await kept.ledger.hours([0], 0, 1 << 30)
        found = await kept.consumption.of_point(MAIN, over(48, Span.DAY))

    assert rows.cost.tolist() == [UNPRICED] * 24 + [5_000_000] * 24
    assert found.cost.tolist() == [0, 120_000_000]
    assert found.unpriced.tolist() == [240_000_000, 0]


def of_ten_kwh(first_hour: int, n: int, kwh: float = 10.0) -> Hours:
    """Hours of ten kWh each, five in each half."""
    amount, zero = np.full(n, round(kwh * 1e6), np.int64), np.zeros(n, np.int32)
    hour = (first_hour + np.arange(n)).astype(np.int32)
    return Hours(zero, hour, amount, amount // 2, amount * 0, amount * 0, zero, zero, zero, zero)


def test_what_did_not_flow_costs_nothing_whatever_its_price() -> None:
    not_yet = TariffWorth(tariff(version("price: 0.5", since="2026-03-03")), NOBODY.zone_info)

    assert not_yet.cost(Hours.none()).tolist() == []
    assert not_yet.cost(of_ten_kwh(0, 1, kwh=0.0)).tolist() == [0]
    assert not_yet.cost(of_ten_kwh(0, 1)).tolist() == [UNPRICED]


async def test_a_changed_tariff_is_priced_anew_and_no_amount_is_touched() -> None:
    async with books(BILLED, tariffs=[tariff(version("price: 0.5"))]) as (kept, store):
        await store.write(columns(quarters(96)))
        await kept.catch_up()
        before = await kept.ledger.hours([0], 0, 1 << 30)
        kept.take(Kept(BILLED, (), [tariff(version("price: 0.75"))]))
        built = await kept.catch_up()
        after = await kept.ledger.hours([0], 0, 1 << 30)
        again = await kept.catch_up()

    assert set(before.cost.tolist()) == {5_000_000}
    assert set(after.cost.tolist()) == {7_500_000}
    assert after.amount.tolist() == before.amount.tolist()
    assert (built.points, built.readings) == (1, 0)
    assert again.points == 0


async def test_a_tariff_that_is_taken_away_leaves_no_price_behind() -> None:
    async with books(BILLED, tariffs=[DAY_AND_NIGHT]) as (kept, store):
        await store.write(columns(quarters(96)))
        await kept.catch_up()
        kept.take(Kept(BILLED))
        await kept.catch_up()
        found = await kept.consumption.of_point(MAIN, over(24, Span.DAY))

    assert found.cost.tolist() == [0]
    assert found.unpriced.tolist() == [240_000_000]


async def test_late_readings_are_priced_as_they_come() -> None:
    rows = quarters(96)
    late = {t: v for t, v in rows.items() if t > START + timedelta(hours=20)}
    async with books(BILLED, tariffs=[DAY_AND_NIGHT]) as (kept, store):
        await store.write(columns({t: v for t, v in rows.items() if t not in late}))
        await kept.catch_up()
        await store.write(columns(late))
        await kept.catch_up()

        assert sum(await yuan(kept, over(24))) == 14 * 10.0 + 2 * 7.0 + 8 * 4.0


async def test_a_sub_meter_is_priced_by_the_account_of_its_main() -> None:
    campus = site(meter("main", account="1001"), meter("sub", "main"), meter("apart"), accounts=[account("1001", "t")])
    async with books(campus, tariffs=[DAY_AND_NIGHT]) as (kept, store):
        for name in ("sub", "apart"):
            await store.write(columns(quarters(4), point(name)))
        await kept.catch_up()
        sub, apart = [await kept.consumption.of_point(point(n), over(1)) for n in ("sub", "apart")]

    assert (sub.cost.tolist(), apart.cost.tolist()) == ([4_000_000], [0])
    assert kwh(apart) == [10.0]
    assert apart.unpriced.tolist() == [10_000_000]


def test_what_a_tariff_says_is_part_of_what_the_hours_were_made_under() -> None:
    one, same, other = (TariffWorth(tariff(version(f"price: {p}")), NOBODY.zone_info) for p in (0.5, 0.5, 0.6))

    assert one.id == same.id != other.id


def test_prices_are_the_same_in_whatever_order_hours_are_asked() -> None:
    whole, pieces = (TariffWorth(DAY_AND_NIGHT, NOBODY.zone_info) for _ in range(2))
    n = 24 * 120
    hours = of_ten_kwh(to_ms(START) // 3_600_000, n)
    wanted = whole.cost(hours)
    parts = [slice(2000, 2400), slice(0, 100), slice(2400, n), slice(100, 2000)]

    assert [pieces.cost(hours.take(p)).tolist() for p in parts] == [wanted[p].tolist() for p in parts]
