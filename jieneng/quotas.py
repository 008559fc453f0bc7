"""Quotas from the command line, where the ledger is needed for them."""

from __future__ import annotations

import asyncio

from adapters.clocks import SystemClock
from analytics.quotas.miss_file import read_misses
from energy.errors import StoreError
from gateway.quotas.answers import listed
from gateway.quotas.books import quota_books
from gateway.quotas.words import QuotasAnswer, QuotasQuery
from gateway.records.database import open_records
from jieneng.books import open_books
from jieneng.running import asked
from jieneng.settings import Settings
from jieneng.shipped import calendar, shipped


async def paces(settings: Settings, query: QuotasQuery) -> QuotasAnswer:
    """How the year goes: out of the data folder, or of the gateway that runs on it."""
    try:
        async with open_books(settings) as books, open_records(settings.records_address, settings.data) as records:
            await books.catch_up()
            misses = read_misses(shipped("forecast-misses.yaml"))
            made = quota_books(records, SystemClock(), books, None, misses, calendar())
            return await listed(made, books, query)
    except StoreError as locked:
        given = {name: value for name, value in (("of", query.of), ("year", query.year)) if value is not None}
        return await asyncio.to_thread(asked, settings, "/api/v1/quotas", given, QuotasAnswer, locked)
