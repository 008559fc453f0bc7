"""The ledger in the file of the readings, and in PostgreSQL: the same hours written, and the same asked of both.

4,048 counters over two months: the first is written counter by counter, as a ledger is made anew, the second day by
day, as it grows. The server is one of its own on the same machine, without `fsync`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from adapters.stores import open_stores
from energy.hours import Hours, first_hour
from energy.ports import Ledger
from tests.postgresql import PostgresServer, postgres_server

COUNTERS, DAYS = 4048, 31
# The second month begins at a day of its own, and both lie in one range of time.
FIRST_DAY = 20424
_AT_ONCE = 512
_NONE = (np.empty(0, np.int64), np.empty(0, np.int64))


def run() -> dict[str, Any]:
    figures = {"file": asyncio.run(_of(None, ""))}
    with postgres_server() as server:
        name = server.copy("template1")
        figures["postgresql"] = asyncio.run(_of(server, name))
    ratios = {what: figures["postgresql"][what] / figures["file"][what] for what in figures["file"]}
    return {
        **{f"{store}_{what}": value for store, found in figures.items() for what, value in found.items()},
        **{f"ratio_{what}": value for what, value in ratios.items()},
    }


async def _of(server: PostgresServer | None, database: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        address = None if server is None else server.address(database)
        async with open_stores(f"duckdb:{folder}/readings.duckdb", address) as (_, ledger):
            figures = {
                "written_per_s": await _written(ledger, [_anew(at) for at in range(0, COUNTERS, _AT_ONCE)]),
                "written_daily_per_s": await _written(ledger, [_daily(day) for day in range(DAYS)]),
            }
            await ledger.maintain(first_hour(FIRST_DAY + 2 * DAYS + 5) * 3_600_000)
            if server is not None:
                # What the database does by itself a minute later.
                await asyncio.to_thread(server.sql, "VACUUM ANALYZE", database)
            return figures | await _asked(ledger)


async def _written(ledger: Ledger, revisions: list[Hours]) -> float:
    began = time.perf_counter()
    for fresh in revisions:
        await ledger.revise(_NONE, fresh)
    return sum(map(len, revisions)) / (time.perf_counter() - began)


async def _asked(ledger: Ledger) -> dict[str, float]:
    every, low = range(COUNTERS), first_hour(FIRST_DAY + DAYS)
    high, a_day = low + DAYS * 24, low + 15 * 24
    one = await ledger.hours([77], low, high)
    read_ms = await _median_ms(lambda: ledger.hours(every, low, high), 3)
    return {
        "month_totals_ms": await _median_ms(lambda: ledger.totals(every, low, high), 7),
        "odd_totals_ms": await _median_ms(lambda: ledger.totals(every, low + 3, high - 3), 5),
        "month_curve_ms": await _median_ms(lambda: ledger.curve(every, low, high), 7),
        "day_curve_ms": await _median_ms(lambda: ledger.curve(every, a_day, a_day + 24), 7),
        "days_ms": await _median_ms(lambda: ledger.days(every, FIRST_DAY + DAYS, FIRST_DAY + 2 * DAYS), 7),
        "read_per_s": COUNTERS * DAYS * 24 / (read_ms / 1000),
        "one_again_ms": await _median_ms(lambda: ledger.revise((one.point, one.hour), one), 7),
        "day_again_ms": await _again_ms(ledger, await ledger.hours(every, a_day, a_day + 24)),
    }


async def _again_ms(ledger: Ledger, rows: Hours) -> float:
    return await _median_ms(lambda: ledger.revise((rows.point, rows.hour), rows), 3)


def _anew(at: int) -> Hours:
    """The first month of some counters."""
    points = np.arange(at, min(at + _AT_ONCE, COUNTERS), dtype=np.int32)
    hours = np.arange(first_hour(FIRST_DAY), first_hour(FIRST_DAY + DAYS), dtype=np.int32)
    return _hours(np.repeat(points, len(hours)), np.tile(hours, len(points)))


def _daily(day: int) -> Hours:
    """A day of the second month of all counters."""
    points, first = np.arange(COUNTERS, dtype=np.int32), first_hour(FIRST_DAY + DAYS + day)
    hours = np.arange(first, first + 24, dtype=np.int32)
    return _hours(np.repeat(points, 24), np.tile(hours, COUNTERS))


def _hours(point: Any, hour: Any) -> Hours:
    amount = (point.astype(np.int64) * 7919 + hour * 104_729) % 50_000_000
    nothing = np.zeros(len(point), np.int32)
    whole = np.full(len(point), 3_600_000, np.int32)
    return Hours(
        point, hour, amount, amount // 2, nothing.astype(np.int64), amount * 6 // 10, whole, nothing, nothing, nothing
    )


async def _median_ms(ask: Callable[[], Awaitable[Any]], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took))
