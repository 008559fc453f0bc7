"""Routes of tariffs."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from analytics.tariffs.hours import Band
from analytics.tariffs.prices import HALF_HOUR_MS, MICRO, half_hour_prices
from analytics.tariffs.tariff import Tariff, Version
from energy.periods import of_days
from energy.readings import to_ms
from gateway.access.roles import Permission
from gateway.api.route import Route
from gateway.api.words import TextWords
from gateway.services import Services
from gateway.tariffs.service import KeptTariff
from gateway.tariffs.words import HalfHourWords, TariffsAnswer, TariffsQuery, TariffWords, VersionWords


async def tariffs(services: Services, query: TariffsQuery) -> TariffsAnswer:
    zone = services.books.kept.site.zone_info
    day = query.day or services.clock.now().astimezone(zone).date()
    told = [_tariff(kept, day, zone) for kept in await services.tariffs.kept()]
    return TariffsAnswer(day, zone.key, {b.word: TextWords.of(b.text) for b in Band}, told)


def _tariff(kept: KeptTariff, day: date, zone: ZoneInfo) -> TariffWords:
    t = kept.tariff
    return TariffWords(
        t.id,
        TextWords.of(t.name),
        t.medium,
        t.unit,
        t.region,
        t.consumer_class,
        [_version(version) for version in t.versions],
        half_hours_of(t, day, zone),
        kept.who,
        kept.why,
        kept.entered_at_ms,
    )


def _version(version: Version) -> VersionWords:
    confidences = {part: str(known) for part, known in version.confidences.items() if part != "version"}
    return VersionWords(version.valid_from, version.valid_to, version.source, str(version.confidence), confidences)


def half_hours_of(tariff: Tariff, day: date, zone: ZoneInfo) -> list[HalfHourWords]:
    """The half hours of a local day."""
    whole = of_days(day, day + timedelta(days=1), zone)
    start_ms = to_ms(whole.start)
    found = half_hour_prices(tariff, start_ms, (to_ms(whole.end) - start_ms) // HALF_HOUR_MS, zone)
    return [
        HalfHourWords(start_ms + i * HALF_HOUR_MS, Band(int(band)).word, _yuan(int(price)) if known else None)
        for i, (band, price, known) in enumerate(zip(found.band, found.price, found.known, strict=True))
    ]


def _yuan(micro: int) -> str:
    sign = "-" if micro < 0 else ""
    return f"{sign}{abs(micro) // MICRO}.{abs(micro) % MICRO:06}"


ROUTES = (
    Route(
        "/api/v1/tariffs",
        "What energy and water cost: tariffs, their versions, and the half hours of a day",
        Permission.READ,
        TariffsQuery,
        TariffsAnswer,
        tariffs,
    ),
)
