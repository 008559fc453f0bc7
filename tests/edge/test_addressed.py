"""A site of meters that speak Modbus RTU, DL/T 645 and CJ/T 188 on one serial line, read as the edge reads it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
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
from edge.poll import LineWorker, Station
from edge.schedule import next_tick
from energy.readings import to_ms
from jieneng.composition import load_installed
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

NOW = datetime(2026, 1, 14, 2, 0, 3, tzinfo=UTC)
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: bus, address: "rtu+tcp://127.0.0.1:4001?baud=2400&parity=E"}
meters:
  - {id: power, name: {zh: 电, en: Power}, medium: electricity, line: bus, profile: dlt645/three-phase, ct: 40,
     address: "000123456789", read: [active_power, active_energy_import, voltage_l1, voltage_l2], every: 5s}
  - {id: water, name: {zh: 水, en: Water}, medium: water, line: bus, profile: cjt188/water-2018,
     address: "78330011223344", every: 5s}
  - {id: heat, name: {zh: 热, en: Heat}, medium: heat, line: bus, profile: cjt188/heat-2004, address: "00000040314132",
     every: 5s}
  - {id: modbus, name: {zh: 表, en: Meter}, medium: electricity, line: bus, unit: 7, profile: eastron/sdm630,
     read: [active_power], every: 5s}
"""


async def test_meters_of_three_protocols_on_one_line_say_what_they_show(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(SITE, encoding="utf-8")
    site = load_installed(file).site
    hours = np.array([to_ms(NOW) // HOUR_MS * HOUR_MS + i * HOUR_MS for i in range(-2, 3)], dtype=np.int64)
    plant = Recording({m.id: recorded_course(hours, np.full(5, 12.0), register=100.0) for m in site.meters})
    clock, read = SteppedClock(NOW), list[MeterReadings]()

    async with (
        Fleet(site, plant, now=clock.now, free_ports=True) as fleet,
        open_line(fleet.addresses["bus"], now=clock.now) as line,
    ):
        stations = [
            Station(m, compile_make(m, load_make(m.profile or ""), line.cost, clock.now), next_tick(NOW, 5.0))
            for m in site.meters
        ]
        worker = asyncio.create_task(LineWorker(line, stations, clock, read.append, lambda: None).run())
        await clock.step(2.0)
        async with asyncio.timeout(PATIENCE_S):
            while {s.state.state for s in stations} != {"reporting"}:
                await asyncio.sleep(0.01)
        worker.cancel()
        tick = to_ms(NOW.replace(second=5))
        for meter in site.meters:
            told = {name: value for r in read if r.meter == meter.id for name, value in r.values.items()}
            shown = fleet.histories(meter.id, meter.quantities, np.array([tick], dtype=np.int64))
            assert told == {name: values[0] for name, values in shown.items()}, meter.id
            assert not any(r.flags for r in read)
