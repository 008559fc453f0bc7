"""Routes of the present and of curves."""

from __future__ import annotations

from datetime import timedelta

from energy.quantities import quantity
from energy.readings import Quality, Reason, from_ms, to_ms
from energy.series import Curve, Floats
from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.live.service import fit_to_draw
from gateway.live.words import (
    CurveWords,
    LatestAnswer,
    LatestQuery,
    LatestWords,
    Overview,
    SeriesAnswer,
    SeriesQuery,
)
from gateway.services import Services


async def latest(services: Services, query: LatestQuery) -> LatestAnswer:
    wanted = [services.directory.point(text) for text in query.point]
    found = await services.store.latest(wanted or None)
    rows = zip(
        found.index.tolist(),
        found.taken_at_ms.tolist(),
        found.value.tolist(),
        found.quality.tolist(),
        found.reason.tolist(),
        strict=True,
    )
    return LatestAnswer(
        to_ms(services.clock.now()),
        [
            LatestWords(str(found.points[i]), t, None if v != v else v, Quality(q).word, Reason.of(r).value or None)
            for i, t, v, q, r in rows
        ],
    )


async def series(services: Services, query: SeriesQuery) -> SeriesAnswer:
    if not query.from_ms < query.to_ms:
        raise RequestError(f"from {query.from_ms} must be before to {query.to_ms}")
    points = [services.directory.point(text) for text in query.point]
    # Steps of hours and days begin where the local ones do.
    offset = from_ms(query.from_ms).astimezone(services.directory.site.zone_info).utcoffset() or timedelta(0)
    origin_ms = -int(offset.total_seconds() * 1000)
    curves = await services.store.curves(points, query.from_ms, query.to_ms, query.points, origin_ms=origin_ms)
    drawn = [fit_to_draw(curve, query.from_ms, query.to_ms, query.points, origin_ms=origin_ms) for curve in curves]
    steps = [curve.step_ms for curve in drawn if curve.step_ms is not None]
    return SeriesAnswer(query.from_ms, query.to_ms, max(steps, default=None), [_words(c) for c in drawn])


async def overview(services: Services, _query: NoQuery) -> Overview:
    return await services.present.overview()


def _words(curve: Curve) -> CurveWords:
    return CurveWords(
        str(curve.point),
        quantity(curve.point.quantity).unit,
        curve.kind,
        curve.step_ms,
        curve.t_ms.tolist(),
        _column(curve.low),
        _column(curve.mean),
        _column(curve.high),
        _column(curve.first),
        _column(curve.last),
        curve.uncertain,
    )


def _column(values: Floats) -> list[float | None]:
    """NaN travels as null: msgspec writes it so."""
    found: list[float | None] = values.tolist()
    return found


ROUTES = (
    Route("/api/v1/latest", "The newest reading of each point", Permission.READ, LatestQuery, LatestAnswer, latest),
    Route(
        "/api/v1/series",
        "Curves of points, never in more rows than asked for",
        Permission.READ,
        SeriesQuery,
        SeriesAnswer,
        series,
    ),
    Route(
        "/api/v1/overview",
        "The campus at a glance, and what is wrong now",
        Permission.READ,
        NoQuery,
        Overview,
        overview,
    ),
)
