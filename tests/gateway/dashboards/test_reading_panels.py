"""What panels ask VictoriaMetrics is answered with what the store says, and with the gateway's own figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from prometheus_client import generate_latest

from adapters.stores import open_store
from energy.readings import Point, Quality, ReadingColumns, to_ms
from gateway.dashboards.fleet import fleet_dashboard
from gateway.dashboards.meters import meter_dashboard
from gateway.dashboards.panels import Model, Words
from gateway.dashboards.sources import METRICS, READINGS, Source, Sources
from gateway.metrics import Metrics
from tests.gateway.dashboards.asking import asked, questions, series
from tests.gateway.ledger.books import START
from tests.gateway.ledger.sites import meter, site
from tests.victoria import VictoriaServer, victoria_server

HOUR = 3600
POWER, ENERGY = Point("main", "active_power"), Point("main", "active_energy_import")
END = START + timedelta(days=1)
# What is told of edges, of two of which one is gone.
OF_EDGES = """
jieneng_edges_online 1
jieneng_edge_online{edge="north"} 1
jieneng_edge_online{edge="south"} 0
jieneng_edge_lag_seconds{edge="north"} 0
jieneng_edge_lag_seconds{edge="south"} 7200
jieneng_edge_outbox_batches{edge="north"} 2
jieneng_edge_meters_silent{edge="north"} 5
jieneng_edge_clock_offset_seconds{edge="north"} -0.25
"""
# What three processes and one of the edges tell that is wrong: five meters of one edge, the other edge; and what one of
# them hears somewhat earlier.
OF_PROBLEMS = """
jieneng_problems{job="jieneng",instance="api",kind="meter.silent"} 5
jieneng_problems{job="jieneng",instance="ingest",kind="meter.silent"} 5
jieneng_problems{job="jieneng",instance="jobs",kind="meter.silent"} 4
jieneng_problems{job="jieneng",instance="api",kind="edge.offline"} 1
jieneng_problems{job="jieneng",instance="ingest",kind="edge.offline"} 1
jieneng_problems{job="jieneng",instance="jobs",kind="ledger.failing"} 1
jieneng_problems{job="jieneng-edge",instance="north",kind="meter.silent"} 5
jieneng_problems{job="jieneng-edge",instance="north",kind="clock.unset"} 1
"""


@pytest.fixture(scope="module")
def server() -> Iterator[VictoriaServer]:
    with victoria_server() as started:
        yield started


def sources(name: str = "jieneng") -> Sources:
    return Sources((Source(READINGS, "here"), Source(METRICS, "here")), name)


def made(function: Any, name: str) -> Model:
    model: Model = function(site(meter("main")), sources(name), Words("en"))
    return model


def day(server: VictoriaServer, expr: str, **chosen: str) -> list[dict[str, Any]]:
    """By hour; a step of Prometheus is known by its end."""
    text = asked(expr, START, END, __interval="1h", **chosen)
    return series(server, text, {"start": START.timestamp() + HOUR, "end": END.timestamp(), "step": HOUR})


def values(found: list[dict[str, Any]]) -> list[float]:
    [one] = found
    return [float(value) for _, value in one["values"]]


def text_of(metrics: Metrics) -> bytes:
    """What the gateway counts, and what it is told of edges."""
    counted = generate_latest(metrics.registry).decode()
    lines = [line for line in counted.splitlines() if "jieneng_edges_online" not in line]
    return ("\n".join(lines) + OF_EDGES + OF_PROBLEMS).encode()


async def test_a_meter_shows_the_readings_registers_and_quality_that_are_stored(
    server: VictoriaServer, tmp_path: Path
) -> None:
    name, rng = server.new_name(), np.random.default_rng(3)
    # Ten a hour, none on the edge of a step.
    t_ms = to_ms(START) + 90_000 + np.arange(240) * 360_000
    quality = np.zeros(240, np.uint8)
    quality[[7, 8, 100]] = int(Quality.UNCERTAIN)
    async with open_store(server.address(tmp_path / "journal", name)) as store:
        for point, value in (
            (POWER, rng.uniform(0, 90, 240).round(3)),
            (ENERGY, np.cumsum(rng.uniform(0, 3, 240)).round(2)),
        ):
            own = quality if point == POWER else np.zeros(240, np.uint8)
            await store.write(ReadingColumns.of([point], np.zeros(240, np.int32), t_ms, value, own))
        power, energy = await store.curves([POWER, ENERGY], to_ms(START), to_ms(END), 25)
    server.show_all()
    model = made(meter_dashboard, name)
    by_title: dict[str, list[str]] = {}
    for title, expr in questions(model, READINGS):
        by_title.setdefault(title, []).append(expr)

    assert power.step_ms == HOUR * 1000
    chosen = {"meter": "main", "quantity": "active_power"}
    told = [values(day(server, expr, **chosen)) for expr in by_title["Readings"]]
    for found, wanted in zip(told, (power.mean, power.low, power.high), strict=True):
        assert found == pytest.approx(wanted.tolist())
    assert values(day(server, by_title["Registers"][0], **chosen)) == pytest.approx(energy.last.tolist())
    counted, doubtful = by_title["How many readings"]
    assert values(day(server, counted, **chosen)) == [10.0] * 24
    assert values(day(server, doubtful, **chosen)) == [2.0, 1.0]
    [quality_of] = by_title["Quality (0 good, 1 uncertain, 2 bad)"]
    assert values(day(server, quality_of, **chosen)) == [1.0, 1.0]
    [since] = by_title["Since the last reading"]
    [age] = series(server, asked(since, START, END, **chosen), {"time": END.timestamp()})
    assert float(age["value"][1]) == (to_ms(END) - int(t_ms[-1])) / 1000


async def test_the_fleet_shows_the_figures_of_the_gateway_and_who_is_silent(
    server: VictoriaServer, tmp_path: Path
) -> None:
    name, metrics, began = server.new_name(), Metrics(), datetime.fromisoformat("2026-05-01T00:00:00+08:00")
    now = began + timedelta(minutes=5)
    async with open_store(server.address(tmp_path / "journal", name)) as store:
        for meter_id, ago in (("fresh", 60), ("silent", 240)):
            t_ms = np.array([to_ms(now) - ago * 1000], np.int64)
            await store.write(ReadingColumns.of([Point(meter_id, "volume")], np.zeros(1, np.int32), t_ms, np.ones(1)))
    metrics.listeners(2)
    for minute in range(6):
        metrics.written(600, 0.02)
        metrics.refused("unknown_meter", 60)
        metrics.batches(30)
        at = to_ms(began + timedelta(minutes=minute))
        url = f"http://127.0.0.1:{server.port}/api/v1/import/prometheus?timestamp={at}"
        with urlopen(Request(url, text_of(metrics), method="POST"), timeout=120):
            pass
    server.show_all()
    model, found = made(fleet_dashboard, name), {}
    for title, expr in [*questions(model, METRICS), *questions(model, READINGS)]:
        text = asked(expr, began, now, __interval="5m", __rate_interval="5m")
        found[title] = series(server, text, {"time": now.timestamp()})

    def one(title: str) -> float:
        [only] = found[title]
        return float(only["value"][1])

    assert (one("Edges online"), one("Open pages")) == (1.0, 2.0)
    assert one("Readings stored per second") == pytest.approx(10)
    assert one("Messages per second") == pytest.approx(0.5)
    [refused] = found["Readings refused per second"]
    assert refused["metric"] == {"reason": "unknown_meter"}
    assert float(refused["value"][1]) == pytest.approx(1)
    wrong = {s["metric"]["kind"]: float(s["value"][1]) for s in found["What is wrong now"]}
    assert wrong == {"meter.silent": 5.0, "edge.offline": 1.0, "ledger.failing": 1.0}
    each = {
        name.removeprefix("Each edge: "): {s["metric"]["edge"]: float(s["value"][1]) for s in found[name]}
        for name in found
        if name.startswith("Each edge: ")
    }
    assert each == {
        "online": {"north": 1.0, "south": 0.0},
        "age of the oldest reading not stored": {"north": 0.0, "south": 7200.0},
        "batches in its outbox": {"north": 2.0},
        "silent meters": {"north": 5.0},
        "clock ahead by": {"north": -0.25},
    }
    # All within the bucket of 0.01 to 0.03 s.
    assert 0.01 < one("Time to commit (95 %)") <= 0.03
    assert one("Meters with readings") == 2.0
    silent = {s["metric"]["meter"]: float(s["value"][1]) for s in found["Meters silent for longest"]}
    assert silent == {"fresh": 60.0, "silent": 240.0}
