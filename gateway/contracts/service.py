"""Contracts of the site: what is asked of them, entered, fitted, settled and confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from analytics.carbon.factors import Carrier, FactorError
from analytics.contracts.baseline import Baseline
from analytics.contracts.day_kinds import kinds_of
from analytics.contracts.fitting import DayValues, Named, agreed, fitted
from analytics.contracts.inputs import Adjustment, Carried, Factors, Inputs
from analytics.contracts.lines import Outcome
from analytics.contracts.settlement import bundle, reversing_bundle, settle
from analytics.contracts.standing import Step
from analytics.contracts.sufficiency import day_range
from analytics.contracts.uncertainty import guideline_14
from analytics.contracts.words import ContractWords, SharedSavingsWords, TermRuleWords, TrustFeeWords
from energy.errors import EnergyError, UnknownName
from energy.periods import of_days
from energy.ports import Clock, ReadingStore
from energy.quantities import Medium, quantity
from energy.readings import to_ms
from energy.series import MICRO
from gateway.contracts.measuring import Measuring
from gateway.contracts.registry import KeptBaseline, KeptContract, Registry, adjustments_of
from gateway.contracts.statements import KeptStatement, Statements, must_be_reversible
from gateway.ledger.books import Books
from gateway.life.service import Lives
from gateway.records.database import Records
from gateway.records.entries import Entry

_CONFIDENCE = 0.9
_MOST_DAYS = 1100
# A statement waits so long for readings that are just being worked in.
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.05
_CARRIERS = {Medium.ELECTRICITY: Carrier.ELECTRICITY, Medium.GAS: Carrier.NATURAL_GAS, Medium.HEAT: Carrier.HEAT}


class Contracts:
    """The contracts, with their baselines and statements."""

    def __init__(
        self, records: Records, clock: Clock, books: Books, store: ReadingStore, rules: Sequence[TermRuleWords] = ()
    ) -> None:
        self._clock, self._books, self.rules = clock, books, rules
        self.registry, self.statements = Registry(records, clock), Statements(records, clock)
        self._measuring = Measuring(books, store, Lives(records, clock))

    @property
    def books(self) -> Books:
        """What the counters measured."""
        return self._books

    # -- contracts ------------------------------------------------------------------------------------------------

    async def kept(self) -> list[KeptContract]:
        """Those that hold, by id."""
        return await self.registry.contracts()

    async def one(self, contract_id: str) -> KeptContract:
        """The version that holds; UnknownName where there is none."""
        for found in await self.kept():
            if found.contract.id == contract_id:
                return found
        raise UnknownName(f"contract {contract_id!r} is not known")

    async def baselines(self, contract_id: str) -> list[KeptBaseline]:
        """All versions of its clauses, oldest first."""
        await self.one(contract_id)
        return await self.registry.baselines(contract_id)

    async def adjustments(self, contract_id: str) -> list[Entry[tuple[str, Adjustment]]]:
        """Non-routine adjustments, withdrawn ones too."""
        await self.one(contract_id)
        return await self.registry.adjustments.of(contract_id, withdrawn=True)

    async def adjust(self, contract_id: str, adjustment: Adjustment, who: str, why: str) -> int:
        """Enter a non-routine adjustment of a clause; it counts in statements that are frozen from now on."""
        shared(await self.one(contract_id), adjustment.clause)
        if adjustment.last < adjustment.first:
            raise EnergyError(f"the adjustment ends {adjustment.last}, before it begins {adjustment.first}")
        added = await self.registry.adjustments.add([(contract_id, adjustment)], who, why)
        if not added.ids:
            raise EnergyError("the same adjustment was entered already")
        return added.ids[0]

    async def withdraw_adjustment(self, entry_id: int, who: str, why: str) -> str:
        """Let an adjustment hold no longer; frozen statements keep it. The contract that it was of."""
        entry = await self.registry.adjustments.entry(entry_id)
        try:
            await self.one(entry.value[0])
        except UnknownName:
            raise UnknownName(f"contract_adjustment {entry_id} is not known") from None
        await self.registry.adjustments.withdraw(entry_id, who, why)
        return entry.value[0]

    # -- baselines ------------------------------------------------------------------------------------------------

    async def fit(
        self, contract_id: str, clause_id: str, method: str, first: date, end: date, excluded: Mapping[date, str]
    ) -> tuple[Baseline, DayValues]:
        """A baseline of a clause over days, as it would be frozen, and the days."""
        kept = await self.one(contract_id)
        clause = shared(kept, clause_id)
        _must_be_days(first, end)
        values = await self._values(kept.contract, clause, first, end)
        named = await self._named(kept.contract, clause)
        return fitted(values, method, named, excluded), values

    async def agree(self, contract_id: str, clause_id: str, per_day: Decimal, first: date, end: date) -> Baseline:
        """An amount a day that both parties have agreed on, as it would be frozen."""
        kept = await self.one(contract_id)
        _must_be_days(first, end)
        named = await self._named(kept.contract, shared(kept, clause_id))
        return agreed(int((per_day * MICRO).to_integral_value()), named, first, end)

    async def freeze_baseline(self, contract_id: str, baseline: Baseline, who: str, why: str) -> KeptBaseline:
        """Keep a baseline; statements from now on go by it."""
        await self.one(contract_id)
        return await self.registry.freeze(contract_id, baseline, who, why)

    async def _named(self, contract: ContractWords, clause: SharedSavingsWords) -> Named:
        points = tuple(dict.fromkeys(str(b.point) for b in contract.bounded(clause)))
        unit = quantity(contract.bounded(clause)[0].point.quantity).unit
        versions = [
            k.baseline.version for k in await self.registry.baselines(contract.id) if k.baseline.clause == clause.id
        ]
        return Named(clause.id, max(versions, default=0) + 1, unit, points, contract.station)

    async def _values(self, contract: ContractWords, clause: SharedSavingsWords, first: date, end: date) -> DayValues:
        bounded = {b.point: b.sign for b in contract.bounded(clause)}
        amount = await self._measuring.daily(list(bounded.items()), first, end)
        days = day_range(first, end)
        kinds = kinds_of(days, contract.holidays, contract.workdays)
        return DayValues(days, kinds, await self._weather(contract, first, end), amount)

    async def _weather(self, contract: ContractWords, first: date, end: date) -> list[int | None]:
        return await self.registry.weather(contract.station, first, end)

    # -- statements -----------------------------------------------------------------------------------------------

    async def of(self, contract_id: str) -> list[KeptStatement]:
        """The statements of a contract, oldest first."""
        await self.one(contract_id)
        return await self.statements.of(contract_id)

    async def settled(self, contract_id: str) -> tuple[int, date | None]:
        """How many statements a contract has, and the day after the last that is settled."""
        await self.one(contract_id)
        return (await self.statements.settled()).get(contract_id, (0, None))

    async def statement(self, statement_id: int) -> KeptStatement:
        """One statement; UnknownName where there is none."""
        found = await self.statements.one(statement_id)
        try:
            await self.one(found.contract)
        except UnknownName:
            raise UnknownName(f"statement {statement_id} is not known") from None
        return found

    async def draft(self, contract_id: str, first: date, end: date) -> tuple[dict[str, Any], Sequence[str]]:
        """The statement of some days as it would be frozen now, and why it may not be, if so."""
        given = await self._inputs(await self.one(contract_id), first, end)
        outcome = settle(given)
        return bundle(given, {"uncertainty": _uncertainty(given, outcome)}), outcome.objections

    async def freeze(self, contract_id: str, first: date, end: date, who: str, why: str = "") -> KeptStatement:
        """Keep the statement of some days for ever; EnergyError says all that is in its way."""
        kept = await self.one(contract_id)
        zone = self._books.kept.site.zone_info
        if of_days(first, end, zone).end > self._clock.now():
            raise EnergyError(f"the days until {end} have not ended yet")
        await self._must_be_worked_in(end)
        made, objections = await self.draft(kept.contract.id, first, end)
        if objections:
            raise EnergyError("\n".join(objections))
        return await self.statements.freeze(made, who, why)

    async def reverse(self, statement_id: int, who: str, why: str) -> KeptStatement:
        """Take a statement back by a reversing one; the days can be settled again."""
        if not why.strip():
            raise EnergyError("a reversal says why")
        original = await self.statement(statement_id)
        there = await self.statements.of(original.contract)
        must_be_reversible(original, there)
        sequence = max(s.sequence for s in there) + 1
        number = _number(original.bundle["contract"]["number"], sequence)
        made = reversing_bundle(original.bundle, number, sequence, why)
        return await self.statements.reverse(statement_id, made, who, why)

    async def take(self, statement_id: int, step: Step, who: str, why: str = "") -> KeptStatement:
        """Take a step with a statement."""
        await self.statement(statement_id)
        return await self.statements.take(statement_id, step, who, why)

    async def _inputs(self, kept: KeptContract, first: date, end: date) -> Inputs:
        contract = kept.contract
        _must_be_days(first, end)
        if first < contract.from_ or end > contract.end:
            raise EnergyError(f"the contract runs from {contract.from_} to {contract.to}; ask for days of it")
        there = await self.statements.of(contract.id)
        sequence = max((s.sequence for s in there), default=0) + 1
        newest = {k.baseline.clause: k.baseline for k in await self.registry.baselines(contract.id)}
        entered = await self.registry.adjustments.of(contract.id)
        return Inputs(
            _number(contract.number, sequence),
            sequence,
            first,
            end,
            self._books.kept.site.zone,
            kept.document,
            kept.version,
            await self._measuring.of(contract, first, end),
            await self._weather(contract, first, end),
            newest,
            [a for a in adjustments_of(entered) if a.first < end and first <= a.last],
            _carried(there, first),
            {c.id: f for c in contract.clauses if (f := self._factors(contract, c, first)) is not None},
        )

    def _factors(
        self, contract: ContractWords, clause: SharedSavingsWords | TrustFeeWords, day: date
    ) -> Factors | None:
        """What a unit saved comes to, by the first factor set that holds for the year."""
        meters = {m.id: m.medium for m in self._books.kept.site.meters}
        media = {meters.get(b.point.meter) for b in contract.bounded(clause)}
        carrier = _CARRIERS.get(next(iter(media)) or Medium.ENVIRONMENT) if len(media) == 1 else None
        if carrier is None or isinstance(clause, TrustFeeWords):
            return None
        unit = quantity(contract.bounded(clause)[0].point.quantity).unit
        try:
            made = self._books.factors.sets[0].convert(carrier, Decimal(1), unit, day.year)
        except FactorError:
            return None
        kgco2 = None if made.kgco2 is None else str(made.kgco2)
        return Factors(made.factor_set, day.year, str(made.kgce), kgco2, [used.id for used in made.used])

    async def _must_be_worked_in(self, end: date) -> None:
        """All readings that were there before the question are in the ledger."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while self._books.pending and loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
        end_ms = to_ms(of_days(date.min.replace(year=2000), end, self._books.kept.site.zone_info).end)
        if ((await self._books.ledger.marks()).from_ms < end_ms).any():
            raise EnergyError("readings of this time are just being worked in; try again in a minute")


def shared(kept: KeptContract, clause_id: str) -> SharedSavingsWords:
    """A clause of shared savings; UnknownName or EnergyError where it is none."""
    found = kept.contract.clause(clause_id)
    if found is None:
        known = ", ".join(c.id for c in kept.contract.clauses)
        raise UnknownName(f"clause {clause_id!r} is not in the contract; it has {known}")
    if not isinstance(found, SharedSavingsWords):
        raise EnergyError(f"clause {clause_id!r} is {found.kind}; only shared_savings goes by a baseline")
    return found


def _must_be_days(first: date, end: date) -> None:
    if not first < end:
        raise EnergyError(f"from {first} must be before to {end}")
    if (end - first).days > _MOST_DAYS:
        raise EnergyError(f"that would be more than {_MOST_DAYS} days; ask for fewer")


def _number(of_contract: str, sequence: int) -> str:
    return f"{of_contract}-{sequence:03}"


def _carried(there: Sequence[KeptStatement], first: date) -> dict[str, Carried]:
    """What the statement before left to be set against this one, by clause."""
    before = [s for s in there if s.holds and s.end <= first]
    if not before:
        return {}
    last = max(before, key=lambda s: s.end)
    left = {c["clause"]: c["carried_out"] for c in last.bundle["clauses"]}
    return {name: Carried(amount, last.number, last.sha256) for name, amount in left.items() if Decimal(amount) < 0}


def _uncertainty(given: Inputs, outcome: Outcome) -> dict[str, dict[str, str | None]]:
    """By clause: half width over the saving by Guideline 14; over the adjusted baseline, of a month, by placebo months;
    and what share of the adjusted baseline was saved. Told, not reckoned with."""
    found = {}
    for clause in given.contract.clauses:
        baseline = given.baselines.get(clause.id)
        own = [line for line in outcome.lines if line.clause == clause.id and line.kind == "saving"]
        adjusted = sum((line.adjusted or Decimal(0) for line in own), Decimal(0))
        saving = sum((line.saving or Decimal(0) for line in own), Decimal(0))
        if baseline is None or baseline.figures is None or adjusted <= 0:
            continue
        reported = len(given.days) if baseline.method == "daily" else max(1, round(len(given.days) / 30.4))
        half = guideline_14(baseline.figures, reported, float(saving / adjusted), _CONFIDENCE)
        found[clause.id] = {
            "guideline_14": None if half is None else f"{half:.4f}",
            "placebo": baseline.placebo,
            "saving_share": f"{saving / adjusted:.4f}",
            "confidence": f"{_CONFIDENCE:.2f}",
        }
    return found
