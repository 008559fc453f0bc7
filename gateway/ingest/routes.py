"""Routes of the quarantine."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.route import Route
from gateway.ingest.words import QuarantineAnswer, QuarantineQuery, RefusedWords
from gateway.services import Services


async def quarantine(services: Services, query: QuarantineQuery) -> QuarantineAnswer:
    newest = await services.quarantine.newest(query.limit)
    return QuarantineAnswer(
        await services.quarantine.counts(),
        [
            RefusedWords(r.received_at_ms, r.edge, r.meter, r.quantity, r.taken_at_ms, r.value, r.reason, r.detail)
            for r in newest
        ],
    )


ROUTES = (
    Route(
        "/api/v1/quarantine",
        "Readings that were refused: counts by reason, and the newest",
        Permission.OPERATE,
        QuarantineQuery,
        QuarantineAnswer,
        quarantine,
    ),
)
