"""Routes of the statistics."""

from __future__ import annotations

from io import BytesIO

from analytics.reporting.forms import Cell
from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.api.words import TextWords
from gateway.audit.chain import Action
from gateway.reporting.answers import filing_of, filings_of, rollup_of
from gateway.reporting.rows import Entered
from gateway.reporting.words import (
    EnteredWords,
    ExportQuery,
    FilingAnswer,
    FilingQuery,
    FilingsAnswer,
    FilingsQuery,
    MonthBook,
    NewAcceptance,
    NewEntries,
    NewReturn,
    NewSubmission,
    RollupAnswer,
    RollupQuery,
)
from gateway.reporting.workbook import write_month
from gateway.services import Services


async def filings(services: Services, query: FilingsQuery) -> FilingsAnswer:
    return await filings_of(services.statistics, services.books, query)


async def filing(services: Services, query: FilingQuery) -> FilingAnswer:
    return await filing_of(services.statistics, query)


async def rollup(services: Services, query: RollupQuery) -> RollupAnswer:
    return await rollup_of(services.statistics, services.books, query)


async def export(services: Services, query: ExportQuery) -> MonthBook:
    """The month as a workbook. That it was taken away is in the audit log."""
    statistics = services.statistics
    month, factors, target = statistics.month(query.month), statistics.factors(query.factors), BytesIO()
    count = await write_month(target, statistics, services.books, month, factors, drafts=query.drafts)
    detail = {"format": "xlsx", "rows": count, "factors": factors.id, "drafts": query.drafts}
    await services.audit.record(Action.EXPORT, f"statistics/{month.name}", detail=detail)
    return MonthBook(f"公共机构能源资源消费统计 {month.name}.xlsx", target.getvalue())


async def fill(services: Services, _query: NoQuery, body: NewEntries) -> FilingAnswer:
    statistics, cells = services.statistics, dict(map(_entered, body.cells))
    author = statistics.author(body.who, "")
    await statistics.fill(statistics.month(body.month), body.organisation, cells, author, body.revision)
    return await filing_of(statistics, FilingQuery(body.month, body.organisation, body.factors))


async def submit(services: Services, _query: NoQuery, body: NewSubmission) -> FilingAnswer:
    statistics = services.statistics
    author = statistics.author(body.who, body.why)
    await statistics.submit(statistics.month(body.month), body.organisation, body.reasons, author, body.revision)
    return await filing_of(statistics, FilingQuery(body.month, body.organisation, body.factors))


async def give_back(services: Services, _query: NoQuery, body: NewReturn) -> FilingAnswer:
    statistics = services.statistics
    author = statistics.author(body.who, body.why)
    await statistics.give_back(statistics.month(body.month), body.organisation, author, body.revision)
    return await filing_of(statistics, FilingQuery(body.month, body.organisation, body.factors))


async def accept(services: Services, _query: NoQuery, body: NewAcceptance) -> FilingAnswer:
    """Where people sign in, by somebody else than who submitted it."""
    statistics = services.statistics
    author, month = statistics.author(body.who, body.why), statistics.month(body.month)
    by_another = services.door.required
    await statistics.accept(month, body.organisation, author, body.revision, by_another=by_another)
    return await filing_of(statistics, FilingQuery(body.month, body.organisation, body.factors))


def _entered(words: EnteredWords) -> tuple[Cell, Entered | None]:
    try:
        cell = Cell.parse(words.cell)
    except ValueError as error:
        text = TextWords(f"单元格 {words.cell} 应写作 ITEM.quantity 或 ITEM.fee", f"cell {error}")
        raise RequestError(text.en, 400, text) from error
    if words.value is not None and not words.value.is_finite():
        text = TextWords(f"{words.cell}：{words.value} 不是数字", f"{words.cell}: {words.value} is no figure")
        raise RequestError(text.en, 400, text)
    return cell, None if words.follow else Entered(words.value, words.why)


_PATH = "/api/v1/statistics"
_LIST, _ONE, _SUM = "The filings of a month", "One filing, and what is found in it", "The filings of a month added up"
_BOOK = "The month as an Excel workbook"
_FILL, _SUBMIT = "Enter figures of a filing by hand", "Submit a filing: it is frozen"
_RETURN, _ACCEPT = "Return a filing, with the reason", "Accept a filing"
_REVIEW = Permission.REVIEW
ROUTES = (
    Route(f"{_PATH}/filings", _LIST, Permission.READ, FilingsQuery, FilingsAnswer, filings),
    Route(f"{_PATH}/filing", _ONE, Permission.READ, FilingQuery, FilingAnswer, filing),
    Route(f"{_PATH}/rollup", _SUM, Permission.READ, RollupQuery, RollupAnswer, rollup),
    Route(f"{_PATH}/export", _BOOK, Permission.READ, ExportQuery, MonthBook, export),
    Route(f"{_PATH}/fill", _FILL, Permission.FILL, NoQuery, FilingAnswer, fill, "POST", NewEntries),
    Route(f"{_PATH}/submit", _SUBMIT, Permission.APPROVE, NoQuery, FilingAnswer, submit, "POST", NewSubmission),
    Route(f"{_PATH}/return", _RETURN, _REVIEW, NoQuery, FilingAnswer, give_back, "POST", NewReturn),
    Route(f"{_PATH}/accept", _ACCEPT, _REVIEW, NoQuery, FilingAnswer, accept, "POST", NewAcceptance),
)
