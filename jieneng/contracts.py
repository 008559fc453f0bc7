"""Contracts from the command line: over the files of a data folder, or by the gateway that runs on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

from adapters.clocks import SystemClock
from adapters.day_files import read_days
from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from analytics.contracts.contract_file import read_rules
from analytics.contracts.standing import Standing
from energy.errors import EnergyError, StoreError
from energy.sites import Site, Text
from gateway.contracts.answers import baseline_words, draft_words, fitted_as, statement_words
from gateway.contracts.registry import KeptContract, Registry
from gateway.contracts.service import Contracts
from gateway.contracts.statements import KeptStatement, Statements
from gateway.contracts.words import (
    BaselineAnswer,
    BaselineAsked,
    NewBaseline,
    NewStatement,
    StatementAnswer,
    StatementAsked,
)
from gateway.ledger.books import Books
from gateway.ledger.keeping import kept
from gateway.records.database import open_records
from gateway.sites.records import SiteRecords
from jieneng.records import kept as kept_records
from jieneng.running import posted
from jieneng.settings import Settings
from jieneng.shipped import shipped

_PATH = "/api/v1/statements"


async def meters_of(settings: Settings) -> frozenset[str]:
    """The meters of all sites; none where no site was brought in."""
    async with kept_records(settings) as records:
        sites = SiteRecords(records, SystemClock())
        found = [await sites.site(name) for name in await sites.ids()]
    return frozenset(meter.id for site in found for meter in site.meters)


async def brought(settings: Settings, documents: Mapping[str, str], who: str, why: str) -> dict[str, int]:
    """Let contracts hold; the versions of those that are new or other."""
    async with kept_records(settings) as records:
        return await Registry(records, SystemClock()).bring(documents, who, why)


async def listed(settings: Settings) -> list[tuple[KeptContract, list[KeptStatement]]]:
    """The contracts, with their statements."""
    async with kept_records(settings) as records:
        statements = Statements(records, SystemClock())
        found = await Registry(records, SystemClock()).contracts()
        return [(one, await statements.of(one.contract.id)) for one in found]


async def weather_brought(settings: Settings, station: str, file: Path, who: str, why: str) -> int:
    """Keep the mean temperatures of a file; how many were new or other."""
    async with kept_records(settings) as records:
        sites = SiteRecords(records, SystemClock())
        ids = await sites.ids()
        zone = (await sites.site(ids[0])).zone_info if ids else Site("site", Text("", ""), "Asia/Shanghai").zone_info
        days = {day: round(value * 100) for day, value in read_days(file, "mean", zone).items()}
        return await Registry(records, SystemClock()).bring_weather(station, days, who, why)


async def baseline(settings: Settings, asked: BaselineAsked, keep: tuple[str, str] | None) -> BaselineAnswer:
    """A baseline of a clause; kept where it is said by whom and why."""
    try:
        async with open_contracts(settings) as contracts:
            made, _ = await fitted_as(contracts, asked)
            if keep is not None:
                await contracts.freeze_baseline(asked.contract, made, *keep)
            return BaselineAnswer(baseline_words(made), [])
    except StoreError as locked:
        if keep is None:
            return await asyncio.to_thread(posted, settings, "/api/v1/baselines/preview", asked, BaselineAnswer, locked)
        body = NewBaseline(asked, *keep)
        return await asyncio.to_thread(posted, settings, "/api/v1/baselines/freeze", body, BaselineAnswer, locked)


async def drafted(settings: Settings, asked: StatementAsked) -> StatementAnswer:
    """The statement of some days as it would be frozen."""
    try:
        async with open_contracts(settings) as contracts:
            made, objections = await contracts.draft(asked.contract, asked.from_, asked.to)
            amounts = {line["id"]: Decimal(line["amount"]) for line in made["lines"]}
            return draft_words(made, objections, Standing(amounts), ())
    except StoreError as locked:
        return await asyncio.to_thread(posted, settings, f"{_PATH}/draft", asked, StatementAnswer, locked)


async def frozen(settings: Settings, body: NewStatement) -> StatementAnswer:
    """A statement as it was just frozen."""
    try:
        async with open_contracts(settings) as contracts:
            return statement_words(await contracts.freeze(body.contract, body.from_, body.to, body.who, body.why), ())
    except StoreError as locked:
        return await asyncio.to_thread(posted, settings, f"{_PATH}/freeze", body, StatementAnswer, locked)


async def file_of(settings: Settings, number: str) -> str:
    """The file of a frozen statement, to the byte."""
    for _, statements in await listed(settings):
        for one in statements:
            if one.number == number:
                return one.text
    raise EnergyError(f"statement {number!r} is not in the records; see: jieneng settle list")


def values_of(files: Sequence[Path], zone: str, first: date, end: date) -> tuple[list[int | None], list[int | None]]:
    """Amounts [millionths] and temperatures [hundredths of degC] of the days of [first, end), out of two files."""
    from analytics.contracts.sufficiency import day_range

    local = Site("site", Text("", ""), zone).zone_info
    amounts, temperatures = read_days(files[0], "sum", local), read_days(files[1], "mean", local)
    days = day_range(first, end)
    return (
        [None if (a := amounts.get(d)) is None else round(a * 1_000_000) for d in days],
        [None if (t := temperatures.get(d)) is None else round(t * 100) for d in days],
    )


@asynccontextmanager
async def open_contracts(settings: Settings) -> AsyncIterator[Contracts]:
    """The contracts over books that are up to date."""
    nobody = Site("site", Text("本地", "here"), "Asia/Shanghai")
    async with AsyncExitStack() as stack:
        store, ledger = await stack.enter_async_context(open_stores(*settings.stores, alone=True))
        records = await stack.enter_async_context(open_records(settings.records_address, settings.data))
        known = await kept(records, SystemClock(), nobody)
        books = Books(ledger, known, read_factors(shipped("factors.yaml")))
        await books.catch_up()
        yield Contracts(records, SystemClock(), books, store, read_rules(shipped("contract-rules.yaml")))
