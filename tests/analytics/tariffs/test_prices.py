"""What a unit costs in each half hour, decided by the wall clock; what amounts cost, exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.tariffs.hours import Band
from analytics.tariffs.prices import HalfHours, cost_micro, half_hour_prices
from analytics.tariffs.tariff import Tariff
from analytics.tariffs.tariff_file import read_tariffs
from tests.analytics.tariffs.files import CONFIG, DAY_AND_NIGHT, tariff, version

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
PRICES = "price: {peak: 1.0, valley: 0.4}"
EVERY_DAY = f"time_of_use: {{hours: {{all_year: {{every_day: {DAY_AND_NIGHT}}}}}}}"


def at(tariff: Tariff, local: str, n: int = 1, zone: ZoneInfo = SHANGHAI) -> HalfHours:
    start = datetime.fromisoformat(local)
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    return half_hour_prices(tariff, int(start.timestamp() * 1000), n, zone)


def words(found: HalfHours) -> list[str]:
    return [Band(code).word for code in found.band.tolist()]


def test_the_half_hour_that_begins_at_an_edge_has_the_new_band() -> None:
    day = tariff(
        version(PRICES, "time_of_use: {hours: {all_year: {every_day: {peak: [07:30-23:00], valley: [23:00-07:30]}}}}")
    )

    found = at(day, "2026-05-04 07:00", 2)

    assert words(found) == ["valley", "peak"]
    assert found.price.tolist() == [400_000, 1_000_000]
    assert found.known.all()


def test_components_and_surcharges_are_part_of_the_price_of_a_unit() -> None:
    fund = "surcharges: [{id: fund, name: {zh: 基金, en: Fund}, price: 0.03}]"
    line_loss = "components: [{id: loss, name: {zh: 线损, en: Line loss}, price: 0.012345}]"

    assert at(tariff(version("price: 0.5", fund, line_loss)), "2026-05-04 07:00").price.tolist() == [542_345]


def test_the_season_changes_at_local_midnight() -> None:
    [beijing] = read_tariffs(CONFIG / "example-tou.yaml")

    assert words(at(beijing, "2026-06-30 11:00")) == ["peak"]
    assert words(at(beijing, "2026-07-01 11:00")) == ["sharp"]
    assert words(at(beijing, "2026-06-30 23:30", 2)) == ["valley", "valley"]


def test_a_season_of_days_may_cross_new_year() -> None:
    seasons = "seasons: {heating: {days: [11-15..03-15]}, rest: {days: [03-16..11-14]}}"
    hours = f"hours: {{heating: {{every_day: {{peak: [00:00-24:00]}}}}, rest: {{every_day: {DAY_AND_NIGHT}}}}}"
    found = tariff(version(PRICES, f"time_of_use: {{{seasons}, {hours}}}"))

    assert [words(at(found, f"2026-{day} 02:00"))[0] for day in ("11-14", "11-15", "03-15", "03-16")] == [
        "valley",
        "peak",
        "peak",
        "valley",
    ]


BY_DAY = (
    "time_of_use: {holidays: [2026-10-01..2026-10-07], workdays: [2026-10-10], hours: {all_year: "
    f"{{workday: {DAY_AND_NIGHT}, weekend: {{valley: [00:00-24:00]}}, holiday: {{deep_valley: [00:00-24:00]}}}}}}}}"
)
WITH_HOLIDAYS = version("price: {peak: 1.0, valley: 0.4, deep_valley: 0.2}", BY_DAY)


@pytest.mark.parametrize(
    ("day", "band"),
    [
        ("2026-10-09", "peak"),  # a Friday
        ("2026-10-10", "peak"),  # a Saturday that is worked
        ("2026-10-11", "valley"),  # a Sunday
        ("2026-10-01", "deep_valley"),  # a Thursday, the national day
    ],
)
def test_the_kind_of_day_decides(day: str, band: str) -> None:
    assert words(at(tariff(WITH_HOLIDAYS), f"{day} 12:00")) == [band]


def test_a_year_whose_holidays_are_not_told_is_not_priced_where_they_matter() -> None:
    assert not at(tariff(WITH_HOLIDAYS), "2027-10-01 12:00").known[0]
    assert at(tariff(version(PRICES, EVERY_DAY)), "2027-10-01 12:00").known[0]


def test_without_lists_of_days_the_weekday_decides() -> None:
    hours = f"hours: {{all_year: {{every_day: {DAY_AND_NIGHT}, weekend: {{valley: [00:00-24:00]}}}}}}"

    found = tariff(version(PRICES, f"time_of_use: {{{hours}}}"))

    assert words(at(found, "2030-05-03 12:00")) == ["peak"]
    assert words(at(found, "2030-05-04 12:00")) == ["valley"]


@pytest.mark.parametrize(
    ("day", "slots", "valley"), [("2026-03-29", 46, 14), ("2026-10-25", 50, 18), ("2026-10-26", 48, 16)]
)
def test_on_a_day_on_which_the_clock_is_changed_the_wall_clock_decides(day: str, slots: int, valley: int) -> None:
    found = at(tariff(version(PRICES, EVERY_DAY)), day, slots, BERLIN)

    assert words(found).count("valley") == valley
    assert words(found)[-3:] == ["peak", "valley", "valley"]


def test_29_february_is_a_day_of_its_season() -> None:
    seasons = "seasons: {cold: {days: [12-01..02-29]}, warm: {days: [03-01..11-30]}}"
    hours = f"hours: {{cold: {{every_day: {{peak: [00:00-24:00]}}}}, warm: {{every_day: {DAY_AND_NIGHT}}}}}"
    found = tariff(version(PRICES, f"time_of_use: {{{seasons}, {hours}}}"))

    assert words(at(found, "2028-02-29 02:00")) == ["peak"]
    assert words(at(found, "2028-03-01 02:00")) == ["valley"]


def test_a_new_version_begins_at_local_midnight_and_the_old_one_holds_through_its_last_day() -> None:
    found = tariff(version("price: 0.50", until="2026-05-31"), version("price: 0.60", since="2026-06-01"))

    assert at(found, "2026-05-31 23:30", 2).price.tolist() == [500_000, 600_000]
    assert at(found, "2026-05-31T15:30:00+00:00", 2).price.tolist() == [500_000, 600_000]


def test_what_is_under_no_version_is_not_known() -> None:
    gap = tariff(version("price: 0.5", until="2026-05-31"), version("price: 0.6", since="2026-06-02"))

    found = at(gap, "2026-05-31 23:30", 50)

    assert found.known.tolist() == [True] + [False] * 48 + [True]
    assert not at(gap, "2025-12-31 23:30").known[0]


def test_the_price_of_a_month_wins_over_the_version_s_own() -> None:
    monthly = "monthly: {2026-03: 0.7, 2026-04: {peak: 1.1, valley: 0.5}}"
    found = tariff(version(PRICES, monthly, EVERY_DAY))

    assert at(found, "2026-03-31 23:30", 2).price.tolist() == [700_000, 500_000]
    assert words(at(found, "2026-03-31 22:30", 2)) == ["peak", "valley"]
    assert at(found, "2026-05-01 00:00").price.tolist() == [400_000]


def test_a_month_without_a_price_of_its_own_is_not_known_where_the_version_has_none() -> None:
    found = tariff(version("monthly: {2026-03: 0.7}"))

    assert at(found, "2026-03-31 23:30", 2).known.tolist() == [True, False]


def test_a_price_by_cumulative_use_is_not_known_by_half_hour() -> None:
    found = tariff(
        version("tiers: {period: year, steps: [{up_to: 10, price: 1}, {price: 2}]}"), medium="gas", unit="m3"
    )

    assert not at(found, "2026-03-31 23:30").known[0]


def test_a_price_below_zero_is_kept_where_it_is_meant() -> None:
    assert at(tariff(version("price: -0.05", "negative_prices: true")), "2026-03-31 23:30").price.tolist() == [-50_000]


def test_a_start_off_the_half_hour_is_refused_and_nothing_asked_is_nothing() -> None:
    with pytest.raises(ValueError, match="not on a half hour"):
        half_hour_prices(tariff(version("price: 1")), 1_800_001, 1, SHANGHAI)

    assert len(half_hour_prices(tariff(version("price: 1")), 0, 0, SHANGHAI)) == 0


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_a_year_is_what_its_half_hours_are_one_by_one(zone: str) -> None:
    [beijing] = read_tariffs(CONFIG / "example-tou.yaml")
    there, start = ZoneInfo(zone), int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp() * 1000)
    whole = half_hour_prices(beijing, start, 17_400, there)

    for i in range(0, 17_400, 97):
        one = half_hour_prices(beijing, start + i * 1_800_000, 1, there)
        assert (one.price[0], one.band[0], one.known[0]) == (whole.price[i], whole.band[i], whole.known[i])


def exactly(amount: int, price: int) -> int:
    size = (abs(amount) * abs(price) + 500_000) // 1_000_000
    return size if (amount < 0) == (price < 0) else -size


def test_half_a_micro_yuan_is_rounded_away_from_zero() -> None:
    amounts = np.array([1, -1, 3, 1_000_000, 0])

    assert cost_micro(amounts, np.full(5, 500_000)).tolist() == [1, -1, 2, 500_000, 0]


@given(
    st.lists(
        st.tuples(st.integers(-(10**15), 10**15), st.integers(-(10**9), 10**9)),
        min_size=1,
        max_size=30,
    )
)
def test_costs_are_those_of_whole_numbers_of_any_size_slot_by_slot(slots: list[tuple[int, int]]) -> None:
    amount, price = (np.array(column, dtype=np.int64) for column in zip(*slots, strict=True))

    assert cost_micro(amount, price).tolist() == [exactly(a, p) for a, p in slots]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30), st.integers(0, 10**8), st.integers(0, 30))
def test_costs_of_slots_add_up_however_they_are_split(amounts: list[int], price: int, cut: int) -> None:
    whole = cost_micro(np.array(amounts), np.full(len(amounts), price))
    parts = [cost_micro(np.array(part, np.int64), np.full(len(part), price)) for part in (amounts[:cut], amounts[cut:])]

    assert int(whole.sum()) == sum(int(part.sum()) for part in parts)
    # Each slot is rounded once, by half a micro-yuan at most.
    assert abs(2 * (int(whole.sum()) * 1_000_000 - sum(amounts) * price)) <= len(amounts) * 1_000_000


def test_what_64_bits_may_not_hold_is_refused() -> None:
    with pytest.raises(OverflowError, match="beyond 64 bits"):
        cost_micro(np.array([10**18]), np.array([10**8]))
    with pytest.raises(OverflowError):
        cost_micro(np.array([-(2**63)]), np.array([10**8]))
