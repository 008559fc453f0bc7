"""Routes of the site."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath

from energy.errors import UnknownName
from energy.quantities import QUANTITIES
from energy.sites import Meter
from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.api.words import TextWords
from gateway.services import Services
from gateway.sites.words import MetersAnswer, MeterWords, PlaceWords, QuantityWords, SiteAnswer

# A profile of the operator's own is told by its file, not by where it lies.
_FILES = (".yaml", ".yml")


async def site(services: Services, _query: NoQuery) -> SiteAnswer:
    found = services.directory.site
    return SiteAnswer(
        found.id,
        TextWords.of(found.name),
        found.zone,
        version("jieneng"),
        _top(services),
        [PlaceWords(p.id, TextWords.of(p.name), p.kind) for p in found.places],
        [QuantityWords(q.name, TextWords(q.zh, q.en), q.unit, q.kind) for q in QUANTITIES.values()],
    )


def _top(services: Services) -> str | None:
    try:
        return str(services.books.top())
    except UnknownName:
        return None


async def meters(services: Services, _query: NoQuery) -> MetersAnswer:
    last = await services.present.last_taken_at()
    return MetersAnswer([_words(services, m, last.get(m.id)) for m in services.directory.meters.values()])


def _words(services: Services, meter: Meter, last: int | None) -> MeterWords:
    read = meter.line is not None
    return MeterWords(
        meter.id,
        TextWords.of(meter.name),
        meter.medium,
        meter.place,
        meter.parent,
        PurePath(meter.profile).name if meter.profile and meter.profile.endswith(_FILES) else meter.profile,
        meter.interval_s if read else None,
        meter.headline,
        list(meter.quantities),
        services.present.state(meter, last),
        last,
    )


ROUTES = (
    Route(
        "/api/v1/site", "The site: its name, zone, places and quantities", Permission.READ, NoQuery, SiteAnswer, site
    ),
    Route("/api/v1/meters", "All meters and how they report", Permission.READ, NoQuery, MetersAnswer, meters),
)
