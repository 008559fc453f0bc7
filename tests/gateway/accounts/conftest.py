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
from gateway.accounts.door import AccountsDoor
from gateway.accounts.passwords import Passwords
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import Accounts
from gateway.app import application
from gateway.audit.service import Audit
from gateway.billing.service import Bills
from gateway.closing.service import Closings
from gateway.edges.service import Edges
from gateway.life.service import Lives
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.records.database import open_records
from gateway.services import Services
from gateway.sites.service import Directory
from gateway.stock.service import Stock
from gateway.tariffs.service import Tariffs
from tests.adapters.readings_memory import MemoryReadings
from tests.gateway.accounts.visitor import Client, Visitor
from tests.gateway.ledger.books import books
from tests.gateway.reporting.shipped import statistics
from tests.gateway.test_api import site


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 7, 1, 4, tzinfo=UTC))


@pytest.fixture
async def services(clock: SteppedClock, tmp_path: Path) -> AsyncIterator[Services]:
    store, metrics, edges, directory = MemoryReadings(), Metrics(), Edges(clock), Directory(site())
    present = Present(store, directory, edges, clock)
    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}") as records, books(directory.site) as (kept, _):
        of_records = (Tariffs(records, clock), Bills(records, clock), Stock(records, clock))
        told = (
            Lives(records, clock),
            kept,
            *of_records,
            Closings(records, clock, kept),
            statistics(records, clock, kept, of_records[-1]),
        )
        accounts = Accounts(records, clock, Seal(bytes(32)), passwords=Passwords(time_cost=1, memory_kib=8))
        quarantine, hub = SqliteQuarantine(":memory:"), Hub(clock, metrics)
        frame = (store, quarantine, directory, edges, present, hub, metrics)
        yield Services(clock, *frame, *told, accounts, Audit(records, clock), AccountsDoor(accounts, clock))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    """Its addresses are those of X-Forwarded-For."""
    door = AccountsDoor(services.accounts, services.clock, behind_tls=True)
    async with TestClient(TestServer(application(replace(services, door=door)))) as made:
        yield made


@pytest.fixture
def visitor(client: Client) -> Visitor:
    return Visitor(client)
