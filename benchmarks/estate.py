"""The real estate, once through: what was played by simulated meters against what is stored, meter by meter.

Needs recorded hours (folder in JIENENG_ESTATE, else ../shared/data/cambridge). A day is played at many times its speed
through real Modbus TCP, a real broker and the real store. Before and after that day nothing flows, so the difference of
the first and last stored register must be the energy of the day, to the register's resolution.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from adapters.broker_nats import embedded_broker
from adapters.clocks import open_clock, scaled_address
from adapters.stores import open_store
from benchmarks.parts import free_port, jieneng, until_healthy
from energy.quantities import Medium
from energy.readings import Point
from jieneng.estate import Estate, estate_words, meter_id, write_estate_site

FOLDER = Path(os.environ.get("JIENENG_ESTATE", "../shared/data/cambridge"))
START = datetime(2019, 1, 15, tzinfo=UTC)
LEAD = timedelta(minutes=20)
# kWh of iEM3155 (Wh in an int64) and m3 of the gas meter (BCD, 4 decimals); SDM630 has a float32.
_RESOLUTION = {Medium.ELECTRICITY: 0.001, Medium.GAS: 0.0001}


@dataclass(frozen=True, slots=True)
class Compared:
    """Of one meter: what was played, what is stored, the register's resolution, and how many readings there are."""

    played: float
    stored: float
    resolution: float
    readings: int

    @property
    def equal(self) -> bool:
        return abs(self.played - self.stored) <= self.resolution


def run() -> dict[str, Any]:
    if not FOLDER.is_dir():
        return {"skipped": f"no recorded hours in {FOLDER}"}
    began = time.perf_counter()
    compared = play(timedelta(hours=24), speed=360.0)
    worst = max(compared.values(), key=lambda c: abs(c.played - c.stored) / c.resolution)
    readings = [c.readings for c in compared.values()]
    return {
        "meters": len(compared),
        "meters_equal": sum(c.equal for c in compared.values()),
        "played": sum(c.played for c in compared.values()),
        "stored": sum(c.stored for c in compared.values()),
        "worst_difference_in_resolutions": abs(worst.played - worst.stored) / worst.resolution,
        "readings_per_meter_min": min(readings),
        "readings_per_meter_max": max(readings),
        "took_s": time.perf_counter() - began,
    }


def play(duration: timedelta, *, speed: float, first_port: int = 15301) -> Mapping[str, Compared]:
    """Play the estate from START on, through everything, and compare."""
    with tempfile.TemporaryDirectory(prefix="jieneng-estate-") as name:
        folder = Path(name)
        estate = Estate(FOLDER, START, play_from=START, play_to=START + duration)
        site = folder / "site.yaml"
        write_estate_site(estate_words(estate.recordings, first_port=first_port), site)
        _run(folder, site, START + duration + LEAD, speed, duration)
        return asyncio.run(_compare(folder, estate))


def _run(folder: Path, site: Path, until: datetime, speed: float, duration: timedelta) -> None:
    broker, port = free_port(), free_port()
    clock = scaled_address(START - LEAD, speed)
    common = ["--site", str(site), "--clock", clock]
    served = ["--data", str(folder), "--bus", f"mqtt://127.0.0.1:{broker}"]
    played = ["--play-from", START.isoformat(), "--play-to", (START + duration).isoformat()]
    with ExitStack() as stack:
        stack.enter_context(embedded_broker(folder / "broker", broker))
        stack.enter_context(jieneng(["simulate", *common, "--data", str(FOLDER), *played], folder / "simulate.log"))
        gateway = ["gateway", "--accounts", "off", *common, *served, "--listen", f"127.0.0.1:{port}"]
        stack.enter_context(jieneng(gateway, folder / "gateway.log"))
        until_healthy(port)
        with jieneng(["edge", *common, *served, "--edge", "estate"], folder / "edge.log"):
            now = open_clock(clock).now
            assert now() < START, "the processes took longer to start than the clock gives them"
            time.sleep((until - now()).total_seconds() / speed)
        time.sleep(2.0)  # the last batches are on their way


async def _compare(folder: Path, estate: Estate) -> dict[str, Compared]:
    made: dict[str, Compared] = {}
    async with open_store(f"duckdb:{folder / 'readings.duckdb'}") as store:
        for recording in estate.recordings:
            meter = meter_id(recording)
            counter = "volume_standard" if recording.medium is Medium.GAS else "active_energy_import"
            found = await store.readings([Point(meter, counter)], 0, 10**14)
            assert len(found), f"no readings of {meter}"
            played = float(np.sum(estate.played(meter)[1]))
            stored = float(found.value[-1] - found.value[0])
            # A float32 register resolves what is left of its 24 bits.
            resolution = max(_RESOLUTION[recording.medium], float(np.spacing(np.float32(found.value[-1]))))
            made[meter] = Compared(played, stored, resolution, len(found))
    return made
