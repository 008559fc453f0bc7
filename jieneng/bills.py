"""Bills and stocks from the command line, where the ledger is needed for them."""

from __future__ import annotations

import asyncio

from adapters.clocks import SystemClock
from energy.errors import StoreError
from gateway.billing.answers import told
from gateway.billing.service import Bills
from gateway.billing.words import BillsAnswer, BillsQuery
from gateway.records.database import open_records
from jieneng.books import open_books
from jieneng.running import asked
from jieneng.settings import Settings


async def reconciled(settings: Settings, query: BillsQuery) -> BillsAnswer:
    """The bills of an account beside what was metered: out of the data folder, or of the gateway that runs on it."""
    try:
        async with (
            open_books(settings) as books,
            open_records(*settings.of_records) as records,
        ):
            await books.catch_up()
            return await told(Bills(records, SystemClock()), books, query)
    except StoreError as locked:
        given = {"account": query.account, "from": query.from_, "to": query.to}
        return await asyncio.to_thread(asked, settings, "/api/v1/bills", given, BillsAnswer, locked)
