"""The meters' own clocks, looked at between readings and compared with the edge's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from adapters.clocks import SteppedClock
from adapters.wire import MeterReadings
from collectors.lines.opening import open_line
from collectors.makes import compile_make, load_make
from collectors.simulators.course import HOUR_MS
from collectors.simulators.fleet import Fleet
from collectors.simulators.recorded import Recording, recorded_course
from edge.clock import EdgeClock
from edge.meter_clocks import clock_of
from edge.poll import LineWorker, Station
from energy.readings import to_ms
from jieneng.composition import load_installed
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

NOW = datetime(2026, 1, 14, 2, 0, 1, tzinfo=UTC)
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: bus, address: "rtu+tcp://127.0.0.1:4001?baud=9600&parity=E"}
meters:
  - {id: right, name: {zh: 准, en: Right}, medium: electricity, line: bus, profile: dlt645/three-phase,
     address: "000123456789", read: [active_power], every: EVERY}
  - {id: wrong, name: {zh: 快, en: Fast}, medium: electricity, line: bus, profile: dlt645/three-phase,
     address: "000123456790", read: [active_power], every: EVERY}
  - {id: modbus, name: {zh: 表, en: Meter}, medium: electricity, line: bus, unit: 7, profile: eastron/sdm630,
     read: [active_power], every: EVERY}
"""


class Read:
    """A site over real wires, read by a clock that is stepped."""

    def __init__(self, folder: Path, every: str) -> None:
        file = folder / "site.yaml"
        file.write_text(SITE.replace("EVERY", every), encoding="utf-8")
        self.site = load_installed(file).site
        hours = np.array([to_ms(NOW) // HOUR_MS * HOUR_MS + i * HOUR_MS for i in range(-2, 6)], dtype=np.int64)
        plant = Recording({m.id: recorded_course(hours, np.full(8, 12.0), register=100.0) for m in self.site.meters})
        self.machine = SteppedClock(NOW)
        self.clock = EdgeClock(self.machine)
        self.fleet = Fleet(self.site, plant, now=self.machine.now, free_ports=True)
        self.read: list[MeterReadings] = []
        self.stations: list[Station] = []

    def drifts(self) -> dict[str, int | None]:
        return {s.meter.id: s.state.clock_drift_ms for s in self.stations}

    async def run(self) -> AsyncIterator[None]:
        async with self.fleet, open_line(self.fleet.addresses["bus"], now=self.clock.now) as line:
            for m in self.site.meters:
                make = load_make(m.profile or "")
                plans = compile_make(m, make, line.cost, self.clock.now)
                tick = self.clock.next_tick(self.clock.now(), m.interval_s)
                self.stations.append(Station(m, plans, tick, clock=clock_of(m, make, self.site.zone)))
            worker = LineWorker(line, self.stations, self.clock, self.read.append, lambda: None)
            task = asyncio.create_task(worker.run())
            yield
            task.cancel()

    async def until(self, reached: Callable[[], bool]) -> None:
        """A busy machine may lose an answer, which is asked for again a second of the stepped clock later."""
        async with asyncio.timeout(PATIENCE_S):
            for turn in count(1):
                if reached():
                    return
                await asyncio.sleep(0.01)
                if turn % 50 == 0:
                    await self.machine.step(1)


@pytest.fixture
async def minutely(tmp_path: Path) -> AsyncIterator[Read]:
    made = Read(tmp_path, "1min")
    made.fleet.clocks_ahead["wrong"] = timedelta(minutes=7)
    async for _ in made.run():
        yield made


async def test_the_drift_of_each_meter_that_has_a_clock_is_told_to_half_a_second(minutely: Read) -> None:
    assert minutely.drifts() == dict.fromkeys(("right", "wrong", "modbus"))
    await minutely.machine.step(59)

    # The clocks stand while they are asked, and a clock that shows whole seconds is half a second further on average.
    await minutely.until(lambda: minutely.drifts() == {"right": 500, "wrong": 420_500, "modbus": None})
    assert len(minutely.read) >= 3

    minutely.fleet.clocks_ahead["wrong"] = timedelta(minutes=-1)
    await minutely.machine.step(1800)
    await minutely.until(lambda: len(minutely.read) >= 6)
    assert minutely.drifts()["wrong"] == 420_500
    await minutely.machine.step(1800)
    await minutely.until(lambda: minutely.drifts() == {"right": 500, "wrong": -59_500, "modbus": None})


async def test_where_readings_leave_no_room_no_clock_is_looked_at(tmp_path: Path) -> None:
    busy = Read(tmp_path, "2s")
    async for _ in busy.run():
        for tick in range(1, 11):
            await busy.machine.step(2)
            await busy.until(lambda wanted=3 * tick: len(busy.read) >= wanted)  # type: ignore[misc]
        await asyncio.sleep(0.2)

    assert set(busy.drifts().values()) == {None}


async def test_what_a_meter_shows_while_the_edges_own_clock_is_in_doubt_says_nothing(minutely: Read) -> None:
    minutely.machine.set_by(3600)
    minutely.clock.look()
    await minutely.machine.step(59)
    await minutely.until(lambda: len(minutely.read) >= 3)
    await asyncio.sleep(0.3)
    assert set(minutely.drifts().values()) == {None}

    minutely.machine.disciplined = True
    minutely.clock.look()
    await minutely.machine.step(60)
    # The simulated meters go by the machine: their clocks were set with it.
    await minutely.until(lambda: minutely.drifts() == {"right": 500, "wrong": 420_500, "modbus": None})
