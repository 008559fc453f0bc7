"""A running edge takes orders to write by a socket in its data folder, and judges them by its own site file."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.clocks import SystemClock
from collectors.lines.opening import open_line
from collectors.meter_profile import Profile, Setting, WordOrder
from collectors.simulators.bus.contents import contents_of
from collectors.simulators.bus.hosts import ModbusTcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.modbus_slave import Mbap, ModbusSlave
from collectors.simulators.bus.wire import Wire
from collectors.simulators.bus.written import Written
from edge.asking import Asking
from edge.control import Asked, Control, Told, asked_of_edge, control_socket, write_log
from edge.poll import LineWorker, Station
from edge.schedule import Round
from energy.quantities import Medium
from energy.sites import Meter, Text
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

SETTING = Setting("ct", 6, 4, "uint16", WordOrder.ABCD, Fraction(1), Decimal(1), Decimal(5000), "A")
PROFILE = Profile("ex/ex", "Ex", "EX", Medium.ELECTRICITY, ("manual",), (), 125, (), writable=(SETTING,))
METER = Meter("main", Text("", ""), Medium.ELECTRICITY, line="l", unit=3, writable={"ct": (Decimal(1), Decimal(300))})


@asynccontextmanager
async def controlled(data: Path) -> AsyncIterator[Written]:
    """An edge of one meter, as far as it is needed here."""
    written = Written([SETTING])
    slave = ModbusSlave(3, contents_of(3, [], now=lambda: datetime.now(UTC)), Mbap(), written)
    meters = Meters([slave], latency=Latency(0.0))
    clock = SystemClock()
    async with (
        ModbusTcpHost(meters, lambda station: Wire(station, None)) as host,
        open_line(f"tcp://{host.address}", now=clock.now) as line,
    ):
        station = Station(METER, [], clock.now(), [Round(60.0, [], clock.now())], Asking(METER, PROFILE))
        worker = LineWorker(line, [station], clock, lambda readings: None, lambda: None)
        task = asyncio.create_task(Control(data, "north", {"l": worker}, clock).run())
        while not control_socket(data, "north").exists():
            await asyncio.sleep(0.005)
        yield written
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(data: Path, do: str, value: str, meter: str = "main", setting: str = "ct") -> Told:
    said = await asked_of_edge(
        control_socket(data, "north"), Asked("show" if do == "show" else "write", meter, setting, value, "wang")
    )
    assert said is not None
    return said


async def test_it_shows_writes_and_notes_who_wrote_what(tmp_path: Path) -> None:
    async with controlled(tmp_path) as written:
        assert (await told(tmp_path, "show", "200")).old == 1
        outcome = (await told(tmp_path, "write", "200")).outcome

        assert outcome is not None
        assert (outcome.old, outcome.read_back, outcome.holds) == (Decimal(1), Decimal(200), True)
        assert written.registers == {4: 200}
    lines = [json.loads(line) for line in write_log(tmp_path, "north").file.read_text().splitlines()]
    assert [(n["event"], n["who"], n["meter"], n["setting"], n["new"], n["old"]) for n in lines] == [
        ("begun", "wang", "main", "ct", "200", "1"),
        ("ended", "wang", "main", "ct", "200", "1"),
    ]
    assert (lines[1]["read_back"], lines[1]["holds"]) == ("200", True)


@pytest.mark.parametrize(
    ("meter", "setting", "value", "words"),
    [
        ("main", "ct", "301", "ct of meter main may be 1 to 300 A, not 301"),
        ("main", "relay", "1", "relay of meter main is not switched on for writing"),
        ("other", "ct", "5", "the running edge reads no meter 'other'"),
    ],
)
async def test_what_its_site_file_does_not_allow_is_refused(
    tmp_path: Path, meter: str, setting: str, value: str, words: str
) -> None:
    async with controlled(tmp_path) as written:
        said = await told(tmp_path, "write", value, meter, setting)

        assert said.error is not None
        assert words in said.error
        assert written.registers == {4: 1}
    assert not write_log(tmp_path, "north").file.exists()


async def test_nothing_is_written_that_cannot_be_noted(tmp_path: Path) -> None:
    (tmp_path / "written").write_text("in the way")
    async with controlled(tmp_path) as written:
        said = await told(tmp_path, "write", "200")

        assert said.error is not None
        assert "so nothing was written" in said.error
        assert written.registers == {4: 1}


async def test_only_its_owner_may_come_in_and_it_is_gone_with_the_edge(tmp_path: Path) -> None:
    socket = control_socket(tmp_path, "north")
    async with controlled(tmp_path):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        reader, writer = await asyncio.open_unix_connection(str(socket))
        writer.write(b"{}\n")
        assert b"not understood" in await reader.readline()
        writer.close()
    assert not socket.exists()
    assert await asked_of_edge(socket, Asked("show", "main", "ct", "1", "wang")) is None


async def test_an_edge_whose_folder_is_too_deep_for_a_socket_goes_on_without(tmp_path: Path) -> None:
    await asyncio.wait_for(Control(tmp_path / ("x" * 120), "north", {}, SystemClock()).run(), PATIENCE_S)
