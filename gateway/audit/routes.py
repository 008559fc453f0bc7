"""Routes of the audit log."""

from __future__ import annotations

from dataclasses import asdict

from gateway.access.roles import Permission
from gateway.api.paging import cursor_of, key_of
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.audit.chain import Action
from gateway.audit.service import Wanted
from gateway.audit.sheet import csv_of, json_of
from gateway.audit.words import (
    AuditAnswer,
    AuditExport,
    AuditPart,
    AuditQuery,
    AuditRowWords,
    AuditState,
    NoWords,
)
from gateway.services import Services

# So many rows of an export at once: a few megabytes.
_PART = 5_000


async def audit(services: Services, query: AuditQuery) -> AuditAnswer:
    wanted = Wanted(query.from_, query.to, query.account, query.action, query.subject)
    before = None if query.cursor is None else _seq(query.cursor)
    found = await services.audit.rows(wanted, limit=query.limit + 1, before=before)
    page = found[: query.limit]
    more = cursor_of((page[-1].seq,)) if len(found) > len(page) else None
    return AuditAnswer([AuditRowWords.of(row) for row in page], more)


async def state(services: Services, _query: NoQuery) -> AuditState:
    return AuditState.of(await services.audit.state())


async def verify(services: Services, _query: NoQuery, _body: NoWords) -> AuditState:
    await services.audit.verify()
    return AuditState.of(await services.audit.state())


async def export(services: Services, _query: NoQuery, body: AuditExport) -> AuditPart:
    """What is written after it was begun, this row too, is not of it."""
    wanted = Wanted(body.from_, body.to, body.account, body.action, body.subject)
    after, until = (0, (await services.audit.state()).newest) if body.cursor is None else _stretch(body.cursor)
    found = [row for row in await services.audit.rows(wanted, limit=_PART, after=after) if row.seq <= until]
    detail = {"format": body.format, "rows": len(found), **asdict(wanted)}
    await services.audit.record(Action.EXPORT, "audit", detail=detail)
    text = json_of(found) if body.format == "json" else csv_of(found, head=body.cursor is None)
    return AuditPart(text, len(found), cursor_of((found[-1].seq, until)) if len(found) == _PART else None)


def _stretch(cursor: str) -> tuple[int, int]:
    match key_of(cursor):
        case (int(after), int(until)) if 0 < after <= until < 2**62:
            return after, until
        case _:
            raise RequestError("cursor is not one of this export")


def _seq(cursor: str) -> int:
    match key_of(cursor):
        case (int(seq),) if 0 < seq < 2**62:
            return seq
        case _:
            raise RequestError("cursor is not one of this list")


_AUDIT = Permission.AUDIT
ROUTES = (
    Route("/api/v1/audit", "What was done, by whom, from where", _AUDIT, AuditQuery, AuditAnswer, audit),
    Route("/api/v1/audit/state", "How long the log is, and when it was checked", _AUDIT, NoQuery, AuditState, state),
    Route("/api/v1/audit/verify", "Look through the whole log", _AUDIT, NoQuery, AuditState, verify, "POST", NoWords),
    Route(
        "/api/v1/audit/export",
        "Rows as a file, part by part; each is a row itself",
        _AUDIT,
        NoQuery,
        AuditPart,
        export,
        "POST",
        AuditExport,
    ),
)
