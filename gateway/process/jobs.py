"""The role that works by itself: the ledger, the alarm desk, and whatever is done once for all processes.

Where it is one of several processes, the points of the ledger are made by whoever holds them, and every other job is
done by the one that holds it (`claimed`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from adapters.channel_files import open_channels
from adapters.site_signing import open_signing_key
from energy.errors import EnergyError, StoreError
from energy.ports import LEDGER_PARTS, Bus, Clock, Ledger, ReadingStore
from energy.readings import to_ms
from gateway.alerts.desk import Desk
from gateway.alerts.keeping import keep_fresh
from gateway.alerts.sender import Sender
from gateway.alerts.told_by_others import ToldByOthers
from gateway.api.words import OngoingProblem
from gateway.audit.service import Audit
from gateway.edges.revoked import Forgetting
from gateway.findings.watch import FindingWatch
from gateway.ledger.problems import LedgerWatch
from gateway.metrics import Timed
from gateway.process.claimed import LEDGER, ClaimedJobs
from gateway.process.parts import Parts
from gateway.process.role import Task
from gateway.quotas.watch import QuotaWatch
from gateway.sites.handing import Handing, follow_handed

log = structlog.get_logger()

_MAINTAIN_EVERY_S = 600.0
_PRUNE_EVERY_S = 86_400.0


class JobsRole:
    """Fulfils `Role`."""

    subscriptions: Sequence[str] = ()
    will = None

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        settings, alerts, books = parts.settings, parts.alerts, parts.books
        self._desk = Desk(
            alerts.alarms,
            alerts.rules,
            alerts.duty,
            books,
            parts.store,
            parts.edges,
            parts.clock,
            parts.working_days.works,
            several=not settings.is_alone,
            hears=lambda: parts.edges.reachable(),
        )
        parts.arrivals.all(self._desk.take)
        self._ledger_watch = LedgerWatch(books, parts.metrics.job("balance"))
        key = open_signing_key(settings.identities or settings.key.parent / "identities")
        directory = parts.directory
        self._handing = Handing(parts.records, lambda: directory.site, parts.edges, key, parts.clock, settings.edge)

    def connected(self) -> None:
        self._handing.connected()
        self._desk.heard_again()

    def problems(self) -> Iterator[OngoingProblem]:
        yield from self._handing.problems()
        yield from self._ledger_watch.problems()

    async def begin(self, bus: Bus, stack: AsyncExitStack) -> Sequence[Task]:
        parts, clock = self._parts, self._parts.clock
        alerts, books, metrics = parts.alerts, parts.books, parts.metrics
        notifiers = await stack.enter_async_context(open_channels(parts.settings.channels))
        sender = Sender(parts.records, clock, alerts.outbox, alerts.alarms, notifiers, alerts.links)
        findings = FindingWatch(books, parts.findings, parts.working_days, clock, metrics.job("findings"))
        quotas = QuotaWatch(parts.quotas, books, timed=metrics.job("quotas"))
        # Claims number them in this order, in every process: what is new goes to the end.
        jobs: dict[str, Task] = {
            "forgetting": Forgetting(parts.settings.identities, parts.edges, bus).run,
            "desk": self._desk.run,
            "sender": sender.run,
            "maintenance": partial(_maintain, parts.store, parts.ledger, clock, metrics.job("maintenance")),
            "balance": partial(self._ledger_watch.run, clock),
            "findings": findings.run,
            "handing": partial(self._handing.run, bus),
            "quotas": partial(quotas.run, clock),
            "told_by_others": ToldByOthers(alerts.alarms, parts.findings, parts.quotas, books, clock).run,
            "audit": partial(_prune, parts.audit, parts.settings.audit_days),
        }
        if parts.settings.is_alone:
            return [*jobs.values(), partial(books.run, clock)]
        return [ClaimedJobs(parts.claims, jobs, metrics.given_up).run, *self._as_one_of_several()]

    def _as_one_of_several(self) -> Sequence[Task]:
        """The ledger of the points that are ours; and what others do is known here, too."""
        parts = self._parts
        books, claims = parts.books, parts.claims

        async def gained(numbers: frozenset[int]) -> None:
            await parts.ledger.hold(numbers)
            books.builder.look_anew()
            books.changed()

        claims.take_part(LEDGER, LEDGER_PARTS, gained=gained)
        share = partial(claims.work, LEDGER, range(LEDGER_PARTS))
        following = partial(books.keep_following, parts.clock, warm="api" in parts.settings.roles)
        handed = partial(follow_handed, parts.records, lambda: parts.directory.site, parts.edges)
        # Who sends has to know whom, though the desk be elsewhere.
        fresh = partial(keep_fresh, parts.alerts)
        return [partial(books.run, parts.clock, share), following, handed, fresh]


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
