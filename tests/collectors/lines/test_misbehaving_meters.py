"""Whatever a meter on a serial line does, a read ends in the right value or in an error, and the line goes on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from collectors.lines.address import Characters, SerialAddress
from collectors.lines.byte_line import ByteLine
from collectors.lines.line import Line
from collectors.meter_profile import Table
from collectors.planner import Block
from collectors.simulators.bus.beside import beside
from collectors.simulators.bus.hosts import PtyHost
from collectors.simulators.bus.wire import Wire
from energy.errors import LineError
from tests.collectors.simulators.bus.asking import meters

pytestmark = pytest.mark.by_the_clock

FAST = Characters(115200, "N", 1)

# What is done, and whether the value still comes.
DEEDS = {
    "silent": False,
    "late:by=200ms": True,
    "slow:by=20ms": True,
    "garble": False,
    "garble:bytes=9": False,
    "cut": False,
    "cut:bytes=8": False,
    "short": False,
    "long": False,
    "wrong_unit": False,
    "wrong_function": False,
    "glued": True,
    "dribble:gap=4ms": True,
    "noise": True,
    "noise:bytes=30,by=5ms": True,
    "exception:code=6": False,
    "exception:code=11": False,
    "reset": False,
    "reboot:by=50ms": False,
}


@contextmanager
def terminal(*deeds: str, characters: Characters = FAST) -> Iterator[SerialAddress]:
    """A bus of meters whose registers tell whose they are."""
    of = meters(*deeds, latency_s=0.002)
    with beside(PtyHost(of, lambda station: Wire(station, characters, uart=8))) as host:
        yield SerialAddress(host.address, characters)


async def value(line: Line, unit: int, address: int, count: int = 4) -> bool | None:
    """Whether the registers came as they stand in the meter; None where the read failed."""
    try:
        reply = await line.read(unit, Block(Table.HOLDING, address, count))
    except LineError:
        return None
    return reply.payload == struct.pack(f">{count}H", *(1000 * unit + address + i for i in range(count)))


@pytest.mark.parametrize(("deed", "comes"), DEEDS.items())
async def test_a_meter_that_misbehaves_once_gives_its_value_or_an_error_and_then_its_value(
    deed: str, comes: bool
) -> None:
    when = ",after=3,times=1,unit=1"
    with terminal(deed + (when if ":" in deed else ":" + when[1:])) as address:
        async with ByteLine(address, now=lambda: datetime.now(UTC), timeout_s=0.1, latest_s=0.25) as line:
            before = [await value(line, 1, 10 * i) for i in range(3)]
            now = await value(line, 1, 50)
            after = [await value(line, unit, 60 + 10 * unit) for unit in (2, 1, 1, 3)]

    assert before == [True] * 3
    assert now is (True if comes else None)
    # Noise may still meet the next question on the wire; what comes of that is no value either.
    assert False not in after
    assert after[1:] == [True] * 3


async def test_a_whole_frame_behind_a_broken_one_is_not_taken_for_the_answer() -> None:
    """The meter breaks its answer and says the one before again: right unit, function, length and checksum."""
    with terminal("garble:after=1,times=1", "glued:after=1,times=1") as address:
        async with ByteLine(address, now=lambda: datetime.now(UTC), timeout_s=0.1, latest_s=0.25) as line:
            assert [await value(line, 1, 10), await value(line, 1, 20), await value(line, 1, 30)] == [True, None, True]


async def test_a_long_answer_is_waited_for_as_long_as_its_bytes_come() -> None:
    """80 registers at 9600 baud take 172 ms, longer than any silence within them is waited for."""
    with terminal(characters=Characters(9600, "N", 1)) as address:
        async with ByteLine(address, now=lambda: datetime.now(UTC)) as line:
            assert [await value(line, 1, 10, 80) for _ in range(5)] == [True] * 5
