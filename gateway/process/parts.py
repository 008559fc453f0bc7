"""What every role works with, opened once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from adapters.claims_alone import ClaimsAlone
from adapters.edge_files import EdgeFiles
from adapters.intake import open_intake
from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from analytics.quotas.miss_file import read_misses
from analytics.quotas.standard_file import read_standards
from energy.ports import Claims, Clock, DeliveryLog, Ledger, Quarantine, RegisterStore
from energy.readings import ReadingColumns
from energy.working_day_files import read_working_days
from energy.working_days import WorkingDays
from gateway.accounts.secrecy import Seal, open_seal
from gateway.alerts.alerts import Alerts
from gateway.alerts.opening import open_alerts
from gateway.audit.service import Audit
from gateway.backups.newest import backed_up_at
from gateway.backups.service import COPIES, StoreCopies
from gateway.edges.service import Edges
from gateway.findings.service import Findings
from gateway.following import Followers
from gateway.ledger.books import Books
from gateway.ledger.keeping import kept
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.process.arrivals import Arrivals
from gateway.process.others import Processes
from gateway.process.settings import GatewaySettings
from gateway.quotas.books import QuotaBooks, quota_books
from gateway.records.database import Records, open_records
from gateway.sites.records import MovedOn
from gateway.sites.service import Directory
from gateway.sites.starting import Started, load_or_import

log = structlog.get_logger()

_IMPORTS, _AGAIN_S = 20, 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """One of each.

    started : the site as the records had it at the start. followers : who is told when the records change; a role adds
    itself. arrivals : what was just stored; who takes readings tells it, who needs them listens. claims : which work is
    this process's; all of it where it is alone. processes : those that tell of themselves.
    """

    settings: GatewaySettings
    clock: Clock
    metrics: Metrics
    store: RegisterStore
    ledger: Ledger
    copies: StoreCopies
    quarantine: Quarantine
    delivered: DeliveryLog
    records: Records
    audit: Audit
    started: Started
    directory: Directory
    edges: Edges
    present: Present
    hub: Hub
    books: Books
    working_days: WorkingDays
    findings: Findings
    quotas: QuotaBooks
    seal: Seal
    alerts: Alerts
    followers: Followers
    arrivals: Arrivals
    claims: Claims
    processes: Processes


@asynccontextmanager
async def open_parts(settings: GatewaySettings, clock: Clock) -> AsyncIterator[Parts]:
    """All of them, closed at the end."""
    metrics = Metrics()
    metrics.backed_up_at = partial(backed_up_at, settings.key.parent)
    async with AsyncExitStack() as stack:
        stores = open_stores(settings.store, settings.ledger, settings.ledger_memory_mb)
        store, ledger = await stack.enter_async_context(stores)
        copies = _copies(settings, store, clock)
        stack.push_async_callback(copies.close)
        intake = await stack.enter_async_context(open_intake(settings.ledger, settings.quarantine))
        records = await stack.enter_async_context(open_records(settings.records, settings.key.parent, settings.audit))
        audit = Audit(records, clock)
        await audit.must_have_its_key()
        started = await _started(settings, records, clock)
        directory = Directory(started.site)
        directory.learn(await store.points())
        edges = Edges(clock, EdgeFiles(settings.key.parent / "edges"))
        edges.meter_clock_ms = 1000 * settings.meter_clock_s
        present = Present(store, directory, edges, clock)
        hub = Hub(clock, metrics)
        hub.overview = present.overview
        books = Books(ledger, await kept(records, clock, started.site), read_factors(settings.factors))
        books.timed = metrics.job("ledger")
        working_days = read_working_days(settings.calendars)
        seal = open_seal(settings.key)
        claims = await _claims(settings, stack)
        arrivals = Arrivals()
        _listen(arrivals, hub, directory, books)
        yield Parts(
            settings,
            clock,
            metrics,
            store,
            ledger,
            copies,
            intake.quarantine,
            intake.deliveries,
            records,
            audit,
            started,
            directory,
            edges,
            present,
            hub,
            books,
            working_days,
            Findings(records, clock, started.site.id),
            _quotas(settings, records, clock, books, working_days),
            seal,
            _alerts(settings, records, clock, books, seal),
            Followers(books, directory),
            arrivals,
            claims,
            Processes(clock, settings.name, alone=settings.is_alone),
        )


async def _claims(settings: GatewaySettings, stack: AsyncExitStack) -> Claims:
    if settings.is_alone or settings.ledger is None:
        alone = ClaimsAlone(settings.name)
        stack.push_async_callback(alone.close)
        return alone
    from adapters.claims_postgres import open_claims

    return await stack.enter_async_context(open_claims(settings.ledger, settings.name))


def _copies(settings: GatewaySettings, store: RegisterStore, clock: Clock) -> StoreCopies:
    beside = settings.key if settings.store_file is None else settings.store_file
    copies = StoreCopies(store, beside.parent / COPIES, clock, settings.store_file)
    copies.clear()
    return copies


async def _started(settings: GatewaySettings, records: Records, clock: Clock) -> Started:
    started = await _loaded(settings, records, clock)
    if started.changes:
        log.info("site.imported", site=started.site.id, changes=started.changes)
    if started.behind:
        log.warning("site.file_behind", site=started.site.id, differing=started.behind, meaning="the records hold")
    return started


async def _loaded(settings: GatewaySettings, records: Records, clock: Clock) -> Started:
    """Of several that start together one imports; the others find what it has made."""
    for _ in range(_IMPORTS - 1):
        try:
            return await load_or_import(records, settings.site, clock)
        except MovedOn:
            await asyncio.sleep(_AGAIN_S)
    return await load_or_import(records, settings.site, clock)


def _listen(arrivals: Arrivals, hub: Hub, directory: Directory, books: Books) -> None:
    """What every process knows of what was stored."""

    def stored(columns: ReadingColumns) -> None:
        directory.hear(columns)
        books.changed()

    arrivals.by_lane(hub.take)
    arrivals.all(stored)


def _quotas(
    settings: GatewaySettings, records: Records, clock: Clock, books: Books, working: WorkingDays
) -> QuotaBooks:
    misses = read_misses(settings.forecast_misses) if settings.forecast_misses is not None else None
    standards = read_standards(settings.quota_standards, [s.id for s in books.factors.sets])
    return quota_books(records, clock, books, standards, misses, working)


def _alerts(settings: GatewaySettings, records: Records, clock: Clock, books: Books, seal: Seal) -> Alerts:
    told = settings.channels.words
    return open_alerts(
        records,
        clock,
        lambda: books.kept.site,
        seal.key_for("alarm link"),
        channels={one.id: one.kind for one in told.channels},
        public=told.public,
        link_holds_s=told.link_holds,
    )
