"""One kind of store: how fast readings go in, what they take, the newest of a city, and the month of a city."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clocks import SystemClock
from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from benchmarks.ledger import PER_INSTITUTION, START, ZONE
from benchmarks.ledger import _site as city_of
from benchmarks.parts import THREE_PHASE
from benchmarks.storing.servers import Kind, Place
from energy.hours import HOUR_MS, Hours
from energy.periods import Span
from energy.ports import Ledger
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from gateway.ledger.books import Books, Kept
from gateway.ledger.service import Range

QUARTER_MS, DAYS_OF_MONTH, HOURS = 900_000, 31, 31 * 24
COUNTER = "active_energy_import"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Size:
    """meters, days : whose readings every quarter of an hour are written; city : meters of the city."""

    meters: int = 250
    days: int = 2
    city: int = 4_040


FULL = Size(meters=1_000, days=10, city=40_480)


def measured(kind: Kind, size: Size) -> dict[str, Any]:
    """The figures of a kind of store, each part in new stores."""
    return {**asyncio.run(_written(kind, size)), **asyncio.run(_newest(kind, size)), **asyncio.run(_month(kind, size))}


async def _written(kind: Kind, size: Size) -> dict[str, Any]:
    """Readings of 8 values by the quarter of an hour, as they come: all meters of one instant at a time."""
    place, values = kind.new(), _as_measured(size)
    points = [Point(f"m{i:05d}", q) for i in range(size.meters) for q in THREE_PHASE]
    index, since_ms = np.arange(len(points), dtype=np.int32), to_ms(START)
    async with open_stores(place.store, place.ledger) as (store, _):
        own, served, began = time.process_time(), kind.server_cpu_s(), time.perf_counter()
        for step in range(values.shape[0]):
            at_ms = since_ms + step * QUARTER_MS + index.astype(np.int64) // len(THREE_PHASE) * 100
            await store.write(ReadingColumns.of(points, index, at_ms, values[step]))
        seconds = time.perf_counter() - began
        own, served = time.process_time() - own, kind.server_cpu_s() - served
        await store.maintain(since_ms + (size.days + 2) * 86_400_000)
    place.settled()
    rows = values.size
    taken = place.readings_bytes()
    return {
        "ingest_rows_per_s": round(rows / seconds),
        "ingest_cpu_us_per_row": round(1e6 * own / rows, 2),
        "ingest_server_cpu_us_per_row": round(1e6 * served / rows, 2),
        "bytes_per_reading": round(taken / rows, 2) if taken else None,
    }


def _as_measured(size: Size) -> Any:
    """(instants, meters * 8) values as meters tell them: slow curves with noise, to the last digit that they show."""
    steps, random = size.days * 96, np.random.default_rng(11)
    day = 1 + 0.6 * np.sin(2 * np.pi * np.arange(steps) / 96)[:, None]
    load = day * random.uniform(5, 60, size.meters) * random.uniform(0.9, 1.1, (steps, size.meters))
    volts = 220 + random.normal(0, 2, (3, steps, size.meters))
    columns = {
        "active_power": load.round(2),
        "active_energy_import": (random.uniform(0, 9e5, size.meters) + np.cumsum(load / 4, axis=0)).round(2),
        **{f"voltage_l{i + 1}": volts[i].round(1) for i in range(3)},
        "current_l1": (load / 0.66).round(2),
        "power_factor": random.uniform(0.9, 0.99, load.shape).round(3),
        "reactive_power": (load * 0.3).round(2),
    }
    return np.stack([columns[name] for name in THREE_PHASE], axis=2).reshape(steps, -1)


async def _newest(kind: Kind, size: Size) -> dict[str, Any]:
    """A reading of every point of the city, then all of them at once; and how long it takes to know them again."""
    place = kind.new()
    points = [Point(f"m{i:05d}", q) for i in range(size.city) for q in THREE_PHASE]
    index = np.arange(len(points), dtype=np.int32)
    # Of an hour ago: what is long gone is looked for elsewhere.
    at_ms = to_ms(SystemClock().now()) - HOUR_MS + index.astype(np.int64)
    columns = ReadingColumns.of(points, index, at_ms, np.ones(len(points)))
    async with open_stores(place.store, place.ledger) as (store, _):
        await store.write(columns)
        latest_ms = await _median_ms(store.latest, 5)
    place.settled()
    began = time.perf_counter()
    async with open_stores(place.store, place.ledger) as (store, _):
        assert len(await store.latest()) == len(points)
        open_ms = (time.perf_counter() - began) * 1000
    return {"latest_ms": round(latest_ms, 1), "opened_ms": round(open_ms)}


async def _month(kind: Kind, size: Size) -> dict[str, Any]:
    """The month of every institution, out of the hours of all counters."""
    place = kind.new()
    async with _city(place, size.city) as (books, ledger, used):
        month = Range(START, START + timedelta(days=DAYS_OF_MONTH), Span.MONTH, ZONE)
        whole = await books.consumption.of_organisations(month)
        assert len(whole) == size.city // PER_INSTITUTION
        assert sum(int(f[Medium.ELECTRICITY].amount[0]) for f in whole.values()) == used
        low = to_ms(START) // HOUR_MS
        figures = {
            "city_month_ms": round(await _median_ms(lambda: books.consumption.of_organisations(month), 5)),
            "city_counters_ms": round(await _median_ms(lambda: ledger.totals(range(size.city), low, low + HOURS), 5)),
        }
    return {**figures, "ledger_bytes_per_hour": round(place.ledger_bytes() / (size.city * HOURS), 1)}


@asynccontextmanager
async def _city(place: Place, meters: int) -> AsyncIterator[tuple[Books, Ledger, int]]:
    """A city whose counters used something in each hour of a month, and what all of them did."""
    points, random, used = [Point(f"m{i:05d}", COUNTER) for i in range(meters)], np.random.default_rng(5), 0
    index = np.arange(meters, dtype=np.int32)
    async with open_stores(place.store, place.ledger) as (store, ledger):
        await store.write(ReadingColumns.of(points, index, np.full(meters, to_ms(START)), np.zeros(meters)))
        numbers = np.sort(np.array([ledger.number(p) for p in points], np.int32))
        nothing = np.empty(0, np.int32)
        for since in range(0, meters, 400):
            hours = _hours(numbers[since : since + 400], random)
            used += int(hours.amount.sum())
            await ledger.revise((nothing, nothing), hours)
        await ledger.maintain(to_ms(START + timedelta(days=DAYS_OF_MONTH + 3)))
        kept = Kept(city_of(meters), (), [])
        yield Books(ledger, kept, read_factors(ROOT / "config" / "factors.yaml")), ledger, used


def _hours(points: Any, random: np.random.Generator) -> Hours:
    """Each counter in each hour of the month: up to 50 kWh by the hundredth, all measured."""
    n, low = len(points) * HOURS, to_ms(START) // HOUR_MS
    hour, point = np.tile(np.arange(low, low + HOURS, dtype=np.int32), len(points)), np.repeat(points, HOURS)
    amount = random.integers(100, 5000, n) * 10_000
    zero, none = np.zeros(n, np.int64), np.zeros(n, np.int32)
    return Hours(point, hour, amount, amount // 2, zero, zero, np.full(n, HOUR_MS, np.int32), none, none, none)


async def _median_ms(ask: Callable[[], Awaitable[object]], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took))
