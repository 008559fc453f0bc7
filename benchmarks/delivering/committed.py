"""Readings of 8 values a second from an edge's outbox over Mosquitto at QoS 1 into the store, and answered."""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from adapters.clocks import SystemClock
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import MeterReadings
from benchmarks.delivering.installed import Centre, centre, publishing
from benchmarks.parts import THREE_PHASE
from benchmarks.pipeline import METERS, site_file
from edge.record import Recorder
from energy.readings import to_ms

READINGS = 200_000


def run(readings: int = READINGS) -> dict[str, Any]:
    """Everything on one machine; what each process took of the processors tells what bounds it."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        folder = Path(name)
        outbox = SqliteOutbox(folder / "outbox.sqlite")
        asyncio.run(_fill(outbox, readings))
        with centre(folder, site_file(folder)) as there:
            before = there.cpu_s()
            seconds = asyncio.run(_drain(outbox, there))
            took = {name: cpu - before[name] for name, cpu in there.cpu_s().items()}
            stored = there.stored_values()
        outbox.close()
    assert stored == readings * len(THREE_PHASE), f"{stored} of {readings * len(THREE_PHASE)} stored"
    per_100k = {f"{name}_cpu_s_per_100k_readings": cpu * 100_000 / readings for name, cpu in took.items()}
    # On two cores and nothing else to do, the process that works most is the bound, unless all together are.
    bound = max(max(took.values()), sum(took.values()) / 2)
    return {
        "committed_readings_per_s": readings / seconds,
        "committed_readings_per_s_on_two_free_cores": readings / bound,
        "bound_by": max(took, key=lambda name: took[name]),
        **per_100k,
    }


async def _fill(outbox: SqliteOutbox, readings: int) -> None:
    """Readings as an edge takes them: sixty meters, a second apart, through its own recorder."""
    recorder = Recorder(outbox, SystemClock())
    first = to_ms(datetime.now(UTC)) - readings // METERS * 1000 - 60_000
    random = np.random.default_rng(1)
    for i in range(readings):
        values = dict(zip(THREE_PHASE, random.random(len(THREE_PHASE)).round(3).tolist(), strict=True))
        recorder.take(MeterReadings(f"meter-{i % METERS}", first + i // METERS * 1000, values))
        if i % 5000 == 4999:
            await recorder.flush()
    await recorder.flush()


async def _drain(outbox: SqliteOutbox, there: Centre) -> float:
    began = time.perf_counter()
    async with publishing(outbox, there.broker, asyncio.Event()):
        began = time.perf_counter()
        while outbox.batches:
            await asyncio.sleep(0.01)
            assert time.perf_counter() - began < 300, f"{outbox.batches} batches are left"
        return time.perf_counter() - began
