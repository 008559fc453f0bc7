"""Indicators: by hand, under two factor sets, and without a value where something is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from analytics.carbon.factor_sets import Converted, total
from analytics.carbon.factors import Carrier
from analytics.reporting.figures import Figure
from analytics.reporting.indicators import INDICATORS, indicators
from energy.sites import Text
from tests.analytics.carbon.shipped import book

YEAR = (date(2025, 1, 1), date(2026, 1, 1))
UNKNOWN = Text("不详", "not known")
KWH, WATER = Figure(Decimal(800_000), "kWh"), Figure(Decimal(4_000), "m3")
AREA, PEOPLE = Figure(Decimal(10_000), "m2"), Figure(Decimal(200), "person")


def energy(of: str) -> Converted:
    """800,000 kWh and 20,000 m3 of gas."""
    used = ((Carrier.ELECTRICITY, "800000", "kWh"), (Carrier.NATURAL_GAS, "20000", "m3"))
    return total(book().set(of).convert(c, Decimal(a), u, 2025) for c, a, u in used)


def values(
    of: str | None, kwh: Figure = KWH, water: Figure = WATER, area: Figure = AREA, people: Figure = PEOPLE
) -> dict[str, Decimal | None]:
    converted = None if of is None else energy(of)
    found = indicators(converted, electricity_kwh=kwh, water_m3=water, area_m2=area, people=people)
    return {id: result.figure.value for id, result in found.items()}


def test_the_indicators_of_a_year_under_two_factor_sets() -> None:
    # 800,000 x 0.1229 + 20,000 x 1.33 = 98,320 + 26,600 = 124,920 kgce
    # 800,000 x 0.5306 + 20,000 x 2.1622 = 424,480 + 43,244 = 467,724 kgCO2
    assert values("equivalent-2023-national") == {
        "energy_per_area": Decimal("12.492"),
        "energy_per_person": Decimal("624.6"),
        "water_per_person": Decimal(20),
        "electricity_per_area": Decimal(80),
        "electricity_per_person": Decimal(4000),
        "co2_per_area": Decimal("46.7724"),
    }
    # 800,000 x 0.31 + 20,000 x 1.2143 = 248,000 + 24,286 = 272,286 kgce
    assert values("shandong-db37") == {
        "energy_per_area": Decimal("27.2286"),
        "energy_per_person": Decimal("1361.43"),
        "water_per_person": Decimal(20),
        "electricity_per_area": Decimal(80),
        "electricity_per_person": Decimal(4000),
        "co2_per_area": None,
    }


def test_each_indicator_has_its_unit_and_its_name() -> None:
    assert {i.name.zh: i.unit for i in INDICATORS} == {
        "单位建筑面积能耗": "kgce/m2",
        "人均综合能耗": "kgce/person",
        "人均用水量": "m3/person",
        "单位建筑面积电耗": "kWh/m2",
        "人均电耗": "kWh/person",
        "单位建筑面积碳排放": "kgCO2/m2",
    }


def test_a_result_names_the_factor_set_behind_it() -> None:
    found = indicators(energy("frozen-2021"), electricity_kwh=KWH, water_m3=WATER, area_m2=AREA, people=PEOPLE)

    assert found["energy_per_area"].factor_set == found["co2_per_area"].factor_set == "frozen-2021"
    assert found["water_per_person"].factor_set is None


def test_a_missing_co2_factor_is_told() -> None:
    found = indicators(energy("shandong-db37"), electricity_kwh=KWH, water_m3=WATER, area_m2=AREA, people=PEOPLE)

    reason = found["co2_per_area"].figure.reason
    assert reason is not None
    assert reason.en == "factor set shandong-db37 has no CO2 factor for electricity, natural_gas"


def test_without_people_nothing_is_per_person_and_nothing_is_zero() -> None:
    found = values("frozen-2021", people=Figure(None, "person", UNKNOWN))

    assert {id for id, value in found.items() if value is None} == {
        "energy_per_person", "water_per_person", "electricity_per_person",
    }  # fmt: skip


def test_without_energy_only_electricity_and_water_are_told() -> None:
    found = values(None)

    assert {id for id, value in found.items() if value is None} == {
        "energy_per_area", "energy_per_person", "co2_per_area",
    }  # fmt: skip


def test_an_area_of_zero_divides_nothing() -> None:
    found = indicators(None, electricity_kwh=KWH, water_m3=WATER, area_m2=Figure(Decimal(0), "m2"), people=PEOPLE)

    assert found["electricity_per_area"].figure.reason == Text("建筑面积为零", "the floor area is 0")


def test_a_figure_in_another_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="energy_per_area needs m2, not person"):
        values(None, area=PEOPLE)


def test_a_figure_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="either a value or a reason"):
        Figure(None, "m2")
    with pytest.raises(ValueError, match="either a value or a reason"):
        Figure(Decimal(1), "m2", UNKNOWN)
    with pytest.raises(ValueError, match="NaN m2 is no figure"):
        Figure(Decimal("NaN"), "m2")
