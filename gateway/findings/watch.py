"""The job that looks: each hour at the last weeks of every counter, once a day at what its thresholds are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog

from analytics.anomalies.channels import Values, usual_runs
from analytics.anomalies.detection import Event, events_of, reaches_back
from analytics.anomalies.profiles import BACK_DAYS, between
from analytics.anomalies.replay import METHOD, Replay, replay, thresholds
from energy.errors import StoreError
from energy.findings import Finding, FindingKind
from energy.hours import HOUR_MS
from energy.ports import Clock
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.working_days import WorkingDays
from gateway.findings.grid import Grid, counters, grid_of, quiet_until, read_all
from gateway.findings.grouping import one_cause
from gateway.findings.kept import Kept
from gateway.findings.lasting import begun, lasting, longer
from gateway.findings.learnt import Learnt
from gateway.findings.leaving import away_since, while_there
from gateway.findings.looks import Look
from gateway.findings.service import Findings
from gateway.findings.worth import Valued, valued
from gateway.ledger.books import DISPUTES, Books

log = structlog.get_logger()

# A counter learns from its own past, far enough back for the same weeks of the year before.
_PAST_DAYS = 425
# What is found of these days is brought up to date each time: readings may come late.
_LOOK_DAYS = 31
# Means over hours need some days to settle before that.
_SETTLE_DAYS = 14
# What is judged stands at the end of so many days, of which those between the weeks before and the same weeks of the
# year before are not read.
_DAYS = _LOOK_DAYS + _SETTLE_DAYS + BACK_DAYS
_FIRST_DAY = BACK_DAYS
_UNREAD = between(_FIRST_DAY, _DAYS)
# Hours before now that may still be incomplete.
_FRESH_H = 2
_AFTER_HOUR = timedelta(minutes=5)
_FIRST_AFTER = timedelta(minutes=1)
# Counters that are looked at together: bounds the memory, at about 170 MB.
_CHUNK = 500
_DAY_MS = 86_400_000
_WITHOUT_EXCESS = {FindingKind.MISSING, FindingKind.STUCK, FindingKind.NEGATIVE, FindingKind.SCALE}
# However often it was dismissed, a meter tells of what is far beyond this.
_MOST_THRESHOLD = 3.2
# An event whose score is this little above one that was dismissed is the like of it.
_ALIKE = 0.2


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
        self._kept = findings.learnt(METHOD)

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
        since = to_ms(now - timedelta(days=_LOOK_DAYS))
        away, before = away_since(self._books.kept.site, now), lasting(await self._findings.found(from_ms=since), since)
        chunks, known, raised = self._chunks(since, away), await self._kept.all(), await self._raised()
        found: list[Valued] = []
        quiet: dict[Point, int] = {}
        for i, points in enumerate(chunks):
            midnight_ms = self._midnight_ms(now, i / len(chunks))
            if any(p not in known or known[p].upto_ms < midnight_ms for p in points):
                known |= await self._learn(points, now)
            grid = await self._grid(points, now)
            found += await asyncio.to_thread(self._judged, grid, known, raised, before) + await self._doubts(grid)
            quiet |= quiet_until(grid, _LOOK_DAYS)
        found = one_cause(while_there(found, away), self._books.kept.site.meters)
        new, gone = await self._findings.take(Look(found, since, METHOD, quiet, away))
        if new or gone:
            log.info("findings.changed", new=new, gone=gone)
        return new, gone

    def _chunks(self, since_ms: int, away: Callable[[Point], int | None]) -> list[list[Point]]:
        """Counters of a medium together, as what they do at one time is common to them; those that were read first come
        first, so that new ones change little of it, and what is read together lies together. Without those whose meter
        was taken away before an instant."""
        site, ledger = self._books.kept.site, self._books.ledger
        medium = {m.id: m.medium for m in site.meters}
        there = (p for p in counters(site, ledger) if (away_ms := away(p)) is None or away_ms > since_ms)
        points = sorted(there, key=lambda p: (medium[p.meter], ledger.number(p) or 0))
        of_media = ([p for p in points if medium[p.meter] == of] for of in sorted({medium[p.meter] for p in points}))
        return [own[i : i + _CHUNK] for own in of_media for i in range(0, len(own), _CHUNK)]

    def _midnight_ms(self, now: datetime, share: float) -> int:
        """Up to when a chunk must have been learnt from: the last midnight, once so much of the day has gone by. Each
        has an hour of its own, so that learning is spread over the day."""
        offset_ms = self._books.builder.terms.zone_offset_ms
        return (to_ms(now) + offset_ms - round(share * _DAY_MS)) // _DAY_MS * _DAY_MS - offset_ms

    async def _learn(self, points: Sequence[Point], now: datetime) -> dict[Point, Learnt]:
        """Learn of counters when an hour of them is a finding, from their own past up to the last midnight; keep it."""
        grid = await grid_of(self._books.ledger, points, now, self._offset_h, _PAST_DAYS)
        learnt = await asyncio.to_thread(self._learnt_of, grid)
        await self._kept.keep(learnt)
        return learnt

    def _learnt_of(self, grid: Grid) -> dict[Point, Learnt]:
        upto = grid.upto // 24 * 24
        use = grid.use[:, :upto]
        began = _first_known_day(use)
        made = replay(use[:, began * 24 :], grid.worked(self._calendar)[began : upto // 24])
        limits, runs = thresholds(made.score), usual_runs(use[:, began * 24 :])
        return {p: Learnt(float(limits[i]), float(runs[i]), grid.ms(upto)) for i, p in enumerate(grid.points)}

    @property
    def _offset_h(self) -> int:
        return self._books.builder.terms.zone_offset_ms // HOUR_MS

    async def _raised(self) -> dict[Point, float]:
        """The thresholds that dismissed findings have raised."""
        peaks = await self._findings.dismissed_peaks()
        return {point: min(peak + _ALIKE, _MOST_THRESHOLD) for point, peak in peaks.items()}

    async def _grid(self, points: Sequence[Point], now: datetime) -> Grid:
        """What some counters are judged by."""
        ledger = self._books.ledger
        grid = await grid_of(ledger, points, now, self._offset_h, _DAYS, unread=_UNREAD)
        reaching = reaches_back(grid.use[:, _UNREAD.stop * 24 : _FIRST_DAY * 24])
        if reaching.any():
            await read_all(ledger, grid, np.flatnonzero(reaching).tolist(), _UNREAD)
        return grid

    def _judged(
        self,
        grid: Grid,
        known: Mapping[Point, Learnt],
        raised: Mapping[Point, float],
        before: Mapping[Point, Sequence[Kept]],
    ) -> list[Valued]:
        """The findings of these counters; `before` are those that began earlier than is judged."""
        learnt = [known[p] for p in grid.points]
        limits = np.array(
            [max(one.threshold, raised.get(p, 0.0)) for p, one in zip(grid.points, learnt, strict=True)], np.float32
        )
        runs = np.array([one.usual_run for one in learnt], np.float32)
        worked = grid.worked(self._calendar)
        made = replay(grid.use, worked, first_day=_FIRST_DAY, usual_run=runs)
        hours = grid.upto - _LOOK_DAYS * 24, grid.upto - _FRESH_H
        events = events_of(grid.use, made, worked, limits, runs, hours, grid.since)
        return [self._whole(grid, made, event, limits, before) for event in events]

    def _whole(
        self, grid: Grid, made: Replay, event: Event, limits: Values, before: Mapping[Point, Sequence[Kept]]
    ) -> Valued:
        """An event with what was told of it when more of it could be seen."""
        seen = self._valued(grid, made, event, limits)
        told = begun(before, seen.finding)
        if told is None:
            return seen
        since = grid.hour(told.finding.end_ms)
        if since >= event.end:
            return replace(told, finding=replace(told.finding, ongoing=seen.finding.ongoing))
        return longer(told, self._valued(grid, made, replace(event, start=max(event.start, since)), limits))

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
