"""Two processes that make a ledger over VictoriaMetrics and PostgreSQL, each half of the points, against one process.

The backlog of 400 meters, read every quarter hour over 30 days; rounds of one and of two in turn, each with a ledger
of its own over the same readings.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from adapters.stores import open_store, open_stores
from analytics.carbon.factor_file import read_factors
from energy.ports import LEDGER_PARTS
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Site, Text
from gateway.ledger.books import Books, Kept
from tests.postgresql import PostgresServer, postgres_server
from tests.victoria import VictoriaServer, victoria_server

METERS, DAYS, ROUNDS = 400, 30, 3
START = datetime(2026, 5, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
POINTS = [Point(f"m{i:03}", "active_energy_import") for i in range(METERS)]


def run() -> dict[str, Any]:
    """Medians over the rounds; `cost_ratio` is the processor time of both against that of the one."""
    with (
        tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name,
        postgres_server() as postgres,
        victoria_server() as victoria,
    ):
        store = victoria.new_name()
        asyncio.run(_write(victoria.address(Path(name) / "writer", store)))
        victoria.show_all()
        rounds = [tuple(_round(Path(name), postgres, victoria, store, n) for n in (1, 2)) for _ in range(ROUNDS)]
    return {
        "readings": METERS * DAYS * 96,
        "one_cpu_us_per_reading": statistics.median(one["cpu_s"] for one, _ in rounds) / (METERS * DAYS * 96) * 1e6,
        "cost_ratio": statistics.median(two["cpu_s"] / one["cpu_s"] for one, two in rounds),
        "time_ratio": statistics.median(two["seconds"] / one["seconds"] for one, two in rounds),
        "load": round(os.getloadavg()[0], 1),
    }


def _round(
    folder: Path, postgres: PostgresServer, victoria: VictoriaServer, store: str, count: int
) -> dict[str, float]:
    """So many processes make the whole ledger; the time that the last one needed, and processor time of all."""
    ledger = postgres.address(postgres.copy("template1"))
    asyncio.run(_number(victoria.address(folder / "writer", store), ledger))
    parts = [list(range(i, LEDGER_PARTS, count)) for i in range(count)]
    made = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.jobs",
                victoria.address(folder / f"b{i}", store),
                ledger,
                json.dumps(own),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for i, own in enumerate(parts)
    ]
    for process in made:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    told = []
    for process in made:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in made:
        told.append(json.loads(process.communicate()[0]))
    assert sum(one["readings"] for one in told) == METERS * DAYS * 96
    return {"seconds": max(one["seconds"] for one in told), "cpu_s": sum(one["cpu_s"] for one in told)}


async def _write(address: str) -> None:
    async with open_store(address) as store:
        for day in range(DAYS):
            await store.write(_day(day))


def _day(day: int) -> ReadingColumns:
    begin = to_ms(START + timedelta(days=day))
    t_ms = np.tile(begin + np.arange(96) * 900_000, METERS)
    index = np.repeat(np.arange(METERS, dtype=np.int32), 96)
    register = 100.0 + 0.25 * (day * 96 + np.tile(np.arange(96), METERS)).astype(np.float64)
    return ReadingColumns.of(POINTS, index, t_ms, register)


async def _number(readings_at: str, ledger_at: str) -> None:
    """Let the ledger know the points, as whoever takes readings does; nothing is new to the store."""
    async with open_stores(readings_at, ledger_at) as (store, _):
        await store.write(_day(0))


async def _half(readings_at: str, ledger_at: str, parts: list[int]) -> dict[str, float]:
    """Make the hours of some parts of the points."""
    site = Site("bench", Text("b", "b"), "Asia/Shanghai", meters=tuple(map(_meter, POINTS)))
    async with open_stores(readings_at, ledger_at) as (_, ledger):
        books = Books(ledger, Kept(site), read_factors(Path("config/factors.yaml")))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began, cpu = time.perf_counter(), time.process_time()
        await ledger.hold(parts)
        built = await books.catch_up(parts=parts)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    return {"readings": built.readings, "seconds": seconds, "cpu_s": cpu_s}


def _meter(point: Point) -> Meter:
    return Meter(point.meter, Text(point.meter, point.meter), Medium.ELECTRICITY, quantities=(point.quantity,))


if __name__ == "__main__":
    made_by = asyncio.run(_half(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
    print(json.dumps(made_by))
