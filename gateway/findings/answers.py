"""Findings in the words of the API, and the curve that shows one."""

from __future__ import annotations

from datetime import UTC, timedelta

import numpy as np
import numpy.typing as npt

from analytics.anomalies.profiles import by_day, usual
from energy.ports import Clock
from energy.quantities import quantity
from energy.readings import from_ms
from energy.sites import Text
from energy.working_days import WorkingDays
from gateway.api.words import TextWords
from gateway.findings.grid import Grid, grid_of
from gateway.findings.kept import Kept, State
from gateway.findings.leaving import ended_with_meter
from gateway.findings.service import Findings
from gateway.findings.words import EndedWord, FindingAnswer, FindingCurve, FindingsAnswer, FindingsQuery, FindingWords
from gateway.ledger.books import Books

# Days of curve before and after a finding, and how many at most.
_AROUND_DAYS = 3
_MOST_DAYS = 45
# The days of the year before and the trailing weeks that the first of them stands on.
_PAST_DAYS = 380
# The band of what is usual: so many spreads to either side.
_BAND = np.float32(2.0)


async def told(findings: Findings, books: Books, query: FindingsQuery) -> FindingsAnswer:
    """The newest findings that are asked for."""
    kept = await findings.found(
        meters=query.meter or None,
        states=query.state,
        kinds=query.kind,
        from_ms=query.from_,
        to_ms=query.to,
        limit=query.limit + 1,
    )
    return FindingsAnswer([words(books, one) for one in kept[: query.limit]], len(kept) > query.limit)


def words(books: Books, kept: Kept) -> FindingWords:
    """A finding with the name of its meter."""
    point = kept.finding.point
    meter = next((m for m in books.kept.site.meters if m.id == point.meter), None)
    name = meter.name if meter else Text(point.meter, point.meter)
    return FindingWords.of(kept, TextWords.of(name), quantity(point.quantity).unit, _ended(books, kept))


def _ended(books: Books, kept: Kept) -> EndedWord | None:
    """What ended a finding; None where that is not known, or it has not."""
    if kept.state in (State.OPEN, State.GONE):
        return None
    if ended_with_meter(books.kept.site, kept.finding):
        return "removed"
    return "normal" if kept.state is State.ENDED else None


async def shown(kept: Kept, books: Books, calendar: WorkingDays, clock: Clock) -> FindingAnswer:
    """A finding with its curve; expected is reckoned from what was known on each day, with the ledger of today."""
    finding = kept.finding
    begins = from_ms(finding.start_ms) - timedelta(days=_AROUND_DAYS)
    ends = min(from_ms(finding.end_ms), from_ms(finding.start_ms) + timedelta(days=_MOST_DAYS))
    ends = min(ends + timedelta(days=_AROUND_DAYS), clock.now().astimezone(UTC))
    shown_days = (ends - begins).days + 2
    offset_h = books.builder.terms.zone_offset_ms // 3_600_000
    days = _PAST_DAYS + shown_days
    grid = await grid_of(books.ledger, [finding.point], clock.now().astimezone(UTC), offset_h, days, ends)
    return FindingAnswer(words(books, kept), _curve(grid, calendar, shown_days))


def _curve(grid: Grid, calendar: WorkingDays, shown_days: int) -> FindingCurve:
    worked, cube = grid.worked(calendar), by_day(grid.use)
    expected = np.full((grid.days, 24), np.nan, np.float32)
    spread = expected.copy()
    for day in range(grid.days - shown_days, grid.days):
        profile = usual(cube, worked, day)[0 if worked[day] else 1]
        expected[day], spread[day] = profile.expected[0], profile.spread[0]
    hours = slice((grid.days - shown_days) * 24, min(grid.days * 24, grid.upto))
    middle, band = expected.ravel()[hours], _BAND * spread.ravel()[hours]
    at = [grid.ms(h) for h in range(hours.start, hours.stop)]
    low = np.maximum(middle - band, 0)
    return FindingCurve(at, _plain(grid.use[0, hours]), _plain(middle), _plain(low), _plain(middle + band))


def _plain(values: npt.NDArray[np.float32]) -> list[float | None]:
    return [round(float(v), 6) if np.isfinite(v) else None for v in values]
