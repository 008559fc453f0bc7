"""The bill of a month, line by line, by numbers that can be checked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.tariffs.account import Missing, Use
from analytics.tariffs.bill import Bill, bill
from analytics.tariffs.bill_lines import LineKind
from analytics.tariffs.charges import Basis
from analytics.tariffs.fixed_lines import power_factor
from analytics.tariffs.hours import Band
from analytics.tariffs.tariff import Tariff
from analytics.tariffs.tariff_file import read_tariffs
from energy.errors import EnergyError
from tests.analytics.tariffs.files import CONFIG, tariff, version

D = Decimal
[TOU] = read_tariffs(CONFIG / "example-tou.yaml")
TABLE = TOU.versions[0].power_factor
BY_BAND = {Band.PEAK: D(1000), Band.FLAT: D(2000), Band.VALLEY: D(500)}


def amounts(made: Bill, kind: LineKind) -> list[str]:
    return [str(line.amount) for line in made.lines if line.kind is kind]


def undivided(used: int | str) -> dict[Band, Decimal]:
    return {Band.NONE: D(used)}


def test_a_two_part_bill_holds_energy_by_band_funds_basic_charge_and_power_factor() -> None:
    use = Use(BY_BAND, reactive=D(0), capacity=D(100), charged_by=Basis.CAPACITY)

    made = bill(TOU, "2026-05", use)

    assert amounts(made, LineKind.ENERGY) == ["1000.00", "1400.00", "200.00"]
    assert amounts(made, LineKind.SURCHARGE) == ["105.00"]
    assert amounts(made, LineKind.CAPACITY) == ["3000.00"]
    # The power factor is 1: 1.1 % less of 3000 + 2600, the funds left out; 61.6.
    assert amounts(made, LineKind.POWER_FACTOR) == ["-61.60"]
    assert made.total == D("5643.40")
    assert made.complete


@pytest.mark.parametrize(
    ("reached", "percent"),
    [
        *(
            ("0.85", "0"),
            ("0.84", "0.5"),
            ("0.65", "10"),
            ("0.64", "11"),
            ("0.60", "15"),
            ("0.59", "17"),
            ("0.00", "135"),
        ),
        *(("0.86", "-0.1"), ("0.90", "-0.5"), ("0.91", "-0.65"), ("0.94", "-1.1"), ("0.95", "-1.1"), ("1.00", "-1.1")),
    ],
)
def test_the_power_factor_table_of_0_85(reached: str, percent: str) -> None:
    assert TABLE is not None
    assert TABLE.percent(D(reached)) == D(percent)


def test_the_power_factor_is_that_of_the_month_s_energies_to_the_hundredth() -> None:
    assert power_factor(D(300), D(400)) == D("0.60")
    assert power_factor(D(0), D(0)) is None
    # 1 / sqrt(1 + 0.62^2) is 0.8499.
    assert power_factor(D(100), D(62)) == D("0.85")


def test_the_line_of_the_power_factor_shows_its_base_and_its_share() -> None:
    made = bill(TOU, "2026-05", Use(BY_BAND, reactive=D("4666.67"), capacity=D(100), charged_by=Basis.CAPACITY))

    [line] = [x for x in made.lines if x.kind is LineKind.POWER_FACTOR]
    assert (line.quantity, line.price, line.amount) == (D("5600.00"), D("0.15"), D("840.00"))


@pytest.mark.parametrize(("used", "price"), [("25999", "48"), ("26000", "43.2")])
def test_demand_is_cheaper_from_260_kwh_per_kva_on(used: str, price: str) -> None:
    use = Use({Band.FLAT: D(used)}, reactive=D(0), max_demand=D(80), capacity=D(100), charged_by=Basis.DEMAND)

    [line] = [x for x in bill(TOU, "2026-05", use).lines if x.kind is LineKind.DEMAND]

    assert (line.quantity, line.price) == (D(80), D(price))


def test_a_tariff_with_one_basis_needs_no_choice_and_allows_no_other() -> None:
    found = tariff(version("price: 0.5", "basic_charge: {capacity: 30}"))

    assert bill(found, "2026-05", Use(undivided(0), capacity=D(100))).total == D("3000.00")
    with pytest.raises(EnergyError, match="charged by demand"):
        bill(found, "2026-05", Use(undivided(0), max_demand=D(1), charged_by=Basis.DEMAND))


def test_what_nobody_told_is_missing_and_no_adjustment_is_made_of_a_base_that_lacks_something() -> None:
    made = bill(TOU, "2026-05", Use(BY_BAND, reactive=D(0)))

    assert made.missing == (Missing.CHARGED_BY,)
    assert not made.complete
    assert amounts(made, LineKind.POWER_FACTOR) == []
    assert amounts(made, LineKind.ENERGY) == ["1000.00", "1400.00", "200.00"]


@pytest.mark.parametrize(
    ("use", "missing"),
    [
        (Use(BY_BAND, capacity=D(1), charged_by=Basis.CAPACITY), Missing.REACTIVE),
        (Use(undivided(9), reactive=D(0), capacity=D(1), charged_by=Basis.CAPACITY), Missing.BANDS),
        (Use(BY_BAND, reactive=D(0), charged_by=Basis.CAPACITY), Missing.CAPACITY),
        (Use(BY_BAND, reactive=D(0), max_demand=D(9), charged_by=Basis.DEMAND), Missing.CAPACITY),
        (Use(BY_BAND, reactive=D(0), capacity=D(9), charged_by=Basis.DEMAND), Missing.MAX_DEMAND),
        (Use({}, reactive=D(0), capacity=D(9), charged_by=Basis.CAPACITY), Missing.USE),
    ],
)
def test_each_thing_that_is_asked_for_is_named_when_it_is_missing(use: Use, missing: Missing) -> None:
    assert bill(TOU, "2026-05", use).missing == (missing,)


def test_use_in_a_band_without_a_price_is_refused() -> None:
    with pytest.raises(EnergyError, match="no price for deep_valley, in which 12 kWh"):
        bill(TOU, "2026-05", Use({Band.DEEP_VALLEY: D(12)}))


def test_the_purchased_price_of_a_month_is_billed() -> None:
    found = tariff(version("price: 0.5", "monthly: {2026-03: 0.43}"))

    assert bill(found, "2026-03", Use(undivided(100))).total == D("43.00")
    assert bill(found, "2026-04", Use(undivided(100))).total == D("50.00")
    assert bill(tariff(version("monthly: {2026-03: 0.43}")), "2026-04", Use(undivided(1))).missing == (Missing.PRICE,)


def gas_steps() -> Tariff:
    return read_tariffs(CONFIG / "example-gas.yaml")[1]


def test_a_month_that_crosses_steps_pays_each_part_at_its_own() -> None:
    made = bill(gas_steps(), "2026-05", Use(undivided(300), used_before=D(300)))

    assert [(x.quantity, x.price, x.amount) for x in made.lines] == [
        (D(50), D("2.6"), D("130.00")),
        (D(150), D("2.8"), D("420.00")),
        (D(100), D("3.9"), D("390.00")),
    ]


def test_steps_of_a_year_need_what_was_used_before_but_in_january() -> None:
    assert bill(gas_steps(), "2026-05", Use(undivided(300))).missing == (Missing.USED_BEFORE,)
    assert bill(gas_steps(), "2026-01", Use(undivided(300))).total == D("780.00")


@given(st.lists(st.integers(0, 400), min_size=12, max_size=12))
def test_the_steps_of_a_year_s_months_are_those_of_the_year(months: list[int]) -> None:
    before, total = 0, D(0)
    for i, used in enumerate(months, start=1):
        total += bill(gas_steps(), f"2026-{i:02}", Use(undivided(used), used_before=D(before))).total
        before += used

    first, second, rest = min(before, 350), min(max(before - 350, 0), 150), max(before - 500, 0)
    assert total == D("2.6") * first + D("2.8") * second + D("3.9") * rest


def test_progressive_water_is_reckoned_on_the_basic_price_alone() -> None:
    [water] = read_tariffs(CONFIG / "example-water.yaml")

    made = bill(water, "2026-12", Use(undivided(800), used_before=D(900), quota=D(1000)))

    assert amounts(made, LineKind.ENERGY) == ["3200.00"]
    assert amounts(made, LineKind.COMPONENT) == ["1120.00", "480.00"]
    # 700 beyond 1000: 300 at 20 %, 200 at 50 %, 200 at 100 % of 4 yuan.
    assert amounts(made, LineKind.EXCESS) == ["240.00", "400.00", "800.00"]


def test_water_within_its_quota_pays_no_excess_and_without_a_quota_says_so() -> None:
    [water] = read_tariffs(CONFIG / "example-water.yaml")

    assert (
        amounts(bill(water, "2026-12", Use(undivided(100), used_before=D(900), quota=D(1000))), LineKind.EXCESS) == []
    )
    assert bill(water, "2026-12", Use(undivided(100), used_before=D(900))).missing == (Missing.QUOTA,)


def test_heat_by_area_is_charged_in_its_months() -> None:
    by_month, two_part = read_tariffs(CONFIG / "example-heat.yaml")

    assert bill(by_month, "2026-12", Use(area=D("1234.56"))).total == D("9876.48")
    assert bill(by_month, "2026-06", Use(area=D("1234.56"))).total == D("0.00")
    # 100 m2 at 12 yuan in the first month of the season alone, and 10 GJ at 60 yuan.
    assert bill(two_part, "2026-11", Use(undivided(10), area=D(100))).total == D("1800.00")
    assert bill(two_part, "2026-12", Use(undivided(10), area=D(100))).total == D("600.00")
    assert bill(two_part, "2026-11", Use(undivided(10))).missing == (Missing.AREA,)


def test_a_month_that_two_versions_share_is_refused() -> None:
    found = tariff(version("price: 0.50", until="2026-05-14"), version("price: 0.60", since="2026-05-15"))

    with pytest.raises(EnergyError, match="no version holds from 2026-05-01 to 2026-05-31"):
        bill(found, "2026-05", Use(undivided(1)))


@given(st.lists(st.decimals(0, 10**6, places=3), min_size=3, max_size=3), st.decimals(0, 10**6, places=3))
def test_lines_are_whole_cents_and_the_total_is_their_sum(used: list[Decimal], reactive: Decimal) -> None:
    bands = dict(zip((Band.PEAK, Band.FLAT, Band.VALLEY), used, strict=True))

    made = bill(TOU, "2026-05", Use(bands, reactive=reactive, capacity=D("315.5"), charged_by=Basis.CAPACITY))

    assert made.total == sum(x.amount for x in made.lines)
    assert all(x.amount.as_tuple().exponent == -2 for x in made.lines)
    assert all(abs(x.amount - x.quantity * x.price) <= D("0.005") for x in made.lines)


@pytest.mark.parametrize(("used", "amount"), [("0.25", "0.13"), ("0.24", "0.12")])
def test_half_a_cent_is_rounded_up(used: str, amount: str) -> None:
    assert str(bill(tariff(version("price: 0.5")), "2026-05", Use(undivided(used))).total) == amount


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"area": D(-1)}, "area -1 must be"),
        ({"bands": {Band.NONE: D(1), Band.PEAK: D(1)}}, "divided"),
        ({"bands": {Band.PEAK: D("NaN")}}, "peak NaN must be"),
        ({"charged_by": "size"}, "not a valid Basis"),
    ],
)
def test_a_use_refuses_to_be_wrong(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Use(**keys)
