"""The indicators of an institution: what it used, per square metre and per person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.carbon.factor_sets import Converted
from analytics.reporting.figures import Figure
from energy.sites import Text


class Used(StrEnum):
    """What was used in a period."""

    STANDARD_COAL = "kgce"
    ELECTRICITY = "kWh"
    WATER = "m3"
    CO2 = "kgCO2"


class Per(StrEnum):
    """By what it is divided."""

    AREA = "m2"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator as the statistics name it (国管局, 公共机构能源资源消费统计调查制度)."""

    id: str
    name: Text
    used: Used
    per: Per

    @property
    def unit(self) -> str:
        return f"{self.used.value}/{self.per.value}"


INDICATORS: tuple[Indicator, ...] = (
    Indicator("energy_per_area", Text("单位建筑面积能耗", "energy per floor area"), Used.STANDARD_COAL, Per.AREA),
    Indicator("energy_per_person", Text("人均综合能耗", "energy per person"), Used.STANDARD_COAL, Per.PERSON),
    Indicator("water_per_person", Text("人均用水量", "water per person"), Used.WATER, Per.PERSON),
    Indicator(
        "electricity_per_area", Text("单位建筑面积电耗", "electricity per floor area"), Used.ELECTRICITY, Per.AREA
    ),
    Indicator("electricity_per_person", Text("人均电耗", "electricity per person"), Used.ELECTRICITY, Per.PERSON),
    Indicator("co2_per_area", Text("单位建筑面积碳排放", "CO2 per floor area"), Used.CO2, Per.AREA),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What an indicator comes to; `factor_set` names the set behind it, None where no factor is in it."""

    indicator: Indicator
    figure: Figure
    factor_set: str | None


def indicators(
    converted: Converted | None,
    *,
    electricity_kwh: Figure,
    water_m3: Figure,
    area_m2: Figure,
    people: Figure,
) -> dict[str, Result]:
    """All indicators of a period, by id.

    converted : the energy of the period by one factor set, None where it is not known whole. Whether the fuel of
        vehicles is in it is for the caller: many rules leave it out of energy per area.
    area_m2, people : means over the same period; the indicators are of the period, not of a year.

    What cannot be had has a reason in place of a value: a numerator is not known, a denominator is not known or is 0.
    """
    used = _used(converted, electricity_kwh, water_m3)
    per = {Per.AREA: area_m2, Per.PERSON: people}
    factor_set = converted.factor_set if converted is not None else None
    with_factors = {Used.STANDARD_COAL, Used.CO2}
    return {
        i.id: Result(i, _divided(i, used[i.used], per[i.per]), factor_set if i.used in with_factors else None)
        for i in INDICATORS
    }


def _used(converted: Converted | None, electricity_kwh: Figure, water_m3: Figure) -> Mapping[Used, Figure]:
    return {
        Used.STANDARD_COAL: _coal(converted),
        Used.CO2: _co2(converted),
        Used.ELECTRICITY: electricity_kwh,
        Used.WATER: water_m3,
    }


def _coal(converted: Converted | None) -> Figure:
    if converted is None:
        return Figure(None, "kgce", Text("综合能耗不全", "the energy of the period is not known whole"))
    return Figure(converted.kgce, "kgce")


def _co2(converted: Converted | None) -> Figure:
    if converted is None:
        return Figure(None, "kgCO2", Text("综合能耗不全", "the energy of the period is not known whole"))
    if converted.kgco2 is None:
        without = "、".join(converted.without_co2), ", ".join(converted.without_co2)
        set_id = converted.factor_set
        return Figure(
            None,
            "kgCO2",
            Text(
                f"因子集 {set_id} 没有以下品种的碳排放因子：{without[0]}",
                f"factor set {set_id} has no CO2 factor for {without[1]}",
            ),
        )
    return Figure(converted.kgco2, "kgCO2")


def _divided(indicator: Indicator, used: Figure, per: Figure) -> Figure:
    for figure, wanted in ((used, indicator.used.value), (per, indicator.per.value)):
        if figure.unit != wanted:
            raise ValueError(f"{indicator.id} needs {wanted}, not {figure.unit}")
    if used.value is None or per.value is None:
        return Figure(None, indicator.unit, used.reason or per.reason)
    if per.value <= 0:
        reason = {
            Per.AREA: Text("建筑面积为零", "the floor area is 0"),
            Per.PERSON: Text("用能人数为零", "the head count is 0"),
        }[indicator.per]
        return Figure(None, indicator.unit, reason)
    return Figure(Decimal(used.value) / per.value, indicator.unit)
