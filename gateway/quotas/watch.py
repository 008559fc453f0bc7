"""Looks at every quota again and again, and tells each bound that a year crosses, once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import structlog

from analytics.quotas.pace import Bounds, Mark, crossed
from energy.errors import EnergyError
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Text
from gateway.ledger.books import Books
from gateway.quotas.books import QuotaBooks
from gateway.quotas.reckoning import Pace
from gateway.quotas.service import Crossing
from gateway.quotas.telling import told

log = structlog.get_logger()

_LOOK_EVERY_S = 5.0
_EVERY_MS = 3_600_000


class QuotaWatch:
    """The job: once an hour of the clock, and soon after quotas were entered or withdrawn."""

    def __init__(
        self,
        quotas: QuotaBooks,
        books: Books,
        bounds: Bounds | None = None,
        timed: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._timed = timed
        self._entries, self._paces, self._crossings = quotas.entries, quotas.paces, quotas.crossings
        self._books = books
        self._bounds = bounds or Bounds()
        self._seen: tuple[int, frozenset[int]] | None = None

    async def run(self, clock: Clock) -> None:
        """Until cancelled. The system's seconds pace the looks; the clock says when an hour is over."""
        failing = False
        while True:
            try:
                if await self._is_due(clock):
                    with self._timed():
                        await self.sweep()
            except EnergyError as error:
                if not failing:
                    log.error("quotas.failed", cause=str(error))
                failing = True
            else:
                if failing:
                    log.info("quotas.back")
                failing = False
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _is_due(self, clock: Clock) -> bool:
        holding = frozenset(e.id for e in await self._entries.holding())
        seen = to_ms(clock.now()) // _EVERY_MS, holding
        due, self._seen = seen != self._seen, seen
        return due and not self._books.pending

    async def sweep(self) -> list[Crossing]:
        """Look at all that holds this year; what was newly crossed."""
        standing: defaultdict[int, set[Mark]] = defaultdict(set)
        for one in await self._crossings.crossings(standing=True):
            standing[one.quota_id].add(one.mark)
        paces = await self._paces.of()
        gone = standing.keys() - {pace.entry.id for pace in paces}
        if gone:
            await self._crossings.end(gone)
        found: list[Crossing] = []
        for pace in paces:
            found += await self._look(pace, standing[pace.entry.id])
        return found

    async def _look(self, pace: Pace, before: set[Mark]) -> list[Crossing]:
        new, over = crossed(pace.standing, before, self._bounds)
        if not new and not over:
            return []
        name = self._name(pace.quota.of)
        told_of = [(mark, pace.standing.share(mark[0]) or 0.0, told(pace, mark, name)) for mark in new]
        kept = await self._crossings.tell(pace.entry, told_of, over)
        for one in kept:
            log.warning("quota.crossed", of=one.of, bound=str(one.mark[0]), level=one.mark[1], text=one.text.en)
        return kept

    def _name(self, of: str) -> Text:
        named = {f"organisation/{o.id}": o.name for o in self._books.kept.site.organisations}
        return named.get(of) or Text(of, of)
