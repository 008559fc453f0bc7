"""The job that looks: each hour at the last weeks of every counter, each night at what is usual of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from analytics.anomalies.channels import Values, usual_runs
from analytics.anomalies.detection import Event, events_of
from analytics.anomalies.replay import FIRST_DAYS, FIRST_THRESHOLD, METHOD, Replay, replay, thresholds
from energy.errors import StoreError
from energy.findings import Finding, FindingKind
from energy.ports import Clock
from energy.readings import Point
from energy.series import MICRO
from energy.working_days import WorkingDays
from gateway.findings.grid import Grid, counters, grid_of
from gateway.findings.grouping import one_cause
from gateway.findings.service import Findings
from gateway.findings.worth import Valued, valued
from gateway.ledger.books import DISPUTES, Books

log = structlog.get_logger()

# Far enough back for the same weeks of the year before.
_PAST_DAYS = 425
# What is found of these days is brought up to date each time: readings may come late.
_LOOK_DAYS = 31
# Means over hours need some days to settle before that.
_SETTLE_DAYS = 14
# Hours before now that may still be incomplete.
_FRESH_H = 2
_AFTER_HOUR = timedelta(minutes=5)
_FIRST_AFTER = timedelta(minutes=1)
_CHUNK = 2000
_WITHOUT_EXCESS = {FindingKind.MISSING, FindingKind.STUCK, FindingKind.NEGATIVE, FindingKind.SCALE}
# However often it was dismissed, a meter tells of what is far beyond this.
_MOST_THRESHOLD = 3.2
# An event whose score is this little above one that was dismissed is the like of it.
_ALIKE = 0.2


@dataclass(frozen=True, slots=True)
class _Learnt:
    """Of a counter: its threshold, and for how many hours an amount of it may stay the same."""

    threshold: float
    usual_run: float


class FindingWatch:
    """Looks for findings in the books."""

    def __init__(
        self,
        books: Books,
        findings: Findings,
        calendar: WorkingDays,
        clock: Clock,
        timed: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._timed = timed
        self._books, self._findings, self._calendar, self._clock = books, findings, calendar, clock
        self._learnt: dict[Point, _Learnt] = {}
        self._learnt_on: datetime | None = None

    async def run(self) -> None:
        """Look a minute after the start, then shortly after every hour. What fails is told once, and tried again."""
        failing = False
        # What the gateway is started for comes first: readings, ledger, pages.
        await self._clock.sleep_until(self._clock.now() + _FIRST_AFTER)
        while True:
            try:
                with self._timed():
                    await self.look()
            except StoreError as error:
                if not failing:
                    log.error("findings.failing", cause=str(error))
                failing = True
            else:
                failing = False
            now = self._clock.now()
            await self._clock.sleep_until(
                now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) + _AFTER_HOUR
            )

    async def look(self) -> tuple[int, int]:
        """Look now; returns how many findings are new and how many gone."""
        now = self._clock.now().astimezone(UTC)
        if self._learnt_on is None or now - self._learnt_on >= timedelta(days=1):
            await self.learn()
        found: list[Valued] = []
        for points in self._chunks():
            grid = await self._grid(points, now)
            found += await asyncio.to_thread(self._found, grid, await self._raised())
            found += await self._doubts(grid)
        found = one_cause(found, self._books.kept.site.meters)
        since = now - timedelta(days=_LOOK_DAYS)
        new, gone = await self._findings.take(found, int(since.timestamp() * 1000), METHOD)
        if new or gone:
            log.info("findings.changed", new=new, gone=gone)
        return new, gone

    async def learn(self) -> None:
        """Learn of every counter when an hour of it is a finding, from its own past."""
        now = self._clock.now().astimezone(UTC)
        for points in self._chunks():
            grid = await self._grid(points, now)
            self._learnt.update(await asyncio.to_thread(self._learn, grid))
        self._learnt_on = now

    def _chunks(self) -> Iterator[list[Point]]:
        """Counters of a medium together: what they do at one time is common to them."""
        site = self._books.kept.site
        medium = {m.id: m.medium for m in site.meters}
        points = sorted(counters(site, self._books.ledger), key=lambda p: (medium[p.meter], p))
        for of in sorted({medium[p.meter] for p in points}):
            own = [p for p in points if medium[p.meter] == of]
            yield from (own[i : i + _CHUNK] for i in range(0, len(own), _CHUNK))

    async def _grid(self, points: list[Point], now: datetime) -> Grid:
        terms = self._books.builder.terms
        return await grid_of(self._books.ledger, points, now, terms.zone_offset_ms // 3_600_000, _PAST_DAYS)

    def _learn(self, grid: Grid) -> dict[Point, _Learnt]:
        upto = grid.upto // 24 * 24
        use = grid.use[:, :upto]
        began = _first_known_day(use)
        made = replay(use[:, began * 24 :], grid.worked(self._calendar)[began : upto // 24])
        limits, runs = thresholds(made.score), usual_runs(use[:, began * 24 :])
        return {p: _Learnt(float(limits[i]), float(runs[i])) for i, p in enumerate(grid.points)}

    async def _raised(self) -> dict[Point, float]:
        """The thresholds that dismissed findings have raised."""
        peaks = await self._findings.dismissed_peaks()
        return {point: min(peak + _ALIKE, _MOST_THRESHOLD) for point, peak in peaks.items()}

    def _found(self, grid: Grid, raised: dict[Point, float]) -> list[Valued]:
        first = max(grid.days - _LOOK_DAYS - _SETTLE_DAYS, FIRST_DAYS)
        learnt = [self._learnt.get(p, _Learnt(FIRST_THRESHOLD, 6.0)) for p in grid.points]
        limits = np.array(
            [max(one.threshold, raised.get(p, 0.0)) for p, one in zip(grid.points, learnt, strict=True)], np.float32
        )
        runs = np.array([one.usual_run for one in learnt], np.float32)
        worked = grid.worked(self._calendar)
        made = replay(grid.use, worked, first_day=first, usual_run=runs)
        hours = grid.upto - _LOOK_DAYS * 24, grid.upto - _FRESH_H
        return [
            self._valued(grid, made, event, limits) for event in events_of(grid.use, made, worked, limits, runs, hours)
        ]

    def _valued(self, grid: Grid, made: Replay, event: Event, limits: Values) -> Valued:
        point, at = grid.points[event.meter], slice(event.start, event.end)
        use, expected = grid.use[event.meter, at], made.expected[event.meter, at]
        both = np.isfinite(use) & np.isfinite(expected)
        usual = np.rint(expected[both].astype(np.float64) * MICRO).astype(np.int64)
        beyond = grid.amount[event.meter, at][both] - usual
        told = event.kind not in _WITHOUT_EXCESS and bool(both.any())
        finding = Finding(
            point,
            event.kind,
            grid.ms(event.start),
            grid.ms(event.end),
            event.end >= grid.upto - _FRESH_H,
            round(event.peak, 4),
            round(float(limits[event.meter]), 4) if event.peak else 0.0,
            int(beyond.sum()) if told else None,
            int(grid.amount[event.meter, at][both].sum()),
            int(usual.sum()) if told else None,
            event.ratio,
        )
        hours = grid.first_hour + np.arange(event.start, event.end)[both]
        return valued(self._books, finding, hours, beyond)

    async def _doubts(self, grid: Grid) -> list[Valued]:
        """What the ledger doubts of a register, and nobody has explained by an event."""
        ledger, since = self._books.ledger, grid.ms(grid.upto - _LOOK_DAYS * 24)
        numbers = [n for p in grid.points if (n := ledger.number(p)) is not None]
        found = await ledger.doubts(np.array(numbers, np.int64), since, grid.ms(grid.upto))
        return [
            Valued(Finding(ledger.points[d.point], FindingKind(d.kind), d.from_ms, max(d.to_ms, d.from_ms + 1), False))
            for d in found
            if d.kind in DISPUTES
        ]


def _first_known_day(use: Values) -> int:
    """The first day on which anything of it is known."""
    known = np.isfinite(use).any(axis=0)
    return int(np.argmax(known)) // 24 if known.any() else 0
