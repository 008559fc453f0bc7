"""An hour on a bus that misbehaves: whether memory stays flat, and what is read stays right. `make soak`.

32 meters at 115200 8N1, everything always due, two of them dead; a hundredth of the answers are garbled, and as many
late. A register tells whose it is, so that each value is judged. It stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import structlog

from adapters.clocks import SystemClock
from adapters.wire import MeterReadings
from benchmarks.collecting.buses import bus, ours
from collectors.decoder import compile_meter
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder
from collectors.planner import RequestCost
from edge.poll import LineWorker, Station
from energy.quantities import Medium
from energy.sites import Meter, Text

UNITS, DEAD = range(1, 33), (9, 27)
ADDRESSES = {"active_power": 100, "voltage_l1": 121}
BAUD = 115_200
DEEDS = ("garble:rate=0.01", "late:rate=0.01,by=400ms")


async def soaked(minutes: float) -> dict[str, Any]:
    """What was read and what was wrong of it; memory in each minute after the first [MB], and its growth an hour."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    reads = wrong = 0

    def sink(readings: MeterReadings) -> None:
        nonlocal reads, wrong
        reads += 1
        unit = int(readings.meter.removeprefix("unit-"))
        wrong += any(value != 1000 * unit + ADDRESSES[name] for name, value in readings.values.items())

    alive = "+".join(str(unit) for unit in UNITS if unit not in DEAD)
    with bus("--latency", "5ms", units=alive, deeds=DEEDS, baud=BAUD) as made:
        async with ours(made) as line:
            clock = SystemClock()
            stations = [_station(unit, clock) for unit in UNITS]
            task = asyncio.create_task(LineWorker(line, stations, clock, sink, lambda: None).run())
            began_cpu, memory = time.process_time(), list[float]()
            for _ in range(max(round(minutes), 2)):
                await asyncio.sleep(60 * minutes / max(round(minutes), 2))
                assert not task.done(), "the worker has ended"
                memory.append(_rss_mb())
            cpu = (time.process_time() - began_cpu) / (60 * minutes)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return {
        "soak_minutes": minutes,
        "soak_reads": reads,
        "soak_wrong_values": wrong,
        "soak_share_of_core": round(cpu, 4),
        "soak_first_mb": round(memory[0], 1),
        "soak_last_mb": round(memory[-1], 1),
        "soak_greatest_mb": round(max(memory), 1),
    }


def _station(unit: int, clock: SystemClock) -> Station:
    meter = Meter(f"unit-{unit}", Text(f"{unit}", f"Unit {unit}"), Medium.ELECTRICITY, unit=unit, interval_s=1.0)
    registers = [Register(n, (_part(address),)) for n, address in ADDRESSES.items()]
    made = Profile("soak", "Soak", "Two", Medium.ELECTRICITY, ("made",), (), 125, tuple(registers))
    return Station(meter, compile_meter(meter, made, RequestCost.rtu(BAUD, latency_s=0.005)), clock.now())


def _part(address: int) -> Part:
    return Part(Table.HOLDING, address, "uint16", WordOrder.ABCD, Fraction(1))


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collecting.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    json.dump(asyncio.run(soaked(parser.parse_args().minutes)), sys.stdout, indent=2)
    print()
