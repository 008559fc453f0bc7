"""The gateway as a whole: ingest, store, API, page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import msgspec
import structlog
from aiohttp import web

from adapters.addresses import store_file
from adapters.channel_files import LOG_ONLY, Channels, open_channels
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.edge_files import EdgeFiles
from adapters.mapping_files import MappingFile
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.site_signing import open_signing_key
from adapters.stores import open_stores
from adapters.wire import READINGS, STATE, topic
from analytics.carbon.factor_file import read_factors
from analytics.contracts.contract_file import read_rules as read_contract_rules
from analytics.quotas.miss_file import read_misses
from analytics.quotas.standard_file import read_standards
from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_forms
from energy.errors import EnergyError, StoreError
from energy.ports import Clock, Ledger, ReadingStore
from energy.readings import ReadingColumns, to_ms
from energy.sites import Site
from energy.working_day_files import read_working_days
from energy.working_days import WorkingDays
from gateway.access.door import LocalDoor, admitted, guarded, marked, must_all_ask, visit_of, visits
from gateway.access.roles import Identity, Permission
from gateway.access.seen_readings import not_of_all
from gateway.access.sight import operates_everywhere
from gateway.accounts.door import AccountsDoor
from gateway.accounts.openid_routes import ROUTES as OPENID_ROUTES
from gateway.accounts.routes import ROUTES as ACCOUNTS_ROUTES
from gateway.accounts.secrecy import open_seal
from gateway.accounts.service import AccountRules, Accounts
from gateway.alerts.desk import Desk
from gateway.alerts.opening import open_alerts
from gateway.alerts.phone import Phone
from gateway.alerts.routes import ROUTES as ALERTS_ROUTES
from gateway.alerts.sender import Sender
from gateway.alerts.told_by_others import ToldByOthers
from gateway.api.bodies import must_be_of_our_page
from gateway.api.callers import callers
from gateway.api.conditional import conditional
from gateway.api.counting import counted
from gateway.api.headers import security_headers
from gateway.api.limits import Limits
from gateway.api.openapi import openapi
from gateway.api.problems import problems
from gateway.api.route import Route, register
from gateway.api.words import OngoingProblem, TextWords
from gateway.audit.refusals import refusals
from gateway.audit.routes import ROUTES as AUDIT_ROUTES
from gateway.audit.service import KEPT_DAYS, Audit
from gateway.backups.routes import ROUTES as BACKUPS_ROUTES
from gateway.backups.service import COPIES, StoreCopies
from gateway.billing.routes import ROUTES as BILLING_ROUTES
from gateway.billing.service import Bills
from gateway.closing.routes import ROUTES as CLOSING_ROUTES
from gateway.closing.service import Closings
from gateway.contracts.routes import ROUTES as CONTRACTS_ROUTES
from gateway.contracts.service import Contracts
from gateway.duty.routes import ROUTES as DUTY_ROUTES
from gateway.edges.expiry import Expiries
from gateway.edges.revoked import Forgetting
from gateway.edges.routes import ROUTES as EDGES_ROUTES
from gateway.edges.service import Edges
from gateway.exposition import exposition
from gateway.findings.routes import ROUTES as FINDINGS_ROUTES
from gateway.findings.service import Findings
from gateway.findings.watch import FindingWatch
from gateway.following import Followers, Following
from gateway.foreign.host import HostState
from gateway.foreign.service import Foreign
from gateway.ingest.deliveries import Deliveries
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
from gateway.metrics import Metrics, Timed
from gateway.overview.routes import ROUTES as OVERVIEW_ROUTES
from gateway.page import add_page
from gateway.quotas.books import QuotaBooks, quota_books
from gateway.quotas.routes import ROUTES as QUOTAS_ROUTES
from gateway.quotas.watch import QuotaWatch
from gateway.records.database import Records, open_records
from gateway.reporting.routes import ROUTES as REPORTING_ROUTES
from gateway.reporting.service import Statistics
from gateway.services import Services
from gateway.sites.administration import ROUTES as ADMINISTRATION_ROUTES
from gateway.sites.files import SiteFiles
from gateway.sites.handing import Handing
from gateway.sites.moving import senders_of
from gateway.sites.records import SiteRecords
from gateway.sites.routes import ROUTES as SITES_ROUTES
from gateway.sites.service import Directory
from gateway.sites.starting import load_or_import
from gateway.stock.routes import ROUTES as STOCK_ROUTES
from gateway.stock.service import Stock
from gateway.tariffs.routes import ROUTES as TARIFFS_ROUTES
from gateway.tariffs.service import Tariffs

log = structlog.get_logger()

ROUTES: tuple[Route[Services], ...] = (
    *ACCOUNTS_ROUTES,
    *OPENID_ROUTES,
    *SITES_ROUTES,
    *ADMINISTRATION_ROUTES,
    *LIVE_ROUTES,
    *EDGES_ROUTES,
    *INGEST_ROUTES,
    *LIFE_ROUTES,
    *LEDGER_ROUTES,
    *TARIFFS_ROUTES,
    *BILLING_ROUTES,
    *STOCK_ROUTES,
    *CLOSING_ROUTES,
    *OVERVIEW_ROUTES,
    *FINDINGS_ROUTES,
    *QUOTAS_ROUTES,
    *CONTRACTS_ROUTES,
    *REPORTING_ROUTES,
    *AUDIT_ROUTES,
    *BACKUPS_ROUTES,
    *ALERTS_ROUTES,
    *DUTY_ROUTES,
)
_MAINTAIN_EVERY_S = 600.0
_LOOK_EVERY_S = 0.5
_STILL_EVERY_S = 5.0
_PRUNE_EVERY_S = 86_400.0
# So long a connection may stand without a whole request line and headers.
_IDLE_S = 75.0
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
    contract_rules: Path
    statistics: Path
    host: str = "127.0.0.1"
    port: int = 8080
    client_id: str = "jieneng-gateway"
    key: Path = Path("secret.key")
    accounts_required: bool = True
    behind_tls: bool = False
    account_rules: AccountRules = field(default_factory=AccountRules)
    audit_days: int = KEPT_DAYS
    meter_clock_s: int = 300
    audit: Path | None = None
    """Where key and head of the audit log lie, if not beside the records or in the folder of `key`."""
    calendars: tuple[Path, ...] = ()
    # Files of quota standards, and of what forecasts missed before.
    quota_standards: tuple[Path, ...] = ()
    forecast_misses: Path | None = None
    channels: Channels = LOG_ONLY
    # A database of its own for the ledger, if it does not lie in the file of the readings.
    ledger: str | None = None
    # The folder that tells who may come to the broker, and holds the key by which the site files of edges are signed.
    identities: Path | None = None
    # The edge of the lines that name none.
    edge: str = "edge"
    mappings: tuple[MappingFile, ...] = ()

    @property
    def store_file(self) -> Path | None:
        return store_file(self.store)


async def run_gateway(settings: GatewaySettings, clock: Clock) -> None:
    """Serve until cancelled."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        store, ledger = await stack.enter_async_context(open_stores(settings.store, settings.ledger))
        beside = settings.key if settings.store_file is None else settings.store_file
        copies = StoreCopies(store, beside.parent / COPIES, clock, settings.store_file)
        copies.clear()
        stack.push_async_callback(copies.close)
        quarantine = stack.enter_context(closing(SqliteQuarantine(settings.quarantine)))
        delivered = stack.enter_context(closing(SqliteDeliveries(settings.quarantine.with_name("deliveries.sqlite"))))
        records = await stack.enter_async_context(open_records(settings.records, settings.key.parent, settings.audit))
        audit = Audit(records, clock)
        await audit.must_have_its_key()
        started = await load_or_import(records, settings.site, clock)
        site = started.site
        if started.changes:
            log.info("site.imported", site=site.id, changes=started.changes)
        if started.behind:
            log.warning("site.file_behind", site=site.id, differing=started.behind, meaning="the records hold")
        directory = Directory(site)
        directory.learn(await store.points())
        known_edges = Edges(clock, EdgeFiles(settings.key.parent / "edges"))
        known_edges.meter_clock_ms = 1000 * settings.meter_clock_s
        present = Present(store, directory, known_edges, clock)
        hub = Hub(clock, metrics)
        hub.overview = present.overview
        lives = Lives(records, clock)
        books = Books(ledger, await kept(records, clock, site), read_factors(settings.factors))
        calendar = read_working_days(settings.calendars)
        findings = Findings(records, clock, site.id)
        books.timed = metrics.job("ledger")
        quotas = _quotas(settings, records, clock, books, calendar)
        seal = open_seal(settings.key)
        accounts = Accounts(records, clock, seal, settings.account_rules)
        stock = Stock(records, clock)
        forms = read_forms(settings.statistics / "forms")
        rules = read_rules(settings.statistics / "checks.yaml", forms)
        accounts.organisations = lambda: books.kept.site.organisations
        door = AccountsDoor(accounts, clock, behind_tls=settings.behind_tls)
        told = settings.channels.words
        alerts = open_alerts(
            records,
            clock,
            lambda: books.kept.site,
            seal.key_for("alarm link"),
            channels={one.id: one.kind for one in told.channels},
            public=told.public,
            link_holds_s=told.link_holds,
        )
        desk = Desk(alerts.alarms, alerts.rules, alerts.duty, books, store, known_edges, clock, calendar.works)
        notifiers = await stack.enter_async_context(open_channels(settings.channels))
        sender = Sender(records, clock, alerts.outbox, alerts.alarms, notifiers, alerts.links)
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
            stock,
            Closings(records, clock, books),
            findings,
            calendar,
            quotas,
            Contracts(records, clock, books, store, read_contract_rules(settings.contract_rules)),
            Statistics(records, clock, books, stock, forms, rules),
            accounts,
            audit,
            door if settings.accounts_required else LocalDoor(),
            alerts=alerts,
            sites=SiteFiles(SiteRecords(records, clock), site.id),
            copies=copies,
        )
        foreign = Foreign(settings.mappings)
        host = HostState(foreign.host, to_ms(clock.now()))
        key = open_signing_key(settings.identities or settings.key.parent / "identities")
        handing = Handing(records, lambda: directory.site, known_edges, key, clock, settings.edge)

        def connected() -> None:
            hub.changed()
            host.connected()
            handing.connected()

        bus = await stack.enter_async_context(
            open_bus(
                settings.bus,
                settings.client_id,
                subscribe=[topic("+", READINGS), topic("+", STATE), *foreign.subscriptions],
                will=host.will,
                keep_session=True,
                connected=connected,
            )
        )
        known_edges.reachable = lambda: bus.lost_since is None
        stack.push_async_callback(host.leave, bus)
        judge = Judge(site.meters, await senders_of(records, site), foreign)

        def stored(columns: ReadingColumns) -> None:
            directory.learn(columns.points[number] for number in set(columns.index.tolist()))
            books.changed()
            desk.take(columns)

        deliveries = Deliveries(delivered, clock, metrics, site.zone)
        intake = Ingest(
            bus,
            store,
            quarantine,
            judge,
            known_edges,
            clock,
            metrics,
            stored,
            hub.changed,
            deliveries=deliveries,
            came=hub.take,
        )
        ledger_watch = LedgerWatch(books, metrics.job("balance"))
        following = Following(records, clock, settings.site, Followers(books, directory, judge, door.forget))
        await following.begin(started.behind)
        expiries = Expiries(settings.identities, clock)
        known_edges.certificates, metrics.certificates = expiries.until, expiries.ends
        others = (deliveries.problems, handing.problems, expiries.problems)
        watch = _Watch(bus, intake, ledger_watch, following, others, clock)
        present.of_gateway = watch.problems
        await stack.enter_async_context(_served(application(services, behind_tls=settings.behind_tls), settings))
        stack.push_async_callback(hub.close)
        await _tell_who_comes_in(settings, accounts)
        log.info("gateway.started", address=f"http://{settings.host}:{settings.port}", store=settings.store)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(intake.run())
            tasks.create_task(host.run(bus))
            tasks.create_task(intake.ask())
            tasks.create_task(Forgetting(settings.identities, known_edges, bus).run())
            tasks.create_task(hub.run())
            tasks.create_task(desk.run())
            tasks.create_task(sender.run())
            tasks.create_task(_maintain(store, ledger, clock, metrics.job("maintenance")))
            tasks.create_task(books.run(clock))
            tasks.create_task(ledger_watch.run(clock))
            tasks.create_task(FindingWatch(books, findings, calendar, clock, metrics.job("findings")).run())
            tasks.create_task(following.run())
            tasks.create_task(handing.run(bus))
            tasks.create_task(QuotaWatch(quotas, books, timed=metrics.job("quotas")).run(clock))
            tasks.create_task(ToldByOthers(alerts.alarms, findings, quotas, books, clock).run())
            tasks.create_task(_prune(services.audit, settings.audit_days))


def _quotas(
    settings: GatewaySettings, records: Records, clock: Clock, books: Books, working: WorkingDays
) -> QuotaBooks:
    misses = read_misses(settings.forecast_misses) if settings.forecast_misses is not None else None
    standards = read_standards(settings.quota_standards, [s.id for s in books.factors.sets])
    return quota_books(records, clock, books, standards, misses, working)


def application(services: Services, *, behind_tls: bool = False, limits: Limits | None = None) -> web.Application:
    """The API and the page over the services."""
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
    register(app, ROUTES, services)
    described = msgspec.json.encode(openapi(ROUTES, PUSHED))

    async def description(_request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json", charset="utf-8")

    async def live(request: web.Request) -> web.StreamResponse:
        identity = (await admitted(services.door, request, Permission.READ)).identity
        # A browser sends cookies to a WebSocket from any page of the same site, and asks nobody.
        must_be_of_our_page(request)
        watching = asyncio.create_task(_leave_in_time(services, request))
        try:
            return await services.seen_by(identity, Permission.READ).hub.serve(request)
        finally:
            watching.cancel()

    async def metrics(request: web.Request) -> web.Response:
        await services.door.identify(request)
        if not visit_of(request).origin.is_loopback:
            visit = await admitted(services.door, request, Permission.OPERATE)
            if not operates_everywhere(visit.identity):
                raise not_of_all("metrics")
        return web.Response(body=await exposition(services), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def health(request: web.Request) -> web.Response:
        identity = (await admitted(services.door, request, Permission.OPEN)).identity
        told = await _health(services, identity)
        return web.Response(body=told, content_type="application/json", charset="utf-8")

    app.router.add_get("/api/v1/openapi.json", guarded(services.door, Permission.OPEN, description))
    app.router.add_get("/api/v1/live", marked(Permission.READ, live))
    app.router.add_get("/health", marked(Permission.OPEN, health))
    app.router.add_get("/metrics", marked(Permission.OPERATE, metrics))
    Phone(services.alerts, services.store, services.books, services.clock).add_to(app)
    add_page(app)
    must_all_ask(app)
    return app


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


async def _tell_who_comes_in(settings: GatewaySettings, accounts: Accounts) -> None:
    if not settings.accounts_required:
        if settings.host in _LOOPBACK:
            log.warning("accounts.off", meaning="whoever works on this machine can read all and enter events")
        else:
            log.warning("gateway.open", host=settings.host, meaning="whoever reaches it can read all and enter events")
    elif not await accounts.people.all():
        link = f"{'https' if settings.behind_tls else 'http'}://{settings.host}:{settings.port}/#/first?link="
        log.warning("accounts.first_link", link=link + await accounts.new_link(), holds="24 h, once")


class Health(msgspec.Struct):
    """`ok`, or `degraded` while something is wrong; the rest for whoever may read: the problems that he sees, and
    refused readings where he operates everything, null elsewhere."""

    status: str
    version: str
    problems: list[OngoingProblem]
    refused: dict[str, int] | None


async def _health(services: Services, identity: Identity) -> bytes:
    wrong = services.present.problems()
    status = "degraded" if wrong else "ok"
    if services.sights.operates(services, identity):
        health = Health(status, version("jieneng"), wrong, await services.quarantine.counts())
    elif identity.may(Permission.READ):
        seen = services.seen_by(identity, Permission.READ).present.problems()
        health = Health(status, version("jieneng"), seen, None)
    else:
        return msgspec.json.encode({"status": status})
    return msgspec.json.encode(health)


class _Watch:
    """What is wrong with the gateway itself."""

    def __init__(
        self,
        bus: MqttBus,
        intake: Ingest,
        ledger: LedgerWatch,
        following: Following,
        others: Sequence[Callable[[], list[OngoingProblem]]],
        clock: Clock,
    ) -> None:
        self._bus, self._intake, self._ledger, self._clock = bus, intake, ledger, clock
        self._others = others
        self._following, self._since = following, to_ms(clock.now())

    def problems(self) -> list[OngoingProblem]:
        found = []
        if self._bus.lost_since is not None and self._bus.refused is not None:
            since = to_ms(self._clock.now()) - int((time.monotonic() - self._bus.lost_since) * 1000)
            zh = f"消息代理 {self._bus.address} 拒绝网关登录，新读数暂存在现场采集端：{self._bus.refused}"
            en = (
                f"The broker {self._bus.address} does not let the gateway in; new readings wait at the edges: "
                f"{self._bus.refused}"
            )
            found.append(OngoingProblem("broker.refused", str(self._bus.address), since, TextWords(zh, en)))
        elif self._bus.lost_since is not None:
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
        if n := self._following.file_behind:
            zh = f"站点文件与档案有 {n} 处不同，以档案为准；用 jieneng site import 查看差异后导入，或导出档案替换该文件"
            en = (
                f"The site file says otherwise than the records in {n} places; the records hold. "
                "See the difference with jieneng site import, or replace the file by an export"
            )
            found.append(OngoingProblem("site.file_behind", self._following.site.id, self._since, TextWords(zh, en)))
        return [*found, *chain.from_iterable(of() for of in self._others), *self._ledger.problems()]


@asynccontextmanager
async def _served(app: web.Application, settings: GatewaySettings) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=_IDLE_S)
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


async def _maintain(store: ReadingStore, ledger: Ledger, clock: Clock, timed: Timed) -> None:
    """Put closed days into their order, shortly after the start and every few minutes."""
    while True:
        await asyncio.sleep(_MAINTAIN_EVERY_S)
        try:
            with timed():
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
