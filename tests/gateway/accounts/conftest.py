"""A gateway with accounts, over an empty campus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from adapters.clocks import SteppedClock
from adapters.quarantine_sqlite import SqliteQuarantine
from energy.sites import Site
from gateway.accounts.door import AccountsDoor
from gateway.accounts.passwords import Passwords
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import AccountRules, Accounts
from gateway.app import application
from gateway.edges.service import Edges
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.records.database import open_records
from gateway.services import Services
from gateway.sites.files import SiteFiles
from gateway.sites.records import SiteRecords, difference
from gateway.sites.service import Directory
from tests.adapters.readings_memory import MemoryReadings
from tests.databases import new_records
from tests.gateway.accounts.visitor import Client, Visitor
from tests.gateway.ledger.books import books
from tests.gateway.opened import opened
from tests.gateway.test_api import site


def profiled() -> Site:
    """The campus as a file may tell it: what stands on a line has a profile."""
    return replace(site(), meters=tuple(replace(m, profile="eastron/sdm630") for m in site().meters))


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 7, 1, 4, tzinfo=UTC))


@pytest.fixture
def rules() -> AccountRules:
    return AccountRules()


@pytest.fixture
async def services(clock: SteppedClock, tmp_path: Path, rules: AccountRules) -> AsyncIterator[Services]:
    store, metrics, edges, directory = MemoryReadings(), Metrics(), Edges(clock), Directory(site())
    present = Present(store, directory, edges, clock)
    async with open_records(new_records(tmp_path / "records.sqlite")) as records, books(directory.site) as (kept, _):
        accounts = Accounts(records, clock, Seal(bytes(32)), rules, Passwords(time_cost=1, memory_kib=8))
        quarantine, hub = SqliteQuarantine(":memory:"), Hub(clock, metrics)
        frame = (clock, store, quarantine, directory, edges, present, hub, metrics)
        sites = SiteRecords(records, clock)
        await sites.apply("campus", difference(None, profiled()), "test")
        services = opened(frame, records, kept, accounts, AccountsDoor(accounts, clock))
        yield replace(services, sites=SiteFiles(sites, "campus"))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    """Its addresses are those of X-Forwarded-For."""
    door = AccountsDoor(services.accounts, services.clock, behind_tls=True)
    async with TestClient(TestServer(application(replace(services, door=door)))) as made:
        yield made


@pytest.fixture
def visitor(client: Client) -> Visitor:
    return Visitor(client)
