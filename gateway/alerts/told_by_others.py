"""What analysis and quotas tell, as alarms: a finding that goes on, a year that goes beyond its quota."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog

from analytics.alarms.rules import Level
from analytics.quotas.pace import Bound
from energy.errors import StoreError
from energy.ports import Clock
from energy.quantities import quantity
from energy.readings import to_ms
from energy.series import MICRO
from energy.sites import Text
from gateway.alerts.alarm import Member, Raised
from gateway.alerts.service import Alarms
from gateway.findings.causes import NAMES, cause, first_check
from gateway.findings.kept import Kept, State
from gateway.findings.service import Findings
from gateway.ledger.books import Books
from gateway.quotas.books import QuotaBooks
from gateway.quotas.service import Crossing

log = structlog.get_logger()

_EVERY_S = 30.0
# What began longer ago than this is on the page; it does not ring anew because the program was started.
_RECENT = timedelta(days=3)
_CENT = Decimal("0.01")


class ToldByOthers:
    """Raises findings of use and crossed bounds of quotas, once each, and lets them recover.

    Findings of the data (a gap, a meter that is stuck) do not ring: silence has a rule of its own, the others can wait
    for the morning.
    """

    def __init__(self, alarms: Alarms, findings: Findings, quotas: QuotaBooks, books: Books, clock: Clock) -> None:
        self._alarms, self._findings, self._quotas, self._books, self._clock = alarms, findings, quotas, books, clock

    async def run(self) -> None:
        """Look for ever. What fails is told once, and tried again."""
        failing = False
        while True:
            try:
                await self.look()
                failing = False
            except StoreError as error:
                if not failing:
                    log.error("alarms.failed", cause=str(error))
                failing = True
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Raise what is new, and let recover what is over."""
        since_ms = to_ms(self._clock.now() - _RECENT)
        found = [k for k in await self._findings.found(from_ms=since_ms) if not k.finding.kind.is_of_data]
        crossings = await self._quotas.crossings.crossings()
        standing = [c for c in _newest(crossings) if c.cleared_at_ms is None and c.raised_at_ms >= since_ms]
        raised = [self._of_finding(k) for k in found if k.state is State.OPEN and k.finding.ongoing]
        raised += [self._of_crossing(c) for c in standing]
        known = await self._alarms.known_causes([one.cause for one in raised])
        await self._alarms.raise_all([one for one in raised if one.cause not in known])
        await self._alarms.recover(await self._over(found, crossings))

    async def _over(self, found: Iterable[Kept], crossings: Iterable[Crossing]) -> Mapping[str, Mapping[str, int]]:
        """Of open alarms: findings that ended or were decided, bounds that a year fell back below."""
        now_ms = to_ms(self._clock.now())
        left = {f"finding/{k.id}" for k in found if k.state is State.OPEN and k.finding.ongoing}
        left |= {f"quota/{c.id}" for c in crossings if c.cleared_at_ms is None}
        alarms = await self._alarms.alarms(open_only=True, limit=10_000)
        gone = [a for a in alarms if a.raised.kind in ("finding", "quota") and a.raised.cause not in left]
        return {a.raised.cause: {m.name: now_ms for m in a.members if m.until_ms is None} for a in gone}

    def _of_finding(self, kept: Kept) -> Raised:
        finding = kept.finding
        meter = finding.point.meter
        name = next((m.name for m in self._books.kept.site.meters if m.id == meter), Text(meter, meter))
        kind = NAMES[finding.kind]
        title = Text(f"{name.zh}：{kind.zh}", f"{name.en}: {kind.en}")
        level = Level.WARNING if (finding.excess or 0) > 0 else Level.NOTICE
        member = (Member(str(finding.point), finding.start_ms),)
        texts = cause(finding), first_check(finding)
        said = (f"finding/{kept.id}", "finding", level, meter, title, finding.start_ms, member, *texts)
        return Raised(*said, point=str(finding.point), figures=_figures(kept))

    def _of_crossing(self, crossing: Crossing) -> Raised:
        of = crossing.of.removeprefix("organisation/")
        name = next((o.name for o in self._books.kept.site.organisations if o.id == of), Text(of, of))
        bound, share = crossing.mark
        title = Text(f"{name.zh}：定额预警", f"{name.en}: quota")
        level = Level.WARNING if share >= 1 or bound is Bound.CHANCE else Level.NOTICE
        member = (Member(crossing.of, crossing.raised_at_ms),)
        said = (f"quota/{crossing.id}", "quota", level, crossing.of, title, crossing.raised_at_ms, member)
        return Raised(*said, crossing.text)


def _newest(crossings: Iterable[Crossing]) -> list[Crossing]:
    """The last of each bound of a quota: of several at once the gravest; where a year fell back, none of before."""
    found = {(one.quota_id, one.mark[0]): one for one in sorted(crossings, key=lambda one: (one.id, one.mark[1]))}
    return list(found.values())


def _figures(kept: Kept) -> Mapping[str, Any] | None:
    """What was used beyond what was expected, and what that cost; None where nothing was."""
    excess, cost = kept.finding.excess, kept.valued.cost
    if excess is None or excess <= 0:
        return None
    yuan = None if cost is None else str((Decimal(cost) / MICRO).quantize(_CENT))
    unit = quantity(kept.finding.point.quantity).unit
    amount = f"{Decimal(excess) / MICRO:.2f}"
    return {"amount": amount, "unit": unit, "since": kept.finding.start_ms, "yuan": yuan}
