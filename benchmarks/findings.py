"""Findings of a city of electricity, water and gas meters: what an hour's run takes, and what learning does.

The ledger is a file of DuckDB with the hours of 465 days: offices with a noise of their own, one in twenty with a fault
in the last days. Records are a file of SQLite. Times are processor time of the whole process, the store's threads too.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clocks import SteppedClock
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.tariffs.tariff_file import read_tariffs
from energy.hours import HOUR_MS, Hours, Small
from energy.organisations import Account
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Site, Text
from energy.working_day_files import read_working_days
from gateway.findings import watch as watching
from gateway.findings.service import Findings
from gateway.findings.watch import FindingWatch
from gateway.ledger.books import Books, Kept
from gateway.records.database import open_records

CITY_METERS = 40_480
FEW, MANY = 200, 1_000
DAYS = 465
NOW = datetime(2026, 11, 20, 5, 5, tzinfo=UTC)
_MEDIA = ((Medium.ELECTRICITY, "active_energy_import"), (Medium.WATER, "volume"), (Medium.GAS, "volume_standard"))
# A month is written of so many counters at a time.
_SPAN_DAYS, _SOME = 32, 4_000
_CONFIG = Path(__file__).parent.parent / "config"


def run(full: bool = False) -> dict[str, Any]:
    """Figures of 1,000 counters, and what they come to for a city; with `full` of a city, nothing extrapolated."""
    few, many = _apart(FEW), _apart(CITY_METERS if full else MANY)
    counters = many["counters"]
    per_1000 = {f"{name}_per_1000": many[name] / counters * 1000 for name in many if name.endswith("_s")}
    # Each hour all are looked at, and one in 24 is learnt anew.
    hourly_s = (many["hourly_run_s"] + many["learning_s"] / 24) / counters * CITY_METERS
    return {
        "counters": counters,
        **per_1000,
        "hourly_run_s_per_1000_of_200": few["hourly_run_s"] / FEW * 1000,
        "hourly_run_s": hourly_s,
        "hourly_run_share_of_the_hour": hourly_s / 3600,
        "extrapolated": "no" if full else f"hourly_run_s: from {MANY} to {CITY_METERS} counters",
        "findings": many["findings"],
        "peak_rss_mb": many["peak_rss_mb"],
        "peak_rss_mb_before": many["peak_rss_mb_before"],
    }


def _apart(meters: int) -> dict[str, Any]:
    """In a process of its own, so that its memory is its own; the ledger is made in another one before."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.findings", str(meters), folder]
        subprocess.run([*command, "make"], check=True)
        told = subprocess.run([*command, "look"], stdout=subprocess.PIPE, check=True).stdout
    # Before it stands what the job logs.
    made: dict[str, Any] = json.loads(told.splitlines()[-1])
    return made


@dataclass
class City:
    """So many meters, their ledger, and who looks."""

    clock: SteppedClock
    findings: Findings
    watch: FindingWatch


@asynccontextmanager
async def city(meters: int, folder: Path) -> AsyncIterator[City]:
    """A ledger that is there, and nothing learnt or found yet."""
    site, clock = _site(meters), SteppedClock(NOW)
    async with open_store(_store(folder)) as store, open_records(f"sqlite:{folder}/records.sqlite") as records:
        tariffs = read_tariffs(_CONFIG / "tariffs" / "example-tou.yaml")
        books = Books(open_ledger(store), Kept(site, (), tariffs), read_factors(_CONFIG / "factors.yaml"))
        calendar = read_working_days([_CONFIG / "calendar" / "china.yaml"])
        findings = Findings(records, clock, site.id)
        yield City(clock, findings, FindingWatch(books, findings, calendar, clock))


async def make(meters: int, folder: Path) -> None:
    """A ledger full up to the last whole hour."""
    async with open_store(_store(folder)) as store:
        ledger, end = open_ledger(store), to_ms(NOW) // HOUR_MS
        points = [Point(m.id, m.quantities[0]) for m in _site(meters).meters]
        at = np.full(meters, to_ms(NOW), np.int64)
        await store.write(ReadingColumns.of(points, np.arange(meters, dtype=np.int32), at, np.zeros(meters)))
        for since in range(end - DAYS * 24, end, _SPAN_DAYS * 24):
            for some in range(0, meters, _SOME):
                numbers = np.arange(some, min(some + _SOME, meters), dtype=np.int32)
                await ledger.revise(([], []), _hours(numbers, since, min(since + _SPAN_DAYS * 24, end), end))


def _store(folder: Path) -> str:
    return f"duckdb:{folder}/readings.duckdb"


def _site(meters: int) -> Site:
    made = []
    for i in range(meters):
        medium, quantity = _MEDIA[i % 3]
        account = "a" if medium is Medium.ELECTRICITY else None
        made.append(Meter(f"m{i:05d}", Text(str(i), str(i)), medium, quantities=(quantity,), account=account))
    accounts = (Account("a", Medium.ELECTRICITY, tariff="example-tou"),)
    return Site("bench", Text("城市", "City"), "Asia/Shanghai", meters=tuple(made), accounts=accounts)


def _hours(numbers: Small, since: int, until: int, end: int) -> Hours:
    """What meters use in [since, until), by point and hour."""
    hour = np.arange(since, until)
    local = hour + 8
    busy = (local // 24 % 7 < 5) & (local % 24 >= 8) & (local % 24 < 18)
    scale = 1.0 + numbers % 97
    noise = np.random.default_rng(since + int(numbers[0])).normal(1.0, 0.08, (len(numbers), len(hour)))
    use = scale[:, None] * np.where(busy, 3.0, 1.0) * noise
    faulty = numbers % 20 == 7
    use[np.ix_(faulty, hour >= end - 60)] += 1.5 * scale[faulty, None]
    amount = np.rint(use * 1000).astype(np.int64).ravel() * 1000
    at = np.tile(hour, len(numbers)).astype(np.int32)
    whole, none = np.zeros(len(at), np.int64), np.zeros(len(at), np.int32)
    measured = np.full(len(at), HOUR_MS, np.int32)
    point = np.repeat(numbers, len(hour))
    return Hours(point, at, amount, amount // 2, whole, amount // 2, measured, none, none, none)


class Split:
    """Processor time by what it went into; what runs beside it in this process counts with it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def waits(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*args: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return await call(*args, **named)
            finally:
                self.seconds[name] += time.process_time() - began

        return timed


async def measured(meters: int, folder: Path) -> dict[str, Any]:
    """A first run, which learns of all counters, and the run of an hour that learns of none."""
    async with city(meters, folder) as there:
        before_mb, split, began = _peak_mb(), Split(), time.process_time()
        for of, name, what in ((watching, "grid_of", "read"), (there.findings, "take", "save")):
            setattr(of, name, split.waits(what, getattr(of, name)))
        found, _ = await there.watch.look()
        full = time.process_time() - began
        await there.clock.step(600.0)
        split.seconds.clear()
        began, wall = time.process_time(), time.perf_counter()
        assert await there.watch.look() == (0, 0), "nothing has changed since"
        hourly, wall = time.process_time() - began, time.perf_counter() - wall
    read, save = split.seconds["read"], split.seconds["save"]
    return {
        "counters": meters,
        "full_run_s": full,
        "hourly_run_s": hourly,
        "hourly_run_wall_s": wall,
        "learning_s": full - hourly,
        "read_s": read,
        "judge_s": hourly - read - save,
        "save_s": save,
        "findings": found,
        "peak_rss_mb": _peak_mb(),
        "peak_rss_mb_before": before_mb,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    count, where, what = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if what == "make":
        asyncio.run(make(count, where))
    else:
        json.dump(asyncio.run(measured(count, where)), sys.stdout)
