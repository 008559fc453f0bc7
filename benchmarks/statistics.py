"""The monthly statistics of a city: 2,024 institutions with 20 meters each, from the ledger to the workbook.

A month of hourly registers, and what was accepted a year before; errors of every kind that a rule looks for, seeded
into a fifth of the filings.
"""

from __future__ import annotations

import asyncio
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from adapters.clocks import SteppedClock
from adapters.stores import open_ledger, open_store
from analytics.carbon.factor_file import read_factors
from analytics.reporting.check_file import read_rules
from analytics.reporting.check_rules import Severity
from analytics.reporting.filing_states import State
from analytics.reporting.filings import Origin
from analytics.reporting.form_file import read_forms
from analytics.reporting.forms import Cell
from analytics.tariffs.tariff_file import read_tariffs
from energy.organisations import Account, Fact, FactName, Organisation
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns
from energy.sites import Meter, Site, Text
from gateway.ledger.books import Books, Kept
from gateway.records.database import Records, open_records
from gateway.reporting.answers import filing_of, filings_of
from gateway.reporting.rows import Entered, keep
from gateway.reporting.service import Statistics
from gateway.reporting.words import FilingQuery, FilingsQuery
from gateway.reporting.workbook import write_month
from gateway.stock.service import Stock

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 1, tzinfo=ZONE)
INSTITUTIONS, EACH, COUNTIES = 2_024, 20, 12
ENERGY, VOLUME = "active_energy_import", "volume"
# Of the twenty meters of an institution, the first is the main of its electricity, the sixteenth that of its water.
WATER_FROM = 15
SEEDED_EACH = 5
# The institution that a late reading is of, and whose form is opened.
LATE = 77


def run() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.statistics"], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass(frozen=True)
class Seed:
    """An error: what is entered in place of what the meters say, and the rule that should find it."""

    rule: str
    change: Mapping[str, float | None]
    of_other: str | None = None

    def cells(self, values: Mapping[str, Decimal]) -> dict[Cell, Entered]:
        made = {}
        for name, factor in self.change.items():
            other = self.of_other if self.of_other is not None and name.endswith("quantity") else name
            value = None if factor is None else round(values[other] * Decimal(str(factor)), 2)
            made[Cell.parse(name)] = Entered(value, "seeded")
        return made


SEEDS = (
    Seed("needed", {"electricity.quantity": None, "electricity.fee": None}),
    Seed("needed", {"water.quantity": None, "water.fee": None}),
    Seed("paired", {"electricity.fee": None}),
    Seed("paired", {"water.quantity": 0}),
    Seed("negative", {"water.quantity": -1}),
    Seed("electricity-fee-unit", {"electricity.fee": 0.0001}),
    Seed("water-fee-unit", {"water.fee": 0.0001}),
    Seed("electricity-price", {"electricity.fee": 3}),
    Seed("water-price", {"water.fee": 0.2}),
    Seed("electricity-last-year", {"electricity.quantity": 1.6, "electricity.fee": 1.6}),
    Seed("electricity-last-year", {"electricity.quantity": 0.1, "electricity.fee": 0.1}),
    Seed("water-last-year", {"water.quantity": 2, "water.fee": 2}),
)


async def city() -> dict[str, Any]:
    """The whole month, one form, a late reading, and what is found."""
    async with _office() as (statistics, books, store, late, records):
        await _a_year_before(statistics, records)
        month = statistics.month("2026-05")
        factors = statistics.factors(None)
        began = time.perf_counter()
        target = io.BytesIO()
        count = await write_month(target, statistics, books, month, factors, drafts=True)
        close_s = time.perf_counter() - began
        assert count == INSTITUTIONS
        board_ms = await _ms_of(lambda: filings_of(statistics, books, FilingsQuery("2026-05")))
        form_ms = await _ms_of(lambda: filing_of(statistics, FilingQuery("2026-05", f"i{LATE:04d}")), 9)
        before = await _electricity(statistics)
        began = time.perf_counter()
        await store.write(late)
        await books.catch_up()
        after = await _electricity(statistics)
        late_s = time.perf_counter() - began
        assert before.missing == 0 and before.estimated > after.estimated == 0, (before, after)
        found, bothered = await _seeded(statistics)
        return {
            "institutions": count,
            "city_close_s": close_s,
            "workbook_mb": len(target.getvalue()) / 1e6,
            "board_ms": board_ms,
            "form_open_ms": form_ms,
            "late_reading_to_form_s": late_s,
            "seeded_errors_found": found,
            "clean_bothered": bothered,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def _a_year_before(statistics: Statistics, records: Records) -> None:
    """Accepted filings that differ from what is known now by some percent, weather and people being what they are."""
    random = np.random.default_rng(2024)
    month = statistics.month("2026-05")
    names = [one.id for one in statistics.institutions(month)]
    standings = await statistics.standings(month, names)
    async with records.writing() as connection:
        for standing in standings:
            factor = Decimal(str(round(1 + random.normal(0, 0.08), 4)))
            cells = {
                cell: replace(filled, value=round(filled.value * factor, 2), origin=Origin.ENTERED)
                for cell, filled in standing.now.cells.items()
            }
            frozen = replace(standing.now, period="2025-05", cells=cells)
            kept = replace(standing.kept, period="2025-05", state=State.ACCEPTED, frozen=frozen)
            await keep(connection, kept)


async def _electricity(statistics: Statistics) -> Any:
    standing = await statistics.standing(statistics.month("2026-05"), f"i{LATE:04d}")
    return standing.filing.cells[Cell.parse("electricity.quantity")]


async def _seeded(statistics: Statistics) -> tuple[float, float]:
    """The share of seeded errors that is found by its rule, and of clean filings that get an error or a warning."""
    month, author = statistics.month("2026-05"), statistics.author("seeder", "")
    clean = {s.organisation.id: s for s in await statistics.standings(month)}
    names = sorted(clean)
    seeded: dict[str, Seed] = {}
    for i, name in enumerate(names[::SEEDED_EACH]):
        seed = SEEDS[i % len(SEEDS)]
        values = {str(cell): filled.value for cell, filled in clean[name].filing.cells.items()}
        await statistics.fill(month, name, dict(seed.cells(values)), author)
        seeded[name] = seed
    standings = await statistics.standings(month)
    told = {s.organisation.id: {f.rule.id for f in s.faults} for s in standings}
    grave = {s.organisation.id: any(f.severity is not Severity.NOTE for f in s.faults) for s in standings}
    found = sum(seed.rule in told[name] for name, seed in seeded.items()) / len(seeded)
    left = [name for name in names if name not in seeded]
    return found, sum(grave[name] for name in left) / len(left)


@asynccontextmanager
async def _office() -> AsyncIterator[tuple[Statistics, Books, Any, ReadingColumns, Records]]:
    root = Path(__file__).parent.parent / "config"
    tariffs = [t for name in ("tou", "water") for t in read_tariffs(root / "tariffs" / f"example-{name}.yaml")]
    forms = read_forms(root / "statistics" / "forms")
    rules = read_rules(root / "statistics" / "checks.yaml", forms)
    clock = SteppedClock(START + timedelta(days=35))
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_store(f"duckdb:{folder}/readings.duckdb") as store,
            open_records(f"sqlite:{folder}/records.sqlite") as records,
        ):
            books = Books(open_ledger(store), Kept(_site(), (), tariffs), read_factors(root / "factors.yaml"))
            late = await _filled(store)
            await books.catch_up()
            yield _statistics(records, clock, books, forms, rules), books, store, late, records


def _statistics(records: Records, clock: SteppedClock, books: Books, forms: Any, rules: Any) -> Statistics:
    return Statistics(records, clock, books, Stock(records, clock), forms, rules)


def _site() -> Site:
    name = Text("某", "some")
    counties = [Organisation(f"c{c:02d}", Text(f"第{c}县", f"County {c}"), "county") for c in range(COUNTIES)]
    own = [
        Organisation(f"i{i:04d}", Text(f"第{i}单位", f"Institution {i}"), parent=f"c{i % COUNTIES:02d}")
        for i in range(INSTITUTIONS)
    ]
    meters = [_meter(i, k) for i in range(INSTITUTIONS) for k in range(EACH)]
    accounts = [
        Account("electricity", Medium.ELECTRICITY, tariff="example-tou"),
        Account("water", Medium.WATER, tariff="example-water"),
    ]
    facts = [
        Fact(fact, Decimal(value), organisation=o.id)
        for i, o in enumerate(own)
        for fact, value in ((FactName.AREA_M2, 2000 + i), (FactName.PEOPLE, 50 + i % 900))
    ]
    lists = {"meters": meters, "organisations": [*counties, *own], "accounts": accounts, "facts": facts}
    return Site("bench", name, ZONE.key, **{key: tuple(of) for key, of in lists.items()})  # type: ignore[arg-type]


def _meter(i: int, k: int) -> Meter:
    water = k >= WATER_FROM
    main = WATER_FROM if water else 0
    medium, quantity = (Medium.WATER, VOLUME) if water else (Medium.ELECTRICITY, ENERGY)
    parent = None if k == main else f"i{i:04d}-{main:02d}"
    of = f"i{i:04d}" if parent is None else None
    account = ("water" if water else "electricity") if parent is None else None
    given: dict[str, Any] = {"quantities": (quantity,), "parent": parent, "organisation": of, "account": account}
    return Meter(f"i{i:04d}-{k:02d}", Text(str(k), str(k)), medium, **given)


async def _filled(store: Any) -> ReadingColumns:
    """The month, day by day; a few hours of one meter are held back."""
    every = ((i, k) for i in range(INSTITUTIONS) for k in range(EACH))
    points = [Point(f"i{i:04d}-{k:02d}", VOLUME if k >= WATER_FROM else ENERGY) for i, k in every]
    meters = np.arange(len(points))
    water, main = meters % EACH >= WATER_FROM, meters % EACH % WATER_FROM == 0
    each = np.where(water, 0.05, 4.0) * (1 + meters % 7) * np.where(main, 20, 1)
    total, held = np.full(len(points), 1000.0), []
    for day in range(31):
        # The first day has the midnight too that it begins with.
        hours = np.arange(25) if day == 0 else np.arange(1, 25)
        shape = np.where(hours == 0, 0, 1 + 0.6 * np.sin((hours - 8) / 24 * 2 * np.pi))
        shown = total[:, None] + np.cumsum(np.outer(each, shape).round(3), axis=1)
        total = shown[:, -1]
        t_ms = int(START.timestamp() * 1000) + (day * 24 + hours).astype(np.int64) * 3_600_000
        index = np.repeat(np.arange(len(points), dtype=np.int32), len(hours))
        columns = ReadingColumns.of(points, index, np.tile(t_ms, len(points)), shown.ravel().round(3))
        if day == 12:
            gone = (index == LATE * EACH) & np.tile((hours > 5) & (hours < 15), len(points))
            held.append(columns.take(np.flatnonzero(gone)))
            columns = columns.take(np.flatnonzero(~gone))
        await store.write(columns)
    return held[0]


async def _ms_of(ask: Any, times: int = 3) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took))


if __name__ == "__main__":
    json.dump(asyncio.run(city()), sys.stdout)
