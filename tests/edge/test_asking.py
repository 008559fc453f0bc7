"""A meter with holes is learnt through the line, in the first cycle, and known after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.learnt_files import LearntFiles
from adapters.wire import MeterReadings
from collectors.decoder import Values
from collectors.lines.line import Line, Refused
from collectors.lines.modbus_tcp import open_line
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder
from collectors.planner import RequestCost
from collectors.simulators.modbus_server import ModbusServer
from collectors.simulators.registers import Image, Images
from edge.asking import Asking
from edge.poll import LineWorker, Station, as_readings
from energy.quantities import Medium
from energy.readings import Reason
from energy.sites import Meter, Text

NOW = datetime(2026, 1, 14, 2, 0, tzinfo=UTC)
ADDRESSES = {"voltage_l1": 0, "voltage_l2": 1, "current_l1": 4, "current_l2": 5, "frequency": 6, "power_factor": 9}
METER = Meter("main", Text("总表", "Main"), Medium.ELECTRICITY, line="plant", unit=3)
PROFILE = Profile(
    "x/y",
    "x",
    "y",
    Medium.ELECTRICITY,
    ("test",),
    (),
    125,
    tuple(
        Register(name, (Part(Table.HOLDING, address, "uint16", WordOrder.ABCD, Fraction(1)),))
        for name, address in ADDRESSES.items()
    ),
)


@dataclass(frozen=True)
class _Holed(Image):
    """Registers some of which nobody may touch: a request over one is refused as an illegal address."""

    missing: frozenset[int] = frozenset()

    def read(self, address: int, count: int) -> bytes | None:
        if self.missing & set(range(address, address + count)):
            return None
        return super().read(address, count)


@dataclass
class Slave:
    """A unit of which every register holds its own address."""

    missing: frozenset[int]
    max_registers: int = 125
    asked: int = 0
    words: bytes = field(default=b"".join(a.to_bytes(2, "big") for a in range(12)))

    def images(self) -> Images | None:
        self.asked += 1
        return {Table.HOLDING: _Holed(0, self.words, self.missing)}


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
async def line_to(clock: SteppedClock) -> AsyncIterator[Callable[[Slave], object]]:
    """Lines to slaves, which are closed at the end."""
    servers: list[ModbusServer] = []
    lines: list[Line] = []

    async def made(slave: Slave) -> Line:
        server = ModbusServer({METER.unit: slave})
        await server.start()
        servers.append(server)
        lines.append(open_line(f"tcp://{server.host}:{server.port}", now=clock.now, timeout_s=1.0))
        return lines[-1]

    yield made
    for line in lines:
        await line.close()
    for server in servers:
        await server.stop()


async def cycle(asking: Asking, line: Line, clock: SteppedClock) -> Values:
    values: dict[str, float | None] = {}
    bad: dict[str, Reason] = {}
    async for _, found in asking.sweep(line, clock):
        values |= found.values
        bad |= found.bad
    return Values(values, bad)


async def test_a_refused_request_is_asked_in_pieces_until_all_that_is_there_was_read(
    clock: SteppedClock, line_to: Callable[[Slave], object], tmp_path: Path
) -> None:
    slave = Slave(frozenset({2, 5}))
    line = await line_to(slave)  # type: ignore[misc]
    asking = Asking(METER, PROFILE, RequestCost(20, 1), LearntFiles(tmp_path))

    found = await cycle(asking, line, clock)

    assert found.values == {name: a for name, a in ADDRESSES.items() if a != 5} | {"current_l2": None}
    assert found.bad == {"current_l2": Reason.UNSUPPORTED}

    # Started anew it knows: three requests, none of them refused.
    slave.asked = 0
    again = Asking(METER, PROFILE, RequestCost(20, 1), LearntFiles(tmp_path))
    assert (await cycle(again, line, clock)).bad == found.bad
    assert slave.asked == len(again.plans(0)) == 3


async def test_what_was_learnt_of_one_meter_is_not_believed_of_another_in_its_place(tmp_path: Path) -> None:
    files = LearntFiles(tmp_path)
    first = Asking(METER, PROFILE, RequestCost(20, 1), files)
    [whole] = first.plans(0)
    assert first.refused(whole.block, 2, 0)
    for plan in list(first.refused(whole.block, 2, 0) or ()):
        first.answered(plan.block)
    files.write("main", b'{"profile": "x/y", "line": "plant", "unit": 4, "longest": 2}')

    assert len(Asking(METER, PROFILE, RequestCost(20, 1), files).plans(0)) == 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"profile": 3}', b'{"profile": "x/y", "line": "plant"}'])
def test_a_file_that_cannot_be_understood_is_as_none(tmp_path: Path, content: bytes) -> None:
    files = LearntFiles(tmp_path)
    files.write("main", content)

    assert len(Asking(METER, PROFILE, RequestCost(20, 1), files).plans(0)) == 1


@pytest.mark.parametrize("code", [4, 6, 11])
def test_a_busy_or_broken_meter_says_nothing_of_its_registers(code: int) -> None:
    asking = Asking(METER, PROFILE, RequestCost(20, 1))
    [whole] = asking.plans(0)

    assert asking.refused(whole.block, code, 0) is None
    assert asking.unsupported() == Values({}, {})


async def test_a_meter_that_refuses_everything_is_told_as_failing(
    clock: SteppedClock, line_to: Callable[[Slave], object]
) -> None:
    line = await line_to(Slave(frozenset(range(12))))  # type: ignore[misc]

    with pytest.raises(Refused, match="illegal data address"):
        await cycle(Asking(METER, PROFILE, RequestCost(20, 1)), line, clock)


async def test_the_worker_sends_the_missing_point_as_bad_and_its_neighbours_as_they_are(
    clock: SteppedClock, line_to: Callable[[Slave], object]
) -> None:
    line = await line_to(Slave(frozenset({5})))  # type: ignore[misc]
    read: list[MeterReadings] = []
    station = Station(METER, (), NOW + timedelta(seconds=60), Asking(METER, PROFILE, RequestCost(20, 1)))
    worker = LineWorker(line, [station], clock, read.append, lambda: None)

    await worker._read(station)

    values = {name: value for r in read for name, value in r.values.items()}
    assert values == {name: a if a != 5 else None for name, a in ADDRESSES.items()}
    assert [(name, f.quality, f.reason) for r in read for name, f in r.flags.items()] == [
        ("current_l2", "bad", "unsupported by the meter")
    ]
    assert station.state.state == "reporting"


def test_what_a_reply_said_travels_with_its_reasons() -> None:
    sent = as_readings("main", NOW, Values({"voltage_l1": 230.0, "frequency": None}, {"frequency": Reason.SENTINEL}))

    assert sent.values == {"voltage_l1": 230.0, "frequency": None}
    assert {name: f.reason for name, f in sent.flags.items()} == {"frequency": "sentinel"}
