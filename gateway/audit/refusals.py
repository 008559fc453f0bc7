"""Requests that were refused leave a row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from energy.errors import EnergyError
from gateway.api.limits import Buckets, Rate
from gateway.audit.asking import asking
from gateway.audit.chain import Action, Outcome
from gateway.audit.service import Audit

log = structlog.get_logger()
_REFUSED = (401, 403)
# Whoever is refused again and again leaves a row a minute: the disk is not theirs to fill.
_OFTEN = Rate(1 / 60, 20)


def refusals(audit: Audit) -> Middleware:
    """Tell the audit log of requests that are answered with 401 or 403.

    A page that asks while nobody is signed in is nobody's deed: GET without an account leaves no row for its 401.
    """
    rows = Buckets(_OFTEN)

    @web.middleware
    async def told(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = await handler(request)
        asked = asking()
        idle = answer.status == 401 and request.method == "GET" and not asked.account
        if answer.status in _REFUSED and not idle and rows.wait_s(asked.account or asked.address) == 0.0:
            detail = {"method": request.method, "path": request.path, "status": answer.status}
            try:
                if asked.trying:
                    subject = f"account/{asked.trying}"
                    await audit.record(Action.SIGN_IN, subject, outcome=Outcome.REFUSED, detail=detail)
                else:
                    await audit.record(Action.REFUSED, "request", outcome=Outcome.REFUSED, detail=detail)
            except EnergyError as error:
                log.error("audit.failing", path=request.path, cause=str(error))
        return answer

    return told
