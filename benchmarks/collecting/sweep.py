"""Sweeps over a bus of 32 meters, all alive or some of them dead, as the edge's worker polls them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import pairwise
from statistics import median

import structlog

from adapters.clocks import SystemClock
from adapters.wire import MeterReadings
from benchmarks.collecting.buses import BAUD, Bus, bus, ours
from collectors.decoder import BlockPlan
from collectors.lines.line import Line
from collectors.meter_profile import Table
from collectors.planner import Block, RequestCost
from edge.poll import LineWorker, Station
from energy.quantities import Medium
from energy.sites import Meter, Text

UNITS = range(1, 33)
# Address and count; 20 ms latency.
BLOCKS = ((0, 18), (100, 22))
DEAD: dict[str, tuple[int, ...]] = {"all_alive": (), "one_dead": (9,), "three_dead": (5, 9, 27)}
LATENCY_S = 0.02
SWEEPS, LONGEST_S = 5, 45.0


def bound_s() -> float:
    """What arithmetic says: each request at its own cost, all meters alive."""
    cost = RequestCost.rtu(BAUD, latency_s=LATENCY_S)
    return len(UNITS) * sum(cost.of(count) for _, count in BLOCKS)


def sweep_bus(dead: Sequence[int]) -> AbstractContextManager[Bus]:
    """The bus without its dead meters."""
    alive = "+".join(str(unit) for unit in UNITS if unit not in dead)
    return bus("--latency", f"{LATENCY_S * 1000:g}ms", units=alive)


async def ours_sweeps(dead: Sequence[int]) -> dict[str, float]:
    """The edge's own worker, everything always due: how long a sweep takes, the median after the first, and others.

    A sweep ends when every living meter has been read once more. The first is that in which the line gets to know them;
    `again_first_s` is the first of another line that was told what this one knew.
    """
    # What falls silent is counted; on standard output stands the figures' object alone.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with sweep_bus(dead) as made:
        async with ours(made) as line:
            taken, cpu = await _swept(line, dead, SWEEPS)
            known = line.timings()
        async with ours(made) as line:
            for station, timing in known.items():
                line.recall(station, timing)
            again, _ = await _swept(line, dead, 1)
    assert len(taken) > 1, f"{made.terminal}: not even two sweeps within {LONGEST_S} s; dead are {dead}"
    figures = {"s": median(taken[1:]), "longest_s": max(taken[1:]), "first_s": taken[0], "again_first_s": again[0]}
    return {key: round(value, 3) for key, value in figures.items()} | ({} if dead else {"share_of_core": round(cpu, 4)})


async def _swept(line: Line, dead: Sequence[int], sweeps: int) -> tuple[list[float], float]:
    """How long each sweep took [s], and the share of a core that all of them took."""
    ends: list[float] = []
    alive = [unit for unit in UNITS if unit not in dead]
    read: Counter[str] = Counter()

    def sink(readings: MeterReadings) -> None:
        read[readings.meter] += 1
        if min(read[f"unit-{unit}"] for unit in alive) == len(BLOCKS) * (len(ends) + 1):
            ends.append(time.perf_counter())

    clock = SystemClock()
    worker = LineWorker(line, [_station(unit, clock.now()) for unit in UNITS], clock, sink, lambda: None)
    began, began_cpu = time.perf_counter(), time.process_time()
    task = asyncio.create_task(worker.run())
    while len(ends) < sweeps and time.perf_counter() < began + LONGEST_S:
        await asyncio.sleep(0.1)
    cpu = (time.process_time() - began_cpu) / (time.perf_counter() - began)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return [later - earlier for earlier, later in pairwise([began, *ends])], cpu


def _station(unit: int, due: datetime) -> Station:
    """A meter of two blocks that is always due; nothing is decoded of it."""
    meter = Meter(f"unit-{unit}", Text(f"{unit}", f"Unit {unit}"), Medium.ELECTRICITY, unit=unit, interval_s=1.0)
    blocks = [Block(Table.HOLDING, address, count) for address, count in BLOCKS]
    return Station(meter, [BlockPlan(block, lambda _: (), ()) for block in blocks], due)
