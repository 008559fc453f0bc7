"""Converting: the arithmetic by hand, the traps, and what a figure says of itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.carbon.factor_sets import Converted, FactorSet, total
from analytics.carbon.factors import Carrier, FactorError, FactorKind
from energy.confidence import Confidence
from energy.errors import UnitError
from energy.sites import Text
from tests.analytics.carbon.shipped import book


def converted(
    carrier: str, amount: str, unit: str, of: str = "equivalent-2023-national", year: int = 2024
) -> Converted:
    return book().set(of).convert(Carrier(carrier), Decimal(amount), unit, year)


@pytest.mark.parametrize(
    ("carrier", "amount", "unit", "kgce", "kgco2", "gj"),
    [
        # 10^6 kWh x 0.1229 = 122.9 tce; x 0.5306 = 530.6 t; x 3.6 MJ = 3600 GJ
        ("electricity", "1000000", "kWh", "122900", "530600", "3600"),
        ("electricity", "1000", "MWh", "122900", "530600", "3600"),
        # 10^4 m3: 21.622 t of CO2, not 2.1622
        ("natural_gas", "10000", "m3", "13300", "21622", "389.79108"),
        # 1 GJ: 34.12 kgce, not 0.03412; 0.11 t = 110 kg
        ("heat", "1", "GJ", "34.12", "110", "1"),
        ("heat", "1000", "MJ", "34.12", "110", "1"),
        # 1 t of coal: 0.7143 tce
        ("coal", "1", "t", "714.3", "1900.3", "20.93441868"),
        # 9000 L x 0.73 = 6570 kg
        ("petrol", "9000", "L", "9667.098", "19217.907", "283.31944134"),
        ("petrol", "6570", "kg", "9667.098", "19217.907", "283.31944134"),
        ("diesel", "1", "m3", "1253.106", "2662.474", "36.72552941"),
    ],
)
def test_an_amount_comes_to_what_one_reckons_by_hand(
    carrier: str, amount: str, unit: str, kgce: str, kgco2: str, gj: str
) -> None:
    found = converted(carrier, amount, unit)

    assert found.kgce == Decimal(kgce)
    assert found.kgco2 == Decimal(kgco2)
    assert round(found.gj, 8) == Decimal(gj)


def test_the_caliber_of_electricity_is_a_factor_of_two_and_a_half() -> None:
    national, shandong = converted("electricity", "100", "kWh"), converted("electricity", "100", "kWh", "shandong-db37")

    assert (national.kgce, shandong.kgce) == (Decimal("12.29"), Decimal("31"))
    assert national.gj == shandong.gj == Decimal("0.36")
    assert converted("natural_gas", "100", "m3", "shandong-db37").kgce == Decimal("121.43")


@pytest.mark.parametrize(
    ("factor_set", "kgco2"),
    [
        ("equivalent-2023-national", "530.6"),
        ("frozen-2021", "556.8"),
        ("equivalent-2023-zhejiang", "497.4"),
        ("equivalent-2023-gansu", "447.1"),
        ("equivalent-2023-shaanxi", "633.5"),
    ],
)
def test_each_set_has_its_grid(factor_set: str, kgco2: str) -> None:
    assert converted("electricity", "1000", "kWh", factor_set).kgco2 == Decimal(kgco2)


def test_the_grid_alone_grew_cleaner_by_4_7_percent() -> None:
    before, after = (converted("electricity", "1", "kWh", s).kgco2 for s in ("frozen-2021", "equivalent-2023-national"))

    assert before is not None and after is not None
    assert round(after / before - 1, 3) == Decimal("-0.047")


@pytest.mark.parametrize(
    ("carrier", "unit"),
    [
        ("electricity", "m3"),
        ("electricity", "kW"),
        ("electricity", "GJ"),
        ("electricity", "t"),
        ("natural_gas", "kg"),
        ("natural_gas", "kWh"),
        ("heat", "kWh"),
        ("heat", "kg"),
        ("coal", "GJ"),
        ("petrol", "kWh"),
        ("electricity", "万kWh"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(carrier: str, unit: str) -> None:
    with pytest.raises(UnitError):
        converted(carrier, "1", unit)


def test_litres_need_a_density() -> None:
    with pytest.raises(UnitError, match="lpg in L needs a density, and factor set equivalent-2023-national has none"):
        converted("lpg", "1", "L")
    with pytest.raises(UnitError, match="coal in m3 needs a density"):
        converted("coal", "1", "m3")


def test_water_is_never_converted() -> None:
    with pytest.raises(FactorError, match="water is never converted into standard coal"):
        converted("water", "1", "m3")


def test_own_solar_power_counts_as_electricity_and_emits_nothing() -> None:
    found = converted("solar_self_used", "1000", "kWh")

    assert found.kgce == converted("electricity", "1000", "kWh").kgce
    assert found.kgco2 == 0
    assert found.gj == Decimal("3.6")
    assert [u.kind for u in found.used] == [FactorKind.COAL]
    assert converted("solar_self_used", "1000", "kWh", "shandong-db37").without_co2 == ()


def test_a_missing_co2_factor_is_missing_and_not_zero() -> None:
    found = converted("coal_gas", "100", "m3")

    assert found.kgce == Decimal("61.43")
    assert found.kgco2 is None
    assert found.without_co2 == (Carrier.COAL_GAS,)


@pytest.mark.parametrize(
    ("carrier", "year", "words"),
    [
        ("electricity", 2022, "equivalent-2023-national holds from 2023 on, not for 2022"),
        ("fuel_oil", 2024, "has no coal factor for fuel_oil; it has electricity, coal"),
    ],
)
def test_a_set_is_not_used_beyond_what_it_is_for(carrier: str, year: int, words: str) -> None:
    with pytest.raises(FactorError, match=words):
        converted(carrier, "1", "kg", year=year)


def test_a_set_ends_when_it_ends() -> None:
    ended = FactorSet("x", "1", Text("甲", "x"), Text("甲", "x"), 2020, 2021, {}, {}, {})

    with pytest.raises(FactorError, match="holds from 2020 to 2021, not for 2022"):
        ended.convert(Carrier.HEAT, Decimal(1), "GJ", 2022)
    with pytest.raises(ValueError, match="last_year 2019 is before first_year 2020"):
        FactorSet("x", "1", Text("甲", "x"), Text("甲", "x"), 2020, 2019, {}, {}, {})
    coal = book().factor(FactorKind.COAL, "heat")
    with pytest.raises(ValueError, match="heat is coal of heat, not coal of coal"):
        FactorSet("x", "1", Text("甲", "x"), Text("甲", "x"), 2020, None, {Carrier.COAL: coal}, {}, {})


def test_a_figure_names_the_factors_that_it_rests_on() -> None:
    used = converted("petrol", "10", "L").used

    assert [(u.kind, u.id, u.version, u.confidence) for u in used] == [
        (FactorKind.COAL, "petrol", "2026-11-21", Confidence.VERIFIED),
        (FactorKind.CO2, "petrol", "2026-11-21", Confidence.SINGLE_SOURCE),
        (FactorKind.DENSITY, "petrol_073", "2026-11-21", Confidence.RECALLED),
    ]
    assert used[0].source.startswith("GB/T 2589-2020")


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN kWh of electricity is no amount"):
        converted("electricity", "NaN", "kWh")


def test_parts_add_up_and_name_each_factor_once() -> None:
    parts = [
        converted("electricity", "1000", "kWh"),
        converted("electricity", "500", "kWh"),
        converted("heat", "1", "GJ"),
    ]
    found = total(parts)

    assert found.kgce == Decimal("218.47")  # 1500 x 0.1229 + 34.12
    assert found.kgco2 == Decimal("905.9")  # 1500 x 0.5306 + 110
    assert [u.id for u in found.used] == ["electricity_equivalent_heat", "grid_cn_2023", "heat", "heat_purchased"]


def test_a_sum_with_a_part_without_co2_has_none() -> None:
    found = total([converted("electricity", "1000", "kWh"), converted("coal_gas", "1", "m3")])

    assert found.kgco2 is None
    assert found.without_co2 == (Carrier.COAL_GAS,)
    assert found.kgce == Decimal("123.5143")


def test_what_two_sets_made_is_never_added() -> None:
    with pytest.raises(FactorError, match="these are of equivalent-2023-national, shandong-db37"):
        total([converted("heat", "1", "GJ"), converted("heat", "1", "GJ", "shandong-db37")])
    with pytest.raises(FactorError, match="these are of none"):
        total([])


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_amount_of_the_ledger_converts_exactly(micro_kwh: int) -> None:
    amount = Decimal(micro_kwh).scaleb(-6)

    found = book().set("equivalent-2023-national").convert(Carrier.ELECTRICITY, amount, "kWh", 2023)

    assert found.kgce.scaleb(10) == 1229 * micro_kwh
