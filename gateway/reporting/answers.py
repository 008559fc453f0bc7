"""The statistics in the words of the API."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_rules import Severity
from analytics.reporting.checks import Fault
from analytics.reporting.filing_states import OPEN, possible
from analytics.reporting.forms import Cell
from analytics.reporting.indicators import Result
from energy.readings import to_ms
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.reporting.rolling import Rolling, Summed, above, tree_of
from gateway.reporting.rows import Taken
from gateway.reporting.service import Statistics
from gateway.reporting.sources import Month
from gateway.reporting.standing import Standing, differing
from gateway.reporting.words import (
    CellWords,
    FilingAnswer,
    FilingQuery,
    FilingRowWords,
    FilingsAnswer,
    FilingsQuery,
    FormWords,
    FoundWords,
    IndicatorWords,
    RollupAnswer,
    RollupQuery,
    SeverityWord,
    StepWords,
    SummedCellWords,
    SummedWords,
    TreeWord,
)


async def filings_of(statistics: Statistics, books: Books, query: FilingsQuery) -> FilingsAnswer:
    """The list of a month."""
    month = statistics.month(query.month)
    listing = _Listing(statistics, books, month)
    rows = [listing.row(standing) for standing in await statistics.standings(month)]
    found = {word: sum(_count(row, word) > 0 for row in rows) for word in get_args(SeverityWord)}
    below = listing.below(query.below, query.tree)
    matching = [row for row in rows if _asked(row, query) and (below is None or row.organisation in below)]
    page = matching[query.offset : query.offset + query.limit]
    states = {str(state): n for state, n in Counter(row.state for row in rows).items()}
    late = sum(row.late for row in rows)
    form = FormWords.of(statistics.form(month))
    said = (month.name, form, statistics.rules.version, to_ms(statistics.due(month)), len(rows), states, late, found)
    return FilingsAnswer(*said, len(matching), page)


async def filing_of(statistics: Statistics, query: FilingQuery) -> FilingAnswer:
    """One filing, with all that is found in it and was done with it."""
    month, factors = statistics.month(query.month), statistics.factors(query.factors)
    standing = await statistics.standing(month, query.organisation, factors)
    return _filing(statistics, month, standing, await statistics.steps(standing.kept), factors)


async def rollup_of(statistics: Statistics, books: Books, query: RollupQuery) -> RollupAnswer:
    """The month added up."""
    month, factors = statistics.month(query.month), statistics.factors(query.factors)
    form, site = statistics.form(month), books.kept.site
    standings = await statistics.standings(month, None, factors)
    rolling = Rolling(form, factors, month.name, drafts=query.drafts)
    parents = tree_of(site, query.tree, month.last)
    summed = await asyncio.to_thread(rolling.by_tree, standings, site.organisations, parents)
    none = rolling.of_none(standings, parents)
    whole = _summed(rolling.whole(standings), parents)
    nodes = [_summed(one, parents) for one in summed]
    left = _summed(none, parents) if none.institutions else None
    return RollupAnswer(month.name, query.tree, FormWords.of(form), factors.id, whole, nodes, left)


class _Listing:
    """Rows of a month, with what each institution belongs to."""

    def __init__(self, statistics: Statistics, books: Books, month: Month) -> None:
        site = books.kept.site
        self._names = {o.id: TextWords.of(o.name) for o in site.organisations}
        self._trees = {word: tree_of(site, word, month.last) for word in get_args(TreeWord)}
        self._over = statistics.is_due(month)

    def row(self, standing: Standing) -> FilingRowWords:
        of, kept = standing.organisation, standing.kept
        count = Counter(fault.severity for fault in standing.faults)
        found = (count[Severity.ERROR], count[Severity.WARNING], count[Severity.NOTE], len(standing.unexplained))
        region, department = (self._names.get(self._trees[tree].get(of.id) or "") for tree in get_args(TreeWord))
        late = self._over and kept.state in OPEN
        filled, name = len(standing.filing.cells), TextWords.of(of.name)
        return FilingRowWords(of.id, name, region, department, kept.state.value, late, *found, filled, kept.revision)

    def below(self, node: str | None, tree: str) -> set[str] | None:
        """What stands below an organisation, or below none; None where none is named."""
        parents = self._trees[tree]
        if node is None:
            return None
        if node == "-":
            return {name for name, parent in parents.items() if parent is None}
        return {name for name in parents if node in above(name, parents)}


def _count(row: FilingRowWords, severity: str) -> int:
    return {"error": row.errors, "warning": row.warnings, "note": row.notes}[severity]


def _asked(row: FilingRowWords, query: FilingsQuery) -> bool:
    wanted = query.search.strip().lower()
    return (
        query.state in (None, row.state)
        and query.late in (None, row.late)
        and (query.found is None or _count(row, query.found) > 0)
        and (not wanted or any(wanted in text.lower() for text in (row.organisation, row.name.zh, row.name.en)))
    )


def _filing(
    statistics: Statistics, month: Month, standing: Standing, steps: Sequence[Taken], factors: FactorSet
) -> FilingAnswer:
    form, kept, filing = statistics.form(month), standing.kept, standing.filing
    differs = set() if kept.state in OPEN else set(differing(standing.filing, standing.now))
    return FilingAnswer(
        month.name,
        to_ms(month.period.start),
        to_ms(month.period.end),
        to_ms(statistics.due(month)),
        standing.organisation.id,
        TextWords.of(standing.organisation.name),
        FormWords.of(form),
        statistics.rules.version,
        kept.state.value,
        [str(step) for step in possible(kept.state)],
        kept.revision,
        statistics.late(month, standing),
        factors.id,
        filing.size.area_m2,
        filing.size.people,
        [_cell(standing, cell, differs=cell in differs) for cell in form.cells],
        [_found(fault, kept.reasons) for fault in standing.faults],
        _indicators(standing.indicators),
        [StepWords(s.step.value, s.at_ms, s.who, s.why) for s in steps],
    )


def _cell(standing: Standing, cell: Cell, *, differs: bool) -> CellWords:
    filled, entered = standing.filing.cells.get(cell), cell in standing.kept.entered
    now = standing.now.value(cell.item, cell.kind) if differs else None
    if filled is None:
        return CellWords(str(cell), None, None, None, None, "", entered, now, differs)
    said = (filled.origin.value, filled.estimated, filled.missing, filled.basis)
    return CellWords(str(cell), filled.value, *said, entered, now, differs)


def _found(fault: Fault, reasons: Mapping[str, str]) -> FoundWords:
    rule = fault.rule
    cells = [str(cell) for cell in fault.cells]
    said = (TextWords.of(fault.text), TextWords.of(rule.name), TextWords.of(rule.source), rule.confidence.value)
    return FoundWords(fault.key, fault.severity.value, cells, *said, reasons.get(fault.key, ""))


def _indicators(found: Mapping[str, Result]) -> list[IndicatorWords]:
    return [
        IndicatorWords(
            one.indicator.id,
            TextWords.of(one.indicator.name),
            one.indicator.unit,
            None if one.figure.value is None else round(one.figure.value, 6),
            None if one.figure.reason is None else TextWords.of(one.figure.reason),
            one.factor_set,
        )
        for one in found.values()
    ]


def _summed(one: Summed, parents: Mapping[str, str | None]) -> SummedWords:
    of, rolled = one.organisation, one.rolled
    cells = sorted(rolled.sums, key=str)
    return SummedWords(
        None if of is None else of.id,
        None if of is None else TextWords.of(of.name),
        None if of is None else parents.get(of.id),
        one.institutions,
        rolled.filings,
        {str(state): n for state, n in one.states.items()},
        rolled.area_m2,
        rolled.people,
        rolled.without_area,
        rolled.without_people,
        [SummedCellWords(str(cell), rolled.sums[cell], rolled.filled[cell]) for cell in cells],
        _indicators(one.indicators),
    )
