"""A house with water, a desk of alarms over it, and the phones of three people: a server that takes what is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.clocks import SteppedClock
from adapters.notify_webhook import Webhook, signature
from adapters.outgoing import Destinations, Outgoing
from energy.notices import Notice
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import LineSettings, Meter, Place, Site, Text
from gateway.alerts.alerts import Alerts
from gateway.alerts.desk import Desk
from gateway.alerts.opening import open_alerts
from gateway.alerts.phone import Phone
from gateway.alerts.sender import Sender
from gateway.api.headers import security_headers
from gateway.api.problems import problems
from gateway.edges.service import Edges
from gateway.ledger.books import Books
from gateway.records.database import open_records
from tests.databases import new_records
from tests.gateway.ledger.books import books

Client = TestClient[web.Request, web.Application]
NIGHT = datetime.fromisoformat("2026-03-10T02:00:00+08:00")
SECRET = "between us"
RULES = """
rules:
  - id: night-water
    kind: night_flow
    name: {zh: 夜间用水不停, en: Water at night}
    every: flow_rate
    night: 00:00-05:00
    above: 1.5 m3/h
    back: 1.0 m3/h
    usual: 0.2 m3/h
    for: 10 min
    level: urgent
    first: {zh: 关闭进水阀, en: Close the inlet valve}
  - {id: silence, kind: silence, name: {zh: 无读数, en: Silent}, after: 5 min}
escalation:
  urgent:
    rungs:
      - {after: 0 s, call: main}
      - {after: 3 min, call: main}
      - {after: 6 min, call: deputy}
      - {after: 15 min, call: leader}
"""
ROSTER = """
persons:
  - {id: wang, name: 王强, reach: [{channel: phone, address: "13800000001"}]}
  - {id: li, name: 李静, reach: [{channel: phone, address: "13800000002"}]}
  - {id: zhao, name: 赵敏, reach: [{channel: phone, address: "13800000003"}], language: en}
rota:
  - {from: 2026-03-01, to: 2026-03-31, turns: [{main: wang, deputy: li, leader: zhao}]}
"""


def site(lines: int = 1) -> Site:
    def text(zh: str, en: str) -> Text:
        return Text(zh, en)

    def water(name: str, parent: str | None = None, **given: Any) -> Meter:
        quantities = ("flow_rate", "volume")
        return Meter(
            name, text(f"{name}水表", name), Medium.WATER, "dormitory", parent, None, quantities=quantities, **given
        )

    meters = [water("main"), water("dorm", "main", line="l0"), water("kitchen", "main", line="l0")]
    return Site(
        "house",
        text("大院", "House"),
        "Asia/Shanghai",
        (Place("dormitory", text("宿舍楼", "Dormitory"), "building"),),
        tuple(LineSettings(f"l{i}", "tcp://127.0.0.1:15020") for i in range(lines)),
        tuple(meters),
    )


@dataclass
class Phones:
    """What arrived: (minutes since the beginning, address, notice). `answer` says what is answered."""

    clock: SteppedClock
    begin: datetime
    arrived: list[tuple[float, Notice]] = field(default_factory=list)
    answer: Callable[[Notice], int] = lambda _notice: 200

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = int(request.headers["X-Jieneng-Timestamp"])
        assert request.headers["X-Jieneng-Signature"] == signature(SECRET, stamp, body)
        notice = msgspec.json.decode(body, type=Notice)
        status = self.answer(notice)
        if status == 200:
            minutes = (self.clock.now() - self.begin) / timedelta(minutes=1)
            self.arrived.append((round(minutes, 3), notice))
        return web.Response(status=status)

    @property
    def told(self) -> list[tuple[float, str]]:
        return [(minutes, notice.address[-1]) for minutes, notice in self.arrived]


@dataclass
class House:
    """Everything, to be looked at."""

    alerts: Alerts
    desk: Desk
    sender: Sender
    clock: SteppedClock
    phones: Phones
    store: Any
    books: Books
    client: Client
    edges: Edges

    async def read(self, rows: dict[str, float], at: datetime | None = None) -> None:
        """Readings of gauges come in, as they do: stored first."""
        at_ms = to_ms(at or self.clock.now())
        points = [Point.parse(name) for name in rows]
        columns = ReadingColumns.of(points, range(len(points)), [at_ms] * len(points), list(rows.values()))
        await self.store.write(columns)
        self.desk.take(columns)
        await self.desk.write()
        await self.sender.flush()

    async def minutes(self, count: int, rows: dict[str, float]) -> None:
        """So many minutes pass, with a reading in each."""
        for _ in range(count):
            await self.clock.step(60)
            await self.read(rows)
            await self.tick()

    def restarted(self) -> Desk:
        """Another desk over the same records and the same store."""
        of = (self.alerts.alarms, self.alerts.rules, self.alerts.duty, self.books)
        return Desk(*of, self.store, self.edges, self.clock)

    async def tick(self) -> None:
        await self.desk.tick()
        await self.desk.tell_figures()
        await self.sender.flush()


@asynccontextmanager
async def house(folder: Path, here: Site | None = None, begin: datetime = NIGHT) -> AsyncIterator[House]:
    clock = SteppedClock(begin)
    phones = Phones(clock, begin)
    app = web.Application()
    app.router.add_post("/phones", phones.take)
    async with (
        open_records(new_records(folder / "records.sqlite")) as records,
        books(here or site()) as (made, store),
        TestServer(app) as server,
        Outgoing(Destinations.of([str(server.make_url("/"))])) as outgoing,
    ):
        alerts = open_alerts(
            records, clock, lambda: made.kept.site, bytes(32), channels={"phone": "webhook"}, public="http://here"
        )
        await alerts.rules.save(RULES, "officer")
        await alerts.duty.save(ROSTER, "officer")
        edges = Edges(clock)
        desk = Desk(alerts.alarms, alerts.rules, alerts.duty, made, store, edges, clock)
        phone = Webhook("phone", outgoing, str(server.make_url("/phones")), SECRET, personal=True)
        sender = Sender(records, clock, alerts.outbox, alerts.alarms, {"phone": phone}, alerts.links)
        await desk.tick()
        page = web.Application(middlewares=[problems])
        page.on_response_prepare.append(security_headers(tls=False))
        Phone(alerts, store, made, clock).add_to(page)
        async with TestClient(TestServer(page)) as client:
            yield House(alerts, desk, sender, clock, phones, store, made, client, edges)
