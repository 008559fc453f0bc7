"""A gateway's application over real parts, small."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from adapters.clocks import SteppedClock
from adapters.quarantine_sqlite import SqliteQuarantine
from energy.quantities import Medium
from energy.sites import Meter, Place, Site, Text
from gateway.access.door import LocalDoor
from gateway.accounts.passwords import Passwords
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import Accounts
from gateway.app import application
from gateway.edges.service import Edges
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.records.database import open_records
from gateway.services import Services
from gateway.sites.service import Directory
from tests.adapters.readings_memory import MemoryReadings
from tests.databases import new_records
from tests.gateway.ledger.books import books
from tests.gateway.opened import opened

_MAIN = Meter("main", Text("总表", "Main"), Medium.ELECTRICITY, place="east")
_SITE = Site(
    "campus",
    Text("园区", "Campus"),
    "Asia/Shanghai",
    (Place("east", Text("东楼", "East"), "office"),),
    (),
    (_MAIN,),
)
NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
Client: TypeAlias = TestClient[Request, Application]


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    clock, store, metrics = SteppedClock(NOW), MemoryReadings(), Metrics()
    edges, directory = Edges(clock), Directory(_SITE)
    present, hub = Present(store, directory, edges, clock), Hub(clock, metrics)
    hub.overview = present.overview
    async with open_records(new_records(tmp_path / "records.sqlite")) as records, books(_SITE) as (kept, _):
        accounts = Accounts(records, clock, Seal(bytes(32)), passwords=Passwords(time_cost=1, memory_kib=8))
        frame = (clock, store, SqliteQuarantine(":memory:"), directory, edges, present, hub, metrics)
        yield opened(frame, records, kept, accounts, LocalDoor())


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(services))) as made:
        yield made


@pytest.fixture
async def told(client: Client) -> str:
    """What a gateway tells Prometheus of which nothing is known yet."""
    return await (await client.get("/metrics")).text()
