"""The API as a stranger sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from adapters.clocks import SteppedClock
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.wire import EdgeState, LineState, MeterState, encode
from energy.ports import Refusal
from energy.quantities import Medium
from energy.readings import Point, Quality, ReadingColumns, to_ms
from energy.sites import LineSettings, Meter, Place, Site, Text
from gateway.access.door import LocalDoor
from gateway.accounts.passwords import Passwords
from gateway.accounts.secrecy import Seal
from gateway.accounts.service import Accounts
from gateway.app import ROUTES, application
from gateway.edges.service import Edges
from gateway.live.hub import Hub
from gateway.live.service import Present
from gateway.live.words import PUSHED
from gateway.metrics import Metrics
from gateway.records.database import open_records
from gateway.services import Services
from gateway.sites.service import Directory
from tests.adapters.readings_memory import MemoryReadings
from tests.databases import new_records
from tests.gateway.ledger.books import books
from tests.gateway.opened import opened

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
NOW_MS = to_ms(NOW)
Client = TestClient[Request, Application]


def site() -> Site:
    def meter(name: str, unit: int, **given: Any) -> Meter:
        return Meter(
            name,
            Text(name, name),
            Medium.ELECTRICITY,
            line="one",
            unit=unit,
            interval_s=10.0,
            quantities=("active_power", "active_energy_import"),
            **given,
        )

    return Site(
        "campus",
        Text("园区", "Campus"),
        "Asia/Shanghai",
        (Place("east", Text("东楼", "East"), "office"), Place("west", Text("西楼", "West"), "office")),
        (LineSettings("one", "tcp://127.0.0.1:15020"),),
        (
            meter("east-main", 1, place="east"),
            meter("east-light", 2, place="east", parent="east-main"),
            meter("west-main", 3, place="west"),
        ),
    )


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
async def services(clock: SteppedClock, tmp_path: Path) -> AsyncIterator[Services]:
    store, metrics, edges = MemoryReadings(), Metrics(), Edges(clock)
    directory = Directory(site())
    present = Present(store, directory, edges, clock)
    hub = Hub(clock, metrics)
    hub.overview = present.overview
    quarantine = SqliteQuarantine(":memory:")
    async with open_records(new_records(tmp_path / "records.sqlite")) as records, books(directory.site) as (kept, _):
        accounts = Accounts(records, clock, Seal(bytes(32)), passwords=Passwords(time_cost=1, memory_kib=8))
        frame = (clock, store, quarantine, directory, edges, present, hub, metrics)
        yield opened(frame, records, kept, accounts, LocalDoor())


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(services))) as made:
        yield made


async def store(
    services: Services, point: str, t_ms: list[int], values: list[float], quality: int = 0
) -> ReadingColumns:
    n = len(t_ms)
    columns = ReadingColumns.of([Point.parse(point)], np.zeros(n, int), t_ms, values, [quality] * n, [quality] * n)
    await services.store.write(columns)
    return columns


async def get(client: Client, path: str, status: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status == status, await answer.text()
    return await answer.json(content_type=None)


async def test_the_site_is_told_with_its_quantities_in_both_languages(client: Client) -> None:
    told = await get(client, "/api/v1/site")

    assert told["name"] == {"zh": "园区", "en": "Campus"}
    power = next(q for q in told["quantities"] if q["id"] == "active_power")
    assert power == {
        "id": "active_power",
        "name": {"zh": "有功功率", "en": "Active power"},
        "unit": "kW",
        "kind": "gauge",
    }


async def test_a_total_counts_main_meters_once_and_says_when_one_is_missing(client: Client, services: Services) -> None:
    await store(services, "east-main:active_power", [NOW_MS - 5000], [40.0])
    await store(services, "east-light:active_power", [NOW_MS - 5000], [15.0])

    told = await get(client, "/api/v1/overview")

    (electricity,) = told["media"]
    assert (electricity["value"], electricity["reporting"], electricity["meters"]) == (40.0, 1, 2)
    assert [p["media"][0]["value"] for p in told["places"]] == [40.0, None]


async def test_an_old_value_is_no_present_one(client: Client, services: Services, clock: SteppedClock) -> None:
    await store(services, "east-main:active_power", [NOW_MS], [40.0])
    await clock.step(41)

    (electricity,) = (await get(client, "/api/v1/overview"))["media"]
    meters = {m["id"]: m["state"] for m in (await get(client, "/api/v1/meters"))["meters"]}

    assert electricity["value"] is None
    assert meters["east-main"] == "late"


async def test_a_silent_meter_is_a_problem_until_it_answers(client: Client, services: Services) -> None:
    silent = EdgeState("online", meters={"east-light": MeterState("silent", NOW_MS - 1000, "no answer within 1 s")})
    services.edges.take("north", encode(silent))
    assert [p["subject"] for p in (await get(client, "/health"))["problems"]] == ["east-light"]
    assert (await get(client, "/health"))["status"] == "degraded"

    services.edges.take("north", encode(EdgeState("online", meters={"east-light": MeterState("reporting", NOW_MS)})))
    assert await get(client, "/health") | {"version": ""} == {
        "status": "ok",
        "version": "",
        "problems": [],
        "refused": {},
    }


async def test_an_edge_that_is_gone_is_a_problem(client: Client, services: Services) -> None:
    services.edges.take("north", encode(EdgeState("online")))
    services.edges.take("north", encode(EdgeState("offline")))

    (problem,) = (await get(client, "/api/v1/overview"))["problems"]
    assert (problem["kind"], problem["subject"]) == ("edge.offline", "north")


async def test_a_curve_has_never_more_rows_than_asked_and_marks_its_gaps(client: Client, services: Services) -> None:
    t_ms = [NOW_MS + 10_000 * i for i in range(100)] + [NOW_MS + 10_000 * i for i in range(400, 500)]
    await store(services, "east-main:active_power", t_ms, [float(i) for i in range(200)])

    path = f"/api/v1/series?point=east-main:active_power&from={NOW_MS}&to={NOW_MS + 5_000_000}&points="
    for rows in (10, 50, 150, 200, 201, 1000):
        (curve,) = (await get(client, f"{path}{rows}"))["series"]
        assert len(curve["t"]) <= rows
        assert curve["mean"].count(None) == 1
        assert min(v for v in curve["min"] if v is not None) == 0.0
        assert max(v for v in curve["max"] if v is not None) == 199.0


async def test_a_counter_is_told_by_its_register_and_never_averaged(client: Client, services: Services) -> None:
    await store(
        services,
        "east-main:active_energy_import",
        [NOW_MS + 1000 * i for i in range(1000)],
        list(map(float, range(1000))),
    )

    answer = await get(
        client, f"/api/v1/series?point=east-main:active_energy_import&from={NOW_MS}&to={NOW_MS + 10**6}&points=20"
    )

    (curve,) = answer["series"]
    assert curve["mean"] == curve["min"] == curve["max"] == []
    assert (curve["first"][0], curve["last"][0]) == (0.0, 59.0)


async def test_steps_of_a_day_begin_at_midnight_of_the_site(client: Client, services: Services) -> None:
    midnight = to_ms(datetime(2026, 6, 1, tzinfo=UTC) - timedelta(hours=8))
    await store(services, "east-main:active_power", [midnight + 3_600_000 * i for i in range(24 * 30)], [1.0] * 720)

    path = f"/api/v1/series?point=east-main:active_power&from={midnight}&to={midnight + 30 * 86_400_000}&points=31"
    (curve,) = (await get(client, path))["series"]

    assert curve["step_ms"] == 86_400_000
    assert curve["t"][0] == midnight


async def test_latest_tells_value_quality_and_reason(client: Client, services: Services) -> None:
    await store(services, "east-main:active_power", [NOW_MS], [float("nan")], quality=int(Quality.BAD))

    (told,) = (await get(client, "/api/v1/latest?point=east-main:active_power"))["latest"]

    assert told == {
        "point": "east-main:active_power",
        "taken_at": NOW_MS,
        "value": None,
        "quality": "bad",
        "reason": "sentinel",
    }


async def test_what_was_refused_can_be_looked_at(client: Client, services: Services) -> None:
    await services.quarantine.put([Refusal(NOW_MS, "unknown meter", "no such meter in the site", "north", "x")])

    told = await get(client, "/api/v1/quarantine")

    assert told["counts"] == {"unknown meter": 1}
    assert told["refused"][0]["meter"] == "x"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/series?from=1&to=2", 400, "point"),
        ("/api/v1/series?point=east-main:active_power&from=2&to=2", 400, "before"),
        ("/api/v1/series?point=east-main:active_power&from=x&to=2", 400, "from"),
        ("/api/v1/series?point=east-main:active_power&from=1&to=2&points=999999", 400, "points"),
        ("/api/v1/series?point=nobody:active_power&from=1&to=2", 404, "nobody"),
        ("/api/v1/series?point=east-main:watts&from=1&to=2", 404, "watts"),
        ("/api/v1/latest?meter=x", 400, "known are point"),
        ("/api/v1/nothing", 404, "Not Found"),
        ("/api/v1/series?point=east-main:active_power&from=1&to=99999999999999999999", 400, "to"),
    ],
)
async def test_a_wrong_request_is_answered_as_a_problem(client: Client, path: str, status: int, said: str) -> None:
    answer = await client.get(path)

    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    problem = json.loads(await answer.text())
    assert said in problem["detail"]
    assert set(problem["text"]) == {"zh", "en"}


async def test_a_listener_gets_what_it_asked_for_and_nothing_else(client: Client, services: Services) -> None:
    async with client.ws_connect("/api/v1/live") as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await socket.send_json({"subscribe": ["east-main:active_power"], "overview": True})
        assert (await socket.receive_json())["type"] == "overview"

        services.hub.push(await store(services, "west-main:active_power", [NOW_MS], [9.0]))
        services.hub.push(await store(services, "east-main:active_power", [NOW_MS, NOW_MS + 1], [1.5, 2.5]))

        assert await socket.receive_json() == {
            "type": "readings",
            "readings": [
                ["east-main:active_power", NOW_MS, 1.5, "good"],
                ["east-main:active_power", NOW_MS + 1, 2.5, "good"],
            ],
        }


async def test_a_listener_is_told_of_history_and_not_sent_it(client: Client, services: Services) -> None:
    async with client.ws_connect("/api/v1/live") as socket:
        await socket.send_json({"subscribe": ["east-main:active_power"]})
        assert (await socket.receive_json())["type"] == "hello"
        await asyncio.sleep(0.05)
        for point in ("west-main:active_power", "east-main:active_power"):
            waited = await store(services, point, [NOW_MS], [9.0])
            services.hub.take(waited.take(np.zeros(0, np.int64)), waited)
        services.hub._tell_backfilled()

        assert await socket.receive_json() == {"type": "backfilled", "points": ["east-main:active_power"]}


async def test_a_listener_that_does_not_take_what_it_gets_is_let_go(client: Client, services: Services) -> None:
    async with client.ws_connect("/api/v1/live") as socket:
        await socket.send_json({"subscribe": ["east-main:active_power"]})
        await socket.receive_json()
        await asyncio.sleep(0.05)
        columns = await store(services, "east-main:active_power", [NOW_MS], [1.0])
        for _ in range(1000):
            services.hub.push(columns)
        received = [await socket.receive() for _ in range(2)]
        while received[-1].type is WSMsgType.TEXT:
            received.append(await socket.receive())

    assert socket.close_code == 1013
    assert len(received) < 1000


async def test_nonsense_closes_the_socket_of_who_sent_it(client: Client) -> None:
    async with client.ws_connect("/api/v1/live") as socket:
        await socket.receive_json()
        await socket.send_str("{")
        assert (await socket.receive()).type is WSMsgType.CLOSE
    assert socket.close_code == 1008


async def test_the_description_names_every_route_and_every_pushed_message(client: Client) -> None:
    told = await get(client, "/api/v1/openapi.json")

    assert told["openapi"] == "3.1.0"
    assert set(told["paths"]) == {*(r.path for r in ROUTES), "/api/v1/live"}
    assert {m.__name__ for m in PUSHED} <= set(told["components"]["schemas"])
    described = json.dumps(told)
    references = {part.split('"')[0] for part in described.split("#/components/schemas/")[1:]}
    assert references <= set(told["components"]["schemas"])


async def test_metrics_are_told_to_prometheus(client: Client, services: Services) -> None:
    services.metrics.written(7, 0.01)

    text = await (await client.get("/metrics")).text()

    assert "jieneng_values_stored_total 7.0" in text


async def test_answers_carry_headers_that_keep_strangers_out(client: Client) -> None:
    answer = await client.get("/api/v1/site")

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_line_that_cannot_keep_its_schedule_is_a_problem_that_says_what_would_help(
    client: Client, services: Services
) -> None:
    lines = {"quick": LineState(0.4), "bus": LineState(1.532, late_ticks=7, baud=19200)}
    services.edges.take("north", encode(EdgeState("online", lines=lines)))

    (problem,) = (await get(client, "/health"))["problems"]

    assert (problem["kind"], problem["subject"]) == ("edge.line_overloaded", "north/bus")
    assert "bus needs 1.53 s of each second, and has skipped 7 readings" in problem["text"]["en"]
    assert "intervals 1.53 times as long, as 2 lines, at 19200 baud" in problem["text"]["en"]
    assert "每秒需要 1.53 秒总线时间" in problem["text"]["zh"]
    assert "提高到 19200" in problem["text"]["zh"]


async def test_a_meter_whose_clock_is_far_off_is_a_problem_and_one_that_is_a_little_off_is_none(
    client: Client, services: Services
) -> None:
    drifts = {"main": 300_500, "slow": -420_000, "right": 299_500, "without": None}
    meters = {name: MeterState("reporting", 5, clock_drift_ms=drift) for name, drift in drifts.items()}
    services.edges.take("north", encode(EdgeState("online", meters=meters)))

    fast, slow = (await get(client, "/health"))["problems"]

    assert (fast["kind"], fast["subject"], fast["since"]) == ("meter.clock_off", "north/main", 5)
    assert "5.0 min ahead" in fast["text"]["en"]
    assert slow["subject"] == "north/slow"
    assert "慢了 7.0 分钟" in slow["text"]["zh"]

    services.edges.meter_clock_ms = 600_000
    assert (await get(client, "/health"))["problems"] == []


async def test_an_outbox_that_is_full_is_a_problem_for_as_long_as_it_is(client: Client, services: Services) -> None:
    services.edges.take("north", encode(EdgeState("online", outbox_dropped=3, outbox_full=True)))
    assert [p["kind"] for p in (await get(client, "/health"))["problems"]] == ["edge.outbox_full"]

    services.edges.take("north", encode(EdgeState("online", outbox_dropped=3)))
    assert (await get(client, "/health"))["problems"] == []
    (edge,) = (await get(client, "/api/v1/edges"))["edges"]
    assert edge["outbox_dropped"] == 3


def test_the_main_of_a_campus_is_no_measure_of_the_building_it_hangs_in() -> None:
    def meter(name: str, place: str, parent: str | None = None) -> Meter:
        return Meter(name, Text(name, name), Medium.WATER, place=place, parent=parent)

    boilers = Place("boilers", Text("锅炉房", "Boilers"), "boiler-house")
    places = (boilers, Place("east", Text("东楼", "East"), "office"))
    meters = (
        meter("campus", "boilers"),
        meter("make-up", "boilers", "campus"),
        meter("east", "east", "campus"),
        meter("east-kitchen", "east", "east"),
    )
    directory = Directory(Site("campus", Text("园区", "Campus"), "Asia/Shanghai", places, (), meters))

    assert [m.id for m in directory.mains] == ["campus"]
    assert [m.id for m in directory.of_places] == ["make-up", "east"]
