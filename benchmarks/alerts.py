"""Alarms: from the reading that crosses a limit to the sent message, a storm of silence, and what is lost on the way.

40,480 meters are watched while 675 readings come in each second, stored in a file of DuckDB; 200 of them cross a limit.
Records are a file of SQLite; the channel is a signed webhook to a server on this machine.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.clocks import SteppedClock, SystemClock
from adapters.notify_webhook import Webhook
from adapters.outgoing import Destinations, Outgoing
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from energy.notices import Notice
from energy.ports import Clock
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Place, Site, Text
from gateway.alerts.alerts import Alerts
from gateway.alerts.desk import Desk
from gateway.alerts.opening import open_alerts
from gateway.alerts.sender import Sender
from gateway.edges.service import Edges
from gateway.ledger.books import Books, Kept
from gateway.records.database import open_records
from tests.gateway.alerts.house import house

METERS, PER_S, CROSSING, STORM = 40_480, 675, 200, 10_000
SECRET = "between us"
RULES = """
rules:
  - {id: load, kind: threshold, name: {zh: 超限, en: Beyond}, every: active_power, above: 100 kW, level: urgent}
  - {id: silence, kind: silence, name: {zh: 无读数, en: Silent}, after: 5 min}
"""
ROSTER = """
persons: [{id: wang, name: 王强, reach: [{channel: phone, address: "1"}, {channel: phone, address: "2"}]}]
otherwise: [wang]
"""


def run() -> dict[str, Any]:
    return {
        **asyncio.run(_crossing()),
        **asyncio.run(_storm()),
        **asyncio.run(_flaky()),
        **leak(),
    }


def leak() -> dict[str, Any]:
    """From the burst to the message alone."""
    return asyncio.run(_leak())


@dataclass
class _Phone:
    """What arrived when, by the id of the notice; `answer` may refuse."""

    arrived: dict[str, list[float]] = field(default_factory=dict)
    titles: dict[str, float] = field(default_factory=dict)
    asked: int = 0
    refuse_every: int = 0

    async def take(self, request: web.Request) -> web.Response:
        notice = msgspec.json.decode(await request.read(), type=Notice)
        self.asked += 1
        if self.refuse_every and self.asked % self.refuse_every:
            return web.Response(status=503)
        now = time.perf_counter()
        self.arrived.setdefault(notice.id, []).append(now)
        self.titles.setdefault(notice.title, now)
        return web.Response()


@dataclass
class _There:
    alerts: Alerts
    desk: Desk
    sender: Sender
    store: Any
    phone: _Phone


@asynccontextmanager
async def _there(site: Site, clock: Clock) -> AsyncIterator[_There]:
    phone, app = _Phone(), web.Application()
    app.router.add_post("/", phone.take)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_records(f"sqlite:{folder}/records.sqlite") as records,
            open_store(f"duckdb:{folder}/readings.duckdb") as store,
            TestServer(app) as server,
            Outgoing(Destinations.of([str(server.make_url("/"))])) as outgoing,
        ):
            books = Books(open_ledger(store), Kept(site), read_factors(Path("config/factors.yaml")))
            alerts = open_alerts(records, clock, lambda: site, bytes(32), channels={"phone": "webhook"})
            await alerts.rules.save(RULES, "bench")
            await alerts.duty.save(ROSTER, "bench")
            desk = Desk(alerts.alarms, alerts.rules, alerts.duty, books, store, Edges(clock), clock)
            hook = Webhook("phone", outgoing, str(server.make_url("/")), SECRET, personal=True)
            sender = Sender(records, clock, alerts.outbox, alerts.alarms, {"phone": hook}, alerts.links)
            await desk.refresh()
            yield _There(alerts, desk, sender, store, phone)


def _site(meters: int, lines: int) -> Site:
    def meter(i: int) -> Meter:
        name = Text(f"m{i:05d}", f"m{i:05d}")
        return Meter(f"m{i:05d}", name, Medium.ELECTRICITY, "here", line=f"l{i % lines}", quantities=("active_power",))

    place = Place("here", Text("楼", "here"), "building")
    return Site("bench", Text("城", "city"), "Asia/Shanghai", (place,), meters=tuple(meter(i) for i in range(meters)))


async def _crossing() -> dict[str, Any]:
    """Ten batches a second, as they come from edges; each second some of the readings cross the limit."""
    site = _site(METERS, 2_024)
    points = [Point(m.id, "active_power") for m in site.meters]
    handed: dict[str, float] = {}
    took: list[float] = []
    async with _there(site, SystemClock()) as there, asyncio.TaskGroup() as tasks:
        going = [tasks.create_task(there.desk.run()), tasks.create_task(there.sender.run())]
        await asyncio.sleep(1.0)
        chance = np.random.default_rng(1)
        crossing = iter(chance.permutation(METERS)[:CROSSING].tolist())
        each, batches = PER_S // 10, CROSSING // 2
        for number in range(batches):
            began = time.perf_counter()
            rows = np.arange(number * each, (number + 1) * each) % METERS
            mine = [next(crossing), next(crossing)]
            index = np.unique(np.r_[rows, mine]).astype(np.int32)
            value = np.where(np.isin(index, mine), 150.0, 50.0)
            at_ms = np.full(len(index), time.time_ns() // 1_000_000)
            columns = ReadingColumns.of([points[i] for i in index], np.arange(len(index), dtype=np.int32), at_ms, value)
            for i in mine:
                handed[f"m{i:05d}"] = time.perf_counter()
            await there.store.write(columns)
            start = time.perf_counter()
            there.desk.take(columns)
            took.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))
        for _ in range(200):
            if len(_rung(there.phone)) >= CROSSING:
                break
            await asyncio.sleep(0.1)
        for task in going:
            task.cancel()
        arrived = _rung(there.phone)
    delays = np.array([(arrived[name] - at) * 1000 for name, at in handed.items() if name in arrived])
    whole = ReadingColumns.of(points, np.arange(METERS, dtype=np.int32), np.full(METERS, 10**12), np.full(METERS, 50.0))
    start = time.perf_counter()
    there.desk.take(whole)
    return {
        "meters": METERS,
        "crossings": CROSSING,
        "crossing_to_sent_ms_p50": float(np.percentile(delays, 50)),
        "crossing_to_sent_ms_p99": float(np.percentile(delays, 99)),
        "crossings_unsent": CROSSING - len(delays),
        "take_batch_ms_p99": float(np.percentile(took, 99)),
        "take_all_meters_ms": (time.perf_counter() - start) * 1000,
    }


def _rung(phone: _Phone) -> dict[str, float]:
    """When each meter was told of; what is told of its being over is not meant."""
    urgent = ((title.removeprefix("【紧急】"), at) for title, at in phone.titles.items() if title[:4] == "【紧急】")
    return {title.split("：")[0]: at for title, at in urgent}


async def _storm() -> dict[str, Any]:
    """All meters fall silent between two looks."""
    site, clock = _site(STORM, 500), SteppedClock(datetime(2026, 3, 10, tzinfo=UTC))
    points = [Point(m.id, "active_power") for m in site.meters]
    async with _there(site, clock) as there:
        at_ms = np.full(STORM, to_ms(clock.now()))
        there.desk.take(ReadingColumns.of(points, np.arange(STORM, dtype=np.int32), at_ms, np.zeros(STORM)))
        await there.desk.tick()
        await clock.step(301)
        began = time.perf_counter()
        await there.desk.tick()
        await there.sender.flush()
        took = time.perf_counter() - began
        alarms = await there.alerts.alarms.alarms()
    return {"storm_meters": STORM, "storm_alarms": len(alarms), "storm_messages": there.phone.asked, "storm_s": took}


async def _flaky() -> dict[str, Any]:
    """A channel that refuses three of four: what is lost, what counts as sent and was not, who was told twice."""
    site, clock = _site(100, 10), SteppedClock(datetime(2026, 3, 10, tzinfo=UTC))
    points = [Point(m.id, "active_power") for m in site.meters]
    async with _there(site, clock) as there:
        there.phone.refuse_every = 4
        at_ms = np.full(100, to_ms(clock.now()))
        there.desk.take(ReadingColumns.of(points, np.arange(100, dtype=np.int32), at_ms, np.full(100, 150.0)))
        await there.desk.tick()
        for _ in range(60):
            await there.sender.flush()
            await clock.step(60)
        messages = await there.alerts.outbox.messages(limit=500)
    sent = {f"jieneng-{m.key}" for m in messages if m.state == "sent"}
    told = Counter(notice.partition("~")[0] for notice, at in there.phone.arrived.items() for _ in at)
    return {
        "lost": 100 - len(told),
        "false_delivered": len(sent - set(there.phone.arrived)),
        "told_twice": sum(count > 1 for count in told.values()),
    }


async def _leak() -> dict[str, Any]:
    """From the burst to the message, by the clock: ten minutes of patience as shipped, a reading every 10 s."""
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as there:
            await there.minutes(10, {"main:flow_rate": 0.3})
            burst = there.clock.now()
            while not there.phones.arrived and there.clock.now() - burst < timedelta(hours=1):
                await there.clock.step(10)
                await there.read({"main:flow_rate": 9.2})
            return {"leak_to_message_s": (there.clock.now() - burst).total_seconds()}
