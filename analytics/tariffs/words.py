"""What an operator may write in a tariff file (see docs/tariffs.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from analytics.tariffs import spelling
from analytics.tariffs.charges import AreaSpan
from analytics.tariffs.hours import Band, MonthDay
from analytics.tariffs.steps import Span
from energy.confidence import Confidence
from energy.documents import NameWords, Words
from energy.quantities import Medium


class DayWord(StrEnum):
    """A kind of day, or all kinds that are not named beside it."""

    EVERY_DAY = "every_day"
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


Number = Annotated[Decimal, BeforeValidator(spelling.decimal)]
BandName = Annotated[Band, BeforeValidator(spelling.band)]
IntervalText = Annotated[tuple[int, int], BeforeValidator(spelling.interval)]
Day = Annotated[date, BeforeValidator(spelling.day)]
Days = Annotated[tuple[date, ...], BeforeValidator(spelling.days)]
DayRange = Annotated[tuple[MonthDay, MonthDay], BeforeValidator(spelling.month_day_range)]
MonthName = Annotated[str, BeforeValidator(spelling.month)]
MonthNumber = Annotated[int, Field(ge=1, le=12, strict=True)]
PriceWords = Annotated[dict[BandName, Number], BeforeValidator(spelling.price)]
HourWords = dict[DayWord, dict[BandName, list[IntervalText]]]


class SourcedWords(Words):
    """A part that may be known otherwise than its version."""

    source: str | None = None
    confidence: Confidence | None = None


class SeasonWords(Words):
    """A part of the year."""

    months: list[MonthNumber] = []
    days: list[DayRange] = []


class TimeOfUseWords(SourcedWords):
    """When each band is."""

    seasons: dict[str, SeasonWords] = {}
    holidays: list[Days] = []
    workdays: list[Days] = []
    hours: dict[str, HourWords]


class ComponentWords(Words):
    """A further part of what each unit costs."""

    id: str
    name: NameWords
    price: Number


class StepWords(Words):
    """A step of a tiered price."""

    up_to: Number | None = None
    price: Number


class TiersWords(SourcedWords):
    """Prices by cumulative use."""

    period: Span
    steps: list[StepWords]


class ExcessStepWords(Words):
    """A step of a progressive surcharge."""

    up_to_percent: Number | None = None
    multiple: Number


class ExcessWords(SourcedWords):
    """A progressive surcharge beyond a quota."""

    period: Span
    steps: list[ExcessStepWords]


class DemandReliefWords(Words):
    """When the demand price is lowered."""

    from_kwh_per_kva: Number
    factor: Number


class BasicChargeWords(SourcedWords):
    """The fixed part of a two-part tariff."""

    capacity: Number | None = None
    demand: Number | None = None
    demand_relief: DemandReliefWords | None = None


class RungWords(Words):
    """A stretch of the power-factor table."""

    to: Number
    percent: Number


class PowerFactorWords(SourcedWords):
    """The power-factor table."""

    standard: Number
    penalty: list[RungWords]
    reward: list[RungWords] = []


class AreaWords(SourcedWords):
    """Heat by area."""

    price: Number
    per: AreaSpan
    months: list[MonthNumber]


class VersionWords(Words):
    """What is paid during a while."""

    valid_from: Day
    valid_to: Day | None = None
    source: str
    confidence: Confidence
    price: PriceWords = {}
    monthly: dict[MonthName, PriceWords] = {}
    time_of_use: TimeOfUseWords | None = None
    components: list[ComponentWords] = []
    surcharges: list[ComponentWords] = []
    tiers: TiersWords | None = None
    excess: ExcessWords | None = None
    basic_charge: BasicChargeWords | None = None
    power_factor: PowerFactorWords | None = None
    area: AreaWords | None = None
    negative_prices: bool = False


class TariffWords(Words):
    """A tariff."""

    id: str
    name: NameWords
    medium: Medium
    unit: str
    region: str
    consumer_class: str
    versions: list[VersionWords]


class TariffFileWords(Words):
    """What may stand in a tariff file."""

    tariffs: list[TariffWords]
