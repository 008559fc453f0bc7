"""The real estate, once through: what was played by simulated meters against what is stored, meter by meter.

Needs recorded hours (folder in JIENENG_ESTATE, else ../shared/data/cambridge). A day is played at many times its speed
through real Modbus TCP, a real broker and the real store. Before and after that day nothing flows, so the difference of
the first and last stored register must be the energy of the day, to the register's resolution.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from adapters.broker_nats import embedded_broker
from adapters.clocks import open_clock, scaled_address
from adapters.stores import open_store
from benchmarks.parts import free_port, free_ports, jieneng, until, until_healthy
from energy.quantities import Medium
from energy.readings import Point
from jieneng.estate import METERS_PER_LINE, Estate, estate_words, meter_id, write_estate_site

FOLDER = Path(os.environ.get("JIENENG_ESTATE", "../shared/data/cambridge"))
START = datetime(2019, 1, 15, tzinfo=UTC)
# For the processes to start in, in seconds of the machine's own clock: a busy machine is given more.
_LEADS_S = (10.0, 60.0, 300.0)
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


class StartedLateError(Exception):
    """The day had begun before every meter was read once: nothing can be said of it."""


def play(duration: timedelta, *, speed: float, every: str = "60s") -> Mapping[str, Compared]:
    """Play the estate from START on, through everything, each meter read so often, and compare; StartedLateError on
    too slow a machine."""
    for lead_s in _LEADS_S:
        with tempfile.TemporaryDirectory(prefix="jieneng-estate-") as name, suppress(StartedLateError):
            folder = Path(name)
            estate = Estate(FOLDER, START, play_from=START, play_to=START + duration)
            site = folder / "site.yaml"
            first_port = free_ports(-(-len([*estate.recordings]) // METERS_PER_LINE))
            write_estate_site(estate_words(estate.recordings, every=every, first_port=first_port), site)
            _run(folder, site, estate, speed, duration, lead_s)
            return asyncio.run(_compare(folder, estate))
    raise StartedLateError(f"not every meter was read within {_LEADS_S[-1]:g} s of the start")


def _run(folder: Path, site: Path, estate: Estate, speed: float, duration: timedelta, lead_s: float) -> None:
    broker, port = free_port(), free_port()
    clock = scaled_address(START - timedelta(seconds=lead_s * speed), speed)
    common = ["--site", str(site), "--clock", clock]
    served = ["--data", str(folder), "--bus", f"mqtt://127.0.0.1:{broker}"]
    played = ["--play-from", START.isoformat(), "--play-to", (START + duration).isoformat()]
    counters = {f"{meter_id(recording)}:{_counter(recording.medium)}" for recording in estate.recordings}
    with ExitStack() as stack:
        stack.enter_context(embedded_broker(folder / "broker", broker))
        stack.enter_context(jieneng(["simulate", *common, "--data", str(FOLDER), *played], folder / "simulate.log"))
        gateway = ["gateway", "--accounts", "off", *common, *served, "--listen", f"127.0.0.1:{port}"]
        stack.enter_context(jieneng(gateway, folder / "gateway.log"))
        until_healthy(port)
        with jieneng(["edge", *common, *served, "--edge", "estate"], folder / "edge.log"):
            until(lambda: counters <= _heard_since(port, datetime.min.replace(tzinfo=UTC)), "the first readings")
            now = open_clock(clock).now()
            if now >= START:
                raise StartedLateError
            time.sleep((START + duration - now).total_seconds() / speed)
            until(lambda: counters <= _heard_since(port, START + duration), "the last readings")


def _heard_since(port: int, instant: datetime) -> set[str]:
    """The points whose newest reading was taken at the instant or after it."""
    with urlopen(f"http://127.0.0.1:{port}/api/v1/latest", timeout=60) as answer:
        latest = json.loads(answer.read())["latest"]
    return {one["point"] for one in latest if one["taken_at"] >= instant.timestamp() * 1000}


def _counter(medium: Medium) -> str:
    return "volume_standard" if medium is Medium.GAS else "active_energy_import"


async def _compare(folder: Path, estate: Estate) -> dict[str, Compared]:
    made: dict[str, Compared] = {}
    async with open_store(f"duckdb:{folder / 'readings.duckdb'}") as store:
        for recording in estate.recordings:
            meter = meter_id(recording)
            found = await store.readings([Point(meter, _counter(recording.medium))], 0, 10**14)
            assert len(found), f"no readings of {meter}"
            played = float(np.sum(estate.played(meter)[1]))
            stored = float(found.value[-1] - found.value[0])
            # A float32 register resolves what is left of its 24 bits.
            resolution = max(_RESOLUTION[recording.medium], float(np.spacing(np.float32(found.value[-1]))))
            made[meter] = Compared(played, stored, resolution, len(found))
    return made
