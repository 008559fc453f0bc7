"""On a serial line: whatever a meter does, a value is right or there is none, and the next question is answered."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from adapters.clocks import SystemClock
from collectors.lines.address import Characters, SerialAddress
from collectors.lines.byte_line import ByteLine
from collectors.lines.line import NoAnswer, Refused, Unreachable, Untrusted
from collectors.lines.modbus_rtu import RtuRead, crc16
from collectors.lines.opening import open_line
from collectors.lines.question import ANYONE
from collectors.meter_profile import Table
from collectors.planner import Block
from energy.errors import LineError
from jieneng.reading import read_meter
from tests.collectors.lines.pty_bus import Asked, Manner, PtyBus, silent, words_of
from tests.real_parts import free_port

pytestmark = pytest.mark.by_the_clock

BLOCK = Block(Table.HOLDING, 100, 4)
WORDS = words_of(100, 4)
# How long the first byte may take at most, and how long after that an answer is believed possible, in these tests.
TIMEOUT_S, LATEST_S = 0.15, 0.3


@pytest.fixture
async def bus() -> AsyncIterator[PtyBus]:
    made = PtyBus()
    yield made
    made.close()


@pytest.fixture
async def line(bus: PtyBus) -> AsyncIterator[ByteLine]:
    address = SerialAddress(bus.device, Characters(baud=115200))
    async with ByteLine(address, now=lambda: datetime.now(UTC), timeout_s=TIMEOUT_S, latest_s=LATEST_S) as made:
        yield made


async def test_a_block_is_read_as_it_stands_in_the_meter(line: ByteLine, bus: PtyBus) -> None:
    reply = await line.read(7, Block(Table.INPUT, 300, 125))

    assert reply.payload == words_of(300, 125)
    assert bus.asked == [Asked(7, 4, 300, 125)]


def noise_before(asked: Asked) -> list[tuple[float, bytes]]:
    return [(0.0, b"\x00\xff\x07\x03" + asked.frame())]


def byte_by_byte(asked: Asked) -> list[tuple[float, bytes]]:
    return [(0.001 * i, bytes((byte,))) for i, byte in enumerate(asked.frame())]


def with_echo(asked: Asked) -> list[tuple[float, bytes]]:
    request = RtuRead(asked.unit, Block(Table.HOLDING, asked.address, asked.registers)).request
    return [(0.0, request), (0.01, asked.frame())]


def glued(asked: Asked) -> list[tuple[float, bytes]]:
    other = asked.frame(unit=asked.unit + 1, words=bytes(2 * asked.registers))
    return [(0.0, other + asked.frame() + b"\x55\xaa")]


@pytest.mark.parametrize(
    "manner",
    [noise_before, byte_by_byte, with_echo, glued],
    ids=["behind noise", "byte by byte", "behind an echo", "glued between others"],
)
async def test_the_answer_is_found_however_it_comes(line: ByteLine, bus: PtyBus, manner: Manner) -> None:
    bus.manner = manner
    for _ in range(3):
        assert (await line.read(7, BLOCK)).payload == WORDS


def of(change: Callable[[Asked], bytes]) -> Manner:
    return lambda asked: [(0.0, change(asked))]


WRONG: dict[str, tuple[Manner, type[LineError]]] = {
    "says nothing": (silent, NoAnswer),
    "is cut short": (of(lambda a: a.frame()[:-3]), Untrusted),
    "is garbled": (of(lambda a: a.frame()[:-1] + b"\x00"), Untrusted),
    "is of another unit": (of(lambda a: a.frame(unit=8)), Untrusted),
    "is of another function": (of(lambda a: a.frame(function=4)), Untrusted),
    "has too few registers": (of(lambda a: a.frame(words=WORDS[:-2])), Untrusted),
    "has too many registers": (of(lambda a: a.frame(words=WORDS + b"\x00\x01")), Untrusted),
    "is noise": (of(lambda a: b"\x00\xff" * 30), Untrusted),
}


@pytest.mark.parametrize(("manner", "expected"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_an_error_and_the_next_answer_is_right(
    line: ByteLine, bus: PtyBus, manner: Manner, expected: type[LineError]
) -> None:
    await line.read(7, BLOCK)
    bus.behave(manner)

    with pytest.raises(expected):
        await line.read(7, BLOCK)

    assert (await line.read(7, BLOCK)).payload == WORDS


async def test_a_refusal_is_told_at_once_and_hushes_nobody(line: ByteLine, bus: PtyBus) -> None:
    bus.behave(of(lambda a: bytes((7, 0x83, 2)) + crc16(bytes((7, 0x83, 2)))))

    with pytest.raises(Refused, match="exception 2: illegal data address"):
        await line.read(7, BLOCK)

    assert line.respondents["unit 7"].hushed_until == 0
    assert (await line.read(7, BLOCK)).payload == WORDS


async def test_a_late_answer_is_given_to_its_own_question_or_to_none(bus: PtyBus) -> None:
    """Every third answer comes 60 to 110 ms after the time that the line allows."""
    line = ByteLine(
        SerialAddress(bus.device, Characters(baud=115200)), now=lambda: datetime.now(UTC), timeout_s=TIMEOUT_S
    )
    lateness = iter([0.06, 0.085, 0.11] * 5)
    asked = 0

    def sometimes_late(question: Asked) -> list[tuple[float, bytes]]:
        nonlocal asked
        asked += 1
        return [(TIMEOUT_S + next(lateness) if asked % 3 == 0 else 0.002, question.frame())]

    bus.manner = sometimes_late
    async with line:
        for i in range(40):
            block = Block(Table.HOLDING, 100 * (i % 4 + 1), 10)
            assert (await line.read(7, block)).payload == words_of(block.address, 10)

    assert line.counts.late >= 13


async def test_an_answer_that_is_later_than_the_line_is_held_is_nobodys(line: ByteLine, bus: PtyBus) -> None:
    """Never heard and failed before, a station holds nobody up; what it then says late is not its neighbour's."""
    bus.behave(silent, lambda a: [(TIMEOUT_S + 0.03, a.frame(words=bytes(8)))])
    for _ in range(2):
        with pytest.raises(NoAnswer):
            await line.read(7, BLOCK)

    assert (await line.read(8, BLOCK)).payload == WORDS
    await asyncio.sleep(0.1)
    assert (await line.read(8, BLOCK)).payload == WORDS
    # It was recognised as the late answer that it is: the station is known now, and may be asked again.
    assert line.counts.late == 1
    assert line.respondents["unit 7"].hushed_until == 0


async def test_a_late_answer_that_comes_before_that_of_a_neighbour_is_told_from_it(line: ByteLine, bus: PtyBus) -> None:
    bus.behave(silent, lambda a: [(0.0, a.frame(unit=7, words=bytes(8))), (0.02, a.frame())])
    with pytest.raises(NoAnswer):
        await line.read(7, BLOCK)

    assert (await line.read(8, BLOCK)).payload == WORDS
    assert line.counts.late == 1
    assert line.respondents["unit 7"].hushed_until == 0
    assert not line.respondents["unit 8"].strange


async def test_a_wire_that_never_falls_silent_is_an_error_and_stalls_nobody(bus: PtyBus) -> None:
    # 3.5 characters are 14.6 ms at this speed.
    line = ByteLine(SerialAddress(bus.device, Characters(baud=2400)), now=lambda: datetime.now(UTC))
    await line.read(7, BLOCK)
    speaking = True

    async def babble() -> None:
        while speaking:
            bus.say(b"\x55" * 100)
            await asyncio.sleep(0.002)

    task = asyncio.create_task(babble())
    await asyncio.sleep(0.01)
    with pytest.raises(Untrusted, match="bytes come all the time"):
        await line.read(7, BLOCK)
    speaking = False
    await task

    assert (await line.read(7, BLOCK)).payload == WORDS
    await line.close()


async def test_a_question_to_anyone_waits_for_whoever_may_still_answer(line: ByteLine, bus: PtyBus) -> None:
    to_anyone = RtuRead(7, BLOCK)
    to_anyone.station = ANYONE
    bus.behave(silent)
    loop = asyncio.get_running_loop()
    with pytest.raises(NoAnswer):
        await line.read(9, BLOCK)
    gave_up = loop.time()

    assert (await line.ask(to_anyone)).payload == WORDS
    assert loop.time() - gave_up >= LATEST_S - 0.01


async def test_the_echo_of_a_request_is_no_sign_of_life(line: ByteLine, bus: PtyBus) -> None:
    bus.behave(lambda a: [(0.0, RtuRead(a.unit, BLOCK).request)])

    with pytest.raises(NoAnswer, match=r"unit 7: no answer within 0\.15 s"):
        await line.read(7, BLOCK)


async def test_a_frame_long_after_a_question_is_not_its_answer(line: ByteLine, bus: PtyBus) -> None:
    bus.behave(silent)
    with pytest.raises(NoAnswer):
        await line.read(7, BLOCK)
    # As if it had been asked eleven seconds ago.
    line.respondents["unit 7"].asked_at -= 11
    bus.say(Asked(7, 3, 100, 4).frame())
    await asyncio.sleep(0.01)

    assert (await line.read(8, BLOCK)).payload == WORDS
    assert line.counts.late == 0
    assert line.counts.stray_bytes == 13
    assert line.respondents["unit 7"].latest_s == LATEST_S


async def test_a_silent_station_is_not_asked_again_while_its_answer_may_come_but_others_are(
    line: ByteLine, bus: PtyBus
) -> None:
    bus.behave(silent)
    loop = asyncio.get_running_loop()
    with pytest.raises(NoAnswer) as failed:
        await line.read(7, BLOCK)
    gave_up = loop.time()

    again = asyncio.create_task(line.read(7, BLOCK))
    await asyncio.sleep(0)
    assert (await line.read(8, BLOCK)).payload == WORDS
    assert [a.unit for a in bus.asked] == [7, 8]
    assert (await again).payload == WORDS
    assert loop.time() - gave_up >= LATEST_S - 0.01
    assert 0 < failed.value.again_in_s <= LATEST_S


async def test_a_question_that_is_given_up_answers_no_other(line: ByteLine, bus: PtyBus) -> None:
    await line.read(7, BLOCK)
    bus.behave(lambda a: [(0.04, a.frame())])
    given_up = asyncio.create_task(line.read(7, Block(Table.HOLDING, 500, 4)))
    while len(bus.asked) < 2:
        await asyncio.sleep(0.001)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)

    assert (await line.read(7, BLOCK)).payload == WORDS
    assert line.counts.late == 1


async def test_noise_between_questions_is_drained_before_the_next(line: ByteLine, bus: PtyBus) -> None:
    await line.read(7, BLOCK)
    # The answer to what nobody asked, whole and of the right shape.
    bus.say(Asked(7, 3, 100, 4).frame(words=bytes(8)))

    assert (await line.read(7, BLOCK)).payload == WORDS
    assert line.counts.stray_bytes == 13


async def test_how_long_the_first_byte_is_waited_for_is_learnt_of_each_station(bus: PtyBus) -> None:
    line = ByteLine(SerialAddress(bus.device, Characters(baud=115200)), now=lambda: datetime.now(UTC))
    bus.manner = lambda a: [(0.12 if a.unit == 9 else 0.0, a.frame())]
    for _ in range(6):
        await line.read(7, BLOCK)
        await line.read(9, BLOCK)

    quick, slow = line.respondents["unit 7"].first_byte, line.respondents["unit 9"].first_byte
    assert quick.timeout_s < slow.timeout_s
    assert quick.mean_s < 0.06 < slow.mean_s
    assert line.cost.fixed_s > 0.06
    await line.close()


async def test_a_port_that_is_not_there_is_unreachable_until_it_is(bus: PtyBus) -> None:
    async with open_line("serial:/dev/no-such-port", now=lambda: datetime.now(UTC)) as line:
        with pytest.raises(Unreachable, match=r"serial:/dev/no-such-port.*No such file"):
            await line.read(7, BLOCK)


async def test_a_port_is_had_by_one_process_at_a_time(line: ByteLine, bus: PtyBus) -> None:
    await line.read(7, BLOCK)
    async with open_line(f"serial:{bus.device}", now=lambda: datetime.now(UTC)) as second:
        with pytest.raises(Unreachable, match="another process has the port"):
            await second.read(7, BLOCK)


async def test_a_port_that_is_pulled_out_is_unreachable(bus: PtyBus) -> None:
    own = PtyBus()
    async with open_line(f"serial:{own.device}", now=lambda: datetime.now(UTC)) as line:
        await line.read(7, BLOCK)
        own.close()
        with pytest.raises(Unreachable):
            await line.read(7, BLOCK)


async def test_a_serial_server_is_a_line_like_a_port() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(64):
            asked = Asked(request[0], request[1], 256 * request[2] + request[3], 256 * request[4] + request[5])
            for byte in asked.frame():
                writer.write(bytes((byte,)))
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_line(f"rtu+tcp://127.0.0.1:{port}?baud=115200", now=lambda: datetime.now(UTC)) as line:
        assert (await line.read(7, BLOCK)).payload == WORDS
        assert (await line.read(8, BLOCK)).payload == WORDS
    server.close()


async def test_the_rtu_server_of_pymodbus_is_read_as_any_meter() -> None:
    port = free_port()
    blocks = [SimData(100, values=[100, 101, 102, 103], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(7, simdata=blocks), address=("127.0.0.1", port), framer=FramerType.RTU)
    await server.serve_forever(background=True)
    try:
        async with open_line(f"rtu+tcp://127.0.0.1:{port}?baud=115200", now=lambda: datetime.now(UTC)) as line:
            assert (await line.read(7, BLOCK)).payload == WORDS
            with pytest.raises(Refused, match="exception 2: illegal data address"):
                await line.read(7, Block(Table.HOLDING, 101, 5))
            assert (await line.read(7, BLOCK)).payload == WORDS
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_a_meter_on_a_serial_port_is_read_by_its_profile(bus: PtyBus) -> None:
    bus.manner = lambda a: [(0.0, a.frame(words=struct.pack(f">{a.registers // 2}f", *[230.5] * (a.registers // 2))))]
    address = f"serial:{bus.device}?baud=115200"

    answer = await read_meter("eastron/sdm630", address, 3, SystemClock(), quantities=("voltage_l1", "frequency"))

    assert [(r.quantity, r.value, r.quality) for r in answer.readings] == [
        ("voltage_l1", 230.5, "good"),
        ("frequency", 230.5, "good"),
    ]
    assert {a.unit for a in bus.asked} == {3}
