"""Routes of the statistics."""

from __future__ import annotations

from analytics.reporting.forms import Cell
from gateway.access.roles import Permission
from gateway.api.problems import RequestError
from gateway.api.route import NoQuery, Route
from gateway.reporting.answers import filing_of, filings_of, rollup_of
from gateway.reporting.rows import Entered
from gateway.reporting.service import MovedOn
from gateway.reporting.words import (
    EnteredWords,
    FilingAnswer,
    FilingQuery,
    FilingsAnswer,
    FilingsQuery,
    NewAcceptance,
    NewEntries,
    NewReturn,
    NewSubmission,
    RollupAnswer,
    RollupQuery,
)
from gateway.services import Services


async def filings(services: Services, query: FilingsQuery) -> FilingsAnswer:
    return await filings_of(services.statistics, query)


async def filing(services: Services, query: FilingQuery) -> FilingAnswer:
    return await filing_of(services.statistics, query)


async def rollup(services: Services, query: RollupQuery) -> RollupAnswer:
    return await rollup_of(services.statistics, services.books, query)


async def fill(services: Services, _query: NoQuery, body: NewEntries) -> FilingAnswer:
    statistics, cells = services.statistics, dict(map(_entered, body.cells))
    author = statistics.author(body.who, "")
    try:
        month = statistics.month(body.month)
        await statistics.fill(month, body.organisation, cells, author, body.revision)
    except MovedOn as error:
        raise RequestError(str(error), status=409) from error
    return await filing_of(statistics, FilingQuery(body.month, body.organisation))


async def submit(services: Services, _query: NoQuery, body: NewSubmission) -> FilingAnswer:
    statistics = services.statistics
    author = statistics.author(body.who, body.why)
    try:
        month = statistics.month(body.month)
        await statistics.submit(month, body.organisation, body.reasons, author, body.revision)
    except MovedOn as error:
        raise RequestError(str(error), status=409) from error
    return await filing_of(statistics, FilingQuery(body.month, body.organisation))


async def give_back(services: Services, _query: NoQuery, body: NewReturn) -> FilingAnswer:
    statistics = services.statistics
    author = statistics.author(body.who, body.why)
    try:
        await statistics.give_back(statistics.month(body.month), body.organisation, author, body.revision)
    except MovedOn as error:
        raise RequestError(str(error), status=409) from error
    return await filing_of(statistics, FilingQuery(body.month, body.organisation))


async def accept(services: Services, _query: NoQuery, body: NewAcceptance) -> FilingAnswer:
    statistics = services.statistics
    author = statistics.author(body.who, body.why)
    try:
        await statistics.accept(statistics.month(body.month), body.organisation, author, body.revision)
    except MovedOn as error:
        raise RequestError(str(error), status=409) from error
    return await filing_of(statistics, FilingQuery(body.month, body.organisation))


def _entered(words: EnteredWords) -> tuple[Cell, Entered | None]:
    try:
        cell = Cell.parse(words.cell)
    except ValueError as error:
        raise RequestError(f"cell {error}") from error
    if words.value is not None and not words.value.is_finite():
        raise RequestError(f"{words.cell}: {words.value} is no figure")
    return cell, None if words.follow else Entered(words.value, words.why)


_PATH = "/api/v1/statistics"
_LIST, _ONE, _SUM = "The filings of a month", "One filing, and what is found in it", "The filings of a month added up"
_FILL, _SUBMIT = "Enter figures of a filing by hand", "Submit a filing: it is frozen"
_RETURN, _ACCEPT = "Return a filing, with the reason", "Accept a filing"
_REVIEW = Permission.REVIEW
ROUTES = (
    Route(f"{_PATH}/filings", _LIST, Permission.READ, FilingsQuery, FilingsAnswer, filings),
    Route(f"{_PATH}/filing", _ONE, Permission.READ, FilingQuery, FilingAnswer, filing),
    Route(f"{_PATH}/rollup", _SUM, Permission.READ, RollupQuery, RollupAnswer, rollup),
    Route(f"{_PATH}/fill", _FILL, Permission.FILL, NoQuery, FilingAnswer, fill, "POST", NewEntries),
    Route(f"{_PATH}/submit", _SUBMIT, Permission.APPROVE, NoQuery, FilingAnswer, submit, "POST", NewSubmission),
    Route(f"{_PATH}/return", _RETURN, _REVIEW, NoQuery, FilingAnswer, give_back, "POST", NewReturn),
    Route(f"{_PATH}/accept", _ACCEPT, _REVIEW, NoQuery, FilingAnswer, accept, "POST", NewAcceptance),
)
