"""A meter with holes is learnt through the line, in the first cycle, and known after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.learnt_files import LearntFiles
from adapters.wire import MeterReadings
from collectors.decoder import BlockPlan, Values
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder
from collectors.planner import RequestCost
from collectors.simulators.modbus_server import ModbusServer
from collectors.simulators.registers import Image, Images
from edge.asking import Asking
from edge.poll import LineWorker, Station, as_readings
from edge.schedule import Round
from energy.quantities import Medium
from energy.readings import Reason, to_ms
from energy.sites import Meter, Text

pytestmark = pytest.mark.by_the_clock

COST = RequestCost(20, 1)
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


def plans(asking: Asking, now_ms: int = 0) -> Sequence[BlockPlan]:
    return asking.plans((), COST, now_ms)


async def cycle(asking: Asking, line: Line, clock: SteppedClock) -> Values:
    """One round as the worker of the line makes it."""
    read: list[MeterReadings] = []

    def compiled(cost: RequestCost) -> Sequence[BlockPlan]:
        return asking.plans((), cost, to_ms(clock.now()))

    station = Station(METER, (), NOW, [Round(60.0, compiled(COST), NOW, compiled, COST)], asking)
    worker = LineWorker(line, [station], clock, read.append, lambda: None)
    await worker._read(station, station.rounds[0])
    assert (station.state.state == "reporting") == bool(read)
    flags = {name: Reason(flag.reason) for r in read for name, flag in r.flags.items()}
    assert all(f.quality == "bad" for r in read for f in r.flags.values())
    return Values({name: value for r in read for name, value in r.values.items()}, flags)


async def test_a_refused_request_is_asked_in_pieces_until_all_that_is_there_was_read(
    clock: SteppedClock, line_to: Callable[[Slave], object], tmp_path: Path
) -> None:
    slave = Slave(frozenset({2, 5}))
    line = await line_to(slave)  # type: ignore[misc]
    asking = Asking(METER, PROFILE, LearntFiles(tmp_path))

    found = await cycle(asking, line, clock)

    assert found.values == {name: a for name, a in ADDRESSES.items() if a != 5} | {"current_l2": None}
    assert found.bad == {"current_l2": Reason.UNSUPPORTED}

    # Started anew it knows: three requests, none of them refused.
    slave.asked = 0
    again = Asking(METER, PROFILE, LearntFiles(tmp_path))
    assert (await cycle(again, line, clock)).bad == found.bad
    assert slave.asked == len(plans(again, to_ms(NOW))) == 3


async def test_what_was_learnt_of_one_meter_is_not_believed_of_another_in_its_place(tmp_path: Path) -> None:
    files = LearntFiles(tmp_path)
    first = Asking(METER, PROFILE, files)
    [whole] = plans(first)
    assert first.refused(whole.block, 2, 0)
    for plan in first.refused(whole.block, 2, 0):
        first.answered(plan.block)
    files.write("main", b'{"profile": "x/y", "line": "plant", "unit": 4, "longest": 2}')

    assert len(plans(Asking(METER, PROFILE, files))) == 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"profile": 3}', b'{"profile": "x/y", "line": "plant"}'])
def test_a_file_that_cannot_be_understood_is_as_none(tmp_path: Path, content: bytes) -> None:
    files = LearntFiles(tmp_path)
    files.write("main", content)

    assert len(plans(Asking(METER, PROFILE, files))) == 1


@pytest.mark.parametrize("code", [4, 6, 11])
def test_a_busy_or_broken_meter_says_nothing_of_its_registers(code: int) -> None:
    asking = Asking(METER, PROFILE)
    [whole] = plans(asking)

    assert asking.refused(whole.block, code, 0) == []
    assert asking.unsupported(()) is None


async def test_a_meter_that_refuses_everything_reports_nothing(
    clock: SteppedClock, line_to: Callable[[Slave], object]
) -> None:
    line = await line_to(Slave(frozenset(range(12))))  # type: ignore[misc]

    assert await cycle(Asking(METER, PROFILE), line, clock) == Values({}, {})


def test_each_rate_is_told_of_its_own_missing_points() -> None:
    asking = Asking(METER, PROFILE)
    [whole] = plans(asking)
    asks = [whole]
    while asks:
        block = asks.pop().block
        asks += asking.refused(block, 2, 0) if block.address <= 5 < block.end else asking.answered(block)

    assert asking.unsupported(("current_l1", "current_l2")) == Values(
        {"current_l2": None}, {"current_l2": Reason.UNSUPPORTED}
    )
    assert asking.unsupported(("frequency",)) is None
    assert [p.quantities for p in asking.plans(("current_l2", "frequency"), COST, 0)] == [("frequency",)]


def test_what_a_reply_said_travels_with_its_reasons() -> None:
    sent = as_readings("main", NOW, Values({"voltage_l1": 230.0, "frequency": None}, {"frequency": Reason.SENTINEL}))

    assert sent.values == {"voltage_l1": 230.0, "frequency": None}
    assert {name: f.reason for name, f in sent.flags.items()} == {"frequency": "sentinel"}
