"""The pipeline end to end: import, MQTT to store, curves over HTTP, start of everything."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import duckdb
import numpy as np
import yaml

from adapters.broker_nats import embedded_broker
from adapters.clocks import SystemClock
from adapters.mqtt_bus import open_bus
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import STORED, MeterReadings, decode_stored, topic
from benchmarks.parts import THREE_PHASE, free_port, jieneng, mosquitto, mosquitto_binary, until_healthy
from edge.publish import Publisher
from edge.record import Recorder
from energy.readings import to_ms
from jieneng.importing import import_files

METERS = 60
YEAR_STEP = timedelta(minutes=15)
READINGS = 200_000


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        folder = Path(name)
        site = site_file(folder)
        figures = _imports(folder)
        figures |= _curves_and_start(folder, site)
        figures["ingest_readings_per_s"] = ingest(folder / "nats", site, embedded=True)
        if mosquitto_binary():
            figures["ingest_readings_per_s_mosquitto"] = ingest(folder / "mosquitto", site, embedded=False)
    return figures


def site_file(folder: Path) -> Path:
    """Sixty meters that nobody reads: the load comes over the bus."""
    meters = [
        {"id": f"meter-{i}", "name": {"zh": f"表{i}", "en": f"Meter {i}"}, "medium": "electricity"}
        for i in range(METERS)
    ]
    site = folder / "site.yaml"
    site.write_text(yaml.safe_dump({"site": "bench", "name": {"zh": "测", "en": "Bench"}, "meters": meters}))
    return site


# -- import ------------------------------------------------------------------------------------------------------------


class _Silent(AbstractContextManager["_Silent"]):
    def __exit__(self, *_: object) -> None:
        pass

    def at(self, what: str, share: float) -> None:
        pass


def _imports(folder: Path) -> dict[str, Any]:
    """A year of two quantities of sixty meters, every 15 minutes, the last day every minute: from file to store."""
    figures: dict[str, Any] = {}
    _write_year(folder)
    for kind in ("csv", "parquet"):
        store = folder / f"{kind}.duckdb"
        began = time.perf_counter()
        (result,) = asyncio.run(import_files([folder / f"year.{kind}"], (f"duckdb:{store}", None), None, _Silent()))
        seconds = time.perf_counter() - began
        assert result.stored == result.rows and not result.refused
        figures["import_values_per_s" + ("_parquet" if kind == "parquet" else "")] = result.rows / seconds
    figures["import_rows"] = result.rows
    figures["bytes_per_value"] = (folder / "csv.duckdb").stat().st_size / result.rows
    return figures


def _write_year(folder: Path) -> None:
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    day = until - timedelta(days=1)
    steps = int(timedelta(days=364) / YEAR_STEP)
    first = day - steps * YEAR_STEP
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(
            f"""CREATE TABLE year AS SELECT 'meter-' || m AS meter, q AS quantity, to_timestamp(s) AS taken_at,
            CASE q WHEN 'active_power' THEN round(40 + 30 * sin(s / 13770 + m) + 5 * sin(s / 530 + m), 2)
                   ELSE round(1000 * m + (s - {first.timestamp()}) * 0.0114, 2) END AS value
            FROM (SELECT {first.timestamp()} + i * {YEAR_STEP.total_seconds()} AS s FROM range({steps}) t(i)
                  UNION ALL SELECT {day.timestamp()} + i * 60 FROM range(1440) t(i)),
                 range({METERS}) u(m), (THREE_PHASE ('active_power'), ('active_energy_import')) v(q)
            ORDER BY s, m, q"""
        )
        db.execute(f"COPY year TO '{folder}/year.parquet' (FORMAT parquet)")
        text = "strftime(taken_at, '%Y-%m-%dT%H:%M:%SZ')"
        db.execute(
            f"COPY (SELECT meter, quantity, {text} AS taken_at, value FROM year) TO '{folder}/year.csv' (HEADER)"
        )


# -- curves and start --------------------------------------------------------------------------------------------------


def _curves_and_start(folder: Path, site: Path) -> dict[str, Any]:
    port, broker = free_port(), free_port()
    common = ["--site", str(site), "--data", str(folder / "run"), "--store", f"duckdb:{folder / 'csv.duckdb'}"]
    common += ["--listen", f"127.0.0.1:{port}", "--broker-port", str(broker)]
    starts = []
    for _ in range(3):
        began = time.perf_counter()
        with jieneng(["run", "--accounts", "off", *common], folder / "run.log"):
            until_healthy(port)
            starts.append(time.perf_counter() - began)
            figures = _curves(port)
    return figures | {"start_s": statistics.median(starts)}


def _curves(port: int) -> dict[str, Any]:
    now = int(time.time() * 1000)
    day = 86_400_000
    return {
        "year_curve_ms": _median_ms(port, now - 365 * day, now, 1000),
        "day_curve_ms": _median_ms(port, now - day, now, 1450),
    }


def _median_ms(port: int, from_ms: int, to_ms_: int, points: int) -> float:
    took = []
    for i in range(20):
        point = f"meter-{i * 2}:active_power"
        url = f"http://127.0.0.1:{port}/api/v1/series?point={point}&from={from_ms}&to={to_ms_}&points={points}"
        began = time.perf_counter()
        with urlopen(url, timeout=30) as answer:
            body = answer.read()
        took.append((time.perf_counter() - began) * 1000)
        rows = len(json.loads(body)["series"][0]["t"])
        assert points * 0.7 < rows <= points, rows
    return statistics.median(took)


# -- ingest ------------------------------------------------------------------------------------------------------------


def ingest(folder: Path, site: Path, *, embedded: bool) -> float:
    """Readings of 8 values per second from an edge's outbox through the broker into the store and back as `stored`."""
    port, broker = free_port(), free_port()
    outbox = SqliteOutbox(folder / "outbox.sqlite")
    asyncio.run(_fill(outbox))
    running = embedded_broker(folder / "broker", broker) if embedded else mosquitto(folder / "broker", broker)
    arguments = [
        "gateway",
        "--accounts",
        "off",
        "--site",
        str(site),
        "--data",
        str(folder / "gateway"),
        "--listen",
        f"127.0.0.1:{port}",
    ]
    arguments += ["--bus", f"mqtt://127.0.0.1:{broker}"]
    with running if running else nullcontext(), jieneng(arguments, folder / "gateway.log"):
        until_healthy(port)
        time.sleep(1.0)  # the gateway subscribes after it answers
        seconds = asyncio.run(_publish_all(outbox, broker))
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    stored = next(
        float(line.split()[1]) for line in text.splitlines() if line.startswith("jieneng_values_stored_total")
    )
    assert stored == READINGS * len(THREE_PHASE), f"{stored} of {READINGS * len(THREE_PHASE)} stored"
    outbox.close()
    return READINGS / seconds


async def _fill(outbox: SqliteOutbox) -> None:
    """Readings as an edge takes them: sixty meters, a second apart, through its own recorder."""
    recorder = Recorder(outbox, SystemClock())
    first = to_ms(datetime.now(UTC)) - READINGS // METERS * 1000 - 60_000
    random = np.random.default_rng(1)
    for i in range(READINGS):
        values = dict(zip(THREE_PHASE, random.random(len(THREE_PHASE)).round(3).tolist(), strict=True))
        recorder.take(MeterReadings(f"meter-{i % METERS}", first + i // METERS * 1000, values))
        if i % 5000 == 4999:
            await recorder.flush()
    await recorder.flush()


async def _publish_all(outbox: SqliteOutbox, broker: int) -> float:
    wake = asyncio.Event()
    batches = outbox.batches
    async with open_bus(f"mqtt://127.0.0.1:{broker}", "bench-edge", subscribe=[topic("bench", STORED)]) as bus:
        publisher = Publisher(outbox, bus, "bench", "boot", wake)
        while not bus.connected:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        publisher.connected()
        began = time.perf_counter()
        running = asyncio.create_task(publisher.run())
        async for messages in bus.messages():
            for message in messages:
                answer = decode_stored(message.payload)
                await publisher.stored(answer)
            await bus.acknowledge(messages)
            if outbox.batches == 0:
                break
        seconds = time.perf_counter() - began
        running.cancel()
    assert batches and outbox.batches == 0
    return seconds
