"""Nothing is written unless the site file says so; what is written is read back, and what is not known is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.lines.address import Characters, SerialServerAddress, TcpAddress
from collectors.lines.byte_line import ByteLine
from collectors.lines.line import NoAnswer, WritableLine
from collectors.lines.tcp_line import TcpLine
from collectors.makes import load_make
from collectors.meter_profile import Profile, Setting, Table, WordOrder
from collectors.planner import Block
from collectors.simulators.bus.contents import contents_of
from collectors.simulators.bus.hosts import ModbusTcpHost, TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.modbus_slave import Mbap, ModbusSlave, Rtu
from collectors.simulators.bus.wire import Wire
from collectors.simulators.bus.written import Written
from collectors.writing import Answer, NotWritten, Outcome, carried_out, decoded, encoded, order_of
from energy.quantities import Medium
from energy.sites import Meter, Text

pytestmark = pytest.mark.by_the_clock

RATIO = Setting("ct", 6, 4, "uint16", WordOrder.ABCD, Fraction(1), Decimal(1), Decimal(5000), "A")
LIMIT = Setting("limit", 16, 8, "uint32", WordOrder.CDAB, Fraction(1, 100), Decimal(0), Decimal(900), "kW")
RELAY = Setting("relay", 5, 7, "coil", WordOrder.ABCD, Fraction(1), Decimal(0), Decimal(1))
RELAYS = Setting("relays", 15, 9, "coil", WordOrder.ABCD, Fraction(1), Decimal(0), Decimal(1))
SETTINGS = (RATIO, LIMIT, RELAY, RELAYS)
PROFILE = Profile("ex/ex", "Ex", "EX", Medium.ELECTRICITY, ("manual",), (), 125, (), writable=SETTINGS)
ALL = {s.name: (s.low, s.high) for s in SETTINGS}


def meter(switched: Mapping[str, tuple[Decimal, Decimal]] = MappingProxyType({}), unit: int = 3) -> Meter:
    return Meter("m", Text("", ""), Medium.ELECTRICITY, line="l", unit=unit, profile="ex/ex", writable=switched)


def test_by_default_everything_is_refused() -> None:
    with pytest.raises(NotWritten, match="ct of meter m is not switched on for writing; switched on is nothing"):
        order_of(meter(), PROFILE, "ct", "200")


@pytest.mark.parametrize(
    ("switched", "name", "value", "words"),
    [
        ({"ct": (1, 300)}, "ct", "301", "ct of meter m may be 1 to 300 A, not 301"),
        ({"ct": (1, 300)}, "ct", "0", "may be 1 to 300 A, not 0"),
        ({"ct": (1, 300)}, "ct", "2.5", "ct goes in steps of 1, 2.5 is none"),
        ({"ct": (1, 300)}, "ct", "NaN", "'NaN' is not a number"),
        ({"ct": (1, 300)}, "ct", "a lot", "'a lot' is not a number"),
        ({"ct": (1, 300)}, "relay", "1", "relay of meter m is not switched on for writing; switched on is ct"),
        ({"ct": (1, 9000)}, "ct", "6000", "lies not within 1 to 5000"),
        ({"address": (1, 9)}, "address", "3", "is no setting of profile ex/ex; it has ct, limit, relay, relays"),
        ({"relay": (0, 1)}, "relay", "0.5", "relay is a coil: 0 or 1, not 0.5"),
    ],
)
def test_what_is_not_switched_on_described_and_within_bounds_is_refused(
    switched: dict[str, tuple[int, int]], name: str, value: str, words: str
) -> None:
    on = {key: (Decimal(low), Decimal(high)) for key, (low, high) in switched.items()}
    with pytest.raises(NotWritten, match=words):
        order_of(meter(on), PROFILE, name, value)


def test_nothing_is_written_to_everybody_nor_to_meters_of_other_protocols() -> None:
    with pytest.raises(NotWritten, match="at unit 0, which is every meter on the line"):
        order_of(meter(ALL, 0), PROFILE, "ct", "200")
    with pytest.raises(NotWritten, match="speaks DL/T 645: such meters are read, never written"):
        order_of(meter(), load_make("dlt645/three-phase"), "ct", "200")


numbers = st.sampled_from(["uint16", "int16", "uint32", "int32", "uint64", "int64", "bcd16", "bcd32"])


@given(numbers, st.sampled_from(list(WordOrder)), st.sampled_from(["1", "0.1", "0.01", "-2"]), st.integers(0, 9999))
def test_what_was_written_reads_back_as_the_same_number(of_type: str, order: WordOrder, scale: str, steps: int) -> None:
    setting = Setting("s", 16, 0, of_type, order, Fraction(scale), Decimal(-99999), Decimal(99999))
    value = steps * Decimal(scale)

    assert decoded(setting, encoded(setting, value)) == value


def test_a_number_that_its_type_cannot_hold_is_refused() -> None:
    with pytest.raises(NotWritten, match="65536 does not fit into uint16"):
        encoded(RATIO, Decimal(65536))


class Played:
    """A meter on a simulated bus, and a line to it."""

    def __init__(self, line: WritableLine, meters: Meters, written: Written) -> None:
        self.line, self.meters, self.written = line, meters, written

    async def write(self, name: str, value: str) -> Outcome:
        self.begun: list[Decimal | None] = []
        return await carried_out(order_of(meter(ALL), PROFILE, name, value), self.line, self.begun.append)

    @property
    def functions(self) -> list[int]:
        """Which functions the meter was asked by, of RTU."""
        return [served.request[1] for served in self.meters.log.newest]


@asynccontextmanager
async def played(*deeds: str, tcp: bool = False, echo: bool = False, timeout_s: float = 0.15) -> AsyncIterator[Played]:
    written = Written(SETTINGS)
    misbehaviours = [spelled_misbehaviour(deed) for deed in deeds]
    contents = contents_of(3, misbehaviours, now=lambda: datetime.now(UTC))
    meters = Meters([ModbusSlave(3, contents, Mbap() if tcp else Rtu(), written)], misbehaviours, latency=Latency(0.0))
    characters = None if tcp else Characters(115200)
    kind: Callable[..., TcpHost] = ModbusTcpHost if tcp else TcpHost
    async with (
        kind(meters, lambda station: Wire(station, characters, echo=echo)) as host,
        _line(host.address, tcp=tcp, timeout_s=timeout_s) as line,
    ):
        yield Played(line, meters, written)


def _line(address: str, *, tcp: bool, timeout_s: float = 0.15) -> WritableLine:
    """A line whose times are short."""
    if tcp:
        return TcpLine(TcpAddress(*_host(address)), now=lambda: datetime.now(UTC), timeout_s=timeout_s)
    server = SerialServerAddress(*_host(address), Characters(115200))
    return ByteLine(server, now=lambda: datetime.now(UTC), timeout_s=timeout_s, latest_s=0.3)


def _host(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


@pytest.mark.parametrize(("tcp", "echo"), [(False, False), (False, True), (True, False)], ids=["rtu", "echo", "tcp"])
async def test_each_function_writes_and_is_read_back(tcp: bool, echo: bool) -> None:
    async with played(tcp=tcp, echo=echo) as bus:
        outcomes = [
            await bus.write(name, value)
            for name, value in [("ct", "200"), ("limit", "123.45"), ("relay", "1"), ("relays", "1")]
        ]

        assert [(o.old, o.read_back, o.answer, o.holds) for o in outcomes] == [
            (Decimal(1), Decimal(200), Answer.REPEATED, True),
            (Decimal(0), Decimal("123.45"), Answer.REPEATED, True),
            (Decimal(0), Decimal(1), Answer.REPEATED, True),
            (Decimal(0), Decimal(1), Answer.REPEATED, True),
        ]
        assert bus.written.registers == {4: 200, 8: 12345, 9: 0}
        assert bus.written.coils == {7: True, 9: True}
        if not tcp:
            assert bus.functions == [3, 6, 3, 3, 16, 3, 1, 5, 1, 1, 15, 1]


async def test_the_old_value_is_told_before_anything_is_written() -> None:
    async with played() as bus:
        seen: list[tuple[Decimal | None, int]] = []
        order = order_of(meter(ALL), PROFILE, "ct", "200")
        await carried_out(order, bus.line, lambda old: seen.append((old, bus.written.registers[4])))

    assert seen == [(Decimal(1), 1)]


# Of the three requests the second is the write.
@pytest.mark.parametrize("deed", ["silent", "wrong_echo", "garble", "cut", "wrong_unit", "wrong_function"])
async def test_without_its_own_answer_a_write_is_unknown_and_what_the_meter_shows_decides(deed: str) -> None:
    async with played(f"{deed}:after=1,times=1") as bus:
        outcome = await bus.write("ct", "200")

        assert outcome.answer is Answer.NOTHING
        assert (outcome.read_back, outcome.holds) == (Decimal(200), True)
        assert outcome.sentence == "the meter shows the new value; it did not say so"
        assert bus.functions == [3, 6, 3]


async def test_on_modbus_tcp_a_wrong_echo_is_no_answer_either() -> None:
    async with played("wrong_echo:after=1,times=1", tcp=True) as bus:
        outcome = await bus.write("limit", "5")

    assert (outcome.answer, outcome.holds) == (Answer.NOTHING, True)


async def test_a_write_without_an_answer_is_not_sent_again_and_a_dead_meter_leaves_it_unknown() -> None:
    async with played("silent:after=1") as bus:
        outcome = await bus.write("ct", "200")

        assert (outcome.answer, outcome.read_back, outcome.holds) == (Answer.NOTHING, None, False)
        assert outcome.sentence.startswith("unknown")
        assert bus.functions.count(6) == 1


async def test_a_late_answer_to_a_write_is_not_taken_for_that_of_the_next() -> None:
    """The first write is answered after its time; the second, of the same register, not at all."""
    async with played("late:after=1,times=1,by=250ms", "silent:after=4,times=1") as bus:
        first = await bus.write("ct", "200")
        second = await bus.write("ct", "200")

        # The line stayed quiet for it, so the late answer went to its own question.
        assert (first.answer, first.read_back) == (Answer.REPEATED, Decimal(200))
        assert (second.answer, second.read_back) == (Answer.NOTHING, Decimal(200))


async def test_a_meter_that_cannot_be_read_is_not_written() -> None:
    async with played("silent:times=1") as bus:
        with pytest.raises(NoAnswer):
            await bus.write("ct", "200")

        assert bus.begun == []
        assert bus.written.registers[4] == 1


@pytest.mark.parametrize("tcp", [False, True], ids=["rtu", "tcp"])
async def test_a_write_has_all_the_time_of_the_line_and_teaches_nothing_of_it(tcp: bool) -> None:
    """Reads are answered at once, the write after 0.35 s: it goes into a slow memory."""
    async with played("slow:after=4,times=1,by=350ms", tcp=tcp, timeout_s=1.0) as bus:
        for _ in range(3):
            await bus.line.read(3, Block(Table.HOLDING, 0, 1))
        outcome = await bus.write("ct", "200")

        assert (outcome.answer, outcome.holds) == (Answer.REPEATED, True)
        assert isinstance(bus.line, ByteLine | TcpLine)
        assert bus.line.timings()["unit 3"].first_byte.high_s < 0.3


async def test_a_refused_write_is_told_with_what_the_meter_shows() -> None:
    async with played("exception:after=1,times=1,code=4") as bus:
        outcome = await bus.write("relay", "0")

    assert (outcome.answer, outcome.detail) == (Answer.REFUSED, "exception 4: device failure")


class Stubborn(Written):
    """It repeats what it is told, and keeps what it had."""

    def answer(self, pdu: bytes) -> bytes | None:
        kept = dict(self.registers)
        said = super().answer(pdu)
        self.registers.update(kept)
        return said


async def test_a_meter_that_repeats_but_does_not_take_it_is_found_by_reading_back() -> None:
    stubborn = Stubborn(SETTINGS)
    slave = ModbusSlave(3, contents_of(3, [], now=lambda: datetime.now(UTC)), Mbap(), stubborn)
    async with (
        ModbusTcpHost(Meters([slave], latency=Latency(0.0)), lambda station: Wire(station, None)) as host,
        _line(host.address, tcp=True) as line,
    ):
        outcome = await carried_out(order_of(meter(ALL), PROFILE, "ct", "200"), line, lambda old: None)

    assert (outcome.answer, outcome.read_back, outcome.holds) == (Answer.REPEATED, Decimal(1), False)
    assert "was not taken" in outcome.sentence
