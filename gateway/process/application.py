"""The frame of the API: who is asked, in which order, and what is answered beside the subjects."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.metadata import version

import msgspec
from aiohttp import web

from energy.errors import StoreError
from gateway.access.door import admitted, guarded, marked, must_all_ask, visit_of, visits
from gateway.access.roles import Identity, Permission
from gateway.access.scraper import Scraper
from gateway.access.seen_readings import not_of_all
from gateway.access.sight import operates_everywhere
from gateway.alerts.phone import Phone
from gateway.api.bodies import must_be_of_our_page
from gateway.api.callers import callers
from gateway.api.conditional import conditional
from gateway.api.counting import counted
from gateway.api.headers import security_headers
from gateway.api.idempotency import Replays
from gateway.api.limits import Limits
from gateway.api.openapi import openapi
from gateway.api.problems import problems
from gateway.api.route import register
from gateway.api.words import OngoingProblem
from gateway.audit.refusals import refusals
from gateway.exposition import exposition
from gateway.live.words import PUSHED
from gateway.page import add_page
from gateway.process.routes import ROUTES
from gateway.process.words import ProcessWords
from gateway.services import Services

_STILL_EVERY_S = 5.0


def application(
    services: Services,
    *,
    behind_tls: bool = False,
    limits: Limits | None = None,
    whole: bool = True,
    metrics_token: str | None = None,
) -> web.Application:
    """The API and the page over the services; without the `whole` only how the process is, for its watchdogs.

    metrics_token : by which /metrics, and nothing else, may be fetched from another machine.
    """
    limits = limits or Limits()
    # From without inwards. Who is signed in must be known before `by_account`.
    frame = [
        counted(services.metrics.answered),
        callers(behind_proxy=behind_tls),
        refusals(services.audit),
        limits.by_address,
        problems,
        visits(services.door),
        limits.by_account,
        conditional,
    ]
    app = web.Application(middlewares=frame, client_max_size=1 << 20)
    app.on_response_prepare.append(security_headers(tls=behind_tls))
    _tell_how_it_is(app, services, Scraper(metrics_token))
    if whole:
        register(app, ROUTES, services, Replays(services.alerts.outbox.records))
        _push_and_describe(app, services)
        Phone(services.alerts, services.store, services.books, services.clock).add_to(app)
        add_page(app)
    must_all_ask(app)
    return app


def _push_and_describe(app: web.Application, services: Services) -> None:
    """What is no route like the others: the live WebSocket, and the description of all of them."""

    async def description(_request: web.Request) -> web.Response:
        told = await asyncio.to_thread(_described)
        return web.Response(body=told, content_type="application/json", charset="utf-8")

    async def live(request: web.Request) -> web.StreamResponse:
        identity = (await admitted(services.door, request, Permission.READ)).identity
        # A browser sends cookies to a WebSocket from any page of the same site, and asks nobody.
        must_be_of_our_page(request)
        watching = asyncio.create_task(_leave_in_time(services, request))
        try:
            return await services.seen_by(identity, Permission.READ).hub.serve(request)
        finally:
            watching.cancel()

    app.router.add_get("/api/v1/openapi.json", guarded(services.door, Permission.OPEN, description))
    app.router.add_get("/api/v1/live", marked(Permission.READ, live))


def _tell_how_it_is(app: web.Application, services: Services, scraper: Scraper) -> None:
    """What every process tells of itself."""

    async def metrics(request: web.Request) -> web.Response:
        if not scraper.comes_with(request):
            await _must_operate(services, request)
        return web.Response(body=await exposition(services), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def health(request: web.Request) -> web.Response:
        identity = (await admitted(services.door, request, Permission.OPEN)).identity
        told = await _health(services, identity)
        return web.Response(body=told, content_type="application/json", charset="utf-8")

    app.router.add_get("/health", marked(Permission.OPEN, health))
    app.router.add_get("/metrics", marked(Permission.OPERATE, metrics))


async def _must_operate(services: Services, request: web.Request) -> None:
    """Whoever comes from another machine must operate everything."""
    await services.door.identify(request)
    if not visit_of(request).origin.is_loopback:
        visit = await admitted(services.door, request, Permission.OPERATE)
        if not operates_everywhere(visit.identity):
            raise not_of_all("metrics")


@cache
def _described() -> bytes:
    """The description of the API, made when it is asked for the first time: few processes are."""
    return msgspec.json.encode(openapi(ROUTES, PUSHED))


async def _leave_in_time(services: Services, request: web.Request) -> None:
    """Cut the connection of a listener whose session, token or grants hold no longer."""
    while True:
        await asyncio.sleep(_STILL_EVERY_S)
        try:
            still = await services.door.is_still(request)
        except StoreError:
            continue
        if not still and request.transport is not None:
            request.transport.close()


class Health(msgspec.Struct):
    """`ok`, or `degraded` while something is wrong; the rest for whoever may read: the problems that he sees, and
    refused readings where he operates everything, null elsewhere; the processes too, where there are several."""

    status: str
    version: str
    problems: list[OngoingProblem]
    refused: dict[str, int] | None
    processes: list[ProcessWords] | msgspec.UnsetType = msgspec.UNSET


async def _health(services: Services, identity: Identity) -> bytes:
    wrong = services.present.problems()
    status = "degraded" if wrong else "ok"
    if services.sights.operates(services, identity):
        counts, processes = await services.quarantine.counts(), services.processes.all() or msgspec.UNSET
        health = Health(status, version("jieneng"), wrong, counts, processes)
    elif identity.may(Permission.READ):
        seen = services.seen_by(identity, Permission.READ).present.problems()
        health = Health(status, version("jieneng"), seen, None)
    else:
        return msgspec.json.encode({"status": status})
    return msgspec.json.encode(health)
