"""The ledger: from stored readings to hourly consumption with time-of-use cost, and what is asked of it.

Sixty meters read every minute for 30 days, as a peer was measured with, in a process of their own, whose memory is
told; six of them over a year, for growth; and a city of 40,480 meters read every 15 minutes over a month.
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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from adapters.ledger_days_duckdb import Days
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.tariffs.tariff_file import read_tariffs
from energy.hours import HOUR_MS
from energy.organisations import Account, Organisation
from energy.periods import Span
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns
from energy.sites import Meter, Site, Text
from gateway.ledger.books import Books, Kept
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.service import Range

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 1, tzinfo=ZONE)
ENERGY = "active_energy_import"
PER_INSTITUTION = 20
CITY_METERS = 40_480


def run() -> dict[str, Any]:
    thirty, year = _apart("month"), _apart("year")
    return {
        "readings_per_s": thirty["readings_per_s"],
        "peak_rss_mb": thirty["peak_rss_mb"],
        "growth_ratio": year["readings_per_s"] / thirty["readings_per_s"],
        "readings_per_s_365d": year["readings_per_s"],
        "growth_peak_rss_mb": year["peak_rss_mb"],
        **_apart("city"),
    }


def _apart(name: str) -> dict[str, Any]:
    """Run a part in a process of its own: its memory is its own."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.ledger", name], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def sixty_meters(days: int, meters: int) -> dict[str, Any]:
    """Meters read every minute: from stored readings to hours in the ledger, with their cost."""
    site = _site(meters)
    async with _books(site) as (books, store):
        for i in range(meters):
            await store.write(_minutes(i, days))
        await store.maintain(_ms(START + timedelta(days=days)))
        began = time.perf_counter()
        built = await books.catch_up()
        seconds = time.perf_counter() - began
        node = await books.consumption.of_node(
            Node(NodeKind.SITE, "bench"), Range(START, START + timedelta(days=days), Span.DAY, ZONE)
        )
        figures = node[Medium.ELECTRICITY].figures
        assert figures.amount.sum() == sum(_flow(i, days).sum() for i in range(meters)) * 1000
        assert figures.unpriced.sum() == 0
    return {"readings_per_s": built.readings / seconds, "peak_rss_mb": _peak_mb()}


async def city() -> dict[str, Any]:
    """A month of a city, a late row, and what is asked of it."""
    site = _site(CITY_METERS)
    async with _books(site) as (books, store):
        days = 31
        late = Point("m00777", ENERGY)
        for day in range(days):
            await store.write(_quarters(day, late if day == 12 else None))
        began = time.perf_counter()
        built = await books.catch_up()
        build_s = time.perf_counter() - began
        await books.ledger.maintain(_ms(START + timedelta(days=days + 3)))
        month = Range(START, START + timedelta(days=days), Span.MONTH, ZONE)
        own = Node(NodeKind.ORGANISATION, f"i{777 // PER_INSTITUTION:04d}")
        before = (await books.consumption.of_node(own, month))[Medium.ELECTRICITY].figures
        began = time.perf_counter()
        await store.write(_one(late, 12))
        await books.catch_up()
        after = (await books.consumption.of_node(own, month))[Medium.ELECTRICITY].figures
        late_s = time.perf_counter() - began
        assert after.amount[0] == before.amount[0]
        assert before.estimated_time[0] > after.estimated_time[0] == 0
        query_ms = await _median_ms(lambda: books.consumption.of_organisations(month), 5)
        whole = await books.consumption.of_organisations(month)
        assert len(whole) == CITY_METERS // PER_INSTITUTION
        assert sum(int(f[Medium.ELECTRICITY].amount[0]) for f in whole.values()) == _truth(days)
        hourly = Range(START, START + timedelta(days=days), Span.HOUR, ZONE)
        city_ms = await _median_ms(lambda: books.consumption.of_node(Node(NodeKind.SITE, "bench"), hourly), 3)
        await _a_year(books)
        year = Range(START, START + timedelta(days=365), Span.HOUR, ZONE)
        top = Node(NodeKind.SITE, "bench")
        began = time.perf_counter()
        await books.consumption.of_node(top, year)
        first_ms = (time.perf_counter() - began) * 1000
        top_ms = await _median_ms(lambda: books.consumption.of_node(top, year), 5)
        node_ms = await _median_ms(lambda: books.consumption.of_node(own, year), 9)
    return {
        "city_month_build_s": build_s,
        "city_readings_per_s": built.readings / build_s,
        "late_row_to_month_s": late_s,
        "city_month_query_ms": query_ms,
        "node_year_curve_ms": node_ms,
        "city_month_curve_ms": city_ms,
        "city_year_curve_first_ms": first_ms,
        "city_year_curve_ms": top_ms,
        "city_peak_rss_mb": _peak_mb(),
    }


async def _a_year(books: Books) -> None:
    """Eleven more months of the ledger, as the builder would have left them."""
    connection = books.ledger._store.connection  # type: ignore[attr-defined]
    for month in range(1, 12):
        later = f"hour + {month * 31 * 24}"
        connection.execute(
            f"INSERT INTO hours_closed SELECT point, {later}, amount, first_half, estimated, cost, measured_ms, "
            f"estimated_ms, manual_ms, disputed_ms FROM hours_closed WHERE hour < {_hour(START) + 31 * 24} "
            "ORDER BY point, hour"
        )
    # What wrote into the hours by hand is in no day yet.
    connection.execute("DROP VIEW days; DROP TABLE days_recent; DROP TABLE days_closed")
    Days(connection)
    connection.execute("CHECKPOINT")


@asynccontextmanager
async def _books(site: Site) -> AsyncIterator[tuple[Books, Any]]:
    root = Path(__file__).parent.parent / "config"
    tariff = next(t for t in read_tariffs(root / "tariffs" / "example-tou.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"duckdb:{folder}/readings.duckdb") as store:
            yield Books(open_ledger(store), Kept(site, (), [tariff]), read_factors(root / "factors.yaml")), store


def _site(meters: int) -> Site:
    institutions = range(max(1, meters // PER_INSTITUTION))
    return Site(
        "bench",
        Text("城市", "City"),
        ZONE.key,
        meters=tuple(
            Meter(
                f"m{i:05d}",
                Text(str(i), str(i)),
                Medium.ELECTRICITY,
                quantities=(ENERGY,),
                account="a",
                organisation=f"i{min(i // PER_INSTITUTION, len(institutions) - 1):04d}",
            )
            for i in range(meters)
        ),
        organisations=tuple(Organisation(f"i{i:04d}", Text(str(i), str(i))) for i in institutions),
        accounts=(Account("a", Medium.ELECTRICITY, tariff="example-tou"),),
    )


def _flow(i: int, days: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What meter i measures in each minute [Wh]."""
    minute = np.arange(days * 1440)
    return np.rint((1.5 + np.sin(minute / 229.0 + i)) * (40 + i)).astype(np.int64)


def _minutes(i: int, days: int) -> ReadingColumns:
    total = 1_000_000 + np.r_[0, np.cumsum(_flow(i, days))]
    t_ms = _ms(START) + 60_000 * np.arange(len(total), dtype=np.int64)
    return ReadingColumns.of([Point(f"m{i:05d}", ENERGY)], np.zeros(len(total), np.int32), t_ms, total / 1000)


def _use(day: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What each meter of the city measures in each quarter of a day [Wh]."""
    quarter = np.arange(96)
    shape = 1.5 + np.sin(quarter / 15.3 + day)
    used: np.ndarray[tuple[int], np.dtype[np.int64]] = np.rint(
        np.outer(100 + np.arange(CITY_METERS) % 977, shape)
    ).astype(np.int64)
    return used


def _truth(days: int) -> int:
    return sum(int(_use(day).sum()) for day in range(days)) * 1000


_totals = np.full(CITY_METERS, 5_000_000, np.int64)


def _quarters(day: int, without: Point | None) -> ReadingColumns:
    """A day of the city; the first also has the midnight that it begins with."""
    use = _use(day)
    shown = _totals[:, None] + np.cumsum(use, axis=1)
    t_ms = _ms(START) + (day * 96 + 1 + np.arange(96, dtype=np.int64)) * 900_000
    if day == 0:
        shown, t_ms = np.c_[_totals, shown], np.r_[_ms(START), t_ms]
    _totals[:] = shown[:, -1]
    index = np.repeat(np.arange(CITY_METERS, dtype=np.int32), len(t_ms))
    points = [Point(f"m{i:05d}", ENERGY) for i in range(CITY_METERS)]
    columns = ReadingColumns.of(points, index, np.tile(t_ms, CITY_METERS), shown.ravel() / 1000)
    if without is not None:
        gone = (index == points.index(without)) & np.tile(
            (np.arange(len(t_ms)) > 40) & (np.arange(len(t_ms)) < 60), CITY_METERS
        )
        _held.append(columns.take(np.flatnonzero(gone)))
        columns = columns.take(np.flatnonzero(~gone))
    return columns


_held: list[ReadingColumns] = []


def _one(_point: Point, _day: int) -> ReadingColumns:
    """What was held back."""
    return _held.pop()


async def _median_ms(ask: Any, times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took))


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _hour(instant: datetime) -> int:
    return _ms(instant) // HOUR_MS


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    part = {"month": lambda: sixty_meters(30, 60), "year": lambda: sixty_meters(365, 6), "city": city}[sys.argv[1]]
    json.dump(asyncio.run(part()), sys.stdout)
