"""The books: the ledger with all that it is made under, kept up with readings and records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from analytics.carbon.factor_file import FactorBook
from analytics.tariffs.tariff import Tariff
from energy.bills import SupplierBill
from energy.errors import StoreError
from energy.hours import Doubt
from energy.life import MeterEvent
from energy.organisations import Organisation
from energy.periods import Span, period
from energy.ports import Clock, Ledger
from energy.readings import Point, to_ms
from energy.sites import Site
from gateway.ledger.build import Builder, Built
from gateway.ledger.curves import Curves
from gateway.ledger.learnt import strangers, with_points
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.service import Consumption, Range
from gateway.ledger.terms import Terms
from gateway.ledger.worth import TariffWorth

log = structlog.get_logger()

_REST_S = 0.2
_AGAIN_S = 2.0
_LOOK_BACK_MS = 31 * 86_400_000
# Doubts that leave something unbooked.
DISPUTES = ("fall", "jump")
_LONG_S = 5.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What the records say: the site, what happened to its meters, what things should cost, and what was billed."""

    site: Site
    events: Sequence[MeterEvent] = ()
    tariffs: Sequence[Tariff] = ()
    bills: Sequence[SupplierBill] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """The ledger cannot be kept up: since when, and why."""

    since_ms: int
    cause: str


class Books:
    """Consumption, and what keeps it up to date."""

    def __init__(self, ledger: Ledger, kept: Kept, factors: FactorBook) -> None:
        self.ledger, self.factors = ledger, factors
        self.curves = Curves(ledger)
        self._told, self._learnt = kept, -1
        self.kept = kept
        self.builder = Builder(ledger, self._terms(kept), self.curves)
        self.consumption = Consumption(ledger, self.curves, kept.site, kept.events, kept.bills)
        self.pending = False
        # Moves whenever something may be told otherwise than before.
        self.revision = 0
        self.trouble: Trouble | None = None
        self.disputed: list[tuple[Point, Doubt]] = []
        # What a run of the job is put into.
        self.timed: Callable[[], AbstractContextManager[None]] = nullcontext
        # Since when there is something that was not worked in, by the steady clock; at first everything may be.
        self._waits_since: float | None = time.monotonic()
        self._changed = asyncio.Event()
        self._warmed = False
        self._learn()

    @property
    def told(self) -> Kept:
        """What the records say, without what readings taught."""
        return self._told

    def top(self) -> Node:
        """The topmost node that may be asked for."""
        return Node(NodeKind.SITE, self.kept.site.id)

    def named(self) -> Sequence[Organisation]:
        """The organisations whose names may be told, each after its parent."""
        return self.kept.site.organisations

    def take(self, kept: Kept) -> None:
        """The records have changed."""
        self._told, self._learnt = kept, -1
        self.revision += 1
        self._learn()
        self.changed()

    def _learn(self) -> None:
        """Add to what the records tell of meters what was ever read of them."""
        if self._learnt == len(self.ledger.points):
            return
        self._learnt = len(self.ledger.points)
        self.kept = replace(self._told, site=with_points(self._told.site, self.ledger.points))
        self.consumption = Consumption(self.ledger, self.curves, self.kept.site, self.kept.events, self.kept.bills)
        self.builder.terms = self._terms(self.kept)

    def changed(self) -> None:
        """There are new readings, or other terms."""
        self.pending = True
        if self._waits_since is None:
            self._waits_since = time.monotonic()
        self._changed.set()

    def waiting_s(self) -> float:
        """How long the oldest change has waited to be worked in; 0 where none waits."""
        return 0.0 if self._waits_since is None else time.monotonic() - self._waits_since

    def terms_with(self, events: Sequence[MeterEvent], without: Sequence[MeterEvent] = ()) -> Terms:
        """The terms, had these events happened too, and those not."""
        left = [e for e in self.kept.events if e not in without]
        return self._terms(replace(self.kept, events=[*left, *events]))

    async def catch_up(self, tell: Callable[[float], None] = lambda _share: None) -> Built:
        """Work in all that is new."""
        self._changed.clear()
        self._learn()
        began = time.monotonic()
        built = await self.builder.catch_up(tell)
        self.revision += bool(built.points or built.rows)
        self.pending = self._changed.is_set()
        # What came while it ran is no older than the run.
        self._waits_since = began if self.pending else None
        return built

    async def run(self, clock: Clock) -> None:
        """Keep up for ever. What fails is told once, and tried again."""
        while True:
            began = time.monotonic()
            if not await self._kept_up(clock):
                await asyncio.sleep(_AGAIN_S)
                continue
            took = time.monotonic() - began
            # As long a rest as the work took, so that readings come in and pages are answered meanwhile.
            await asyncio.sleep(max(_REST_S, took))
            await self._changed.wait()

    async def _warm(self, clock: Clock) -> None:
        """Add up what takes long and is asked first: this year and the one before, of the whole site."""
        now = clock.now().replace(minute=0, second=0, microsecond=0)
        zone = self.kept.site.zone_info
        since = period(Span.YEAR, period(Span.YEAR, now, zone).start - timedelta(days=1), zone).start
        site = Node(NodeKind.SITE, self.kept.site.id)
        await self.consumption.of_node(site, Range(since, now + timedelta(hours=1), Span.MONTH, zone))

    async def _kept_up(self, clock: Clock) -> bool:
        began = time.monotonic()
        now_ms = to_ms(clock.now())
        try:
            with self.timed():
                built = await self.catch_up()
                await self._look_for_disputes(built, now_ms)
                if not self._warmed:
                    await self._warm(clock)
                    self._warmed = True
        except StoreError as error:
            if self.trouble is None:
                log.error("ledger.failing", cause=str(error))
                self.trouble = Trouble(now_ms, str(error))
            return False
        if self.trouble is not None:
            log.info("ledger.back", after_s=(now_ms - self.trouble.since_ms) / 1000)
            self.trouble = None
        if time.monotonic() - began > _LONG_S:
            seconds = round(time.monotonic() - began, 1)
            log.info("ledger.built", points=built.points, readings=built.readings, seconds=seconds)
        return True

    async def _look_for_disputes(self, built: Built, now_ms: int) -> None:
        """What nobody has explained yet, of the last weeks."""
        if built.points:
            found = await self.ledger.doubts(range(len(self.ledger.points)), now_ms - _LOOK_BACK_MS, now_ms)
            self.disputed = [(self.ledger.points[d.point], d) for d in found if d.kind in DISPUTES]

    def _terms(self, kept: Kept) -> Terms:
        worths = {t.id: TariffWorth(t, kept.site.zone_info) for t in kept.tariffs}
        return Terms(kept.site, kept.events, worths, strangers(kept.site, self.ledger.points))
