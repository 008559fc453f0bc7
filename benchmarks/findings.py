"""Findings of a city of electricity, water and gas meters: what a first run, an hour's run and learning take.

The ledger is a file of DuckDB with hours of 425 days: offices, taps and boilers with noise of their own, one in twenty
with a fault in the last weeks. Records are a file of SQLite. Processor time is that of the whole process.
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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clocks import SteppedClock
from energy.working_day_files import read_working_days
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.tariffs.tariff_file import read_tariffs
from energy.hours import HOUR_MS, Hours, Whole
from energy.organisations import Account
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns
from energy.sites import Meter, Site, Text
from gateway.findings.service import Findings
from gateway.findings.watch import FindingWatch
from gateway.ledger.books import Books, Kept
from gateway.records.database import open_records

CITY_METERS = 40_480
DAYS = 425
NOW = datetime(2026, 11, 20, 5, 5, tzinfo=UTC)
_MEDIA = ((Medium.ELECTRICITY, "active_energy_import"), (Medium.WATER, "volume"), (Medium.GAS, "volume_standard"))
_SPAN_DAYS = 32


@dataclass
class City:
    """So many meters, their ledger, and who looks."""

    books: Books
    clock: SteppedClock
    watch: FindingWatch


@asynccontextmanager
async def city(meters: int, folder: Path) -> AsyncIterator[City]:
    """A ledger full up to the last whole hour, and nothing learnt or found yet."""
    root = Path(__file__).parent.parent / "config"
    site = _site(meters)
    clock = SteppedClock(NOW)
    async with open_store(f"duckdb:{folder}/readings.duckdb") as store, open_records(f"sqlite:{folder}/r.sqlite") as kept:
        ledger = open_ledger(store)
        points = [Point(m.id, m.quantities[0]) for m in site.meters]
        index = np.arange(meters, dtype=np.int32)
        at = np.full(meters, int(NOW.timestamp() * 1000), np.int64)
        await store.write(ReadingColumns.of(points, index, at, np.zeros(meters)))
        end = int(NOW.timestamp() * 1000) // HOUR_MS
        first = end - DAYS * 24
        for since in range(first, end, _SPAN_DAYS * 24):
            await ledger.revise(([], []), _hours(meters, since, min(since + _SPAN_DAYS * 24, end), end))
        tariffs = read_tariffs(root / "tariffs" / "example-tou.yaml")
        books = Books(ledger, Kept(site, (), tariffs), read_factors(root / "factors.yaml"))
        calendar = read_working_days([root / "calendar" / "china.yaml"])
        yield City(books, clock, FindingWatch(books, Findings(kept, clock, site.id), calendar, clock))


def _site(meters: int) -> Site:
    made = []
    for i in range(meters):
        medium, quantity = _MEDIA[i % 3]
        account = "a" if medium is Medium.ELECTRICITY else None
        made.append(Meter(f"m{i:05d}", Text(str(i), str(i)), medium, quantities=(quantity,), account=account))
    accounts = (Account("a", Medium.ELECTRICITY, tariff="example-tou"),)
    return Site("bench", Text("城市", "City"), "Asia/Shanghai", meters=tuple(made), accounts=accounts)


def _hours(meters: int, since: int, until: int, end: int) -> Hours:
    """What each meter uses in [since, until), by point and hour; the same whatever span it is asked for."""
    hour = np.arange(since, until)
    local = hour + 8
    busy = (local // 24 % 7 < 5) & (local % 24 >= 8) & (local % 24 < 18)
    scale = 1.0 + np.arange(meters) % 97
    noise = np.random.default_rng(since).normal(1.0, 0.08, (meters, len(hour)))
    use = scale[:, None] * np.where(busy, 3.0, 1.0) * noise
    faulty = np.arange(meters) % 20 == 7
    use[np.ix_(faulty, hour >= end - 60)] += 1.5 * scale[faulty, None]
    amount = np.rint(use * 1000).astype(np.int64).ravel() * 1000
    point = np.repeat(np.arange(meters, dtype=np.int32), len(hour))
    none, n = np.zeros(len(amount), np.int32), len(amount)
    whole, full = np.zeros(n, np.int64), np.full(n, HOUR_MS, np.int32)
    return Hours(point, np.tile(hour, meters).astype(np.int32), amount, amount // 2, whole, amount // 2, full, none, none, none)
