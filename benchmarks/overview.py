"""The page of a node over HTTP: a whole city, a region, an institution and a meter, first asked and asked again.

2,024 institutions below 12 regions and 22 departments, each with 20 meters of four media that are all mains: 40,480
counters, none of which another one stands above, so that the city is the sum of all of them. The ledger reaches from
the first of January of last year to 10:30 on the 15th of June. All its days are there (21 million rows), made by SQL as
the builder would have left them; its hours are there for 64 days, the last 32 and those a year before, without which no
page is made: the hours of the other months (450 million rows) would be read by nothing here. Every year total is
checked to the last millionth. There are 4,048 quotas of this year, reckoned before as the hourly sweep does (told as
`quota_sweep_s`), 400 open alarms, 2,000 open findings and 2,024 filings of May; there are no contracts, no shared
meters, nothing is hidden, and no readings come in meanwhile. `first` is the slowest first page of a node after the
start, in the order city, region, department, institution, meter.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
from aiohttp.test_utils import TestClient, TestServer

from adapters.clocks import SteppedClock
from adapters.stores import open_ledger, open_store
from analytics.alarms.rules import Level
from analytics.carbon.factor_file import read_factors
from analytics.reporting.filing_states import State
from energy.findings import Finding, FindingKind
from energy.hours import HOUR_MS, first_hour
from energy.organisations import Membership, Organisation
from energy.quantities import Medium
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Place, Site, Text
from energy.validity import ALWAYS
from gateway.access.door import LocalDoor
from gateway.alerts.alarm import Member, Raised
from gateway.app import application
from gateway.edges.service import Edges
from gateway.findings.looks import Look
from gateway.findings.worth import Valued
from gateway.ledger.books import Books, Kept
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.metrics import Metrics
from gateway.records.database import Records, open_records
from gateway.reporting.rows import Kept as Filed
from gateway.reporting.rows import keep
from gateway.services import Services
from gateway.sites.service import Directory
from tests.gateway.opened import opened

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 15, 10, 30, tzinfo=ZONE)
SINCE = datetime(2025, 1, 1, tzinfo=ZONE)
INSTITUTIONS, EACH, REGIONS, DEPARTMENTS = 2_024, 20, 12, 22
POINTS = INSTITUTIONS * EACH
# Of twenty meters so many of each medium.
MEDIA = (
    (Medium.ELECTRICITY, "active_energy_import", 12),
    (Medium.WATER, "volume", 4),
    (Medium.GAS, "volume_standard", 2),
    (Medium.HEAT, "heat_energy", 2),
)
KINDS = [(medium, name) for medium, name, count in MEDIA for _ in range(count)]
NODES = {
    "city": ["site/bench"],
    "region": [f"organisation/r{i:02d}" for i in range(6)],
    "department": [f"organisation/d{i:02d}" for i in range(6)],
    "institution": [f"organisation/i{i:04d}" for i in range(77, 2_000, 90)],
    "meter": [f"meter/i{i:04d}-{i % EACH:02d}" for i in range(50, 2_000, 90)],
}


def run() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.overview"], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def pages() -> dict[str, Any]:
    """Every node asked first, and again."""
    figures: dict[str, Any] = {}
    async with _services() as services:
        await _recorded(services)
        began = time.perf_counter()
        await services.quotas.paces.of()
        figures["quota_sweep_s"] = time.perf_counter() - began
        _forget(services.books)
        async with TestClient(TestServer(application(services))) as client:
            warm: list[float] = []
            for kind, nodes in NODES.items():
                cold = [await _asked(client, of) for of in nodes]
                again = [await _asked(client, of) for of in nodes for _ in range(5)]
                warm += again
                figures |= {f"{kind}_first_ms": max(cold), f"{kind}_ms": float(np.median(again))}
                figures[f"{kind}_worst_ms"] = max(again)
            figures["node_page_ms"] = float(np.median(warm))
            figures["node_page_worst_ms"] = max(warm)
            await _must_be_right(client)
    figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def _forget(books: Books) -> None:
    """What the sweep has read: the first page finds trees and sums as after a start."""
    books.take(books.told)
    for steps in (books.curves._hours, books.curves._days, books.curves._few_days):
        steps._kept.clear()


async def _asked(client: Any, of: str) -> float:
    began = time.perf_counter()
    answer = await client.get("/api/v1/nodes/overview", params={"of": of})
    body = await answer.read()
    took = (time.perf_counter() - began) * 1000
    assert answer.status == 200, body
    return took


async def _must_be_right(client: Any) -> None:
    """The year of the city, by hand: 165 whole days and 10 hours."""
    told = await (await client.get("/api/v1/nodes/overview", params={"of": "site/bench"})).json()
    year = next(span for span in told["spans"] if span["span"] == "year")
    base = {m: sum(_base(p) for p in range(POINTS) if KINDS[p % EACH][0] is m) for m, _ in KINDS}
    hours = 165 * _OF_DAY + sum(_OF_HOUR + h for h in range(10))
    for found in year["media"]:
        assert found["total"]["value"] == base[Medium(found["medium"])] * hours / 1000, found["total"]
        assert found["last_year"]["figure"]["value"] == found["total"]["value"]
    assert sum(told["quotas"]["below"].values()) == 2 * INSTITUTIONS
    assert (told["alarms"]["open"], told["findings"]["open"], told["filings"]["total"]) == (400, 2_000, INSTITUTIONS)


# -- the city ---------------------------------------------------------------------------------------------------------

# What a counter measures in local hour h of a day is base * (10 + h) [thousandths].
_OF_HOUR = 10
_OF_DAY = 24 * _OF_HOUR + sum(range(24))


def _base(point: int) -> int:
    return 100 + point % 977


@asynccontextmanager
async def _services() -> AsyncIterator[Services]:
    site, clock, metrics = _site(), SteppedClock(NOW), Metrics()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_records(f"sqlite:{folder}/records.sqlite") as records,
            open_store(f"duckdb:{folder}/readings.duckdb") as store,
        ):
            ledger = open_ledger(store)
            points = [Point(m.id, m.quantities[0]) for m in site.meters]
            first = np.full(POINTS, to_ms(SINCE), np.int64)
            await store.write(ReadingColumns.of(points, np.arange(POINTS, dtype=np.int32), first, np.ones(POINTS)))
            _filled(ledger)
            books = Books(ledger, Kept(site), read_factors(Path("config/factors.yaml")))
            directory, edges = Directory(site), Edges(clock)
            present, hub = Present(store, directory, edges, clock), Hub(clock, metrics)
            nobody = cast(Any, None)  # neither readings that were refused nor accounts are asked for
            frame = (clock, store, nobody, directory, edges, present, hub, metrics)
            yield opened(frame, records, books, nobody, LocalDoor())


def _filled(ledger: Any) -> None:
    connection = ledger._store.connection
    now, since = int(NOW.timestamp()) // 3600, int(SINCE.timestamp()) // 3600
    today = (now + 8) // 24
    days = f"SELECT range AS day FROM range({(since + 8) // 24}, {today + 1})"
    points = f"SELECT range AS point, 100 + range % 977 AS base FROM range({POINTS})"
    running = sum(_OF_HOUR + h for h in range((now + 8) % 24))
    amount = f"base * CASE WHEN day = {today} THEN {running} ELSE {_OF_DAY} END * 1000"
    spent = f"CASE WHEN day = {today} THEN {(now + 8) % 24} ELSE 24 END"
    connection.execute(
        f"INSERT INTO days_closed SELECT point, day, {amount}, {amount} // 2, 0, {amount} // 2, 0, "
        f"{spent} * {HOUR_MS}, 0, 0, 0, {spent} FROM ({days}), ({points}) ORDER BY day // 32, point, day"
    )
    for end in (now, first_hour(today - 365 + 16)):
        start = first_hour((end + 8) // 24 - 31)
        hours = f"SELECT range AS hour FROM range({start}, {end})"
        amount = f"base * ({_OF_HOUR} + (hour + 8) % 24) * 1000"
        connection.execute(
            f"INSERT INTO hours_closed SELECT point, hour, {amount}, {amount} // 2, 0, {amount} // 2, "
            f"{HOUR_MS}, 0, 0, 0 FROM ({hours}), ({points}) ORDER BY point, hour"
        )
    connection.execute("CHECKPOINT")


def _site() -> Site:
    regions = [Organisation(f"r{i:02d}", Text(f"第{i}县", f"County {i}"), "county") for i in range(REGIONS)]
    departments = [Organisation(f"d{i:02d}", Text(f"第{i}局", f"Bureau {i}"), "bureau") for i in range(DEPARTMENTS)]
    own = [
        Organisation(f"i{i:04d}", Text(f"第{i}单位", f"Institution {i}"), parent=f"r{i % REGIONS:02d}")
        for i in range(INSTITUTIONS)
    ]
    members = [Membership(o.id, f"d{i % DEPARTMENTS:02d}", ALWAYS) for i, o in enumerate(own)]
    places = [Place(f"p{i:04d}", Text(f"{i}号楼", f"Building {i}"), "office") for i in range(INSTITUTIONS)]
    meters = [_meter(i, k) for i in range(INSTITUTIONS) for k in range(EACH)]
    lists: dict[str, Any] = {"organisations": (*regions, *departments, *own), "memberships": tuple(members)}
    return Site("bench", Text("城市", "City"), ZONE.key, places=tuple(places), meters=tuple(meters), **lists)


def _meter(i: int, k: int) -> Meter:
    medium, quantity = KINDS[k]
    of: Any = {"quantities": (quantity,), "organisation": f"i{i:04d}", "place": f"p{i:04d}"}
    return Meter(f"i{i:04d}-{k:02d}", Text(f"{k}号表", f"Meter {k}"), medium, **of)


async def _recorded(services: Services) -> None:
    """Quotas, alarms, findings and filings."""
    quotas = [
        Quota(f"organisation/i{i:04d}", of, 2026, Decimal(amount), Method.HANDED_DOWN, f"文 {i}", date(2026, 1, 4))
        for i in range(INSTITUTIONS)
        for of, amount in ((QuotaOf.ELECTRICITY, 2_000_000 + i * 1_000), (QuotaOf.WATER, 700_000))
    ]
    await services.quotas.entries.add(quotas, "somebody", "")
    at = to_ms(NOW) - 86_400_000
    raised = []
    for i in range(400):
        meter, words = f"i{i * 5:04d}-00", Text(f"告警 {i}", f"Alarm {i}")
        raised.append(Raised(f"c/{i}", "limit", Level.WARNING, meter, words, at, (Member(meter, at),)))
    await services.alerts.alarms.raise_all(raised)
    found = [
        Valued(
            Finding(
                Point(f"i{i:04d}-00", KINDS[0][1]), FindingKind.HIGH, at, at + 7_200_000, False, 9.0, 5.0, i * 1_000_000
            ),
            i * 600_000,
            None,
            Decimal(i) / 2,
            "x",
        )
        for i in range(2_000)
    ]
    await services.findings.take(Look(found, 0, "bench"))
    await _filed(services.statistics._records)


async def _filed(records: Records) -> None:
    states = (State.DRAFT, State.SUBMITTED, State.ACCEPTED, State.RETURNED)
    async with records.writing() as connection:
        for i in range(INSTITUTIONS):
            await keep(connection, Filed(f"i{i:04d}", "consumption", "1", "2026-05", state=states[i % 4]))


if __name__ == "__main__":
    json.dump(asyncio.run(pages()), sys.stdout)
