"""What is open about a node: quotas, alarms, findings, contracts and filings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal

from analytics.reporting.filing_states import OPEN
from energy.belonging import all_below, lowers, uppers
from energy.periods import Span, period
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.sites import Site
from gateway.alerts.alarm import Alarm
from gateway.alerts.words import AlarmWords
from gateway.api.words import TextWords
from gateway.contracts.answers import contract_told, head_of
from gateway.findings.answers import words as finding_words
from gateway.findings.kept import Kept, State
from gateway.ledger.scope import Node, NodeKind
from gateway.overview.words import (
    OverviewAlarmsWords,
    OverviewContractsWords,
    OverviewContractWords,
    OverviewFilingsWords,
    OverviewFilingWords,
    OverviewFindingsWords,
    OverviewQuotasWords,
)
from gateway.quotas.answers import pace_words, state_of, worst_first
from gateway.quotas.reckoning import Pace
from gateway.quotas.words import QuotaPaceWords
from gateway.services import Services

# So many are told by name; the others are counted.
_FIRST = 5
_CONTRACTS = 10
# So many open alarms are looked at, the newest first.
_ALARMS = 2_000
# More meters are not named in a question; what is found at all of them is looked through instead.
_NAMED = 1_000


class Matters:
    """What is open about a node, as far as it is seen.

    meters : all meters of the node. organisations : the node and those below it, where it is an organisation; all,
    where it is the site; else none.
    """

    def __init__(self, services: Services, node: Node, day: date) -> None:
        self._services, self._node = services, node
        self._site = services.books.kept.site
        self._whole = node.kind is NodeKind.SITE
        self.meters = services.books.consumption.meters_of(node, day)
        self.organisations = organisations_below(self._site, node, day)

    async def quotas(self) -> OverviewQuotasWords:
        quotas, own = self._services.quotas, f"organisation/{self._node.id}"
        if not self.organisations:
            return OverviewQuotasWords([], {}, [])
        owners = {f"organisation/{name}" for name in self.organisations}
        paces = sorted(await quotas.paces.lately(owners), key=worst_first)
        mine = [] if self._whole else [pace for pace in paces if pace.quota.of == own]
        below = [pace for pace in paces if self._whole or pace.quota.of != own]
        standing = await quotas.crossings.crossings(owners, standing=True)

        def told(chosen: Iterable[Pace]) -> list[QuotaPaceWords]:
            return [pace_words(pace, self._site, standing) for pace in chosen]

        return OverviewQuotasWords(told(mine), dict(Counter(map(state_of, below))), told(below[:_FIRST]))

    async def alarms(self) -> OverviewAlarmsWords:
        found = await self._services.alerts.alarms.alarms(open_only=True, limit=_ALARMS + 1)
        own = [alarm for alarm in found[:_ALARMS] if self._is_about(alarm)]
        levels = dict(Counter(str(alarm.life.level) for alarm in own))
        return OverviewAlarmsWords(
            len(own), levels, len(found) > _ALARMS, [AlarmWords.of(alarm) for alarm in own[:_FIRST]]
        )

    def _is_about(self, alarm: Alarm) -> bool:
        if self._whole:
            return True
        raised = alarm.raised
        meters = alarm.meters | ({Point.parse(raised.point).meter} if raised.point else frozenset())
        kind, _, name = raised.subject.partition("/")
        about = raised.subject == str(self._node) or (kind == NodeKind.ORGANISATION and name in self.organisations)
        return about or not self.meters.isdisjoint(meters)

    async def findings(self) -> OverviewFindingsWords:
        few = self.meters if len(self.meters) <= _NAMED else None
        found = (
            await self._services.findings.found(meters=few, states=[State.OPEN]) if self.meters or few is None else []
        )
        own = [k for k in found if k.finding.point.meter in self.meters or self._whole]
        priced = [k.valued.cost for k in own if k.valued.cost is not None]
        weighed = [k.valued.co2_kg for k in own if k.valued.co2_kg is not None]
        yuan = (Decimal(sum(priced)) / MICRO).quantize(Decimal("0.01")) if priced else None
        costliest = sorted(own, key=_costliest_first)[:_FIRST]
        return OverviewFindingsWords(
            len(own),
            yuan,
            len(own) - len(priced),
            sum(weighed, Decimal(0)) if weighed else None,
            len(own) - len(weighed),
            [finding_words(self._services.books, k) for k in costliest],
        )

    async def contracts(self) -> OverviewContractsWords:
        contracts = self._services.contracts
        own = [k for k in await contracts.kept() if any(b.point.meter in self.meters for b in k.contract.boundary)]
        told = []
        for kept in own[:_CONTRACTS]:
            heads = [head_of(s) for s in await contracts.of(kept.contract.id)]
            disputed = sum(head.disputed for head in heads)
            told.append(
                OverviewContractWords(await contract_told(contracts, kept), heads[-1] if heads else None, disputed)
            )
        return OverviewContractsWords(len(own), told)

    async def filings(self) -> OverviewFilingsWords | None:
        """Of the month that is to be filed: the last whole one."""
        statistics, zone = self._services.statistics, self._site.zone_info
        running = period(Span.MONTH, self._services.clock.now(), zone)
        month = statistics.month((running.start.astimezone(zone) - timedelta(days=1)).strftime("%Y-%m"))
        states = {o: s for o, s in (await statistics.states(month)).items() if o in self.organisations}
        if not states:
            return None
        late = [name for name, state in states.items() if state in OPEN] if statistics.is_due(month) else []
        names = {o.id: TextWords.of(o.name) for o in self._site.organisations}
        return OverviewFilingsWords(
            month.name,
            to_ms(statistics.due(month)),
            len(states),
            dict(Counter(str(state) for state in states.values())),
            len(late),
            [OverviewFilingWords(name, names[name], states[name].value) for name in late[:_FIRST]],
        )


def organisations_below(site: Site, node: Node, day: date) -> Collection[str]:
    """An organisation and all below it; all organisations of a site; none of another node."""
    if node.kind is NodeKind.SITE:
        return {o.id for o in site.organisations}
    return all_below([node.id], lowers(uppers(site, day))) if node.kind is NodeKind.ORGANISATION else set()


def _costliest_first(kept: Kept) -> tuple[int, int]:
    return -(kept.valued.cost if kept.valued.cost is not None else -1), -kept.finding.start_ms
