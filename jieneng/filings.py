"""The statistics from the command line: over the files of a data folder, or by the gateway that runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from adapters.clocks import SystemClock
from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_forms
from energy.errors import EnergyError, StoreError
from gateway.ledger.books import Books
from gateway.records.database import open_records
from gateway.reporting.answers import filing_of, filings_of
from gateway.reporting.service import Statistics
from gateway.reporting.words import FilingAnswer, FilingQuery, FilingsAnswer, FilingsQuery
from gateway.reporting.workbook import write_month
from gateway.sites.records import SiteRecords
from gateway.stock.service import Stock
from jieneng.books import open_books
from jieneng.running import asked
from jieneng.settings import Settings
from jieneng.shipped import shipped

_PATH = "/api/v1/statistics"


async def listed(settings: Settings, query: FilingsQuery) -> FilingsAnswer:
    """The filings of a month."""
    try:
        async with _open(settings) as (statistics, books):
            return await filings_of(statistics, books, query)
    except StoreError as locked:
        given = msgspec.to_builtins(query)
        return await asyncio.to_thread(asked, settings, f"{_PATH}/filings", given, FilingsAnswer, locked)


async def shown(settings: Settings, query: FilingQuery) -> FilingAnswer:
    """One filing."""
    try:
        async with _open(settings) as (statistics, _):
            return await filing_of(statistics, query)
    except StoreError as locked:
        given = msgspec.to_builtins(query)
        return await asyncio.to_thread(asked, settings, f"{_PATH}/filing", given, FilingAnswer, locked)


async def exported(settings: Settings, month: str, target: Path, factors: str | None, *, drafts: bool) -> int:
    """Write the month as a workbook; how many institutions are in it."""
    async with _open(settings) as (statistics, books):
        chosen = statistics.factors(factors)
        with target.open("xb") as opened:
            return await write_month(opened, statistics, books, statistics.month(month), chosen, drafts=drafts)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Statistics, Books]]:
    """The statistics over books that are up to date."""
    folder = shipped("statistics")
    forms = read_forms(folder / "forms")
    rules = read_rules(folder / "checks.yaml", forms)
    async with open_books(settings) as books, open_records(settings.records_address, settings.data) as records:
        if not await SiteRecords(records, SystemClock()).ids():
            raise EnergyError("the records hold no site yet; bring one in with: jieneng site import FILE")
        await books.catch_up()
        clock = SystemClock()
        yield Statistics(records, clock, books, Stock(records, clock), forms, rules), books
