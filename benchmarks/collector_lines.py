"""Lines: late answers beside pymodbus, sweeps with dead meters, reads a second over Modbus TCP.

The bus is a pty whose other end is a process of its own that keeps to the times of 9600 8N1; the server of Modbus TCP
is a process that answers from memory.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing as mp
import os
import pty
import random
import select
import struct
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import structlog

from adapters.clocks import SystemClock
from adapters.wire import MeterReadings
from collectors.decoder import BlockPlan, compile_meter
from collectors.lines.address import Characters, SerialAddress, TcpAddress
from collectors.lines.byte_line import ByteLine
from collectors.lines.modbus_mbap import MbapRead
from collectors.lines.modbus_rtu import RtuRead, crc16
from collectors.lines.question import Answered
from collectors.lines.tcp_line import TcpLine
from collectors.meter_profile import Part, Profile, Register, Table, WordOrder
from collectors.planner import Block, RequestCost
from edge.poll import LineWorker, Station
from edge.schedule import next_tick
from energy.errors import LineError
from energy.quantities import QUANTITIES, Medium
from energy.readings import EPOCH
from energy.sites import Meter, Text

CHARACTERS = Characters(9600, "N", 1)
LATENCY_S = 0.02
METERS = 32
BLOCKS = (Block(Table.HOLDING, 0, 18), Block(Table.HOLDING, 100, 22))
LATE_READS = 40
PYMODBUS_TIMEOUT_S = 0.3


def now() -> datetime:
    return datetime.now(UTC)


# --- a bus that keeps to the time of its bytes ---------------------------------------------------------------------


def _serve_bus(master: int, dead: frozenset[int], lateness: Sequence[float]) -> None:
    """Answer requests as meters on a wire do: after their characters, 3.5 more, the latency; then byte by byte.

    lateness : in turn for each request, how many seconds later still its answer begins [s].
    """
    with suppress(PermissionError):
        # A wire is not slowed by what else the machine does.
        os.nice(-10)
    asked = 0
    tc = CHARACTERS.seconds
    waiting: list[tuple[float, bytes]] = []
    while True:
        wait_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        # The selector wakes up to a millisecond late; the last of the waiting is done awake.
        if not select.select([master], [], [], None if wait_s is None else max(0.0, wait_s - 0.001))[0]:
            while waiting and time.monotonic() < waiting[0][0]:
                pass
            if waiting:
                os.write(master, waiting.pop(0)[1])
            continue
        came = time.monotonic()
        try:
            request = os.read(master, 256)
        except OSError:
            return
        if len(request) != 8 or crc16(request[:6]) != request[6:]:
            continue
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        extra_s = lateness[asked % len(lateness)] if lateness else 0.0
        asked += 1
        if unit in dead:
            continue
        data = struct.pack(f">{count}H", *((address + i) & 0xFFFF for i in range(count)))
        body = bytes((unit, function, 2 * count)) + data
        frame = body + crc16(body)
        begin = came + 8 * tc + CHARACTERS.silence_s + LATENCY_S + extra_s
        # Handed over in packets of some characters, each when its last one has travelled, as a UART does.
        for i in range(0, len(frame), 8):
            part = frame[i : i + 8]
            waiting.append((begin + (i + len(part)) * tc, part))
        waiting.sort(key=lambda w: w[0])


@contextmanager
def bus(dead: frozenset[int] = frozenset(), lateness: Sequence[float] = ()) -> Iterator[str]:
    """A byte-timed bus; yields its device."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = mp.get_context("fork").Process(target=_serve_bus, args=(master, dead, lateness), daemon=True)
    process.start()
    os.close(master)
    try:
        yield os.ttyname(slave)
    finally:
        process.terminate()
        process.join()
        process.close()
        os.close(slave)


# --- late answers --------------------------------------------------------------------------------------------------


def _lateness() -> list[float]:
    """Every third answer begins 60 to 110 ms after pymodbus has given up, counted from the end of the request."""
    late = [PYMODBUS_TIMEOUT_S + s for s in (0.06, 0.085, 0.11)]
    return [late[i // 3 % 3] if i % 3 == 2 else 0.0 for i in range(3 * 3)]


def _expected(block: Block) -> bytes:
    return struct.pack(f">{block.count}H", *range(block.address, block.address + block.count))


LATE_BLOCKS = [Block(Table.HOLDING, 100 * (i + 1), 10) for i in range(4)]


async def _late_ours(device: str) -> tuple[int, int]:
    wrong = failed = 0
    async with ByteLine(SerialAddress(device, CHARACTERS), now=now) as line:
        for i in range(LATE_READS):
            block = LATE_BLOCKS[i % len(LATE_BLOCKS)]
            try:
                wrong += (await line.read(7, block)).payload != _expected(block)
            except LineError:
                failed += 1
    return wrong, failed


async def _late_pymodbus(device: str, retries: int) -> tuple[int, int] | None:
    """As pymodbus's own client fares; None where it cannot open a port, since that wants pyserial."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    from pymodbus.client import AsyncModbusSerialClient
    from pymodbus.exceptions import ModbusException

    try:
        client = AsyncModbusSerialClient(device, baudrate=9600, timeout=PYMODBUS_TIMEOUT_S, retries=retries)
        await client.connect()
    except (ImportError, RuntimeError):
        return None
    wrong = failed = 0
    for i in range(LATE_READS):
        block = LATE_BLOCKS[i % len(LATE_BLOCKS)]
        try:
            pdu = await client.read_holding_registers(block.address, count=block.count, device_id=7)
        except ModbusException:
            failed += 1
            continue
        if pdu.isError():
            failed += 1
        else:
            wrong += struct.pack(f">{len(pdu.registers)}H", *pdu.registers) != _expected(block)
    client.close()
    return wrong, failed


def late_answers() -> dict[str, Any]:
    """One meter answers every third request late: values that are wrong, and reads without a value, of 40."""
    found: dict[str, Any] = {}
    with bus(lateness=_lateness()) as device:
        found["late_wrong_values"], found["late_failed_reads"] = asyncio.run(_late_ours(device))
    # The same after twelve prompt answers, by which the line has learnt to wait for a tenth of a second only.
    with bus(lateness=[0.0] * 12 + _lateness() * 4) as device:
        wrong, failed = asyncio.run(_late_ours(device))
        found["late_wrong_values_after_learning"], found["late_failed_reads_after_learning"] = wrong, failed
    for retries in (0, 3):
        with bus(lateness=_lateness()) as device:
            theirs = asyncio.run(_late_pymodbus(device, retries))
        if theirs is not None:
            found[f"late_wrong_values_pymodbus_retries_{retries}"] = theirs[0]
    return found


# --- sweeps --------------------------------------------------------------------------------------------------------


def bound_s() -> float:
    """What a sweep of all meters takes by arithmetic: characters, silences and latency, and nothing else [s]."""
    cost = RequestCost.rtu(CHARACTERS.baud, bits_per_character=CHARACTERS.bits, latency_s=LATENCY_S)
    return METERS * sum(cost.of(block.count) for block in BLOCKS)


async def _sweeps(device: str, alive: int, sweeps: int) -> tuple[list[float], float]:
    """Sweeps of a worker whose meters are always due, and the share of a core that it takes.

    The first two are not counted: in them the line learns its meters. Each counted one begins with all dead meters due
    for a probe, as often as that may be: it is the dearest sweep that there is.
    """
    plans = [BlockPlan(block, lambda raw: (), ()) for block in BLOCKS]
    clock = SystemClock()
    meters = [
        Meter(f"m{unit}", Text("", ""), Medium.ELECTRICITY, unit=unit, interval_s=1.0) for unit in range(1, METERS + 1)
    ]
    came = asyncio.Event()
    read = 0

    def sink(_: MeterReadings) -> None:
        nonlocal read
        read += 1
        if read == len(BLOCKS) * alive:
            came.set()

    async def sweep() -> float:
        nonlocal read
        read, began = 0, time.monotonic()
        came.clear()
        await came.wait()
        return time.monotonic() - began

    took: list[float] = []
    async with ByteLine(SerialAddress(device, CHARACTERS), now=now) as line:
        stations = [Station(meter, plans, clock.now()) for meter in meters]
        task = asyncio.create_task(LineWorker(line, stations, clock, sink, lambda: None).run())
        await sweep()
        await sweep()
        cpu, began = time.process_time(), time.monotonic()
        for _ in range(sweeps):
            for station in stations:
                if station.state.state == "silent":
                    station.patience.failures, station.rests_until = 2, EPOCH
            took.append(await sweep())
        share = (time.process_time() - cpu) / (time.monotonic() - began)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return took, share


def sweep_times(sweeps: int = 4) -> dict[str, Any]:
    """A sweep of 32 meters of two blocks, as an edge polls them: all alive, one dead, three dead.

    The best sweep, since a machine that stops for some ms makes any wire slow; the mean of all beside it.
    """
    found: dict[str, Any] = {"bound_s": bound_s()}
    for name, dead in (("all_alive", ()), ("one_dead", (7,)), ("three_dead", (7, 15, 30))):
        with bus(dead=frozenset(dead)) as device:
            took, share = asyncio.run(_sweeps(device, METERS - len(dead), sweeps))
        found[f"sweep_{name}_s"] = min(took)
        found[f"sweep_{name}_mean_s"] = sum(took) / len(took)
        if not dead:
            found["bus_cpu_share"] = share
    return found


# --- Modbus TCP ----------------------------------------------------------------------------------------------------


class _RawServer(asyncio.Protocol):
    """Answers requests of one connection from memory, each with a block of registers."""

    def __init__(self, words: bytes) -> None:
        self._words = words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        pdu = bytes((data[6], data[7], len(self._words))) + self._words
        self._transport.write(data[:2] + struct.pack(">HH", 0, len(pdu)) + pdu)  # type: ignore[attr-defined]


def _serve_raw(port: Any, words: bytes) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _RawServer(words), "127.0.0.1", 0, backlog=2048)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    os.sched_setaffinity(0, {0})
    asyncio.run(serve())


@contextmanager
def raw_server(words: bytes) -> Iterator[int]:
    """A server in a process of its own, on the first core; yields its port."""
    ours, theirs = mp.Pipe()
    process = mp.get_context("fork").Process(target=_serve_raw, args=(theirs, words), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _plan(fields: int) -> BlockPlan:
    """One request of 100 registers, of which so many float32 are wanted, spread over all of it."""
    names = sorted(QUANTITIES)[:fields]
    places = [2 * round(i * 49 / (fields - 1)) for i in range(fields)]
    registers = tuple(
        Register(name, (Part(Table.HOLDING, at, "float32", WordOrder.ABCD, Fraction(1)),))
        for name, at in zip(names, places, strict=True)
    )
    profile = Profile("bench", "", "", Medium.ELECTRICITY, (), (), 125, registers)
    meter = Meter("bench", Text("", ""), Medium.ELECTRICITY, quantities=tuple(names))
    (plan,) = compile_meter(meter, profile, RequestCost.tcp())
    assert plan.block.count == 100, plan.block
    return plan


async def _read_tcp(port: int, connections: int, seconds: float, plan: BlockPlan, *, decode: bool) -> tuple[int, float]:
    """Reads of meters each on a connection of its own, as fast as they answer, and the processor time they took [s]."""
    lines = [TcpLine(TcpAddress("127.0.0.1", port), now=now) for _ in range(connections)]
    reads = 0
    stop = False

    async def poll(line: TcpLine) -> None:
        nonlocal reads
        while not stop:
            reply = await line.read(1, plan.block)
            if decode:
                plan.values(reply.payload)
            reads += 1

    tasks = [asyncio.create_task(poll(line)) for line in lines]
    await asyncio.sleep(0.5)
    reads, began = 0, time.process_time()
    await asyncio.sleep(seconds)
    found = reads, time.process_time() - began
    stop = True
    await asyncio.gather(*tasks)
    for line in lines:
        await line.close()
    return found


def tcp_reads(seconds: float = 3.0) -> dict[str, Any]:
    """Reads of 100 registers per second of one core, over 50 connections; all 50 values decoded, 10 of them, none.

    Per core means per second of processor time of this process, so that a neighbour on the machine does not count.
    """
    found: dict[str, Any] = {}
    words = struct.pack(">50f", *(230.0 + i for i in range(50)))
    with raw_server(words) as port:
        for name, fields, decode in (
            ("tcp_reads_per_s_per_core", 50, True),
            ("tcp_reads_per_s_per_core_10_values", 10, True),
            ("tcp_reads_per_s_per_core_undecoded", 50, False),
        ):
            reads, cpu_s = asyncio.run(_read_tcp(port, 50, seconds, _plan(fields), decode=decode))
            found[name] = reads / cpu_s
            found[name.replace("per_s_per_core", "per_s")] = reads / seconds
        reads, cpu_s = asyncio.run(_read_pymodbus(port, 50, seconds))
        found["tcp_reads_per_s_per_core_undecoded_pymodbus"] = reads / cpu_s
    return found


async def _read_pymodbus(port: int, connections: int, seconds: float) -> tuple[int, float]:
    """The same by pymodbus's own client, not decoded."""
    from pymodbus.client import AsyncModbusTcpClient

    clients = [AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) for _ in range(connections)]
    reads = 0
    stop = False

    async def poll(client: AsyncModbusTcpClient) -> None:
        nonlocal reads
        await client.connect()
        while not stop:
            pdu = await client.read_holding_registers(0, count=100, device_id=1)
            assert len(pdu.registers) == 100
            reads += 1

    tasks = [asyncio.create_task(poll(client)) for client in clients]
    await asyncio.sleep(0.5)
    reads, began = 0, time.process_time()
    await asyncio.sleep(seconds)
    found = reads, time.process_time() - began
    stop = True
    await asyncio.gather(*tasks)
    for client in clients:
        client.close()
    return found


# --- a thousand meters ---------------------------------------------------------------------------------------------


async def _thousand(port: int, meters: int, seconds: float) -> tuple[int, float]:
    plan = _plan(10)
    clock = SystemClock()
    read = 0

    def sink(_: MeterReadings) -> None:
        nonlocal read
        read += 1

    lines = [TcpLine(TcpAddress("127.0.0.1", port), now=now) for _ in range(meters)]
    tasks = []
    for i, line in enumerate(lines):
        meter = Meter(f"m{i}", Text("", ""), Medium.ELECTRICITY, interval_s=1.0)
        worker = LineWorker(line, [Station(meter, [plan], next_tick(clock.now(), 1.0))], clock, sink, lambda: None)
        tasks.append(asyncio.create_task(worker.run()))
    await asyncio.sleep(3)
    read, cpu = 0, time.process_time()
    await asyncio.sleep(seconds)
    found = read, (time.process_time() - cpu) / seconds
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for line in lines:
        await line.close()
    return found


def thousand_meters(meters: int = 1000, seconds: float = 6.0) -> dict[str, Any]:
    """1000 meters on 1000 connections, polled each second by the edge's worker: the share of a core that it takes."""
    with raw_server(struct.pack(">50f", *(230.0 + i for i in range(50)))) as port:
        read, share = asyncio.run(_thousand(port, meters, seconds))
    return {"thousand_meters_reads_per_s": read / seconds, "thousand_meters_core_share": share}


# --- frames that are random or changed -----------------------------------------------------------------------------


def _changed(rng: random.Random, right: bytes, others: Sequence[bytes]) -> bytes:
    """A frame as a bad wire or a bad meter would hand it over."""
    frame = bytearray(right)
    match rng.randrange(7):
        case 0:  # up to three wrong bits: what the CRC always finds
            for _ in range(rng.randint(1, 3)):
                frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        case 1:
            del frame[rng.randrange(len(frame)) :]
        case 2:
            return rng.choice(others)
        case 3:
            return rng.choice(others) + right + rng.randbytes(rng.randrange(9))
        case 4:
            return rng.randbytes(rng.randrange(1, 40)) + right
        case 5:
            return rng.randbytes(rng.randrange(1, 300))
        case 6:
            return right[: rng.randrange(len(right))] + right
    return bytes(frame)


def fuzz(cases: int = 100_000, seed: int = 485) -> dict[str, Any]:
    """Random and changed frames put to questions of both framings: values that are not the meter's, of how many."""
    rng = random.Random(seed)
    wrong = answered = 0
    for i in range(cases):
        unit, block = rng.randrange(1, 248), Block(rng.choice(list(Table)), rng.randrange(60000), rng.randint(1, 125))
        payload = rng.randbytes(2 * block.count)
        said = bytes((unit, block.table.function, len(payload))) + payload
        strange = [
            bytes(((unit + 1) % 248, said[1])) + said[2:],
            bytes((unit, 7 - said[1])) + said[2:],
            bytes((unit, said[1], len(payload) - 2)) + payload[2:],
            bytes((unit, said[1] | 0x80, rng.randrange(256))),
        ]
        question: RtuRead | MbapRead
        if i % 2:
            question, frames = RtuRead(unit, block), [f + crc16(f) for f in (said, *strange)]
        else:
            question = MbapRead(i & 0xFFFF, unit, block)
            heads = [struct.pack(">HHH", t & 0xFFFF, 0, len(f)) for t, f in ((i, said), *((i, f) for f in strange))]
            frames = [head + f for head, f in zip(heads, (said, *strange), strict=True)]
            frames.append(struct.pack(">HHH", (i - 1) & 0xFFFF, 0, len(said)) + said)
        verdict = question.judge(_changed(rng, frames[0], frames[1:]))
        if isinstance(verdict, Answered):
            answered += 1
            # Over TCP nothing but TCP itself guards the words of a frame whose head is right: they count as said.
            wrong += verdict.payload != payload and bool(i % 2)
    return {"fuzz_cases": cases, "fuzz_answered": answered, "fuzz_wrong_values": wrong}


def run() -> dict[str, Any]:
    """All of it; about three minutes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    return {**late_answers(), **sweep_times(), **tcp_reads(), **thousand_meters(), **fuzz()}
