"""Polling real (simulated) meters over Modbus TCP, with a clock that is stepped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.site_files import read_site
from adapters.wire import MeterReadings
from collectors.decoder import Decoded, compile_meter
from collectors.lines.opening import open_line
from collectors.meter_profile import load_profile
from collectors.simulators.campus import read_campus
from collectors.simulators.faults import Fault, FaultKind, FaultLog
from collectors.simulators.fleet import Fleet
from edge.poll import LineWorker, Station, to_wire
from edge.schedule import next_tick
from energy.readings import Quality, Reason, to_ms
from energy.sites import Text
from tests.working_days import CHINA

pytestmark = pytest.mark.by_the_clock

CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 1, 14, 2, 0, 3, tzinfo=UTC)
LINE = "data-room"
QUIET = "data-room-main"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
async def fleet(clock: SteppedClock) -> AsyncIterator[Fleet]:
    site, _ = read_site(CONFIG / "demo.yaml")
    site = replace(
        site,
        lines=tuple(line for line in site.lines if line.id == LINE),
        meters=tuple(m for m in site.meters if m.line == LINE),
    )
    whole, _ = read_site(CONFIG / "demo.yaml")
    plant = read_campus(CONFIG / "demo-campus.yaml", whole, NOW, CHINA)
    faults = FaultLog([Fault("quiet", FaultKind.SILENT, Text("静默", "quiet"), QUIET)])
    async with Fleet(site, plant, now=clock.now, faults=faults, free_ports=True) as made:
        yield made


class Polled:
    """A worker over the data room, and what it has read."""

    def __init__(self, fleet: Fleet, clock: SteppedClock) -> None:
        self.clock, self.read = clock, list[MeterReadings]()
        self.changes = 0
        line = open_line(fleet.addresses[LINE], now=clock.now, timeout_s=0.2)
        self.stations = [
            Station(
                meter,
                compile_meter(meter, load_profile(meter.profile or ""), line.cost),
                next_tick(NOW, meter.interval_s),
            )
            for meter in fleet.site.meters
        ]
        self.worker = LineWorker(line, self.stations, clock, self.read.append, self._changed)
        self.task = asyncio.create_task(self.worker.run())

    def _changed(self) -> None:
        self.changes += 1

    async def step(self, seconds: float) -> None:
        """Let time pass second by second, and the line have its time after each."""
        for _ in range(int(seconds)):
            await self.clock.step(1.0)
            due = {s.meter.id for s in self.stations if s.due <= self.clock.now()}
            for _ in range(400):
                if not any(s.due <= self.clock.now() for s in self.stations if s.meter.id in due):
                    break
                await asyncio.sleep(0.005)

    def state(self, meter: str) -> str:
        return next(s.state.state for s in self.stations if s.meter.id == meter)


@pytest.fixture
async def polled(fleet: Fleet, clock: SteppedClock) -> AsyncIterator[Polled]:
    made = Polled(fleet, clock)
    yield made
    made.task.cancel()


async def test_every_meter_is_read_at_its_ticks(polled: Polled) -> None:
    await polled.step(60)

    main = sorted({r.taken_at for r in polled.read if r.meter == "data-room-main"})
    assert [int(t) % 5000 for t in main] == [0] * 12
    assert {r.meter for r in polled.read} == {s.meter.id for s in polled.stations}


async def test_a_reading_says_what_the_meter_showed_at_that_instant(polled: Polled, fleet: Fleet) -> None:
    await polled.step(7)

    found = next(r for r in polled.read if r.meter == "data-room-main" and "active_energy_import" in r.values)
    truth = fleet.values("data-room-main", NOW.replace(second=5))["active_energy_import"]
    resolution = next(s.meter.ct for s in polled.stations if s.meter.id == "data-room-main") * 0.01
    assert abs((found.values["active_energy_import"] or 0) - truth) <= resolution


async def test_a_silent_meter_is_told_once_and_its_neighbours_go_on(polled: Polled, fleet: Fleet) -> None:
    await polled.step(20)
    fleet.switch("quiet", on=True)
    before, told = len(polled.read), polled.changes
    await polled.step(40)

    assert polled.state(QUIET) == "silent"
    assert polled.changes == told + 1
    since = polled.read[before:]
    assert {r.meter for r in since} == {s.meter.id for s in polled.stations} - {QUIET}

    fleet.switch("quiet", on=False)
    await polled.step(130)
    assert polled.state(QUIET) == "reporting"
    assert polled.changes == told + 2


def test_a_bad_value_travels_with_its_reason() -> None:
    decoded = [
        Decoded("active_power", 1.5, Quality.GOOD, Reason.NONE),
        Decoded("voltage_l1", None, Quality.BAD, Reason.NOT_A_NUMBER),
    ]

    wire = to_wire("main", NOW, decoded)

    assert wire.taken_at == to_ms(NOW)
    assert wire.values == {"active_power": 1.5, "voltage_l1": None}
    assert {name: (f.quality, f.reason) for name, f in wire.flags.items()} == {"voltage_l1": ("bad", "not a number")}
