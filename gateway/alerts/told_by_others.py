"""What analysis and quotas tell, as alarms: a finding that goes on, a year that goes beyond its quota."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog

from analytics.alarms.rules import Level
from energy.errors import StoreError
from energy.ports import Clock
from energy.quantities import quantity
from energy.quotas import Quota
from energy.readings import to_ms
from energy.series import MICRO
from energy.sites import Text
from gateway.alerts import quota_steps
from gateway.alerts.alarm import Alarm, Member, Raised
from gateway.alerts.quota_steps import Steps
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
_FINDING = "finding"


class ToldByOthers:
    """Raises findings of use, once each, and quotas, anew for each graver bound; and lets them recover.

    Findings of the data (a gap, a meter that is stuck) do not ring: silence has a rule of its own, the others can wait
    for the morning.
    """

    def __init__(self, alarms: Alarms, findings: Findings, quotas: QuotaBooks, books: Books, clock: Clock) -> None:
        self._alarms, self._findings, self._quotas, self._books, self._clock = alarms, findings, quotas, books, clock
        self._quota_of: Mapping[int, Quota] = {}
        self._has_taken_former = False

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
        now_ms, since_ms = to_ms(self._clock.now()), to_ms(self._clock.now() - _RECENT)
        left = {_cause(k): k for k in await self._findings.found(states=[State.OPEN])}
        known = left | {_cause(k): k for k in await self._findings.found(from_ms=since_ms)}
        crossings = {c.id: c for c in await self._quotas.crossings.crossings()}
        steps = await self._steps(crossings)
        await self._take_former(steps, crossings)
        await self._raise_findings(k for k in left.values() if k.finding.end_ms > since_ms)
        await self._raise_quotas(steps, since_ms)
        over: dict[str, Mapping[str, int]] = {}
        for alarm in await self._alarms.alarms(open_only=True, limit=10_000):
            if alarm.raised.kind == quota_steps.KIND:
                over[alarm.raised.cause] = quota_steps.over(alarm, crossings, now_ms)
            elif alarm.raised.kind == _FINDING:
                await self._tell_figures(alarm, known.get(alarm.raised.cause))
                if alarm.raised.cause not in left:
                    over[alarm.raised.cause] = {m.name: now_ms for m in alarm.members if m.until_ms is None}
        await self._alarms.recover({cause: members for cause, members in over.items() if members})

    async def _raise_findings(self, found: Iterable[Kept]) -> None:
        """Findings of use that go on, each once."""
        raised = [self._of_finding(k) for k in found if k.finding.ongoing and not k.finding.kind.is_of_data]
        known = await self._alarms.known_causes([one.cause for one in raised])
        await self._alarms.raise_all([one for one in raised if one.cause not in known])

    async def _tell_figures(self, alarm: Alarm, kept: Kept | None) -> None:
        """What it came to so far; of what has ended, all of it."""
        figures = None if kept is None else _figures(kept)
        if figures is not None and figures != alarm.raised.figures:
            await self._alarms.tell_figures(alarm.id, figures)

    async def _raise_quotas(self, steps: Mapping[int, Steps], since_ms: int) -> None:
        lately = [one for one in steps.values() if (c := one.gravest) is not None and c.raised_at_ms >= since_ms]
        names = {quota_steps.member(c).name for one in lately for c in one.crossings}
        told, site = await self._alarms.known_members(sorted(names)), self._books.kept.site
        news = {quota_steps.cause_of(one.quota): (one.news(told, since_ms), one.quota) for one in lately}
        raised = [quota_steps.raised(c, quota, site) for c, quota in news.values() if c is not None]
        await self._alarms.raise_all(raised)

    async def _steps(self, crossings: Mapping[int, Crossing]) -> dict[int, Steps]:
        """By quota, what was crossed of it, and of those that it took the place of."""
        if any(c.quota_id not in self._quota_of for c in crossings.values()):
            self._quota_of = {e.id: e.value for e in await self._quotas.entries.entries(withdrawn=True)}
        own: defaultdict[str, list[Crossing]] = defaultdict(list)
        for one in crossings.values():
            own[quota_steps.cause_of(self._quota_of[one.quota_id])].append(one)
        quotas = {c.quota_id: self._quota_of[c.quota_id] for c in crossings.values()}
        return {n: Steps(quota, tuple(own[quota_steps.cause_of(quota)])) for n, quota in quotas.items()}

    async def _take_former(self, steps: Mapping[int, Steps], crossings: Mapping[int, Crossing]) -> None:
        """Once: what rang for each bound by itself becomes one alarm of its quota."""
        if self._has_taken_former:
            return
        alarms = await self._alarms.of_kind(quota_steps.KIND)
        for of, members in quota_steps.together(alarms, steps, crossings).items():
            await self._alarms.take_together(of, members)
        self._has_taken_former = True

    def _of_finding(self, kept: Kept) -> Raised:
        finding = kept.finding
        meter = finding.point.meter
        name = next((m.name for m in self._books.kept.site.meters if m.id == meter), Text(meter, meter))
        kind = NAMES[finding.kind]
        title = Text(f"{name.zh}：{kind.zh}", f"{name.en}: {kind.en}")
        level = Level.WARNING if (finding.excess or 0) > 0 else Level.NOTICE
        member = (Member(str(finding.point), finding.start_ms),)
        texts = cause(finding), first_check(finding)
        said = (_cause(kept), _FINDING, level, meter, title, finding.start_ms, member, *texts)
        return Raised(*said, point=str(finding.point), figures=_figures(kept))


def _cause(kept: Kept) -> str:
    return f"{_FINDING}/{kept.id}"


def _figures(kept: Kept) -> Mapping[str, Any] | None:
    """What was used beyond what was expected, and what that cost; None where nothing was."""
    excess, cost = kept.finding.excess, kept.valued.cost
    if excess is None or excess <= 0:
        return None
    yuan = None if cost is None else str((Decimal(cost) / MICRO).quantize(_CENT))
    unit = quantity(kept.finding.point.quantity).unit
    amount = f"{Decimal(excess) / MICRO:.2f}"
    return {"amount": amount, "unit": unit, "since": kept.finding.start_ms, "yuan": yuan}
