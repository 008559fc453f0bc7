"""The gateway as a whole: ingest, store, API, page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from adapters.mqtt_bus import MqttBus, open_bus
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.stores import open_ledger, open_store
from adapters.wire import READINGS, STATE, topic
from analytics.carbon.factor_file import read_factors
from energy.errors import EnergyError, StoreError
from energy.ports import Clock, Ledger, ReadingStore
from energy.readings import ReadingColumns, to_ms
from energy.sites import Site
from gateway.api.callers import callers
from gateway.api.conditional import conditional
from gateway.api.headers import security_headers
from gateway.api.idempotency import idempotent
from gateway.api.limits import Limits
from gateway.api.openapi import openapi
from gateway.api.problems import problems
from gateway.api.route import Route, register
from gateway.api.words import OngoingProblem, TextWords
from gateway.audit.refusals import refusals
from gateway.audit.routes import ROUTES as AUDIT_ROUTES
from gateway.audit.service import KEPT_DAYS, Audit
from gateway.billing.routes import ROUTES as BILLING_ROUTES
from gateway.billing.service import Bills
from gateway.closing.routes import ROUTES as CLOSING_ROUTES
from gateway.closing.service import Closings
from gateway.edges.routes import ROUTES as EDGES_ROUTES
from gateway.edges.service import Edges
from gateway.ingest.judge import Judge
from gateway.ingest.routes import ROUTES as INGEST_ROUTES
from gateway.ingest.service import Ingest
from gateway.ledger.books import Books
from gateway.ledger.keeping import kept
from gateway.ledger.problems import LedgerWatch
from gateway.ledger.routes import ROUTES as LEDGER_ROUTES
from gateway.life.routes import ROUTES as LIFE_ROUTES
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.routes import ROUTES as LIVE_ROUTES
from gateway.live.service import Present
from gateway.live.words import PUSHED
from gateway.metrics import Metrics
from gateway.page import add_page
from gateway.records.changes import last_change
from gateway.records.database import Records, open_records
from gateway.services import Services
from gateway.sites.records import load_or_import
from gateway.sites.routes import ROUTES as SITES_ROUTES
from gateway.sites.service import Directory
from gateway.stock.routes import ROUTES as STOCK_ROUTES
from gateway.stock.service import Stock
from gateway.tariffs.routes import ROUTES as TARIFFS_ROUTES
from gateway.tariffs.service import Tariffs

log = structlog.get_logger()

ROUTES: tuple[Route[Services], ...] = (
    *SITES_ROUTES,
    *LIVE_ROUTES,
    *EDGES_ROUTES,
    *INGEST_ROUTES,
    *LIFE_ROUTES,
    *LEDGER_ROUTES,
    *TARIFFS_ROUTES,
    *BILLING_ROUTES,
    *STOCK_ROUTES,
    *CLOSING_ROUTES,
    *AUDIT_ROUTES,
)
_MAINTAIN_EVERY_S = 600.0
_LOOK_EVERY_S = 0.5
_PRUNE_EVERY_S = 86_400.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What a gateway runs on."""

    site: Site
    bus: str
    store: str
    quarantine: Path
    records: str
    factors: Path
    host: str = "127.0.0.1"
    port: int = 8080
    client_id: str = "jieneng-gateway"
    audit_days: int = KEPT_DAYS
    # A proxy that ends TLS stands in front: it tells whence a request comes.
    behind_proxy: bool = False


async def run_gateway(settings: GatewaySettings, clock: Clock) -> None:
    """Serve until cancelled."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store))
        quarantine = stack.enter_context(closing(SqliteQuarantine(settings.quarantine)))
        records = await stack.enter_async_context(open_records(settings.records))
        site, changed = await load_or_import(records, settings.site, clock)
        if changed:
            log.info("site.imported", site=site.id, changes=changed)
        directory = Directory(site)
        directory.learn(await store.points())
        known_edges = Edges(clock)
        present = Present(store, directory, known_edges, clock)
        hub = Hub(clock, metrics)
        hub.overview = present.overview
        lives = Lives(records, clock)
        ledger = open_ledger(store)
        books = Books(ledger, await kept(records, clock, site), read_factors(settings.factors))
        services = Services(
            clock,
            store,
            quarantine,
            directory,
            known_edges,
            present,
            hub,
            metrics,
            lives,
            books,
            Tariffs(records, clock),
            Bills(records, clock),
            Stock(records, clock),
            Closings(records, clock, books),
            Audit(records, clock),
        )
        bus = await stack.enter_async_context(
            open_bus(
                settings.bus,
                settings.client_id,
                subscribe=[topic("+", READINGS), topic("+", STATE)],
                keep_session=True,
                connected=hub.changed,
            )
        )
        judge = Judge(site.meters)

        def stored(columns: ReadingColumns) -> None:
            directory.learn(columns.points[number] for number in set(columns.index.tolist()))
            hub.push(columns)
            books.changed()

        intake = Ingest(bus, store, quarantine, judge, known_edges, clock, metrics, stored, hub.changed)
        ledger_watch = LedgerWatch(books)
        watch = _Watch(bus, intake, ledger_watch, clock)
        present.of_gateway = watch.problems
        await stack.enter_async_context(_served(application(services, behind_proxy=settings.behind_proxy), settings))
        stack.push_async_callback(hub.close)
        if settings.host not in _LOOPBACK:
            log.warning("gateway.open", host=settings.host, meaning="whoever reaches it can read all and enter events")
        log.info("gateway.started", address=f"http://{settings.host}:{settings.port}", store=settings.store)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(intake.run())
            tasks.create_task(hub.run())
            tasks.create_task(_maintain(store, ledger, clock))
            tasks.create_task(books.run(clock))
            tasks.create_task(ledger_watch.run(clock))
            tasks.create_task(_watch_records(books, records, clock, site))
            tasks.create_task(_prune(services.audit, settings.audit_days))


def application(services: Services, *, behind_proxy: bool = False, limits: Limits | None = None) -> web.Application:
    """The API and the page over the services."""
    limits = limits or Limits()
    # From without inwards. Who is signed in must be known before `by_account`.
    frame = [
        callers(behind_proxy=behind_proxy),
        refusals(services.audit),
        limits.by_address,
        problems,
        limits.by_account,
        conditional,
        idempotent(),
    ]
    app = web.Application(middlewares=frame, client_max_size=1 << 20)
    app.on_response_prepare.append(security_headers(tls=behind_proxy))
    register(app, ROUTES, services)
    described = msgspec.json.encode(openapi(ROUTES, PUSHED))

    async def description(_request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json", charset="utf-8")

    async def metrics(_request: web.Request) -> web.Response:
        services.metrics.edges_online(sum(e.state == "online" for e in services.edges.words()))
        return web.Response(body=services.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def health(_request: web.Request) -> web.Response:
        return web.Response(body=await _health(services), content_type="application/json", charset="utf-8")

    app.router.add_get("/api/v1/openapi.json", description)
    app.router.add_get("/api/v1/live", services.hub.serve)
    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)
    add_page(app)
    return app


class Health(msgspec.Struct):
    """`ok`, or `degraded` while something is wrong."""

    status: str
    version: str
    problems: list[OngoingProblem]
    refused: dict[str, int]


async def _health(services: Services) -> bytes:
    wrong = services.present.problems()
    health = Health("degraded" if wrong else "ok", version("jieneng"), wrong, await services.quarantine.counts())
    return msgspec.json.encode(health)


class _Watch:
    """What is wrong with the gateway itself."""

    def __init__(self, bus: MqttBus, intake: Ingest, ledger: LedgerWatch, clock: Clock) -> None:
        self._bus, self._intake, self._ledger, self._clock = bus, intake, ledger, clock

    def problems(self) -> list[OngoingProblem]:
        found = []
        if self._bus.lost_since is not None:
            since = to_ms(self._clock.now()) - int((time.monotonic() - self._bus.lost_since) * 1000)
            zh = f"消息代理 {self._bus.address} 无法连接，新读数暂存在现场采集端"
            en = f"The broker {self._bus.address} cannot be reached; new readings wait at the edges"
            found.append(OngoingProblem("broker.unreachable", str(self._bus.address), since, TextWords(zh, en)))
        if self._intake.trouble is not None:
            cause = self._intake.trouble.cause
            zh, en = (
                f"存储无法写入，新读数暂存在现场采集端：{cause}",
                f"The store refuses; new readings wait at the edges: {cause}",
            )
            found.append(OngoingProblem("store.failing", "store", self._intake.trouble.since_ms, TextWords(zh, en)))
        return [*found, *self._ledger.problems()]


@asynccontextmanager
async def _served(app: web.Application, settings: GatewaySettings) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        await runner.cleanup()
        raise EnergyError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}; choose another with --listen"
        ) from error
    try:
        yield
    finally:
        await runner.cleanup()


async def _maintain(store: ReadingStore, ledger: Ledger, clock: Clock) -> None:
    """Put closed days into their order, shortly after the start and every few minutes."""
    while True:
        await asyncio.sleep(_MAINTAIN_EVERY_S)
        try:
            await ledger.maintain(to_ms(clock.now()))
            await store.maintain(to_ms(clock.now()))
        except StoreError as error:
            log.error("store.unmaintained", cause=str(error))


async def _prune(audit: Audit, days: int) -> None:
    """Delete what of the audit log was kept long enough, at the start and once a day."""
    while True:
        try:
            if gone := await audit.prune(days):
                log.info("audit.pruned", rows=gone, days=days)
        except EnergyError as error:
            log.error("audit.unpruned", cause=str(error))
        await asyncio.sleep(_PRUNE_EVERY_S)


async def _watch_records(books: Books, records: Records, clock: Clock, site: Site) -> None:
    """Take over what changes in the records, by this process or by a command beside it."""
    seen = await last_change(records)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            now = await last_change(records)
            if now != seen:
                books.take(await kept(records, clock, site))
                seen = now
        except StoreError as error:
            log.error("records.failed", cause=str(error))
