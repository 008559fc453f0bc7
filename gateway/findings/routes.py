"""Routes of findings."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import NoQuery, Route
from gateway.findings.answers import shown, told, words
from gateway.findings.words import (
    FindingAnswer,
    FindingDecision,
    FindingQuery,
    FindingsAnswer,
    FindingsQuery,
    FindingWords,
)
from gateway.services import Services


async def findings(services: Services, query: FindingsQuery) -> FindingsAnswer:
    return await told(services.findings, services.books, query)


async def finding(services: Services, query: FindingQuery) -> FindingAnswer:
    kept = await services.findings.finding(query.id)
    return await shown(kept, services.books, services.working_days, services.clock)


async def decide(services: Services, _query: NoQuery, body: FindingDecision) -> FindingWords:
    kept = await services.findings.decide(body.id, body.state, body.who, body.why, body.reason)
    return words(services.books, kept)


ROUTES = (
    Route(
        "/api/v1/findings",
        "What does not look as it should, the newest first",
        Permission.READ,
        FindingsQuery,
        FindingsAnswer,
        findings,
    ),
    Route(
        "/api/v1/findings/{id}",
        "One finding, with the curve that shows it",
        Permission.READ,
        FindingQuery,
        FindingAnswer,
        finding,
    ),
    Route(
        "/api/v1/findings/decide",
        "Confirm or dismiss a finding",
        Permission.FILL,
        NoQuery,
        FindingWords,
        decide,
        "POST",
        FindingDecision,
    ),
)
