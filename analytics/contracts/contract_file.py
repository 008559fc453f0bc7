"""Reading contract files: all that is wrong told at once, by line, with what would be right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import yaml

from analytics.contracts.credit_code import credit_code_fault
from analytics.contracts.words import (
    BoundaryWords,
    ContractFileWords,
    ContractWords,
    RuleFileWords,
    SharedSavingsWords,
    StageWords,
    TermRuleWords,
    TrustFeeWords,
)
from analytics.tariffs.unfit import Fault, Way
from energy.documents import Document, NameWords, checked, open_document
from energy.errors import ConfigurationError, EnergyError
from energy.names import check_id
from energy.quantities import Kind, quantity
from energy.readings import Point

_MOST_SHARE = Decimal(100)


def contracts_of(document: Document, known: Collection[str] | None = None) -> list[ContractWords]:
    """The contracts of a file; ConfigurationError lists all that is wrong. `known` are the meters that there are."""
    contracts = checked(document, ContractFileWords).contracts
    found = [*_ids(contracts)]
    for i, contract in enumerate(contracts):
        found += faults(contract, ("contracts", i), known)
    if found:
        in_order = sorted(found, key=lambda fault: document.line(fault[0]))
        raise ConfigurationError([document.fault(way, text) for way, text in in_order])
    return contracts


@lru_cache(maxsize=256)
def contract_of(text: str, name: str = "contract") -> ContractWords:
    """The contract that a document tells."""
    [made] = contracts_of(Document(Path(name), text))
    return made


def documents_of(path: Path, known: Collection[str] | None = None) -> dict[str, str]:
    """The contracts of a file, each as a document by its id; ConfigurationError lists all that is wrong."""
    document = open_document(path)
    contracts = contracts_of(document, known)
    given = document.data["contracts"]
    return {contract.id: _written(words) for contract, words in zip(contracts, given, strict=True)}


def _written(words: object) -> str:
    return yaml.safe_dump({"contracts": [words]}, allow_unicode=True, sort_keys=False, width=120)


def _ids(contracts: Sequence[ContractWords]) -> Iterator[Fault]:
    ids = [c.id for c in contracts]
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield ("contracts", i, "id"), "is used twice; give each contract its own"


def faults(contract: ContractWords, way: Way = (), known: Collection[str] | None = None) -> Iterator[Fault]:
    """What does not fit together in a contract, with the way to it."""
    yield from _named(contract.id, "contract", (*way, "id"))
    for party in ("client", "esco"):
        fault = credit_code_fault(getattr(contract, party).tax_id)
        if fault:
            yield (*way, party, "tax_id"), fault
    if contract.to < contract.from_:
        yield (*way, "to"), f"is before the contract begins, {contract.from_}"
        return
    if contract.most_estimated_percent is not None and not 0 <= contract.most_estimated_percent <= 100:
        yield (*way, "most_estimated_percent"), "must be from 0 to 100"
    yield from _boundary(contract, way, known)
    yield from _clauses(contract, way)


def _named(text: str, what: str, way: Way) -> Iterator[Fault]:
    try:
        check_id(what, text)
    except ValueError as error:
        yield way, str(error)


# -- boundary ---------------------------------------------------------------------------------------------------------


def _boundary(contract: ContractWords, way: Way, known: Collection[str] | None) -> Iterator[Fault]:
    if not contract.boundary:
        yield (*way, "boundary"), "is empty; name the counters that the contract goes by"
    for i, one in enumerate(contract.boundary):
        at = (*way, "boundary", i)
        yield from _point(one.point, (*at, "point"), known)
        yield from _within(one.from_, one.to, contract, at)
    for i, j in _pairs(contract.boundary):
        one, other = contract.boundary[i], contract.boundary[j]
        if one.point == other.point and _overlap(one, other, contract):
            yield (
                (*way, "boundary", j),
                f"{one.point} counts already at these dates, from {_first(one, contract)} to {_last(one, contract)}; "
                "let one end before the other begins",
            )


def _point(point: Point, way: Way, known: Collection[str] | None) -> Iterator[Fault]:
    try:
        kind = quantity(point.quantity).kind
    except EnergyError as error:
        yield way, str(error)
        return
    if kind is not Kind.COUNTER:
        yield way, f"{point.quantity} is a gauge; a contract goes by counters, such as active_energy_import"
    if known is not None and point.meter not in known:
        near = ", ".join(sorted(known)[:5])
        yield way, f"meter {point.meter!r} is not in the site; it has {near}{' and others' if len(known) > 5 else ''}"


def _pairs(items: Sequence[object]) -> Iterator[tuple[int, int]]:
    for j in range(len(items)):
        for i in range(j):
            yield i, j


Span = BoundaryWords | StageWords


def _first(one: Span, contract: ContractWords) -> date:
    return one.from_ or contract.from_


def _last(one: Span, contract: ContractWords) -> date:
    return one.to or contract.to


def _overlap(one: Span, other: Span, contract: ContractWords) -> bool:
    return _first(one, contract) <= _last(other, contract) and _first(other, contract) <= _last(one, contract)


def _within(first: date | None, last: date | None, contract: ContractWords, way: Way) -> Iterator[Fault]:
    if first is not None and last is not None and last < first:
        yield (*way, "to"), f"is before its own beginning, {first}"
    for name, day in (("from", first), ("to", last)):
        if day is not None and not contract.from_ <= day <= contract.to:
            yield (*way, name), f"lies outside the contract, which runs from {contract.from_} to {contract.to}"


# -- clauses ----------------------------------------------------------------------------------------------------------


def _clauses(contract: ContractWords, way: Way) -> Iterator[Fault]:
    if not contract.clauses:
        yield (*way, "clauses"), "is empty; a contract has one fee clause at least"
    ids = [c.id for c in contract.clauses]
    for i, clause in enumerate(contract.clauses):
        at = (*way, "clauses", i)
        yield from _named(clause.id, "clause", (*at, "id"))
        if clause.id in ids[:i]:
            yield (*at, "id"), "is used twice; give each clause its own"
        yield from _clause_points(contract, clause, at)
        if not 0 <= clause.tax.rate_percent <= 100:
            yield (*at, "tax", "rate_percent"), "must be from 0 to 100"
        if isinstance(clause, SharedSavingsWords):
            yield from _shared(contract, clause, at)
        else:
            yield from _trust(contract, clause, at)
    yield from _counted_once(contract, way)


def _clause_points(contract: ContractWords, clause: SharedSavingsWords | TrustFeeWords, way: Way) -> Iterator[Fault]:
    bounded = {b.point for b in contract.boundary}
    for i, point in enumerate(clause.points):
        if point not in bounded:
            yield (*way, "points", i), f"{point} is not in the boundary; add it there, or take it out here"
    units = {quantity(b.point.quantity).unit for b in contract.bounded(clause) if _is_quantity(b.point)}
    if isinstance(clause, SharedSavingsWords) and len(units) > 1:
        yield (*way, "points"), f"are measured in {', '.join(sorted(units))}; name those of one unit, a clause for each"


def _is_quantity(point: Point) -> bool:
    try:
        quantity(point.quantity)
    except EnergyError:
        return False
    return True


def _counted_once(contract: ContractWords, way: Way) -> Iterator[Fault]:
    """A saving is shared once."""
    seen: dict[Point, str] = {}
    for i, clause in enumerate(contract.clauses):
        if isinstance(clause, SharedSavingsWords):
            own = dict.fromkeys(b.point for b in contract.bounded(clause))
            for point in own:
                if point in seen:
                    yield (
                        (*way, "clauses", i, "points"),
                        f"{point} is shared by clause {seen[point]!r} already; a saving is shared once",
                    )
                seen.setdefault(point, clause.id)


def _shared(contract: ContractWords, clause: SharedSavingsWords, way: Way) -> Iterator[Fault]:
    yield from _prices(contract, clause, way)
    if not clause.stages:
        yield (*way, "stages"), "is empty; say whose share is how much, from when to when"
    for i, stage in enumerate(clause.stages):
        at = (*way, "stages", i)
        if not 0 <= stage.share_percent <= _MOST_SHARE:
            yield (*at, "share_percent"), "must be from 0 to 100: a share is a part of what was saved"
        yield from _within(stage.from_, stage.to, contract, at)
    overlapping = False
    for i, j in _pairs(clause.stages):
        one, other = clause.stages[i], clause.stages[j]
        if _overlap(one, other, contract):
            overlapping = True
            right = _last(one, contract) + timedelta(days=1)
            yield (
                (*way, "stages", j, "from" if other.from_ else "share_percent"),
                f"overlaps the stage from {_first(one, contract)} to {_last(one, contract)}; begin on {right}",
            )
    if not overlapping:
        yield from _gaps(contract, clause, way)


def _gaps(contract: ContractWords, clause: SharedSavingsWords, way: Way) -> Iterator[Fault]:
    spans = sorted((_first(s, contract), _last(s, contract), i) for i, s in enumerate(clause.stages))
    for (_, last, _), (first, _, i) in pairwise(spans):
        if first > (right := last + timedelta(days=1)):
            yield (*way, "stages", i, "from"), f"leaves the days from {right} without a share; begin on {right}"


def _prices(contract: ContractWords, clause: SharedSavingsWords, way: Way) -> Iterator[Fault]:
    agreed = clause.price.agreed
    if (agreed is None) != clause.price.metered:
        yield (*way, "price"), "must be either `agreed:` with prices, or `metered: true`"
    if agreed is None:
        return
    if not agreed or min(p.from_ for p in agreed) > contract.from_:
        yield (*way, "price", "agreed"), f"has no price from the beginning on; give one from {contract.from_}"
    days = [p.from_ for p in agreed]
    for i, price in enumerate(agreed):
        if price.price < 0:
            yield (*way, "price", "agreed", i, "price"), "must be 0 or more"
        if price.from_ in days[:i]:
            yield (*way, "price", "agreed", i, "from"), "has a price already; keep one"


def _trust(contract: ContractWords, clause: TrustFeeWords, way: Way) -> Iterator[Fault]:
    if clause.fee_per_month < 0:
        yield (*way, "fee_per_month"), "must be 0 or more"
    ids = [a.id for a in clause.adjustments]
    for i, adjustment in enumerate(clause.adjustments):
        at = (*way, "adjustments", i)
        yield from _named(adjustment.id, "adjustment", (*at, "id"))
        if adjustment.id in ids[:i]:
            yield (*at, "id"), "is used twice; give each adjustment its own"
        yield from _within(adjustment.from_, adjustment.to, contract, at)
        if adjustment.kind == "proportional":
            if adjustment.base <= 0:
                yield (*at, "base"), "must be above 0"
            if not 0 <= adjustment.weight <= 1:
                yield (*at, "weight"), "must be from 0 to 1: the part of the fee that follows"


# -- the public regime ------------------------------------------------------------------------------------------------


class Note:
    """What a rule of the public regime says to a contract; it is told, not enforced."""

    def __init__(self, rule: TermRuleWords, kept: bool, years: Decimal) -> None:
        self.rule, self.kept, self.years = rule, kept, years

    @property
    def text(self) -> NameWords:
        return self.rule.text


def read_rules(path: Path) -> list[TermRuleWords]:
    """The rules of a file."""
    return checked(open_document(path), RuleFileWords).term


def notes(contract: ContractWords, rules: Sequence[TermRuleWords]) -> list[Note]:
    """Of a public institution, which rules the contract keeps."""
    if not contract.public_institution:
        return []
    kinds = {c.kind for c in contract.clauses}
    years = (Decimal((contract.end - contract.from_).days) / Decimal("365.25")).quantize(Decimal("0.01"))
    whole = round(years)
    return [Note(r, r.least_years <= whole <= r.most_years, years) for r in rules if kinds & set(r.kinds)]
