"""Entering a story: each document once, and what of it is there already is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from string import Template

import numpy as np

from adapters.clocks import SteppedClock
from analytics.contracts.contract_file import contracts_of
from analytics.contracts.standing import Step as PartyStep
from analytics.contracts.standing import StepKind
from analytics.contracts.words import SharedSavingsWords
from analytics.quotas.yearly import by_history
from analytics.reporting.filing_states import Step
from collectors.simulators.fleet import Fleet
from energy.documents import Document
from energy.life import EventKind, MeterEvent
from energy.quantities import main_counter
from energy.quotas import Method, Quota
from energy.readings import to_ms
from energy.stock import StockMove
from gateway.contracts.statements import KeptStatement
from gateway.findings.kept import State
from gateway.findings.service import Findings
from gateway.findings.watch import FindingWatch
from jieneng.story.days import StoryDays
from jieneng.story.office import Office
from jieneng.story.words import (
    ContractStoryWords,
    DecisionWords,
    ExchangeWords,
    FilingStoryWords,
    MoveStoryWords,
    QuotaStoryWords,
    StatementStoryWords,
    StoryWords,
)

# Years of a contract, and days between signing and beginning.
_TERM_YEARS, _SIGNED_DAYS = 5, 21
# So far back a look sees all; what is over is seen whole a day later.
_LOOK_BACK, _AFTERWARDS = timedelta(days=28), timedelta(days=1)
_ABOUT_LINES = (StepKind.DISPUTED, StepKind.AGREED, StepKind.REFERRED)


@dataclass(frozen=True, slots=True)
class Teller:
    """Enters a story at an office."""

    story: StoryWords
    days: StoryDays
    office: Office
    fleet: Fleet

    @property
    def _spells(self) -> Mapping[str, tuple[datetime, datetime | None]]:
        return self.days.spells(self.story)

    async def tell(self, progress: Callable[[float], None]) -> None:
        """Enter all of it that is not there."""
        story = self.story
        for exchange in story.exchanges:
            await self.exchange(exchange)
        await self.office.look_again()
        progress(0.1)
        await self.look()
        progress(0.6)
        for quota in story.quotas:
            await self.quota(quota)
        progress(0.7)
        if story.contract is not None:
            await self.contract(story.contract)
        progress(0.9)
        for move in story.stock:
            await self.move(move)
        for filing in story.filings:
            await self.filing(filing)
        progress(1.0)

    # -- meters ---------------------------------------------------------------------------------------------------

    async def exchange(self, words: ExchangeWords) -> None:
        """Enter the exchange of a meter, with the registers that were read off."""
        fault = self.fleet.faults.faults[words.fault]
        at_ms = to_ms(self._spells[words.fault][0])
        meter = next(m for m in self.fleet.site.meters if m.id == fault.meter)
        counter = main_counter(meter.medium, meter.quantities)
        assert counter is not None  # a meter without a counter has no registers to exchange
        # The old one stood until then; the new one began at 0.
        final = self.fleet.history(meter.id, counter, np.array([at_ms - 1], dtype=np.int64))[0]
        event = MeterEvent(
            meter.id, EventKind.EXCHANGED, at_ms, final_register=float(final), initial_register=0.0, note=words.why
        )
        await self.office.lives.add([event], words.who, words.why)

    # -- quotas ---------------------------------------------------------------------------------------------------

    async def quota(self, words: QuotaStoryWords) -> None:
        """Enter a quota of this year by what the year before used, where the organisation has none of it."""
        owner, today = f"organisation/{words.organisation}", self.days.today
        there = await self.office.quotas.entries.entries([owner], withdrawn=True)
        if any((entry.value.limited, entry.value.year) == (words.of, today.year) for entry in there):
            return
        document = Template(words.document).substitute(year=today.year)
        dated = min(today, date(today.year, 1, 15))
        draft = Quota(owner, words.of, today.year, Decimal(1), Method.HISTORY, document, dated)
        past = await self.office.quotas.paces.past_years(draft)
        amount = by_history({today.year - 1: past.get(today.year - 1)}, words.rate)
        made = Quota(owner, words.of, today.year, amount, Method.HISTORY, document, dated)
        await self.office.quotas.entries.add([made], words.who, words.why)

    # -- contract -------------------------------------------------------------------------------------------------

    async def contract(self, words: ContractStoryWords) -> None:
        """Enter the contract, freeze its baselines, settle its months, and take the steps of its parties."""
        contracts, start = self.office.contracts, self.days.month(len(words.statements))
        first = self.days.month(len(words.statements) + 12)
        document = self._document(words, first, start)
        await contracts.registry.bring({words.id: document}, words.who, words.why)
        [made] = contracts_of(Document(Path(words.id), document))
        weather = self._weather(first, self.days.today)
        await contracts.registry.bring_weather(made.station, weather, words.who, words.why)
        frozen = {kept.baseline.clause for kept in await contracts.baselines(words.id)}
        for clause in made.clauses:
            if isinstance(clause, SharedSavingsWords) and clause.id not in frozen:
                fitted, _ = await contracts.fit(words.id, clause.id, "daily", first, start, {})
                await contracts.freeze_baseline(words.id, fitted, words.who, words.why)
        for number, statement in enumerate(words.statements):
            await self._settle(words.id, len(words.statements) - number, statement)

    def _document(self, words: ContractStoryWords, first: date, start: date) -> str:
        end = start.replace(year=start.year + _TERM_YEARS) - timedelta(days=1)
        holidays, workdays = self.days.spelled(first, self.days.month(-3))
        signed = start - timedelta(days=_SIGNED_DAYS)
        told = {"start": start, "end": end, "signed": signed, "year": start.year}
        return Template(words.document).substitute(told, holidays=holidays, workdays=workdays)

    def _weather(self, first: date, end: date) -> dict[date, int]:
        """The mean temperature of each day [hundredths of degC], as it was on the campus."""
        found = {}
        while first < end:
            midnight = to_ms(self.days.at(first, datetime.min.time()))
            hours = midnight + np.arange(24, dtype=np.int64) * 3_600_000
            found[first] = round(float(np.mean(self.fleet.plant.outside(hours))) * 100)
            first += timedelta(days=1)
        return found

    async def _settle(self, contract: str, months_ago: int, words: StatementStoryWords) -> None:
        contracts, first, end = self.office.contracts, self.days.month(months_ago), self.days.month(months_ago - 1)
        there = [s for s in await contracts.of(contract) if s.kind == "regular" and s.first == first]
        kept = there[0] if there else await contracts.freeze(contract, first, end, words.who, words.why)
        for step in words.steps[len(kept.steps) :]:
            line = _last_line(kept) if step.step in _ABOUT_LINES else ""
            kept = await contracts.take(kept.id, PartyStep(step.step, step.party, line), step.who, step.why)

    # -- statistics -----------------------------------------------------------------------------------------------

    async def move(self, words: MoveStoryWords) -> None:
        """Enter what was bought or counted of a fuel."""
        month = self.days.month(words.months_ago)
        day = month.replace(day=words.day) if words.day else self.days.last_of_month(words.months_ago)
        given = words.fuel, words.kind, day, words.quantity, words.unit, words.amount
        await self.office.stock.add([StockMove(f"organisation/{words.organisation}", *given)], words.who, words.why)

    async def filing(self, words: FilingStoryWords) -> None:
        """Take the steps of a filing that were not taken yet."""
        statistics, name = self.office.statistics, words.organisation
        month = statistics.month(f"{self.days.month(words.months_ago):%Y-%m}")
        taken = await statistics.steps((await statistics.standing(month, name)).kept)
        for step in words.steps[len(taken) :]:
            author = statistics.author(step.who, step.why)
            match step.step:
                case Step.SUBMIT:
                    warned = (await statistics.standing(month, name)).unexplained
                    await statistics.submit(month, name, {fault.key: words.reason for fault in warned}, author)
                case Step.RETURN:
                    await statistics.give_back(month, name, author)
                case Step.ACCEPT:
                    await statistics.accept(month, name, author, by_another=True)
                case Step.FILL:
                    raise ValueError("a story fills in nothing by hand")

    # -- findings -------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Let the gateway look at the past as it would have, had it been there; confirm what somebody has."""
        if not (looks := self._looks()):
            return
        clock = SteppedClock(looks[0])
        findings = Findings(self.office.records, clock, self.office.books.kept.site.id)
        watch = FindingWatch(self.office.books, findings, self.office.calendar, clock)
        for at in looks:
            await clock.step((at - clock.now()).total_seconds())
            await watch.look()
        for words in self.story.confirmed:
            await self._confirm(words, findings)

    def _looks(self) -> list[datetime]:
        """When to look so that all that was wrong and is over is seen, ascending."""
        looks = [self.office.clock.now()]
        over = [(end, start) for start, end in self._spells.values() if end is not None and end < looks[0]]
        for end, start in sorted(over, reverse=True):
            if start < looks[-1] - _LOOK_BACK:
                looks.append(end + _AFTERWARDS)
        return looks[::-1] if over else []

    async def _confirm(self, words: DecisionWords, findings: Findings) -> None:
        start, end = self._spells[words.fault]
        meter = self.fleet.faults.faults[words.fault].meter
        from_ms, until_ms = to_ms(start), to_ms(end or self.office.clock.now())
        for found in await findings.found(
            meters=[meter], states=[State.OPEN, State.ENDED], from_ms=from_ms, to_ms=until_ms
        ):
            if found.finding.excess is not None:
                await findings.decide(found.id, State.CONFIRMED, words.who, words.why)


def _last_line(kept: KeptStatement) -> str:
    return str(kept.bundle["lines"][-1]["id"])
