"""The words of rule files: what may stand in them (see docs/alarms.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from analytics.alarms.rules import DayHours, Gather, Level
from energy.documents import NameWords, Words
from energy.duty import Post
from energy.errors import UnitError
from energy.names import ID_PATTERN
from energy.quantities import Medium
from energy.units import dimension

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*([A-Za-z%][\w/%]*)?\s*")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with the unit that it was written in."""

    value: float
    unit: str


def _amount(given: Any) -> Any:
    if isinstance(given, Amount):
        return given
    found = _AMOUNT.fullmatch(given) if isinstance(given, str) else None
    if found is None or found[2] is None:
        raise ValueError("must be a number with its unit, such as 1.5 m3/h or 800 kW")
    try:
        dimension(found[2])
    except UnitError as error:
        raise ValueError(str(error)) from error
    return Amount(float(found[1]), found[2])


def _seconds(given: Any) -> Any:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)\s*", given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("must be a time with its unit, such as 30 s, 15 min or 1 h")
    return float(found[1]) * _SECONDS[found[2]]


def _share(given: Any) -> Any:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", given) if isinstance(given, str) else None
    if found is None or not 0 < float(found[1]) <= 100:
        raise ValueError("must be a percentage above 0, such as 15 %")
    return float(found[1]) / 100


def _hours(given: Any) -> Any:
    found = re.fullmatch(r"\s*(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*", given) if isinstance(given, str) else None
    if found is None:
        raise ValueError("must be hours of the day, such as 00:00-05:00")
    h1, m1, h2, m2 = (int(part) for part in found.groups())
    if max(m1, m2) > 59 or h1 > 23 or h2 > 24 or (h2 == 24 and m2):
        raise ValueError("there is no such hour; write such as 00:00-05:00")
    return DayHours(time(h1, m1), time(h2 % 24, m2))


def _one_or_more(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


def _read(read: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(read)


Quantity = Annotated[Any, _read(_amount)]
Seconds = Annotated[float, _read(_seconds)]
Share = Annotated[float, _read(_share)]
Hours = Annotated[Any, _read(_hours)]
Name = Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]


class HeadWords(Words):
    """What every rule has."""

    id: Name
    name: NameWords
    level: Level = Level.WARNING
    gather: Gather | None = None
    first: NameWords | None = None


class OfPointsWords(HeadWords):
    """Named points, or every one of a quantity, in a place or everywhere."""

    points: list[str] = []
    every: str | None = None
    within: Name | None = None
    medium: Medium | None = None


class ThresholdWords(OfPointsWords):
    """A gauge above or below a limit for some time."""

    kind: Literal["threshold"]
    above: Quantity | None = None
    below: Quantity | None = None
    back: Quantity | None = None
    for_: Seconds = Field(0.0, alias="for")
    usual: Quantity | None = None


class OffHoursWords(OfPointsWords):
    """A load outside of the hours that are worked."""

    kind: Literal["off_hours_load"]
    above: Quantity
    back: Quantity | None = None
    for_: Seconds = Field(1800.0, alias="for")
    worked: Hours
    usual: Quantity | None = None


class NightFlowWords(OfPointsWords):
    """A flow that does not end at night."""

    kind: Literal["night_flow"]
    above: Quantity
    back: Quantity | None = None
    for_: Seconds = Field(900.0, alias="for")
    night: Hours
    usual: Quantity | None = None


class NightMinimumWords(OfPointsWords):
    """The least hour of a night, on the ledger."""

    kind: Literal["night_minimum"]
    above: Quantity
    night: Hours
    usual: Quantity | None = None


class SilenceWords(HeadWords):
    """Meters that no reading comes of."""

    kind: Literal["silence"]
    meters: list[Name] = []
    after: Seconds


class ImbalanceWords(HeadWords):
    """Sub-meters that leave too much of their main unaccounted for."""

    kind: Literal["imbalance"]
    meters: list[Name] = []
    share: Share
    least: Quantity | None = None


RuleWords = Annotated[
    ThresholdWords | OffHoursWords | NightFlowWords | NightMinimumWords | SilenceWords | ImbalanceWords,
    Field(discriminator="kind"),
]


class RungWords(Words):
    """Whom to call after how long."""

    after: Seconds
    call: Annotated[list[Post], _read(_one_or_more), Field(min_length=1)]


class ChainWords(Words):
    """Whom to call for alarms of a level."""

    rungs: Annotated[list[RungWords], Field(min_length=1)]
    repeat: Seconds | None = None
    times: Annotated[int, Field(ge=0, le=100)] = 0


class RuleFileWords(Words):
    """A file of rules, and of whom to call for alarms of each level."""

    rules: list[RuleWords] = []
    escalation: dict[Level, ChainWords] = {}
    damped: Seconds = 900.0
