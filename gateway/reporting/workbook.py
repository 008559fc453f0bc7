"""The statistics of a month as a workbook: every institution, the sums by tree, indicators, and what is still open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import BinaryIO

from adapters.workbook_pages import Page, write_workbook
from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_rules import Severity
from analytics.reporting.checks import Fault
from analytics.reporting.filings import Filled
from analytics.reporting.forms import Cell, CellKind, Form
from analytics.reporting.indicators import Result
from energy.sites import Site
from gateway.ledger.books import Books
from gateway.reporting.rolling import Rolling, Summed, tree_of
from gateway.reporting.service import Statistics
from gateway.reporting.sources import Month
from gateway.reporting.standing import Standing

_STATES = {"draft": "未报", "submitted": "已报", "returned": "退回", "accepted": "审核通过"}
_SEVERITIES = {Severity.ERROR: "错误", Severity.WARNING: "疑点", Severity.NOTE: "提示"}
_ORIGINS = {"meters": "表计", "bills": "账单", "stock": "库存", "entered": "手工"}
_TREES = {"region": "区域汇总", "department": "部门汇总"}


async def write_month(
    target: BinaryIO, statistics: Statistics, books: Books, month: Month, factors: FactorSet, *, drafts: bool
) -> int:
    """Write the month of all institutions that are seen; how many these are.

    drafts : whether what is not submitted yet is in the sums.
    """
    standings = await statistics.standings(month, None, factors)
    rolling = Rolling(statistics.form(month), factors, month.name, drafts=drafts)
    made = _Making(statistics.form(month), month, factors, books.kept.site)
    await asyncio.to_thread(made.write, target, statistics.rules.version, standings, rolling, drafts=drafts)
    return len(standings)


class _Making:
    """The sheets of a month."""

    def __init__(self, form: Form, month: Month, factors: FactorSet, site: Site) -> None:
        self._form, self._month, self._factors, self._site = form, month, factors, site
        self._names = {o.id: o.name.zh for o in site.organisations}

    def write(
        self, target: BinaryIO, rules: str, standings: Sequence[Standing], rolling: Rolling, *, drafts: bool
    ) -> None:
        """All sheets."""
        whole = rolling.whole(standings)
        pages = [self.cover(rules, whole, drafts=drafts), self.filings(standings)]
        for tree, title in _TREES.items():
            parents = tree_of(self._site, tree, self._month.last)
            none = rolling.of_none(standings, parents)
            nodes = rolling.by_tree(standings, self._site.organisations, parents)
            pages.append(self.sums(title, [*nodes, none, whole], parents))
        write_workbook(target, [*pages, self.origins(standings), self.found(standings)])

    def cover(self, rules: str, whole: Summed, *, drafts: bool) -> Page:
        """What this is, and under which versions it was made."""
        states = "，".join(f"{_STATES[state]} {count}" for state, count in sorted(whole.states.items()))
        rows: list[list[object]] = [
            [self._form.name.zh],
            ["月份 month", self._month.name],
            ["表式版本 form", f"{self._form.id} {self._form.version}", self._form.source.zh],
            ["审核规则 rules", rules],
            ["因子集 factor set", f"{self._factors.id} {self._factors.version}", self._factors.name.zh],
            ["应报 institutions", whole.institutions],
            ["进度 states", states],
            ["汇总范围 sums", "含未报 drafts too" if drafts else "已报和审核通过 submitted and accepted"],
            ["汇总家数 counted", whole.rolled.filings],
        ]
        return Page("说明", rows, 1, (24, 40, 60))

    def filings(self, standings: Sequence[Standing]) -> Page:
        """A row for each institution, in the columns of the form."""
        head = ["单位代码 id", "单位 institution", "上级 above", "状态 state", "建筑面积 m2", "用能人数"]
        heads = [*head, *(self._title(cell) for cell in self._form.cells), *self._indicator_titles(standings)]
        rows = (self._row(standing) for standing in standings)
        return Page("消费状况", _under(heads, rows), 1, (22, 30, 22, 10, 12, 10))

    def _row(self, standing: Standing) -> list[object]:
        of, filing = standing.organisation, standing.filing
        named = [of.id, of.name.zh, self._names.get(of.parent or "", ""), _STATES[standing.kept.state]]
        values = [filing.value(cell.item, cell.kind) for cell in self._form.cells]
        return [*named, filing.size.area_m2, filing.size.people, *values, *_values(standing.indicators)]

    def sums(self, title: str, nodes: Sequence[Summed], parents: Mapping[str, str | None]) -> Page:
        """A row for each node of a tree, one for those below none of them, and one for all: the last two of `nodes`."""
        head = ["代码 id", "名称 name", "上级 above", "应报", "汇总家数", "建筑面积 m2", "用能人数"]
        heads = [*head, *(self._title(cell) for cell in self._form.cells)]
        heads += [f"{r.indicator.name.zh} {r.indicator.unit}" for r in nodes[-1].indicators.values()]
        *named, none, whole = nodes
        rows = [self._summed(one, parents, "") for one in named]
        rows += [self._summed(none, parents, "不属于以上任何一个")] if none.institutions else []
        return Page(title, _under(heads, iter([*rows, self._summed(whole, parents, "合计")])), 1, (22, 30, 22))

    def _summed(self, one: Summed, parents: Mapping[str, str | None], title: str) -> list[object]:
        of, rolled = one.organisation, one.rolled
        above = "" if of is None else self._names.get(parents.get(of.id) or "", "")
        named: list[object] = ["", title, ""] if of is None else [of.id, of.name.zh, above]
        counts: list[object] = [one.institutions, rolled.filings, rolled.area_m2, rolled.people]
        return [*named, *counts, *(rolled.sums.get(cell) for cell in self._form.cells), *_values(one.indicators)]

    def origins(self, standings: Sequence[Standing]) -> Page:
        """Where each figure comes from, and what of it is estimated or missing."""
        heads = [
            "单位代码 id",
            "单位",
            "项目 cell",
            "数值 value",
            "来源 origin",
            "估算 estimated",
            "缺失 missing",
            "依据 basis",
        ]
        rows = (self._origin(s, cell, one) for s in standings for cell, one in s.filing.cells.items())
        return Page("数据来源", _under(heads, rows), 1, (22, 30, 26, 16, 10, 10, 10, 60))

    def found(self, standings: Sequence[Standing]) -> Page:
        """What the checks find, and the reasons that were given."""
        heads = [
            "单位代码 id",
            "单位",
            "级别 severity",
            "规则 rule",
            "说明",
            "in English",
            "依据 source",
            "理由 reason",
        ]
        rows = (_found(s, fault) for s in standings for fault in s.faults)
        return Page("审核", _under(heads, rows), 1, (22, 30, 10, 16, 60, 60, 40, 40))

    def _origin(self, standing: Standing, cell: Cell, one: Filled) -> list[object]:
        of = standing.organisation
        said = (_ORIGINS[one.origin], one.estimated, one.missing, one.basis)
        return [of.id, of.name.zh, self._title(cell), one.value, *said]

    def _title(self, cell: Cell) -> str:
        one = self._form.item(cell.item)
        return f"{one.name.zh} {one.unit if cell.kind is CellKind.QUANTITY else '费用 元'}"

    def _indicator_titles(self, standings: Sequence[Standing]) -> list[str]:
        first = standings[0].indicators.values() if standings else ()
        return [f"{r.indicator.name.zh} {r.indicator.unit}" for r in first]


def _values(found: Mapping[str, Result]) -> Iterator[Decimal | None]:
    return (None if one.figure.value is None else round(one.figure.value, 6) for one in found.values())


def _found(standing: Standing, fault: Fault) -> list[object]:
    of, rule = standing.organisation, fault.rule
    reason = standing.kept.reasons.get(fault.key, "")
    severity = _SEVERITIES[fault.severity]
    return [of.id, of.name.zh, severity, rule.name.zh, fault.text.zh, fault.text.en, rule.source.zh, reason]


def _under(heads: Sequence[object], rows: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield heads
    yield from rows
