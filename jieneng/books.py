"""The books from the command line, over the files of a data folder whose gateway is not running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from adapters.clocks import SystemClock
from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from energy.sites import Site, Text
from gateway.ledger.books import Books, Kept
from gateway.ledger.keeping import kept
from gateway.records.database import open_records
from jieneng.settings import Settings
from jieneng.shipped import shipped


@asynccontextmanager
async def open_books(settings: Settings, zone: str | None = None) -> AsyncIterator[Books]:
    """The books of a data folder; without records, a site of which only the readings are known.

    StoreError where another process has its stores open: a gateway that runs, or another command.
    """
    nobody = Site("site", Text("本地", "here"), zone or "Asia/Shanghai")
    async with AsyncExitStack() as stack:
        _, ledger = await stack.enter_async_context(open_stores(*settings.stores, alone=True))
        known = Kept(nobody)
        if settings.has_records:
            records = await stack.enter_async_context(open_records(*settings.of_records))
            known = await kept(records, SystemClock(), nobody)
        if zone is not None:
            known = Kept(replace(known.site, zone=zone), known.events, known.tariffs)
        yield Books(ledger, known, read_factors(shipped("factors.yaml")))
