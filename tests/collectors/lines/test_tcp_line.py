"""However a meter misbehaves, the line ends in the right error and never in a wrong value, and works afterwards."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.lines.line import Line, NoAnswer, Refused, Unreachable, Untrusted
from collectors.lines.opening import open_line
from collectors.lines.tcp_line import TcpLine
from collectors.meter_profile import Table
from collectors.planner import Block
from energy.errors import LineError
from tests.real_parts import free_port

pytestmark = pytest.mark.by_the_clock

TIMEOUT_S = 0.15
HOLDING = Block(Table.HOLDING, 100, 2)
WORDS = struct.pack(">2H", 1234, 5678)


class Asked(NamedTuple):
    """A request as it came."""

    transaction: int
    unit: int
    function: int
    address: int
    registers: int

    def reply(self, pdu: bytes, *, transaction: int | None = None, unit: int | None = None) -> bytes:
        """A frame that answers it, or pretends to."""
        return (
            struct.pack(
                ">HHHB",
                self.transaction if transaction is None else transaction,
                0,
                1 + len(pdu),
                self.unit if unit is None else unit,
            )
            + pdu
        )

    def right(self) -> bytes:
        return self.reply(answer(self.function, WORDS))


def answer(function: int, words: bytes, *, byte_count: int | None = None) -> bytes:
    return bytes([function, len(words) if byte_count is None else byte_count]) + words


# What a meter sends upon a request; None closes the connection.
Manner = Callable[[Asked], bytes | None]


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler, port: int = 0) -> AsyncIterator[int]:
    """A server of connections on a port of its own; all of them have ended at the end."""
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*tasks, *(w.wait_closed() for w in writers), return_exceptions=True)


class Meter:
    """A Modbus TCP meter of one manner after another, the last for ever; remembers what it was asked."""

    def __init__(self) -> None:
        self.manners: Iterator[Manner] = iter(())
        self.manner: Manner = Asked.right
        self.asked: list[Asked] = []
        self.connections = 0
        self._running = AsyncExitStack()
        self.port = 0

    async def start(self, port: int = 0) -> None:
        self.port = await self._running.enter_async_context(served(self._serve, port))

    async def stop(self) -> None:
        await self._running.aclose()

    def behave(self, *manners: Manner) -> None:
        self.manners = iter(manners)
        self.manner = Asked.right

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            asked = Asked._make(struct.unpack(">HxxxxBBHH", await reader.readexactly(12)))
            self.asked.append(asked)
            sent = next(self.manners, self.manner)(asked)
            if sent is None:
                return
            writer.write(sent)
            await writer.drain()


@pytest.fixture
async def meter() -> AsyncIterator[Meter]:
    made = Meter()
    await made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def line_to(port: int, *, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Line]:
    async with open_line(f"tcp://127.0.0.1:{port}", now=lambda: datetime.now(UTC), timeout_s=timeout_s) as line:
        yield line


def silence(_: Asked) -> bytes:
    return b""


def closing(_: Asked) -> None:
    return None


MISBEHAVIOURS: dict[str, tuple[Manner, type[LineError]]] = {
    "says nothing": (silence, NoAnswer),
    "says half of it": (lambda a: a.right()[:-2], NoAnswer),
    "says nonsense": (lambda _: b"\xff" * 40, LineError),
    "answers another function": (lambda a: a.reply(answer(4, WORDS)), Untrusted),
    "answers a function that there is not": (lambda a: a.reply(answer(99, WORDS)), LineError),
    "answers a writing": (lambda a: a.reply(struct.pack(">BHH", 6, 100, 7)), Untrusted),
    "answers coils": (lambda a: a.reply(answer(1, WORDS)), Untrusted),
    "gives too few registers": (lambda a: a.reply(answer(3, WORDS[:2])), Untrusted),
    "gives too many registers": (lambda a: a.reply(answer(3, WORDS * 2)), Untrusted),
    "gives no registers": (lambda a: a.reply(answer(3, b"")), Untrusted),
    "gives half a register": (lambda a: a.reply(answer(3, WORDS[:3])), LineError),
    "counts more bytes than it gives": (lambda a: a.reply(answer(3, WORDS[:2], byte_count=4)), LineError),
    "answers for another unit": (lambda a: a.reply(answer(3, WORDS), unit=9), Untrusted),
    "answers an earlier question": (lambda a: a.reply(answer(3, WORDS), transaction=a.transaction - 1), NoAnswer),
    "answers a later question": (lambda a: a.reply(answer(3, WORDS), transaction=a.transaction + 1), NoAnswer),
    "closes the connection": (closing, LineError),
}


@pytest.mark.parametrize(("manner", "expected"), MISBEHAVIOURS.values(), ids=MISBEHAVIOURS)
async def test_a_misbehaving_meter_is_an_error_and_never_a_value(
    meter: Meter, manner: Manner, expected: type[LineError]
) -> None:
    async with line_to(meter.port) as line:
        await line.read(7, HOLDING)
        meter.behave(manner)

        with pytest.raises(expected):
            await line.read(7, HOLDING)

        assert (await line.read(7, HOLDING)).payload == WORDS


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 8, 10, 11, 200])
async def test_an_exception_of_the_meter_is_told_by_its_code(meter: Meter, code: int) -> None:
    meter.behave(lambda a: a.reply(bytes([a.function | 0x80, code])))
    async with line_to(meter.port) as line:
        with pytest.raises(Refused, match=f"exception {code}: ") as refused:
            await line.read(7, HOLDING)

        assert refused.value.code == code
        assert (await line.read(7, HOLDING)).payload == WORDS


async def test_a_refusal_keeps_the_connection(meter: Meter) -> None:
    meter.behave(lambda a: a.reply(bytes([0x83, 2])))
    async with line_to(meter.port) as line:
        with pytest.raises(Refused, match="illegal data address"):
            await line.read(7, HOLDING)
        await line.read(7, HOLDING)

    assert meter.connections == 1


async def test_a_late_reply_is_never_the_answer_to_the_next_question(meter: Meter) -> None:
    asked: list[Asked] = []
    nines = answer(3, struct.pack(">2H", 9, 9))

    def keeps_it(question: Asked) -> bytes:
        asked.append(question)
        return b""

    async with line_to(meter.port) as line:
        meter.behave(keeps_it, lambda a: asked[0].reply(nines) + a.right())
        with pytest.raises(NoAnswer):
            await line.read(7, Block(Table.HOLDING, 500, 2))

        assert (await line.read(7, HOLDING)).payload == WORDS
    assert meter.connections == 1
    assert isinstance(line, TcpLine)
    assert line.dropped == 1


async def test_a_connection_that_is_mute_twice_in_a_row_is_made_anew(meter: Meter) -> None:
    async with line_to(meter.port) as line:
        await line.read(7, HOLDING)
        meter.behave(silence, silence)
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await line.read(7, HOLDING)

        assert (await line.read(7, HOLDING)).payload == WORDS
    assert meter.connections == 2


async def test_many_who_ask_at_once_are_asked_one_after_another(meter: Meter) -> None:
    async with line_to(meter.port) as line:
        meter.manner = lambda a: a.reply(answer(3, struct.pack(">2H", a.unit, a.address)))
        asked = [(unit, Block(Table.HOLDING, 10 * unit, 2)) for unit in range(1, 40)]
        replies = await asyncio.gather(*(line.read(unit, block) for unit, block in asked))

    assert [struct.unpack(">2H", r.payload) for r in replies] == [(unit, 10 * unit) for unit in range(1, 40)]


@pytest.mark.parametrize("numbered", [True, False], ids=["a numbered reply", "a reply that is not numbered"])
async def test_a_question_that_was_given_up_does_not_answer_the_next(meter: Meter, numbered: bool) -> None:
    waiting = asyncio.Event()
    kept: list[Asked] = []

    def late(asked: Asked) -> bytes:
        kept.append(asked)
        waiting.set()
        return b""

    def both(asked: Asked) -> bytes:
        transaction = kept[0].transaction if numbered else 0
        return asked.reply(answer(3, struct.pack(">2H", 9, 9)), transaction=transaction) + asked.right()

    async with line_to(meter.port, timeout_s=5) as line:
        await line.read(7, HOLDING)
        # On a connection of its own, the next question is answered as it should be.
        meter.behave(late, lambda a: both(a) if meter.connections == 1 else a.right())
        given_up = asyncio.create_task(line.read(7, Block(Table.HOLDING, 500, 2)))
        await waiting.wait()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)

        with suppress(LineError):
            assert (await line.read(7, HOLDING)).payload == WORDS
        assert (await line.read(7, HOLDING)).payload == WORDS


@pytest.mark.parametrize(
    "stranger",
    [
        lambda a: a.reply(answer(3, b"\x00\x09" * 2), transaction=a.transaction - 1),
        lambda a: a.reply(answer(3, b"\x00\x09" * 2), unit=9),
    ],
    ids=["an earlier one", "another unit's"],
)
async def test_what_answers_another_question_is_passed_over_for_the_right_answer(
    meter: Meter, stranger: Callable[[Asked], bytes]
) -> None:
    async with line_to(meter.port, timeout_s=5) as line:
        await line.read(7, HOLDING)
        meter.behave(lambda a: stranger(a) + a.right())

        assert (await line.read(7, HOLDING)).payload == WORDS


async def test_nobody_listens_is_unreachable_until_somebody_does(meter: Meter) -> None:
    port = free_port()
    async with line_to(port) as line:
        with pytest.raises(Unreachable):
            await line.read(7, HOLDING)

        late = Meter()
        await late.start(port)
        assert (await line.read(7, HOLDING)).payload == WORDS
        await late.stop()


async def test_a_host_that_has_no_address_is_unreachable() -> None:
    async with open_line("tcp://meter.invalid", now=lambda: datetime.now(UTC), timeout_s=TIMEOUT_S) as line:
        with pytest.raises(Unreachable):
            await line.read(7, HOLDING)


async def test_a_meter_that_was_switched_off_and_on_is_read_again(meter: Meter) -> None:
    async with line_to(meter.port) as line:
        await line.read(7, HOLDING)
        await meter.stop()
        with pytest.raises(LineError):
            await line.read(7, HOLDING)

        await meter.start(meter.port)
        assert (await line.read(7, HOLDING)).payload == WORDS


async def test_a_silent_unit_does_not_silence_its_neighbours(meter: Meter) -> None:
    meter.manner = lambda a: b"" if a.unit == 7 else a.right()
    async with line_to(meter.port) as line:
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await line.read(7, HOLDING)
            assert (await line.read(8, HOLDING)).payload == WORDS


@pytest.mark.parametrize(("table", "function"), [(Table.HOLDING, 3), (Table.INPUT, 4)])
async def test_what_is_asked_is_the_block_at_the_unit(meter: Meter, table: Table, function: int) -> None:
    meter.manner = lambda a: a.reply(answer(a.function, bytes(range(2 * a.registers))))
    async with line_to(meter.port) as line:
        reply = await line.read(247, Block(table, 65_411, 125))

    assert meter.asked[0][1:] == (247, function, 65_411, 125)
    assert reply.payload == bytes(range(250))


async def test_a_reply_that_comes_in_pieces_is_one_reply() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = Asked._make(struct.unpack(">HxxxxBBHH", await reader.readexactly(12)))
        for byte in asked.right():
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with served(serve) as port, line_to(port, timeout_s=5) as line:
        assert (await line.read(7, HOLDING)).payload == WORDS


async def test_a_value_is_of_the_midpoint_of_question_and_answer(meter: Meter) -> None:
    asked_at = datetime(2026, 1, 1, tzinfo=UTC)
    instants = iter([asked_at, asked_at + timedelta(milliseconds=80)])
    async with open_line(f"tcp://127.0.0.1:{meter.port}", now=lambda: next(instants)) as line:
        reply = await line.read(7, HOLDING)

    assert reply.taken_at == asked_at + timedelta(milliseconds=40)
    assert reply.took_s > 0


async def test_a_line_says_where_it_leads_in_its_errors(meter: Meter) -> None:
    meter.manner = silence
    async with line_to(meter.port) as line:
        with pytest.raises(NoAnswer, match=f"tcp://127.0.0.1:{meter.port} unit 7: no answer within 0.15 s"):
            await line.read(7, HOLDING)


async def test_the_server_of_pymodbus_is_read_as_any_meter() -> None:
    port = free_port()
    blocks = [SimData(100, values=[1234, 5678], datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(7, simdata=blocks), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        async with line_to(port, timeout_s=5) as line:
            assert (await line.read(7, HOLDING)).payload == WORDS
            assert (await line.read(7, Block(Table.INPUT, 101, 1))).payload == WORDS[2:]
            with pytest.raises(Refused, match="exception 2: illegal data address"):
                await line.read(7, Block(Table.HOLDING, 101, 5))
            assert (await line.read(7, HOLDING)).payload == WORDS
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
