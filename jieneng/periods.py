"""Closed months from the command line: over the files of a data folder, or by the gateway that runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.clocks import SystemClock
from energy.errors import EnergyError, StoreError
from gateway.closing.answers import period_of, periods_of
from gateway.closing.service import Closings
from gateway.closing.words import NewClosing, NewCorrection, PeriodAnswer, PeriodQuery, PeriodsAnswer
from gateway.ledger.books import Books
from gateway.records.database import open_records
from gateway.sites.records import SiteRecords
from jieneng.books import open_books
from jieneng.running import asked, posted
from jieneng.settings import Settings

_PATH = "/api/v1/periods"


async def listed(settings: Settings) -> PeriodsAnswer:
    """The closed months."""
    try:
        async with _open(settings) as (closings, books):
            return await periods_of(closings, books)
    except StoreError as locked:
        return await asyncio.to_thread(asked, settings, _PATH, {}, PeriodsAnswer, locked)


async def shown(settings: Settings, query: PeriodQuery) -> PeriodAnswer:
    """A closed month, and what would differ now."""
    try:
        async with _open(settings) as (closings, books):
            return await period_of(closings, books, query)
    except StoreError as locked:
        given = {"meter": query.meter, "limit": query.limit}
        return await asyncio.to_thread(asked, settings, f"{_PATH}/{query.month}", given, PeriodAnswer, locked)


async def closed(settings: Settings, body: NewClosing) -> PeriodAnswer:
    """A month as it was just closed."""
    try:
        async with _open(settings) as (closings, books):
            await closings.close(body.month, body.who, body.why)
            return await period_of(closings, books, PeriodQuery(body.month))
    except StoreError as locked:
        return await asyncio.to_thread(posted, settings, f"{_PATH}/close", body, PeriodAnswer, locked)


async def corrected(settings: Settings, body: NewCorrection) -> PeriodAnswer:
    """A closed month as it was just corrected."""
    try:
        async with _open(settings) as (closings, books):
            await closings.correct(await closings.closing(body.month), body.who, body.why)
            return await period_of(closings, books, PeriodQuery(body.month))
    except StoreError as locked:
        return await asyncio.to_thread(posted, settings, f"{_PATH}/correct", body, PeriodAnswer, locked)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Closings, Books]]:
    """The closings over books that are up to date."""
    async with (
        open_books(settings) as books,
        open_records(*settings.of_records) as records,
    ):
        if not await SiteRecords(records, SystemClock()).ids():
            raise EnergyError("the records hold no site yet; bring one in with: jieneng site import FILE")
        await books.catch_up()
        yield Closings(records, SystemClock(), books), books
