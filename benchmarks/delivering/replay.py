"""A replay after an outage: how many times faster than life it is, and how long live readings wait meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.clocks import SystemClock
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Batch, MeterReadings, encode
from benchmarks.delivering.installed import Centre, centre, publishing
from benchmarks.parts import THREE_PHASE
from benchmarks.pipeline import METERS, site_file
from edge.record import Recorder
from energy.readings import to_ms


@dataclass(frozen=True, slots=True)
class Life:
    """So many readings of 8 values a second, of which so many share a batch; an outage of so many seconds."""

    name: str
    readings_per_s: float
    in_a_batch: int
    outage_s: float


# 32 meters at one minute, one after the other on a bus; and 1,000 values a second.
LIVES = (Life("32_meters_a_minute", 32 / 60, 1, 12 * 3600), Life("1000_values_a_second", 125.0, 12, 600))


def run() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for life in LIVES:
        with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
            folder = Path(name)
            outbox = SqliteOutbox(folder / "outbox.sqlite")
            waited = _fill(outbox, life)
            with centre(folder, site_file(folder)) as there:
                seconds, delays = asyncio.run(_replay(outbox, there, life))
            outbox.close()
        rate = waited / seconds
        figures |= {
            f"replay_over_live_{life.name}": rate / life.readings_per_s,
            f"replayed_readings_per_s_{life.name}": rate,
            f"live_delay_s_{life.name}": sorted(delays)[len(delays) // 2],
            f"live_delay_s_worst_{life.name}": max(delays),
        }
    figures["replay_over_live"] = min(figures[f"replay_over_live_{life.name}"] for life in LIVES)
    return figures


def _fill(outbox: SqliteOutbox, life: Life) -> int:
    """What was read while there was no gateway; how many readings."""
    count = int(life.readings_per_s * life.outage_s)
    first = to_ms(datetime.now(UTC)) - int(life.outage_s * 1000) - 60_000
    outbox._opened().execute("PRAGMA synchronous=OFF")
    for i in range(0, count, life.in_a_batch):
        some = [_reading(n, first + int(n / life.readings_per_s * 1000)) for n in range(i, i + life.in_a_batch)]
        outbox.put(some[0].taken_at_ms(), encode(Batch(some)))
    outbox._opened().execute("PRAGMA synchronous=FULL")
    return count


def _reading(n: int, t_ms: int) -> MeterReadings:
    values: dict[str, float | None] = {name: round(100.0 + n % 977 + k, 2) for k, name in enumerate(THREE_PHASE)}
    return MeterReadings(f"meter-{n % METERS}", t_ms, values)


async def _replay(outbox: SqliteOutbox, there: Centre, life: Life) -> tuple[float, list[float]]:
    """Seconds until all history is stored while life goes on; how long each live batch took to be stored."""
    recorder, delays = Recorder(outbox, SystemClock()), list[float]()
    last = outbox.last
    async with publishing(outbox, there.broker, recorder.kept):
        began = time.perf_counter()
        living = asyncio.create_task(_live(outbox, recorder, life, delays))
        while outbox.held_from <= last:
            await asyncio.sleep(0.02)
            assert time.perf_counter() - began < 300, f"{outbox.batches} batches are left"
        seconds = time.perf_counter() - began
        await asyncio.sleep(2.0)
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
    return seconds, delays


async def _live(outbox: SqliteOutbox, recorder: Recorder, life: Life, delays: list[float]) -> None:
    """Readings as they are taken, and how long each batch stays in the outbox."""
    n = 0
    batch_s = life.in_a_batch / life.readings_per_s
    async with asyncio.TaskGroup() as watching:
        while True:
            for _ in range(life.in_a_batch):
                recorder.take(_reading(n, to_ms(datetime.now(UTC))))
                n += 1
            await recorder.flush()
            watching.create_task(_watch(outbox, outbox.last, delays))
            await asyncio.sleep(batch_s)


async def _watch(outbox: SqliteOutbox, sequence: int, delays: list[float]) -> None:
    began = time.perf_counter()
    while outbox.account(sequence, sequence)[0]:
        await asyncio.sleep(0.02)
    delays.append(time.perf_counter() - began)
