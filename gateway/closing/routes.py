"""Routes of closed months."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.closing.answers import period_of, periods_of
from gateway.closing.words import NewClosing, NewCorrection, PeriodAnswer, PeriodQuery, PeriodsAnswer
from gateway.services import Services


async def periods(services: Services, _query: NoQuery) -> PeriodsAnswer:
    return await periods_of(services.closings, services.books)


async def period(services: Services, query: PeriodQuery) -> PeriodAnswer:
    return await period_of(services.closings, services.books, query)


async def close_period(services: Services, _query: NoQuery, body: NewClosing) -> PeriodAnswer:
    await services.closings.close(body.month, body.who, body.why)
    return await period_of(services.closings, services.books, PeriodQuery(body.month))


async def correct_period(services: Services, _query: NoQuery, body: NewCorrection) -> PeriodAnswer:
    closing = await services.closings.closing(body.month)
    await services.closings.correct(closing, body.who, body.why)
    return await period_of(services.closings, services.books, PeriodQuery(body.month))


_CLOSE, _CORRECT = "Close a month: it keeps its figures", "Correct a closed month by reversing entries"
ROUTES = (
    Route("/api/v1/periods", "The months that were closed", Permission.READ, NoQuery, PeriodsAnswer, periods),
    Route("/api/v1/periods/close", _CLOSE, Permission.APPROVE, NoQuery, PeriodAnswer, close_period, "POST", NewClosing),
    Route(
        "/api/v1/periods/correct",
        _CORRECT,
        Permission.APPROVE,
        NoQuery,
        PeriodAnswer,
        correct_period,
        "POST",
        NewCorrection,
    ),
    Route(
        "/api/v1/periods/{month}",
        "A closed month, and what would differ now",
        Permission.READ,
        PeriodQuery,
        PeriodAnswer,
        period,
    ),
)
