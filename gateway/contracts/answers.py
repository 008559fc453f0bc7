"""Contracts and statements in the words of the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from analytics.contracts.baseline import COEFFICIENT_DIGITS, TEMPERATURE_DIGITS, UNITS, Baseline, spelled
from analytics.contracts.contract_file import contract_of, notes
from analytics.contracts.fitting import DayValues
from analytics.contracts.inputs import Adjustment, MeterDays
from analytics.contracts.standing import Party, Standing
from analytics.contracts.sufficiency import NAMES
from analytics.contracts.words import ContractWords, TermRuleWords
from energy.documents import NameWords
from energy.errors import EnergyError
from energy.quantities import quantity
from energy.series import MICRO
from gateway.api.words import TextWords
from gateway.contracts import words as w
from gateway.contracts.registry import KeptBaseline, KeptContract
from gateway.contracts.service import Contracts
from gateway.contracts.statements import KeptStatement
from gateway.records.entries import Entry
from gateway.wording.chinese import said


async def contracts_of(contracts: Contracts) -> w.ContractsAnswer:
    """All that are seen."""
    return w.ContractsAnswer([await contract_told(contracts, kept) for kept in await contracts.kept()])


async def contract_answer(contracts: Contracts, contract_id: str, rules: Sequence[TermRuleWords]) -> w.ContractAnswer:
    """One, with all that it goes by."""
    kept = await contracts.one(contract_id)
    measured = [
        w.RuleNoteWords(n.rule.id, _text(n.rule.text), n.kept, n.rule.source, str(n.rule.confidence))
        for n in notes(kept.contract, rules)
    ]
    return w.ContractAnswer(
        await contract_told(contracts, kept),
        kept.document,
        kept.entered_at_ms,
        kept.who,
        measured,
        [_kept_baseline(b) for b in await contracts.baselines(contract_id)],
        [_kept_adjustment(e) for e in await contracts.adjustments(contract_id)],
        [head_of(s) for s in await contracts.of(contract_id)],
    )


async def adjustments_answer(contracts: Contracts, contract_id: str) -> w.AdjustmentsAnswer:
    return w.AdjustmentsAnswer([_kept_adjustment(e) for e in await contracts.adjustments(contract_id)])


async def contract_told(contracts: Contracts, kept: KeptContract) -> w.SettlementContractWords:
    """A contract as lists show it."""
    statements, settled = await contracts.settled(kept.contract.id)
    baselines = {b.baseline.clause: b.baseline.version for b in await contracts.baselines(kept.contract.id)}
    return _contract(kept.contract, kept.version, baselines, statements, settled)


def _contract(
    contract: ContractWords, version: int, baselines: Mapping[str, int], statements: int, settled: date | None
) -> w.SettlementContractWords:
    clauses = []
    for clause in contract.clauses:
        points = list(dict.fromkeys(b.point for b in contract.bounded(clause)))
        unit = quantity(points[0].quantity).unit if points else ""
        told = [str(p) for p in points], unit, baselines.get(clause.id)
        clauses.append(w.ContractClauseWords(clause.id, clause.kind, _text(clause.name), *told))
    client, esco = (w.PartyNameWords(p.name, p.tax_id) for p in (contract.client, contract.esco))
    days = contract.signed_on, contract.from_, contract.to
    return w.SettlementContractWords(
        contract.id, contract.number, _text(contract.name), version, client, esco, *days, clauses, statements, settled
    )


def _text(name: NameWords) -> TextWords:
    return TextWords(name.zh, name.en)


async def fitted_as(contracts: Contracts, asked: w.BaselineAsked) -> tuple[Baseline, DayValues | None]:
    """A baseline as it is asked for, with its days; those of an agreed one are not looked at."""
    days = asked.from_, asked.to
    if asked.method != "agreed":
        return await contracts.fit(asked.contract, asked.clause, asked.method, *days, asked.excluded)
    if asked.per_day is None:
        raise EnergyError("an agreed baseline says how much a day: give per_day")
    return await contracts.agree(asked.contract, asked.clause, asked.per_day, *days), None


# -- baselines --------------------------------------------------------------------------------------------------------


def baseline_words(baseline: Baseline) -> w.BaselineWords:
    """A baseline; the kinds of days that share a curve together."""
    plain = baseline.plain()
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for kind, segment in plain["segments"].items():
        groups.setdefault(tuple(segment.items()), []).append(kind)
    figures = None if plain["figures"] is None else w.FitWords(**plain["figures"])
    return w.BaselineWords(
        baseline.clause,
        baseline.version,
        baseline.unit,
        plain["method"],
        baseline.first,
        baseline.end,
        baseline.station,
        [w.SegmentWords(kinds, **dict(segment)) for segment, kinds in groups.items()],
        figures,
        [
            w.BaselineCheckWords(c.name, TextWords.of(NAMES[c.name]), c.passed, c.found, c.wanted)
            for c in baseline.checks
        ],
        dict(baseline.excluded),
        baseline.placebo,
        baseline.data,
        plain["sha256"],
    )


def fitted_days(baseline: Baseline, values: DayValues) -> list[w.FittedDayWords]:
    """The days beside what the baseline says of them."""
    modelled = baseline.of_days(values.kinds, values.temperature)
    return [
        w.FittedDayWords(
            day,
            kind.word,
            None if t is None else spelled(t, TEMPERATURE_DIGITS),
            None if amount is None else amount / MICRO,
            None if reckoned is None else reckoned / UNITS,
        )
        for day, kind, t, amount, reckoned in zip(
            values.days, values.kinds, values.temperature, values.amount, modelled, strict=True
        )
    ]


def _kept_baseline(kept: KeptBaseline) -> w.KeptBaselineWords:
    return w.KeptBaselineWords(kept.id, baseline_words(kept.baseline), kept.who, kept.why, kept.entered_at_ms)


def _kept_adjustment(entry: Entry[tuple[str, Adjustment]]) -> w.KeptAdjustmentWords:
    _, a = entry.value
    return w.KeptAdjustmentWords(
        id=entry.id,
        clause=a.clause,
        from_=a.first,
        to=a.last,
        per_day=spelled(a.per_day, COEFFICIENT_DIGITS),
        formula=a.formula,
        evidence=a.evidence,
        who=entry.who,
        why=entry.why,
        entered_at=entry.entered_at_ms,
        withdrawn_at=entry.withdrawn_at_ms,
        withdrawn_by=entry.withdrawn_by,
        withdrawn_why=entry.withdrawn_why,
    )


def _adjustment(plain: Mapping[str, Any]) -> w.KeptAdjustmentWords:
    days = date.fromisoformat(plain["from"]), date.fromisoformat(plain["to"])
    told = plain["per_day"], plain["formula"], plain["evidence"], plain["who"], plain["why"]
    return w.KeptAdjustmentWords(plain["id"], plain["clause"], *days, *told, 0, None, None, None)


# -- statements -------------------------------------------------------------------------------------------------------


def head_of(kept: KeptStatement) -> w.StatementHeadWords:
    """A statement as lists show it."""
    standing = kept.standing
    days = kept.first, kept.end, kept.due, standing.state, len(standing.disputed)
    return w.StatementHeadWords(kept.id, kept.number, kept.sequence, kept.kind, *days, kept.frozen_at_ms)


def statement_words(kept: KeptStatement, speaks_for: Collection[Party]) -> w.StatementAnswer:
    """A frozen statement."""
    standing = kept.standing
    made = _statement(kept.bundle, standing, speaks_for)
    made.head = head_of(kept)
    made.steps = [
        w.StatementStepWords(s.step.kind, s.step.party, s.step.line, s.who, s.why, s.at_ms) for s in kept.steps
    ]
    return made


def draft_words(
    bundle: Mapping[str, Any], objections: Sequence[str], standing: Standing, speaks_for: Collection[Party]
) -> w.StatementAnswer:
    """A statement that is not frozen yet."""
    made = _statement(bundle, standing, speaks_for)
    made.objections = [said(one) for one in objections]
    return made


def _statement(bundle: Mapping[str, Any], standing: Standing, speaks_for: Collection[Party]) -> w.StatementAnswer:
    original = bundle.get("original")
    inner = bundle if original is None else original
    contract = contract_of(inner["contract"]["document"])
    version = inner["contract"]["version"]
    baselines = [Baseline.of_plain(b) for b in inner["baselines"].values()]
    told = _contract(contract, version, {b.clause: b.version for b in baselines}, 0, None)
    points = {c.id: c.points for c in told.clauses}
    period = bundle["period"]
    uncertainty = inner["told"].get("uncertainty", {})
    return w.StatementAnswer(
        None,
        bundle["number"],
        told,
        version,
        date.fromisoformat(period["from"]),
        date.fromisoformat(period["to"]),
        bundle["sha256"],
        None if original is None else original["number"],
        [_line(line, points, standing) for line in bundle["lines"]],
        [w.ClauseTotalWords(**total) for total in bundle["clauses"]],
        [_meter(MeterDays.of_plain(m)) for m in inner["meters"]],
        inner["weather"]["temperature"],
        [baseline_words(b) for b in baselines],
        [_adjustment(a) for a in inner["adjustments"]],
        [w.UncertaintyWords(clause=name, within=is_within(u), **u) for name, u in uncertainty.items()],
        bundle["due"],
        bundle["capitals"],
        str(standing.disputed_amount),
        str(standing.undisputed_amount),
        sorted(standing.confirmed),
        [],
        [],
        sorted(speaks_for),
    )


def is_within(told: Mapping[str, str | None]) -> bool:
    """Whether a saving is no greater than what a placebo month is off by."""
    placebo, share = told["placebo"], told["saving_share"]
    return placebo is not None and share is not None and abs(Decimal(share)) <= Decimal(placebo)


def _line(plain: Mapping[str, Any], points: Mapping[str, list[str]], standing: Standing) -> w.StatementLineWords:
    same = {name: value for name, value in plain.items() if name not in ("from", "to", "left_out")}
    by = sorted(standing.disputed.get(plain["id"], ()))
    return w.StatementLineWords(
        **same,
        from_=date.fromisoformat(plain["from"]),
        to=date.fromisoformat(plain["to"]),
        left_out=[date.fromisoformat(day) for day in plain["left_out"]],
        points=points.get(plain["clause"], []),
        disputed_by=by,
        referred=plain["id"] in standing.referred,
    )


def _meter(meter: MeterDays) -> w.MeteredDaysWords:
    whole = max(1, sum(meter.shares.values()))
    measured, estimated, missing = (
        round(meter.shares.get(f"{name}_ms", 0) / whole, 6) for name in ("measured", "estimated", "missing")
    )
    by_registers = meter.by_registers
    return w.MeteredDaysWords(
        meter.point,
        meter.name,
        meter.unit,
        meter.sign,
        meter.first,
        meter.end,
        meter.ratio,
        _spelled(meter.total),
        None if by_registers is None else f"{by_registers:f}",
        [_spelled(a) for a in meter.amount],
        [w.RegisterWords(r.what, r.at_ms, r.register, r.ratio, r.event) for r in meter.registers],
        [w.EstimatedWords(e.from_ms, e.to_ms, spelled(e.amount, COEFFICIENT_DIGITS)) for e in meter.estimated],
        measured,
        estimated,
        missing,
        meter.basis,
    )


def _spelled(micro: int | None) -> str | None:
    return None if micro is None else spelled(micro, COEFFICIENT_DIGITS)
