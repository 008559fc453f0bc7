"""Routes of the lives of meters."""

from __future__ import annotations

from energy.errors import UnknownName
from gateway.access.roles import Permission
from gateway.api.paging import page_of
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.life.service import KeptEvent
from gateway.life.words import (
    AddedAnswer,
    EventsAnswer,
    EventsQuery,
    KeptEventWords,
    NewEvents,
    Withdrawal,
)
from gateway.services import Services


async def events(services: Services, query: EventsQuery) -> EventsAnswer:
    found = await services.lives.events(query.meter or None, withdrawn=query.withdrawn)
    page, more = page_of(found, _order, query.limit, query.cursor)
    return EventsAnswer([KeptEventWords.of(kept) for kept in page], more)


def _order(kept: KeptEvent) -> tuple[str, int, int]:
    return kept.event.meter, kept.event.at_ms, kept.id


async def add_events(services: Services, _query: NoQuery, body: NewEvents) -> AddedAnswer:
    try:
        given = [words.event for words in body.events]
        return AddedAnswer.of(await services.lives.add(given, body.who, body.why, again=body.again))
    except (ValueError, UnknownName) as error:
        raise RequestError(str(error)) from error


async def withdraw_event(services: Services, _query: NoQuery, body: Withdrawal) -> KeptEventWords:
    return KeptEventWords.of(await services.lives.withdraw(body.id, body.who, body.why))


ROUTES = (
    Route("/api/v1/events", "What happened to meters", Permission.READ, EventsQuery, EventsAnswer, events),
    Route(
        "/api/v1/events",
        "Enter what happened to meters",
        Permission.FILL,
        NoQuery,
        AddedAnswer,
        add_events,
        "POST",
        NewEvents,
    ),
    Route(
        "/api/v1/events/withdraw",
        "Let a wrong event hold no longer",
        Permission.FILL,
        NoQuery,
        KeptEventWords,
        withdraw_event,
        "POST",
        Withdrawal,
    ),
)
