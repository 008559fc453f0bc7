"""Settlements: from frozen inputs to lines and amounts, by exact arithmetic alone, and back again to verify them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analytics.contracts.canonical import HASH, canonical, is_sealed, sealed
from analytics.contracts.inputs import Inputs
from analytics.contracts.lines import ClauseTotal, Line, Outcome
from analytics.contracts.money import capitals, divided, rounded
from analytics.contracts.shared_savings import meters_of, saving_lines
from analytics.contracts.trust_fee import fee_lines
from analytics.contracts.words import MissingDays, SharedSavingsWords, TaxWords, TrustFeeWords
from energy.errors import EnergyError
from energy.quantities import quantity
from energy.readings import Point

FORMAT = "jieneng-settlement-1"
_TOLD_DAYS = 5
_ZERO = Decimal("0.00")
Clause = SharedSavingsWords | TrustFeeWords


def settle(given: Inputs) -> Outcome:
    """The statement that follows from the inputs."""
    lines, clauses = [], []
    for clause in given.contract.clauses:
        own = list(_lines(given, clause))
        lines += own
        clauses.append(_total(given, clause, own))
    return Outcome(lines, clauses, [*_objections(given, lines)])


def _lines(given: Inputs, clause: Clause) -> Iterator[Line]:
    if isinstance(clause, TrustFeeWords):
        return fee_lines(given, clause)
    if clause.id not in given.baselines:
        raise EnergyError(f"clause {clause.id!r} has no frozen baseline yet; freeze one first")
    return saving_lines(given, clause, unit_of(given, clause))


def unit_of(given: Inputs, clause: Clause) -> str:
    """What the energy of a clause is measured in."""
    points = given.contract.bounded(clause)
    return quantity(points[0].point.quantity).unit if points else ""


def _total(given: Inputs, clause: Clause, lines: Sequence[Line]) -> ClauseTotal:
    due = sum((line.amount for line in lines), _ZERO)
    carried_out = -sum((line.amount for line in lines if line.kind == "forwarded"), _ZERO)
    factors = given.factors.get(clause.id)
    saved = sum((line.saving for line in lines if line.saving is not None), Decimal(0))
    told = [
        rounded(saved * Decimal(f), 3) if factors is not None and f is not None else None
        for f in ((factors.kgce, factors.kgco2) if factors is not None else (None, None))
    ]
    taxed = _taxed(due, clause.tax, given.contract.rounding.money)
    return ClauseTotal(clause.id, due, *taxed, carried_out or _ZERO, _metered_cost(given, clause), *told)


def _taxed(due: Decimal, tax: TaxWords, digits: int) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and gross."""
    rate = tax.rate_percent / 100
    if tax.included:
        net = divided(due, 1 + rate, digits)
        return net, due - net, due
    of_it = rounded(due * rate, digits)
    return due, of_it, due + of_it


def _metered_cost(given: Inputs, clause: Clause) -> Decimal | None:
    total = 0
    for meter in meters_of(given, [str(b.point) for b in given.contract.bounded(clause)]):
        own = [c for day, c in zip(given.days, meter.cost, strict=True) if meter.first <= day < meter.end]
        if not own or any(cost is None for cost in own):
            return None
        total += meter.sign * sum(cost or 0 for cost in own)
    return rounded(Decimal(total).scaleb(-6), given.contract.rounding.money)


def _objections(given: Inputs, lines: Sequence[Line]) -> Iterator[str]:
    """Why the statement may not be frozen."""
    contract = given.contract
    for clause in contract.clauses:
        if isinstance(clause, SharedSavingsWords):
            yield from _strange_baseline(given, clause)
    for line in lines:
        if line.left_out and (
            contract.missing_days is MissingDays.REFUSE or len(line.left_out) == (line.end - line.first).days
        ):
            days = ", ".join(day.isoformat() for day in line.left_out[:_TOLD_DAYS])
            more = f" and {len(line.left_out) - _TOLD_DAYS} more" if len(line.left_out) > _TOLD_DAYS else ""
            yield (
                f"line {line.id}: of {days}{more} not all is known (readings or temperature); bring them in, or agree "
                "in the contract on `missing_days: leave_out`"
            )
        if line.kind == "saving" and line.price is None:
            yield f"line {line.id} has no price: its counters have no tariff; agree on a price, or give them one"
    most = contract.most_estimated_percent
    for meter in given.meters:
        known = sum(abs(a) for a in meter.amount if a is not None)
        estimated = sum(abs(e.amount) for e in meter.estimated)
        if most is not None and estimated * 100 > most * known:
            share = divided(Decimal(estimated * 100), Decimal(max(known, 1)), 1)
            yield f"{meter.point}: {share} % of its amount is estimated; the contract allows {most} %"


def _strange_baseline(given: Inputs, clause: SharedSavingsWords) -> Iterator[str]:
    """Why a baseline is not one of the clause as the contract has it now."""
    baseline = given.baselines[clause.id]
    points = sorted({str(b.point) for b in given.contract.bounded(clause)})
    if list(baseline.points) != points:
        told = ", ".join(baseline.points) or "no counters"
        now = ", ".join(points)
        yield f"the baseline of {clause.id} is of {told}, the contract goes by {now}; freeze one for these"
    if baseline.by_weather and baseline.station != given.contract.station:
        yield (
            f"the baseline of {clause.id} goes by station {baseline.station!r}, the contract by "
            f"{given.contract.station!r}; freeze one for it"
        )


# -- documents --------------------------------------------------------------------------------------------------------


def bundle(given: Inputs, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The statement with all that it hangs on, sealed. `told` is said beside it and not reckoned again."""
    outcome = settle(given)
    return sealed(
        {
            "format": FORMAT,
            "kind": "regular",
            **given.plain(),
            **_spelled(outcome),
            "told": dict(told or {}),
        }
    )


def reversing_bundle(original: Mapping[str, Any], number: str, sequence: int, why: str) -> dict[str, Any]:
    """The statement that takes another one back, which it holds."""
    return sealed(
        {
            "format": FORMAT,
            "kind": "reversing",
            "number": number,
            "sequence": sequence,
            "contract": original["contract"],
            "period": original["period"],
            "why": why,
            "original": dict(original),
            **_spelled(_outcome(original).reversed()),
        }
    )


def _spelled(outcome: Outcome) -> dict[str, Any]:
    return {
        "lines": [line.plain() for line in outcome.lines],
        "clauses": [total.plain() for total in outcome.clauses],
        "due": str(outcome.due),
        "capitals": capitals(outcome.due),
    }


def _outcome(plain: Mapping[str, Any]) -> Outcome:
    """What a bundle says of itself."""
    lines = [Line.of_plain(line) for line in plain["lines"]]
    return Outcome(lines, [_clause_total(c) for c in plain["clauses"]])


def _clause_total(plain: Mapping[str, Any]) -> ClauseTotal:
    told = {n: None if v is None or n == "clause" else Decimal(v) for n, v in plain.items()}
    return ClauseTotal(**{**told, "clause": plain["clause"]})


@dataclass(frozen=True, slots=True)
class Verified:
    """What came out of reckoning a statement again; without faults it is as it was frozen."""

    number: str
    sha256: str
    lines: int
    due: str
    faults: Sequence[str]


def verify(raw: bytes) -> Verified:
    """Reckon a statement again from its own inputs, and say what differs; EnergyError where it is no statement."""
    plain = _parsed(raw)
    found = [*_seal_faults(plain, raw), *_faults(plain)]
    lines = plain.get("lines")
    many = len(lines) if isinstance(lines, list) else 0
    return Verified(str(plain.get("number")), str(plain.get(HASH)), many, str(plain.get("due")), found)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(raw)
    except ValueError as error:
        raise EnergyError(f"the file is no JSON document any more: {error}") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise EnergyError(f"the file is no statement of format {FORMAT}; download it again")
    return plain


def _seal_faults(plain: dict[str, Any], raw: bytes) -> Iterator[str]:
    try:
        written = canonical(plain)
    except TypeError as error:
        yield f"the file was changed: {error}"
        return
    if written != raw.rstrip(b"\n"):
        at = next(
            (i for i, (a, b) in enumerate(zip(written, raw, strict=False)) if a != b), min(len(written), len(raw))
        )
        yield f"the file was changed: byte {at} is not as statements are written"
    if not is_sealed(plain):
        yield f"the hash {plain.get(HASH)} is not that of the file, {sealed(plain)[HASH]}"


def _faults(plain: Mapping[str, Any]) -> list[str]:
    """What comes out otherwise."""
    found: list[str] = []
    try:
        found += _found_again(plain)
    # Whatever somebody has made of the document: that is what is looked for.
    except (EnergyError, AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        found.append(f"the statement cannot be reckoned again: {type(error).__name__}: {error}")
    return found


def _found_again(plain: Mapping[str, Any]) -> Iterator[str]:
    if plain["kind"] == "reversing":
        original = plain["original"]
        if not is_sealed(original):
            yield f"the hash of the statement {original.get('number')} that is taken back does not fit it"
        yield from _faults(original)
        again = _spelled(_outcome(original).reversed())
    else:
        given = Inputs.of_plain(plain)
        yield from _input_faults(plain, given)
        again = _spelled(settle(given))
    yield from _differences(plain, again)


def _input_faults(plain: Mapping[str, Any], given: Inputs) -> Iterator[str]:
    again = given.plain()
    for name, part in again.items():
        if part != plain.get(name):
            yield f"{name} is not as it is written by us"
    for name, baseline in plain["baselines"].items():
        if not is_sealed(baseline):
            yield f"the hash of the baseline of {name} does not fit it"
    for meter in given.meters:
        if len(meter.amount) != len(given.days):
            yield f"{Point.parse(meter.point)} has {len(meter.amount)} days in a period of {len(given.days)}"


def _differences(plain: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    for part, key in (("lines", "id"), ("clauses", "clause")):
        told, made = ({one[key]: one for one in of[part]} for of in (plain, again))
        for name in [*made, *(n for n in told if n not in made)]:
            if name not in told or name not in made:
                yield f"{part[:-1]} {name} {'is missing' if name in made else 'does not follow from the inputs'}"
                continue
            for field, value in made[name].items():
                if told[name].get(field) != value:
                    yield f"{part[:-1]} {name}: {field} is {told[name].get(field)}, reckoned again {value}"
    for name in ("due", "capitals"):
        if plain[name] != again[name]:
            yield f"{name} is {plain[name]}, reckoned again {again[name]}"
