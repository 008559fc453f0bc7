"""What a story is entered through: the services of the gateway, over the files of a data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from analytics.contracts.contract_file import read_rules as read_contract_rules
from analytics.quotas.miss_file import read_misses
from analytics.reporting.check_file import read_rules
from analytics.reporting.form_file import read_forms
from energy.ports import Clock
from energy.sites import Site
from energy.working_days import WorkingDays
from gateway.contracts.service import Contracts
from gateway.ledger.books import Books
from gateway.ledger.keeping import kept
from gateway.life.service import Lives
from gateway.quotas.books import QuotaBooks, quota_books
from gateway.records.database import Records, open_records
from gateway.reporting.service import Statistics
from gateway.sites.starting import load_or_import
from gateway.stock.service import Stock
from jieneng.settings import Settings
from jieneng.shipped import shipped


@dataclass(frozen=True, slots=True)
class Office:
    """The services, over books that hold what is in the ledger."""

    records: Records
    clock: Clock
    calendar: WorkingDays
    books: Books
    lives: Lives
    quotas: QuotaBooks
    contracts: Contracts
    stock: Stock
    statistics: Statistics

    async def look_again(self) -> None:
        """Take over what was entered of the site and its meters, and work it into the ledger."""
        self.books.take(await kept(self.records, self.clock, self.books.told.site))
        await self.books.catch_up()


@asynccontextmanager
async def open_office(settings: Settings, site: Site, calendar: WorkingDays, clock: Clock) -> AsyncIterator[Office]:
    """The services of the gateway that would run on these settings; the site is brought in where there is none."""
    async with AsyncExitStack() as stack:
        store, ledger = await stack.enter_async_context(open_stores(*settings.stores))
        records = await stack.enter_async_context(open_records(*settings.of_records))
        site = (await load_or_import(records, site, clock)).site
        books = Books(ledger, await kept(records, clock, site), read_factors(shipped("factors.yaml")))
        misses, stock = read_misses(shipped("forecast-misses.yaml")), Stock(records, clock)
        forms = read_forms(shipped("statistics/forms"))
        yield Office(
            records,
            clock,
            calendar,
            books,
            Lives(records, clock),
            quota_books(records, clock, books, None, misses, calendar),
            Contracts(records, clock, books, store, read_contract_rules(shipped("contract-rules.yaml"))),
            stock,
            Statistics(records, clock, books, stock, forms, read_rules(shipped("statistics/checks.yaml"), forms)),
        )
