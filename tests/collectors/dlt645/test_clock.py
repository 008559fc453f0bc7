"""The clock of a DL/T 645 meter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from collectors.dlt645.clock import DATE, read_clock, shown_clock
from collectors.dlt645.frame import Frame, encode
from collectors.dlt645.make import ItemMake
from collectors.dlt645.questions import ReadItem
from collectors.lines.line import Refused, Untrusted
from collectors.makes import load_make
from collectors.simulators.dlt645_slave import Dlt645Slave, ItemMap
from collectors.station_address import address_bytes
from energy.quantities import Medium
from energy.sites import Meter, Text
from tests.collectors.frames import WireInMemory

METER = "000000000161"


class Clock:
    """Answers each question with what comes next."""

    def __init__(self, *shown: str) -> None:
        self._shown: Iterator[str] = iter(shown)

    def answer(self, burst: bytes) -> bytes:
        identifier = bytes((byte - 0x33) % 256 for byte in burst[-6:-2])
        length = 4 if identifier[::-1] == DATE else 3
        data = bytes.fromhex(next(self._shown))
        assert len(data) == length
        return encode(Frame(address_bytes(METER), 0x91, identifier + data))


async def test_date_and_time_make_an_instant() -> None:
    wire = WireInMemory(Clock("06201126", "590730", "06201126"))

    with pytest.raises(Untrusted, match="its clock shows 26-11-20 30:07:59, which is none"):
        await read_clock(wire, METER)
    wire = WireInMemory(Clock("06211126", "590723", "06211126"))
    assert (await read_clock(wire, METER)).local == datetime(2026, 11, 21, 23, 7, 59)


async def test_midnight_does_not_come_between_date_and_time() -> None:
    wire = WireInMemory(Clock("06211126", "000000", "00221126", "010000", "00221126"))

    assert (await read_clock(wire, METER)).local == datetime(2026, 11, 22, 0, 0, 1)
    assert len(wire.asked) == 5


async def test_a_date_that_never_stays_is_not_trusted() -> None:
    with pytest.raises(Untrusted, match="its date changes all the time"):
        await read_clock(WireInMemory(Clock("06211126", "000000", "00221126", "010000", "01231126")), METER)


def test_a_clock_that_was_never_set_shows_nothing() -> None:
    with pytest.raises(Untrusted, match="which is none"):
        shown_clock(bytes.fromhex("FFFFFFFF"), bytes.fromhex("000000"))


async def test_the_simulated_meter_shows_what_its_clock_shows_and_one_without_a_clock_says_so() -> None:
    make = load_make("dlt645/single-phase")
    assert isinstance(make, ItemMake)
    items = ItemMap(Meter("m", Text("", ""), Medium.ELECTRICITY, address=METER), make)
    slave = Dlt645Slave(METER, items, lambda: {"active_power": 1.0}, clock=lambda: datetime(2026, 11, 22, 9, 8, 7))
    assert (await read_clock(WireInMemory(slave), METER)).local == datetime(2026, 11, 22, 9, 8, 7)
    # 22 November 2026 is a Sunday, which the standard counts as 0.
    day = await WireInMemory(slave).ask(ReadItem(METER, DATE, frozenset((4,))))
    assert day.payload[1:].hex() == "00221126"

    with pytest.raises(Refused, match="no such data"):
        await read_clock(WireInMemory(Dlt645Slave(METER, items, lambda: {"active_power": 1.0})), METER)
