"""Routes of the audit log."""

from __future__ import annotations

from gateway.access.roles import Permission
from gateway.api.paging import cursor_of, key_of
from gateway.api.problems import RequestError
from gateway.api.route import Route
from gateway.audit.service import Wanted
from gateway.audit.words import AuditAnswer, AuditQuery, AuditRowWords
from gateway.services import Services


async def audit(services: Services, query: AuditQuery) -> AuditAnswer:
    wanted = Wanted(query.from_, query.to, query.account, query.action, query.subject)
    before = None if query.cursor is None else _seq(query.cursor)
    found = await services.audit.rows(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    more = cursor_of((page[-1].seq,)) if len(found) > len(page) else None
    return AuditAnswer([AuditRowWords.of(row) for row in page], more)


def _seq(cursor: str) -> int:
    match key_of(cursor):
        case (int(seq),) if 0 < seq < 2**62:
            return seq
        case _:
            raise RequestError("cursor is not one of this list")


ROUTES = (
    Route("/api/v1/audit", "What was done, by whom, from where", Permission.AUDIT, AuditQuery, AuditAnswer, audit),
)
