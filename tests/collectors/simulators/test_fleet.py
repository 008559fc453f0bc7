"""The demo site over the wire, read as an edge reads it and as a stranger does."""

from __future__ import annotations

import asyncio
import re
import shutil
import struct
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import numpy as np
import pytest

from collectors.decoder import compile_meter
from collectors.lines.line import NoAnswer
from collectors.lines.opening import open_line
from collectors.meter_profile import load_profile
from collectors.simulators.campus import Campus
from collectors.simulators.faults import FaultLog
from collectors.simulators.fleet import Fleet
from energy.errors import LineError, UnknownName
from energy.quantities import Medium
from energy.readings import to_ms
from energy.sites import Meter, Site
from tests.collectors.simulators.conftest import NOW
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock


def now() -> datetime:
    return NOW


async def read(fleet: Fleet, meter: Meter, *, timeout_s: float = 2.0) -> dict[str, float | None]:
    """Everything that the site wants of a meter, as an edge gets it."""
    assert meter.profile is not None
    assert meter.line is not None
    async with open_line(fleet.addresses[meter.line], now=now, timeout_s=timeout_s) as line:
        found: dict[str, float | None] = {}
        for plan in compile_meter(meter, load_profile(meter.profile), line.cost):
            reply = await line.read(meter.unit, plan.block)
            found |= {decoded.quantity: decoded.value for decoded in plan.decode(reply.payload)}
        return found


async def test_every_meter_of_the_demo_site_is_read_as_its_history_tells(site: Site, campus: Campus) -> None:
    async with Fleet(site, campus, now=now, free_ports=True) as fleet:
        for meter in site.meters:
            found = await read(fleet, meter)

            told = fleet.histories(meter.id, meter.quantities, np.array([to_ms(NOW)]))
            assert found == {name: values[0] for name, values in told.items()}, meter.id
            truth = fleet.values(meter.id, NOW)
            for name, value in found.items():
                assert value == pytest.approx(truth[name], rel=0.02, abs=1.2), (meter.id, name)


def test_the_demo_site_is_a_campus_of_eight_buildings_with_four_media(site: Site) -> None:
    assert (site.id, site.name.zh, len(site.places), len(site.lines)) == ("demo", "示范园区", 8, 8)
    assert 64 <= len(site.meters) <= 72
    assert {m.medium for m in site.meters} == set(Medium) - {Medium.ENVIRONMENT}
    for meter in site.meters:
        assert meter.profile is not None
        assert set(meter.quantities) <= set(load_profile(meter.profile).quantities), meter.id
        assert 4 <= len(meter.quantities) <= 10
        assert meter.headline in meter.quantities
        assert meter.interval_s == 5 or meter.parent is not None or meter.medium is Medium.GAS


async def test_a_silent_meter_gives_no_answer_and_the_next_one_does(site: Site, campus: Campus) -> None:
    async with Fleet(site, campus, now=now, faults=FaultLog(campus.faults), free_ports=True) as fleet:
        fleet.switch("silent-meter", on=True)

        with pytest.raises(NoAnswer):
            await read(fleet, site.meter("library-air-handling"), timeout_s=0.1)
        assert (await read(fleet, site.meter("library-main")))["active_power"]

        fleet.switch("silent-meter", on=False)
        assert (await read(fleet, site.meter("library-air-handling")))["active_power"]


async def test_a_fault_shows_at_once_although_registers_are_taken_on_a_grid(site: Site, campus: Campus) -> None:
    async with Fleet(site, campus, now=now, faults=FaultLog(campus.faults), free_ports=True) as fleet:
        before = (await read(fleet, site.meter("dormitory-water")))["flow_rate"]
        fleet.switch("leaking-pipe", on=True)
        after = (await read(fleet, site.meter("dormitory-water")))["flow_rate"]

    assert before is not None
    assert after == pytest.approx(before + 1.4, rel=1e-6)


async def test_a_port_that_is_taken_is_told_with_its_line_and_nothing_keeps_listening(
    site: Site, campus: Campus
) -> None:
    async with Fleet(site, campus, now=now, free_ports=True) as first:
        taken = first.addresses["canteen"]
        lines = tuple(
            replace(line, address=taken if line.id == "canteen" else "tcp://127.0.0.1:0") for line in site.lines
        )
        second = Fleet(replace(site, lines=lines), campus, now=now)

        with pytest.raises(LineError, match=r"line canteen: cannot listen on 127\.0\.0\.1"):
            await second.__aenter__()
        assert second.addresses == {}


def test_a_meter_that_is_not_simulated_is_refused(site: Site, campus: Campus) -> None:
    with pytest.raises(UnknownName, match="meter 'nobody' is not simulated"):
        Fleet(site, campus, now=now).values("nobody", NOW)


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed: apt-get install mbpoll")
async def test_a_foreign_client_reads_a_float_and_an_int64_right(site: Site, campus: Campus) -> None:
    async with Fleet(site, campus, now=now, free_ports=True) as fleet:
        volts = await mbpoll(fleet, site.meter("office-a-lighting-f1"), "3:float", 0, 1)
        words = await mbpoll(fleet, site.meter("office-a-main"), "4:hex", 3203, 4)

    (watt_hours,) = struct.unpack(">q", struct.pack(">4H", *(int(word, 16) for word in words)))
    truth = fleet.values("office-a-main", NOW)["active_energy_import"]
    assert float(volts[0]) == pytest.approx(fleet.values("office-a-lighting-f1", NOW)["voltage_l1"], abs=0.001)
    # The register holds Wh behind transformers of 120:1.
    assert watt_hours == round(truth * 1000 / 120)


async def mbpoll(fleet: Fleet, meter: Meter, of_type: str, address: int, count: int) -> list[str]:
    """What mbpoll prints of registers, by PDU addresses, words with the most significant first."""
    assert meter.line is not None
    port = urlsplit(fleet.addresses[meter.line]).port
    options = f"-m tcp -p {port} -a {meter.unit} -t {of_type} -0 -B -r {address} -c {count} -1 127.0.0.1"
    run = await asyncio.create_subprocess_exec("mbpoll", *options.split(), stdout=asyncio.subprocess.PIPE)
    printed, _ = await asyncio.wait_for(run.communicate(), PATIENCE_S)
    return re.findall(r"^\[\d+\]:\s+(\S+)", printed.decode(), re.MULTILINE)
