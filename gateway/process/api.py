"""The role that answers people: the API, the page, and what they are told while they watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from aiohttp import web

from analytics.contracts.contract_file import read_rules as read_contract_rules
from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_forms
from energy.errors import EnergyError
from energy.ports import Bus
from gateway.access.door import LocalDoor
from gateway.accounts.door import AccountsDoor
from gateway.accounts.service import Accounts
from gateway.alerts.keeping import keep_fresh
from gateway.api.idempotency import Replays
from gateway.api.words import OngoingProblem
from gateway.billing.service import Bills
from gateway.closing.service import Closings
from gateway.contracts.service import Contracts
from gateway.edges.expiry import Expiries
from gateway.life.service import Lives
from gateway.process.application import application
from gateway.process.parts import Parts
from gateway.process.role import Task
from gateway.process.settings import GatewaySettings
from gateway.reporting.service import Statistics
from gateway.services import Services
from gateway.sites.files import SiteFiles
from gateway.sites.handing import follow_handed
from gateway.sites.records import SiteRecords
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs

log = structlog.get_logger()

# So long a connection may stand without a whole request line and headers.
_IDLE_S = 75.0
_SESSIONS_HOLD_S = 5.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ApiRole:
    """Fulfils `Role`."""

    subscriptions: Sequence[str] = ()
    will = None

    def __init__(self, parts: Parts) -> None:
        self._parts, settings = parts, parts.settings
        self._accounts = Accounts(parts.records, parts.clock, parts.seal, settings.account_rules)
        self._accounts.organisations = lambda: parts.books.kept.site.organisations
        # A process without this role answers how it is, and nothing else.
        self._whole = "api" in settings.roles
        door = self._door = AccountsDoor(self._accounts, parts.clock, behind_tls=settings.behind_tls)
        parts.followers.forget_accounts = door.forget
        self._services = _services(parts, self._accounts, door if settings.accounts_required else LocalDoor())
        self._expiries = Expiries(settings.identities, parts.clock)
        parts.edges.certificates, parts.metrics.certificates = self._expiries.until, self._expiries.ends

    def connected(self) -> None:
        self._parts.hub.changed()

    def problems(self) -> list[OngoingProblem]:
        return self._expiries.problems()

    async def begin(self, _bus: Bus, stack: AsyncExitStack) -> Sequence[Task]:
        settings, hub = self._parts.settings, self._parts.hub
        app = application(
            self._services,
            behind_tls=settings.behind_tls,
            replays=await self._replays(stack),
            whole=self._whole,
            metrics_token=settings.metrics_token,
        )
        await stack.enter_async_context(served(app, settings))
        if not self._whole:
            return self._beside_others()
        stack.push_async_callback(hub.close)
        await _tell_who_comes_in(settings, self._accounts)
        return [hub.run, *self._beside_others()]

    async def _replays(self, stack: AsyncExitStack) -> Replays:
        """Answers that may be given again: our own, or those of all processes."""
        settings = self._parts.settings
        if settings.is_alone or settings.ledger is None or not self._whole:
            return Replays()
        from adapters.answers_postgres import open_postgres_answers

        return Replays(of_all=await stack.enter_async_context(open_postgres_answers(settings.ledger)))

    def _beside_others(self) -> list[Task]:
        """What others change is taken over: ended sessions, and where there are no jobs, what these keep otherwise."""
        parts = self._parts
        if parts.settings.is_alone:
            return []
        tasks: list[Task] = [partial(_forget_sessions, self._door)]
        if "jobs" not in parts.settings.roles:
            tasks.append(partial(parts.books.keep_following, parts.clock, warm=self._whole))
            tasks.append(partial(follow_handed, parts.records, lambda: parts.directory.site, parts.edges))
            tasks.append(partial(keep_fresh, parts.alerts))
        return tasks


async def _forget_sessions(door: AccountsDoor) -> None:
    """A session or token that was ended at another process is let in here for this long, and no longer; for ever."""
    while True:
        await asyncio.sleep(_SESSIONS_HOLD_S)
        door.forget()


def _services(parts: Parts, accounts: Accounts, door: AccountsDoor | LocalDoor) -> Services:
    settings, records, clock, books = parts.settings, parts.records, parts.clock, parts.books
    stock = Stock(records, clock)
    forms = read_forms(settings.statistics / "forms")
    rules = read_rules(settings.statistics / "checks.yaml", forms)
    return Services(
        clock,
        parts.store,
        parts.quarantine,
        parts.directory,
        parts.edges,
        parts.present,
        parts.hub,
        parts.metrics,
        Lives(records, clock),
        books,
        Tariffs(records, clock),
        Bills(records, clock),
        stock,
        Closings(records, clock, books),
        parts.findings,
        parts.working_days,
        parts.quotas,
        Contracts(records, clock, books, parts.store, read_contract_rules(settings.contract_rules)),
        Statistics(records, clock, books, stock, forms, rules),
        accounts,
        parts.audit,
        door,
        alerts=parts.alerts,
        sites=SiteFiles(SiteRecords(records, clock), parts.started.site.id),
        copies=parts.copies,
        processes=parts.processes,
    )


@asynccontextmanager
async def served(app: web.Application, settings: GatewaySettings) -> AsyncIterator[None]:
    """Answer over HTTP where the settings say."""
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


async def _tell_who_comes_in(settings: GatewaySettings, accounts: Accounts) -> None:
    if not settings.accounts_required:
        if settings.host in _LOOPBACK:
            log.warning("accounts.off", meaning="whoever works on this machine can read all and enter events")
        else:
            log.warning("gateway.open", host=settings.host, meaning="whoever reaches it can read all and enter events")
    elif not await accounts.people.all():
        link = f"{'https' if settings.behind_tls else 'http'}://{settings.host}:{settings.port}/#/first?link="
        log.warning("accounts.first_link", link=link + await accounts.new_link(), holds="24 h, once")
