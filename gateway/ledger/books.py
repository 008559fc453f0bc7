"""The books: the ledger with all that it is made under, kept up with readings and records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from analytics.carbon.factor_file import FactorBook
from analytics.tariffs.tariff import Tariff
from energy.bills import SupplierBill
from energy.errors import NotHeld, StoreError
from energy.hours import Doubt
from energy.life import MeterEvent
from energy.organisations import Organisation
from energy.periods import Span, period
from energy.ports import LEDGER_PARTS, Clock, Ledger
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
_FOLLOW_EVERY_S, _LOOK_ANYWAY_S = 0.5, 5.0
# Of so many points the terms are compared that seldom.
_MANY_POINTS, _TERMS_EVERY_S = 1000, 5.0
# The parts of the points that may be worked on within the context; None for all, in a process that is alone.
Share = Callable[[], AbstractContextManager[Collection[int] | None]]


def _all() -> AbstractContextManager[None]:
    return nullcontext()


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
        self._disputed_of: frozenset[int] | None = None
        # What a run of the job is put into.
        self.timed: Callable[[], AbstractContextManager[None]] = nullcontext
        # Since when there is something that was not worked in, by the steady clock; at first everything may be.
        self._waits_since: float | None = time.monotonic()
        self._changed = asyncio.Event()
        self._warmed = False
        # Of several processes: up to where their revisions were taken over; and whether something was entered that the
        # ledger was not made under yet.
        self._followed: int | None = None
        self._entered, self._look_at = False, 0.0
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
        self._entered = True
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

    async def catch_up(
        self, tell: Callable[[float], None] = lambda _share: None, parts: Collection[int] | None = None
    ) -> Built:
        """Work in all that is new, of all points or of those of some parts."""
        self._changed.clear()
        self._learn()
        began = time.monotonic()
        try:
            built = await self.builder.catch_up(tell, parts)
        except NotHeld as error:
            await self._read_anew(str(error), parts)
            raise
        self.revision += bool(built.points or built.rows)
        self.pending = self._changed.is_set()
        # What came while it ran is no older than the run.
        self._waits_since = began if self.pending else None
        return built

    async def _read_anew(self, cause: str, parts: Collection[int] | None) -> None:
        """What is known by heart may hold no longer. Of several processes each is told by revisions what does not."""
        self.builder.look_anew()
        self.changed()
        if parts is None:
            log.warning("ledger.read_anew", cause=cause)
            await self.curves.forget_all()
            self.revision += 1

    async def follow(self) -> None:
        """Of several processes: take over what others have revised, and what waits to be worked in by any of them."""
        found = await self.ledger.revisions(self._followed)
        if found.lost:
            await self.curves.forget_all()
        elif found.made:
            await self.curves.forget(found.made)
        self._learn()
        self.revision += bool(found.lost or found.made)
        if self._followed is None:
            self._entered = True
        await self._look_whether_entered()
        if found.waiting_s is not None or self._entered:
            self.changed()
            if found.waiting_s is not None:
                self._waits_since = time.monotonic() - found.waiting_s
        else:
            self.pending, self._waits_since = False, None
        self._followed = found.upto

    async def _look_whether_entered(self) -> None:
        """Whether the ledger was made by now under what was entered; not too often, since all points are looked at."""
        now = time.monotonic()
        if not self._entered or now < self._look_at:
            return
        terms = self.builder.terms
        made = await self.builder.is_as_entered()
        self._entered = not made or self.builder.terms is not terms
        self._look_at = now + _TERMS_EVERY_S * (len(self.ledger.points) > _MANY_POINTS)

    async def keep_following(self, clock: Clock, *, warm: bool = False) -> None:
        """Follow for ever; `warm` where people ask. What fails is told once, and tried again."""
        failing = False
        while True:
            try:
                await self.follow()
                if warm and not self._warmed:
                    await self._warm(clock)
                failing = False
            except StoreError as error:
                if not failing:
                    log.error("ledger.not_followed", cause=str(error))
                failing = True
            await asyncio.sleep(_FOLLOW_EVERY_S)

    async def run(self, clock: Clock, share: Share = _all) -> None:
        """Keep up for ever, what is ours to be kept up. What fails is told once, and tried again."""
        while True:
            began = time.monotonic()
            with share() as parts:
                kept_up = await self._kept_up(clock, parts)
            if not kept_up:
                await asyncio.sleep(_AGAIN_S)
                continue
            took = time.monotonic() - began
            # As long a rest as the work took, so that readings come in and pages are answered meanwhile.
            await asyncio.sleep(max(_REST_S, took))
            # What others have held before may have become ours, though nothing has changed.
            await self._a_change(within_s=None if parts is None else _LOOK_ANYWAY_S)

    async def _a_change(self, *, within_s: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._changed.wait()

    async def _warm(self, clock: Clock) -> None:
        """Add up what takes long and is asked first: this year and the one before, of the whole site."""
        now = clock.now().replace(minute=0, second=0, microsecond=0)
        zone = self.kept.site.zone_info
        since = period(Span.YEAR, period(Span.YEAR, now, zone).start - timedelta(days=1), zone).start
        site = Node(NodeKind.SITE, self.kept.site.id)
        await self.consumption.of_node(site, Range(since, now + timedelta(hours=1), Span.MONTH, zone))
        self._warmed = True

    async def _kept_up(self, clock: Clock, parts: Collection[int] | None = None) -> bool:
        began = time.monotonic()
        now_ms = to_ms(clock.now())
        try:
            with self.timed():
                built = await self.catch_up(parts=parts)
                await self._look_for_disputes(built, now_ms, parts)
                if not self._warmed and parts is None:
                    await self._warm(clock)
        except NotHeld:
            # Another process works on these points by now, as the claims will tell; or a command had it for itself.
            return False
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

    async def _look_for_disputes(self, built: Built, now_ms: int, parts: Collection[int] | None) -> None:
        """What nobody has explained yet, of the last weeks, of the points that are ours."""
        held = None if parts is None else frozenset(parts)
        if built.points or held != self._disputed_of:
            found = await self.ledger.doubts(range(len(self.ledger.points)), now_ms - _LOOK_BACK_MS, now_ms)
            ours = (d for d in found if held is None or d.point % LEDGER_PARTS in held)
            self.disputed = [(self.ledger.points[d.point], d) for d in ours if d.kind in DISPUTES]
            self._disputed_of = held

    def _terms(self, kept: Kept) -> Terms:
        worths = {t.id: TariffWorth(t, kept.site.zone_info) for t in kept.tariffs}
        return Terms(kept.site, kept.events, worths, strangers(kept.site, self.ledger.points))
