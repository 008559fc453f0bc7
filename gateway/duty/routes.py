"""Routes of the duty roster."""

from __future__ import annotations

from energy.duty import Post
from energy.errors import ConfigurationError
from gateway.access.roles import Permission
from gateway.alerts.routes import fault, told
from gateway.alerts.words import DocumentAnswer, DocumentCheck, NewDocument
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.duty.words import DutyAnswer, DutyQuery, DutySwap
from gateway.services import Services


async def duty(services: Services, query: DutyQuery) -> DutyAnswer:
    keeping = services.alerts.duty
    kept = await keeping.roster()
    on_duty = ((post, kept.roster.on_duty(services.clock.now(), post)) for post in Post)
    now = {str(post): name for post, name in on_duty if name is not None}
    return DutyAnswer.of(kept, query, now, keeping.flaws(kept.roster) if kept.kept.number else [])


async def check_duty(services: Services, _query: NoQuery, body: DocumentCheck) -> DocumentAnswer:
    try:
        return told(await services.alerts.duty.differences(body.document))
    except ConfigurationError as error:
        return DocumentAnswer([fault(text) for text in error.faults], [])


async def save_duty(services: Services, _query: NoQuery, body: NewDocument) -> DocumentAnswer:
    try:
        return told(await services.alerts.duty.save(body.document, body.who, body.why))
    except ConfigurationError as error:
        raise RequestError("\n".join(error.faults)) from error


async def swap_duty(services: Services, _query: NoQuery, body: DutySwap) -> DocumentAnswer:
    try:
        return told(await services.alerts.duty.swap(body.day, body.of, body.by, body.who, body.why))
    except ConfigurationError as error:
        raise RequestError("\n".join(error.faults)) from error


_DO = Permission.OPERATE
_CHECK = "What is wrong with a file of the roster, or what it would change"
ROUTES = (
    Route("/api/v1/duty", "Who is on duty", _DO, DutyQuery, DutyAnswer, duty),
    Route("/api/v1/duty/check", _CHECK, _DO, NoQuery, DocumentAnswer, check_duty, "POST", DocumentCheck),
    Route(
        "/api/v1/duty", "Let a roster hold from now on", _DO, NoQuery, DocumentAnswer, save_duty, "POST", NewDocument
    ),
    Route("/api/v1/duty/swap", "Swap a shift", _DO, NoQuery, DocumentAnswer, swap_duty, "POST", DutySwap),
)
