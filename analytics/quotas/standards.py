"""Quota standards: what a document allows per square metre, person or bed, and under which factors it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from energy.confidence import Confidence
from energy.errors import EnergyError, UnknownName
from energy.sites import Text


class QuotaError(EnergyError):
    """A quota cannot be had, or must not be compared; the message says why and what is needed."""


class Value(StrEnum):
    """The values of a quota. Energy has three; water has three of its own, which are never read as those of energy."""

    LIMIT = "limit"
    REFERENCE = "reference"
    GUIDING = "guiding"
    GENERAL = "general"
    ADVANCED = "advanced"
    LEADING = "leading"


ENERGY_VALUES = (Value.LIMIT, Value.REFERENCE, Value.GUIDING)
WATER_VALUES = (Value.GENERAL, Value.ADVANCED, Value.LEADING)
VALUE_NAMES: Mapping[Value, Text] = {
    Value.LIMIT: Text("约束值", "limit"),
    Value.REFERENCE: Text("基准值", "reference value"),
    Value.GUIDING: Text("引导值", "guiding value"),
    Value.GENERAL: Text("通用值", "general value"),
    Value.ADVANCED: Text("先进值", "advanced value"),
    Value.LEADING: Text("领跑值", "leading value"),
}


class Dimension(StrEnum):
    """What rows of a standard are told apart by."""

    INSTITUTION = "institution"
    LEVEL = "level"
    CLIMATE = "climate"
    HEATING = "heating"
    BUILDING_CLASS = "building_class"


DIMENSION_NAMES: Mapping[Dimension, Text] = {
    Dimension.INSTITUTION: Text("机构类型", "type of institution"),
    Dimension.LEVEL: Text("级别", "level"),
    Dimension.CLIMATE: Text("气候分区", "climate zone"),
    Dimension.HEATING: Text("供暖方式", "type of heating"),
    Dimension.BUILDING_CLASS: Text("建筑类别", "building class"),
}


@dataclass(frozen=True, slots=True)
class QuotaIndicator:
    """What is limited: its unit, and whether it rests on coal factors."""

    id: str
    name: Text
    unit: str

    @property
    def is_of_coal(self) -> bool:
        return self.unit.startswith("kgce")

    @property
    def values(self) -> tuple[Value, ...]:
        """The values that such an indicator can have."""
        return WATER_VALUES if self.id.startswith("water_") else ENERGY_VALUES


def _indicator(id: str, unit: str, zh: str, en: str) -> QuotaIndicator:
    return QuotaIndicator(id, Text(zh, en), unit)


QUOTA_INDICATORS: Mapping[str, QuotaIndicator] = {
    i.id: i
    for i in (
        _indicator("energy_per_area", "kgce/m2", "单位建筑面积能耗", "energy per floor area"),
        _indicator("energy_per_person", "kgce/person", "人均综合能耗", "energy per person"),
        _indicator(
            "non_heating_energy_per_area", "kgce/m2", "单位建筑面积非供暖能耗", "non-heating energy per floor area"
        ),
        _indicator("heating_energy_per_area", "kgce/m2", "单位采暖建筑面积供暖能耗", "heating energy per heated area"),
        _indicator("electricity_per_area", "kWh/m2", "单位建筑面积电耗", "electricity per floor area"),
        _indicator("electricity_per_person", "kWh/person", "人均电耗", "electricity per person"),
        _indicator(
            "regular_electricity_per_area",
            "kWh/m2",
            "常规用能系统单位建筑面积电耗",
            "electricity of regular systems per floor area",
        ),
        _indicator(
            "non_heating_electricity_per_area",
            "kWh/m2",
            "单位建筑面积非供暖电耗",
            "non-heating electricity per floor area",
        ),
        _indicator("data_centre_eue", "1", "数据中心机房 EUE", "EUE of the data centre"),
        _indicator("water_per_person", "m3/person", "人均用水量", "water per person"),
        _indicator("water_per_bed_day", "L/bed/d", "每床每日用水量", "water per bed and day"),
    )
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: what it allows a year, for whom; `where` names what must be so.

    values : in the indicator's unit; ValueError where a stricter one is above a laxer one.
    """

    indicator: QuotaIndicator
    where: Mapping[Dimension, str]
    values: Mapping[Value, Decimal]
    clause: str
    confidence: Confidence
    note: str = ""

    def __post_init__(self) -> None:
        foreign = [v for v in self.values if v not in self.indicator.values]
        if foreign:
            raise ValueError(
                f"{', '.join(foreign)} are not values of {self.indicator.id}; it has {', '.join(self.indicator.values)}"
            )
        ordered = [self.values[v] for v in self.indicator.values if v in self.values]
        if not ordered or any(not v > 0 for v in ordered):
            raise ValueError("needs values above 0")
        if any(laxer < stricter for laxer, stricter in pairwise(ordered)):
            named = ", ".join(f"{v} {self.values[v]}" for v in self.indicator.values if v in self.values)
            raise ValueError(f"values must fall from the laxest to the strictest, these are {named}")


@dataclass(frozen=True, slots=True)
class Correction:
    """constant + slope × (norm/actual, or actual/norm), by which consumption is multiplied before it is compared.

    fact : what is measured of the building, in `unit`.
    """

    id: str
    name: Text
    fact: str
    unit: str
    constant: Decimal
    slope: Decimal
    norm: Decimal
    norm_over_actual: bool
    indicators: tuple[str, ...]
    source: str
    confidence: Confidence

    def factor(self, actual: Decimal) -> Decimal:
        """The factor for this building; QuotaError where what is measured cannot be."""
        if not actual.is_finite() or not actual > 0:
            raise QuotaError(f"{self.fact} {actual} {self.unit} must be above 0")
        ratio = self.norm / actual if self.norm_over_actual else actual / self.norm
        return self.constant + self.slope * ratio


@dataclass(frozen=True, slots=True)
class Switch:
    """What may be left out of what is compared, and when."""

    id: str
    name: Text
    only_if_metered: bool
    clause: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Zone:
    """A value of a dimension and the places that are known to lie in it; the list need not be whole."""

    dimension: Dimension
    value: str
    name: Text
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standard:
    """A document that sets quotas; `factor_set` is the one that its figures in coal were made with."""

    id: str
    name: Text
    region: str
    version: str
    source: str
    confidence: Confidence
    valid_from: date
    valid_to: date | None
    factor_set: str | None
    rows: tuple[Row, ...]
    corrections: tuple[Correction, ...] = ()
    switches: tuple[Switch, ...] = ()
    zones: tuple[Zone, ...] = ()
    notes: tuple[str, ...] = ()
    labels: Mapping[str, Text] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.factor_set is None and any(r.indicator.is_of_coal for r in self.rows):
            raise ValueError("has figures in standard coal; name the factor_set that they were made with")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is before valid_from {self.valid_from}")

    def must_hold(self, day: date) -> None:
        """QuotaError where the standard does not hold on a day."""
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            until = f"to {self.valid_to}" if self.valid_to else "on"
            raise QuotaError(f"{self.id} holds from {self.valid_from} {until}, not on {day}")


@dataclass(frozen=True, slots=True)
class StandardBook:
    """The standards that are known."""

    standards: tuple[Standard, ...]

    def standard(self, id: str) -> Standard:
        """The standard of this id; UnknownName where there is none."""
        for found in self.standards:
            if found.id == id:
                return found
        known = ", ".join(s.id for s in self.standards) or "(none)"
        raise UnknownName(f"quota standard {id!r} is not known; known are {known}")
