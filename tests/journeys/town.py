"""A school with water, electricity, a roster and a contract, behind a gateway whose clock is moved by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from adapters.broker_nats import answers
from adapters.channel_files import read_channels
from adapters.clocks import SteppedClock
from adapters.notify_webhook import signature
from adapters.stores import open_stores
from adapters.wire import READINGS, STORED, Batch, MeterReadings, decode_stored, encode, topic
from analytics.carbon.factor_file import read_factors
from energy.notices import Notice
from energy.readings import Point, ReadingColumns, to_ms
from energy.series import Floats
from gateway.access.roles import Grant, Role
from gateway.accounts.secrecy import open_seal
from gateway.accounts.service import Accounts
from gateway.alerts.opening import open_alerts
from gateway.app import GatewaySettings, run_gateway
from gateway.contracts.service import Contracts
from gateway.ledger.books import Books, Kept
from gateway.records.database import open_records
from gateway.tariffs.documents import documents_of
from gateway.tariffs.service import Tariffs
from jieneng.composition import load_installed
from jieneng.shipped import calendar_files, quota_standards, shipped
from tests.analytics.contracts.contract_files import SAVINGS, document
from tests.journeys.campus import until
from tests.journeys.standing import Standing
from tests.real_parts import free_port

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 1, 1, tzinfo=ZONE)
BURST, MENDED = datetime(2026, 3, 10, 2, 10, tzinfo=ZONE), datetime(2026, 3, 10, 4, 10, tzinfo=ZONE)
WATER, POWER = Point("dorm-water", "volume"), Point("main", "active_energy_import")
FLOW = "flow_rate"
SECRET = "between us"
SITE = """
site: town
name: {zh: 实验中学, en: Experimental school}
zone: Asia/Shanghai
organisations:
- {id: district, name: {zh: 某区, en: A district}, kind: region}
- {id: school, name: {zh: 实验中学, en: Experimental school}, parent: district, class: "021"}
facts:
- {organisation: school, fact: area_m2, value: 4200, source: 不动产权证}
- {organisation: school, fact: people, value: 600, source: 台账}
places:
- {id: dormitory, name: {zh: 宿舍楼, en: Dormitory}, kind: dormitory}
accounts:
- {id: water, medium: water, organisation: school, tariff: example-water}
- {id: power, medium: electricity, organisation: school, tariff: example-flat}
meters:
- {id: dorm-water, name: {zh: 宿舍楼水表, en: Dormitory water}, medium: water, place: dormitory, organisation: school,
   account: water, every: 1h, read: [volume, flow_rate]}
- {id: main, name: {zh: 总电表, en: Main}, medium: electricity, organisation: school, account: power, every: 1h,
   read: [active_energy_import]}
"""
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
escalation:
  urgent:
    rungs:
    - {after: 0 s, call: main}
    - {after: 3 min, call: main}
    - {after: 6 min, call: deputy}
"""
ROSTER = """
persons:
- {id: wang, name: 王强, reach: [{channel: phone, address: "13800000001"}]}
- {id: li, name: 李静, reach: [{channel: phone, address: "13800000002"}]}
rota:
- {from: 2026-03-01, to: 2026-04-30, turns: [{main: wang, deputy: li}]}
"""
PEOPLE = {
    "zhoukezhang": Grant(Role.ENERGY_OFFICER),
    "tianbao": Grant(Role.APPROVER, "school"),
    "shenhe": Grant(Role.REVIEWER, "district"),
    "jieneng-gongsi": Grant(Role.PARTNER, meters=("main",)),
}


def local(text: str) -> datetime:
    """An instant of the year, such as '03-10T02:10'."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


# -- what is used -----------------------------------------------------------------------------------------------------


def usual(count: int) -> tuple[Floats, Floats]:
    """Water [m3] and electricity [kWh] of so many hours from the first on.

    Water: 0.2 an hour from 22 to 6, else 2; electricity 10 an hour. Hours are off by a tenth or two so that meters look
    like meters, and each day comes out at 33.6 m3 and 240 kWh all the same.
    """
    hour = np.arange(count)
    of_day, day = hour % 24, hour // 24
    off = np.where((of_day >= 6) & (of_day < 10), 0.0, np.array([1.0, -1.0, 2.0, -2.0])[(of_day + day) % 4])
    water = np.where((of_day < 6) | (of_day >= 22), 0.2 + 0.02 * off, 2.0 + 0.1 * off)
    return water, 10.0 + 0.2 * off


def leaked(at: datetime) -> float:
    """What has flowed out of the pipe [m3]: 9 an hour."""
    return 9.0 * max((min(at, MENDED) - BURST) / timedelta(hours=1), 0.0)


def registers(first: datetime, end: datetime) -> dict[Point, list[tuple[datetime, float]]]:
    """What both counters show at each full hour of [first, end]."""
    hours = round((end - FIRST) / timedelta(hours=1))
    since = round((first - FIRST) / timedelta(hours=1))
    shown: dict[Point, list[tuple[datetime, float]]] = {}
    for point, use in zip((WATER, POWER), usual(hours), strict=True):
        total = np.r_[0.0, np.cumsum(use)]
        for i in range(since, hours + 1):
            at = FIRST + timedelta(hours=i)
            lost = leaked(at) if point is WATER else 0.0
            shown.setdefault(point, []).append((at, round(float(total[i]) + lost, 4)))
    return shown


# -- the processes ----------------------------------------------------------------------------------------------------


class Phones:
    """A server that takes what is sent: the notices, in the order in which they came."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        phones = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                right = signature(SECRET, int(self.headers["X-Jieneng-Timestamp"]), body)
                if self.headers["X-Jieneng-Signature"] == right:
                    phones.notices.append(msgspec.json.decode(body, type=Notice))
                self.send_response(200 if self.headers["X-Jieneng-Signature"] == right else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"

    @contextmanager
    def served(self) -> Iterator[Phones]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Edge:
    """What reads the meters of the school: publishes, and waits until the gateway says that it is stored."""

    def __init__(self, port: int) -> None:
        self._stored: set[int] = set()
        self._told = threading.Condition()
        self._sequence = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="school")
        self._client.on_message = self._answered
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topic("school", STORED), qos=1)
        self._client.loop_start()

    def _answered(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._told:
            self._stored.update(decode_stored(message.payload).sequences)
            self._told.notify_all()

    def send(self, readings: Sequence[MeterReadings]) -> None:
        self._sequence += 1
        mine = self._sequence
        self._client.publish(topic("school", READINGS), encode(Batch(list(readings), "boot-1", mine)), qos=1)
        with self._told:
            assert self._told.wait_for(lambda: mine in self._stored, 240), "the gateway did not say that it is stored"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@dataclass
class Town:
    """A gateway that runs, and whoever stands around it."""

    port: int
    clock: SteppedClock
    phones: Phones
    edge: Edge
    passwords: dict[str, str]
    _loop: asyncio.AbstractEventLoop = field(repr=False)

    def go_on(self, at: datetime) -> None:
        """Move the clock to an instant."""
        seconds = (at - self.clock.now()).total_seconds()
        asyncio.run_coroutine_threadsafe(self.clock.step(seconds), self._loop).result(240)

    def read(self, end: datetime, since: datetime) -> None:
        """The registers of the full hours in (since, end] come in."""
        rows = [
            MeterReadings(point.meter, to_ms(at), {point.quantity: value})
            for point, shown in registers(since, end).items()
            for at, value in shown[1:]
        ]
        self.edge.send(rows)

    def flow(self, value: float, *at: datetime) -> None:
        """What the water meter shows to flow [m3/h]."""
        self.edge.send([MeterReadings(WATER.meter, to_ms(one), {FLOW: value}) for one in at])


@contextmanager
def town(folder: Path, now: datetime, standing: Standing) -> Iterator[Town]:
    """Everything, with the weeks before behind it."""
    port, phones, clock = free_port(), Phones(), SteppedClock(now)
    settings = _settings(folder, port, standing, phones.address)
    with phones.served(), _turning() as loop:
        passwords = asyncio.run_coroutine_threadsafe(_prepared(settings, folder, clock), loop).result(240)
        with _running(settings, clock, loop):
            edge = Edge(standing.broker)
            try:
                yield Town(port, clock, phones, edge, passwords, loop)
            finally:
                edge.close()


@contextmanager
def _turning() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own: this one's belongs to the browser."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(240)
        loop.close()


@contextmanager
def _running(settings: GatewaySettings, clock: SteppedClock, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The gateway; what it fails with fails the test."""
    serving = asyncio.run_coroutine_threadsafe(run_gateway(settings, clock), loop)
    try:
        until(lambda: serving.done() or answers(settings.port), "the gateway", within_s=240)
        assert not serving.done(), serving.result()
        yield
        assert not serving.done(), serving.result()
    finally:
        serving.cancel()
        asyncio.run_coroutine_threadsafe(_all_over(), loop).result(240)


async def _all_over() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


# -- what is there beforehand -----------------------------------------------------------------------------------------


def _settings(folder: Path, port: int, standing: Standing, phones: str) -> GatewaySettings:
    data, site, secret, channels = (folder / name for name in ("var", "site.yaml", "phones", "channels.yaml"))
    data.mkdir()
    site.write_text(SITE, encoding="utf-8")
    secret.write_text(SECRET, encoding="utf-8")
    secret.chmod(0o600)
    channels.write_text(
        f"public: http://127.0.0.1:{port}\n"
        "channels:\n"
        f'- {{id: phone, kind: webhook, address: "{phones}", secret: {{file: phones}}, personal: true}}\n',
        encoding="utf-8",
    )
    return GatewaySettings(
        site=load_installed(site).site,
        bus=f"mqtt://127.0.0.1:{standing.broker}",
        store=standing.store,
        ledger=standing.ledger,
        quarantine=data / "quarantine.sqlite",
        records=standing.records,
        factors=shipped("factors.yaml"),
        contract_rules=shipped("contract-rules.yaml"),
        statistics=shipped("statistics"),
        port=port,
        key=data / "secret.key",
        calendars=calendar_files(data),
        quota_standards=quota_standards(),
        forecast_misses=shipped("forecast-misses.yaml"),
        channels=read_channels(channels),
    )


async def _prepared(settings: GatewaySettings, folder: Path, clock: SteppedClock) -> dict[str, str]:
    """The weeks before as readings; tariffs, rules, roster, contract and people as records. First passwords."""
    async with (
        open_records(settings.records, settings.key.parent) as records,
        open_stores(settings.store, settings.ledger) as (store, ledger),
    ):
        for point, shown in registers(FIRST, BURST.replace(minute=0)).items():
            t_ms, value = [to_ms(at) for at, _ in shown], [total for _, total in shown]
            await store.write(ReadingColumns.of([point], [0] * len(shown), t_ms, value))
        tariffs = Tariffs(records, clock)
        for name in ("water", "flat"):
            documents = documents_of(shipped(f"tariffs/example-{name}.yaml"))
            await tariffs.apply(documents, await tariffs.differences(documents), "zhou")
        alerts = open_alerts(records, clock, lambda: settings.site, bytes(32), channels={"phone": "webhook"})
        await alerts.rules.save(RULES, "zhou")
        await alerts.duty.save(ROSTER, "zhou")
        books = Books(ledger, Kept(settings.site), read_factors(settings.factors))
        await _agreed(Contracts(records, clock, books, store), document(SAVINGS, folder))
        accounts = Accounts(records, clock, open_seal(settings.key))
        return {name: await _entitled(accounts, name, grant) for name, grant in PEOPLE.items()}


async def _agreed(contracts: Contracts, text: str) -> None:
    """300 kWh a day were used before the lamps were changed."""
    await contracts.registry.bring({"lighting": text}, "zhou", "signed")
    weather = {FIRST.date() + timedelta(days=i): 1500 for i in range(120)}
    await contracts.registry.bring_weather("54511", weather, "zhou")
    year_before = date(2025, 1, 1), date(2026, 1, 1)
    made = await contracts.agree("lighting", "savings", Decimal(300), *year_before)
    await contracts.freeze_baseline("lighting", made, "zhou", "both signed")


async def _entitled(accounts: Accounts, name: str, grant: Grant) -> str:
    author = accounts.author("zhou")
    password = await accounts.add(name, author)
    await accounts.people.grant(await accounts.people.one(name), grant, author)
    return password
