"""A backup of ten million readings: how long it takes, and how long a batch waits to be stored meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clocks import SystemClock
from adapters.readings_duckdb import DuckDBReadings
from adapters.stores import open_ledger, open_store
from energy.ports import ReadingStore
from energy.readings import Point, ReadingColumns
from gateway.backups.service import StoreCopies
from jieneng.backups.restoring import restore
from jieneng.backups.taking import Wanted, looked_through, take
from jieneng.settings import Settings

METERS, MINUTES, CHUNK = 200, 6_400, 64
QUANTITIES = (
    "active_energy_import",
    "active_power",
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "current_l1",
    "power_factor",
    "frequency",
)
_POINTS = [Point(f"meter-{i}", name) for i in range(METERS) for name in QUANTITIES]
_BEGAN_MS = 1_780_000_000_000
# A batch of a thousand values, fifty times a second: what a replay brings.
_BATCH, _EVERY_S, _IDLE_S = 1_000, 0.02, 6.0


class _Silent(AbstractContextManager["_Silent"]):
    def __exit__(self, *_: object) -> None:
        pass

    def at(self, what: str, share: float) -> None:
        pass


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        folder = Path(name)
        figures = asyncio.run(_while_written(folder))
        return figures | _of_a_folder(folder)


async def _while_written(folder: Path) -> dict[str, Any]:
    """How long a batch waits: by itself, while the store is copied, and while it would be held for a copy."""
    file = folder / "var" / "readings.duckdb"
    async with open_store(f"duckdb:{file}") as store:
        open_ledger(store)
        await _fill(store)
        await store.maintain(_BEGAN_MS + 30 * 86_400_000)
        copies = StoreCopies(store, folder / ".store-copy", SystemClock(), file)

        async def copied() -> None:
            copies.begin()
            while copies.state().state == "copying":
                await asyncio.sleep(0.02)
            assert copies.state().state == "ready", copies.state().cause

        async def held() -> None:
            assert isinstance(store, DuckDBReadings)
            await store.change(_held, store, file, folder / "held.duckdb")

        idle = await _meanwhile(store, lambda: asyncio.sleep(_IDLE_S))
        during = await _meanwhile(store, copied)
        stopped = await _meanwhile(store, held)
        await copies.close()
    return {
        "readings": METERS * MINUTES * len(QUANTITIES),
        "store_mb": file.stat().st_size / 1e6,
        "copy_s": during[0],
        "stall_ms_p99_without": idle[1],
        "stall_ms_p99_with": during[1],
        "stall_ms_max_with": during[2],
        "held_copy_s": stopped[0],
        "held_stall_ms_max": stopped[2],
    }


def _held(store: DuckDBReadings, file: Path, to: Path) -> None:
    """What decision 028 did not choose: nobody writes while the file is copied and is on the disk."""
    store.connection.execute("CHECKPOINT")
    shutil.copyfile(file, to)
    with to.open("rb+") as copy:
        os.fsync(copy.fileno())


async def _fill(store: ReadingStore) -> None:
    random = np.random.default_rng(0)
    n = len(_POINTS)
    base = random.random(n) * 1e5
    index = np.tile(np.arange(n, dtype=np.int32), CHUNK)
    none = np.zeros(n * CHUNK, np.uint8)
    for minute in range(0, MINUTES, CHUNK):
        t_ms = np.repeat(_BEGAN_MS + (minute + np.arange(CHUNK)) * 60_000, n).astype(np.int64)
        value = np.round(base[index] + random.random(n * CHUNK) * 10 + minute, 2)
        await store.write(ReadingColumns.of(_POINTS, index, t_ms, value, none, none))


_next_ms = _BEGAN_MS + 40 * 86_400_000


async def _meanwhile(store: ReadingStore, what: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    """Seconds that it took, and how long batches waited meanwhile, 99 % of them and the slowest [ms]."""
    global _next_ms
    began = time.perf_counter()
    doing = asyncio.ensure_future(what())
    took: list[float] = []
    while not doing.done():
        _next_ms += 1000
        index = np.arange(_BATCH, dtype=np.int32)
        t_ms, none = np.full(_BATCH, _next_ms, np.int64), np.zeros(_BATCH, np.uint8)
        at = time.perf_counter()
        await store.write(ReadingColumns.of(_POINTS, index, t_ms, np.full(_BATCH, 7.25), none, none))
        took.append(time.perf_counter() - at)
        await asyncio.wait([doing], timeout=_EVERY_S)
    await doing
    seconds = time.perf_counter() - began
    return seconds, float(np.percentile(took, 99)) * 1000, max(took) * 1000


def _of_a_folder(folder: Path) -> dict[str, Any]:
    """Everything as one file, looked through, and put back; packed too, for comparison."""
    settings, figures = Settings(data=folder / "var"), dict[str, Any]()
    files = {}
    for name, gzip in (("", False), ("_gzip", True)):
        began = time.perf_counter()
        files[name], _ = take(settings, Wanted(folder / f"backups{name}", with_secrets=True, gzip=gzip), _Silent())
        figures[f"backup_s{name}"] = time.perf_counter() - began
        figures[f"backup_mb{name}"] = files[name].stat().st_size / 1e6
    began = time.perf_counter()
    looked_through(files[""], _Silent())
    figures["verify_s"] = time.perf_counter() - began
    began = time.perf_counter()
    restore(files[""], Settings(data=folder / "again"), _Silent())
    figures["restore_s"] = time.perf_counter() - began
    return figures
