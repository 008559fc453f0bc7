"""Tariffs as the API tells them."""

from __future__ import annotations

from datetime import date

import msgspec

from energy.quantities import Medium
from gateway.api.words import TextWords


class TariffsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`day` is the one whose half hours are told; today where it is left out."""

    day: date | None = None


class VersionWords(msgspec.Struct):
    """What a tariff says from one day to another, both included; `confidences` of its parts, where they differ."""

    valid_from: date
    valid_to: date | None
    source: str
    confidence: str
    confidences: dict[str, str]


class HalfHourWords(msgspec.Struct):
    """A half hour of the day: when it begins, its band, and what a unit costs; null where no price is known."""

    at: int
    band: str
    price: str | None


class TariffWords(msgspec.Struct):
    """A tariff, who entered it, and what it says of the day."""

    id: str
    name: TextWords
    medium: Medium
    unit: str
    region: str
    consumer_class: str
    versions: list[VersionWords]
    half_hours: list[HalfHourWords]
    who: str
    why: str
    entered_at: int


class TariffsAnswer(msgspec.Struct):
    """All tariffs that hold. A day has 48 half hours; 46 or 50 where the clock is changed."""

    day: date
    zone: str
    bands: dict[str, TextWords]
    tariffs: list[TariffWords]
