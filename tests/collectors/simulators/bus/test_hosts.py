"""The bus as it is reached: raw bytes over a terminal and TCP, and programs of others that read it."""

from __future__ import annotations

import asyncio
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from collectors.lines.address import Characters
from collectors.simulators.bus.beside import beside
from collectors.simulators.bus.contents import contents_of
from collectors.simulators.bus.hosts import ModbusTcpHost, PtyHost, TcpHost, precise_loop
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.modbus_slave import Mbap, ModbusSlave
from collectors.simulators.bus.wire import Station, Wire
from energy.errors import LineError
from tests.collectors.simulators.bus.asking import NOW, ask, meters, told
from tests.real_parts import program
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

# Fast, so that tests are; 87 microseconds a character.
FAST = Characters(115200)


def fast(station: Station) -> Wire:
    return Wire(station, FAST, uart=8)


def network(station: Station) -> Wire:
    return Wire(station, None)


@contextmanager
def terminal(*deeds: str, link: Path | None = None) -> Iterator[tuple[int, Meters]]:
    """A bus on a terminal, open as a file, and its meters."""
    of = meters(*deeds, latency_s=0.001)
    with beside(PtyHost(of, fast, link=link)) as host:
        file = os.open(host.address, os.O_RDWR | os.O_NOCTTY)
        try:
            yield file, of
        finally:
            os.close(file)


def received(file: int, expected: int, *, within_s: float = PATIENCE_S) -> bytes:
    """What comes until there is as much as expected, or nothing more for long."""
    came = b""
    while len(came) < expected and select.select([file], [], [], within_s)[0]:
        came += os.read(file, 4096)
    return came


def test_a_terminal_by_a_name_of_its_own_answers_and_the_name_is_gone_with_it(tmp_path: Path) -> None:
    link = tmp_path / "meters"
    with terminal(link=link) as (file, of):
        os.write(file, ask(2, 7, 3))
        assert received(file, 11) == told(2, 2007, 2008, 2009)
        assert [s.slave for s in of.log.newest] == ["unit 2"]
    assert not link.is_symlink()


def test_a_link_that_was_left_behind_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    link = tmp_path / "meters"
    link.symlink_to(tmp_path / "gone")
    with terminal(link=link) as (file, _):
        os.write(file, ask(1, 7, 1))
        assert received(file, 7) == told(1, 1007)
    link.write_text("mine")
    with pytest.raises(LineError, match="meters: cannot be made a name"), terminal(link=link):
        pass
    assert link.read_text() == "mine"


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("cut:bytes=3", told(1, 1007, 1008)[:-3]),
        ("short", told(1, 1007)),
        ("wrong_unit", told(2, 1007, 1008)),
        ("wrong_function", told(1, 1007, 1008, function=4)),
        ("glued", told(1, 1007, 1008) * 2),
        ("dribble:gap=1ms", told(1, 1007, 1008)),
        ("slow:by=20ms", told(1, 1007, 1008)),
        ("reset:bytes=4", told(1, 1007, 1008)[:4]),
        ("exception:code=6", bytes.fromhex("018306c132")),
    ],
)
def test_misbehaviours_reach_the_terminal_byte_by_byte(deed: str, expected: bytes) -> None:
    with terminal(deed) as (file, of):
        os.write(file, ask(1, 7, 2))

        assert received(file, len(expected)) == expected
        assert received(file, 1, within_s=0.005) == b""
        assert of.log.newest[0].said == expected


def test_a_request_in_pieces_is_one_and_after_nonsense_the_next_is_heard() -> None:
    with terminal() as (file, _):
        os.write(file, b"\x00\xff\x01\x03")
        time.sleep(0.02)  # silence on the wire
        os.write(file, ask(1, 7, 1)[:5])
        os.write(file, ask(1, 7, 1)[5:])

        assert received(file, 7) == told(1, 1007)


# -- TCP -------------------------------------------------------------------------------------------------------------


async def test_rtu_over_tcp_is_one_wire_for_all_that_are_connected() -> None:
    async with TcpHost(meters(latency_s=0.001), fast) as host:
        first, second = [await asyncio.open_connection(*host.address.split(":")) for _ in range(2)]
        first[1].write(ask(1, 7, 1))

        for reader, writer in (first, second):
            assert await asyncio.wait_for(reader.readexactly(7), PATIENCE_S) == told(1, 1007)
            writer.close()


async def test_a_reset_in_the_middle_of_an_answer_is_a_reset() -> None:
    async with TcpHost(meters("reset:bytes=4", latency_s=0.001), fast) as host:
        reader, writer = await asyncio.open_connection(*host.address.split(":"))
        writer.write(ask(1, 7, 1))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(7), PATIENCE_S)
        writer.close()


def framed(*deeds: str) -> Meters:
    """Meters that speak Modbus TCP."""
    misbehaviours = [spelled_misbehaviour(deed) for deed in deeds]
    slaves = [ModbusSlave(u, contents_of(u, misbehaviours, now=lambda: NOW), Mbap()) for u in (1, 2)]
    return Meters(slaves, misbehaviours, latency=Latency(0.001))


async def test_modbus_tcp_answers_each_connection_for_itself_however_requests_are_cut() -> None:
    asked = [bytes.fromhex(f"00{i:02x} 0000 0006 {i:02x} 03 0007 0001") for i in (1, 2)]
    async with ModbusTcpHost(framed(), network) as host:
        first, second = [await asyncio.open_connection(*host.address.split(":")) for _ in range(2)]
        first[1].write(asked[0] + asked[1][:3])
        await asyncio.sleep(0.005)
        first[1].write(asked[1][3:])
        second[1].write(asked[1])

        expected = [bytes.fromhex(f"00{i:02x} 0000 0005 {i:02x} 03 02") + (1000 * i + 7).to_bytes(2) for i in (1, 2)]
        assert await asyncio.wait_for(first[0].readexactly(22), PATIENCE_S) == expected[0] + expected[1]
        assert await asyncio.wait_for(second[0].readexactly(11), PATIENCE_S) == expected[1]
        first[1].close()
        second[1].close()


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\0\1\0\0\xff\xff" + b"x" * 300])
async def test_garbage_on_modbus_tcp_ends_its_connection(garbage: bytes) -> None:
    async with ModbusTcpHost(framed(), network) as host:
        reader, writer = await asyncio.open_connection(*host.address.split(":"))
        writer.write(garbage)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()


async def test_a_port_that_is_taken_is_told() -> None:
    async with TcpHost(meters(), fast) as host:
        with pytest.raises(LineError, match="cannot listen on 127"):
            await TcpHost(meters(), fast, port=int(host.address.split(":")[1])).__aenter__()


def test_the_precise_loop_waits_in_parts_of_a_millisecond() -> None:
    loop = precise_loop()
    try:
        # The usual loop never waits less than a whole millisecond; a machine that is busy often makes it more.
        least = 1.0
        for _ in range(10_000):
            began = time.perf_counter()
            loop.run_until_complete(asyncio.sleep(0.0003))
            least = min(least, time.perf_counter() - began)
            if least < 0.0009:
                break
    finally:
        loop.close()

    assert least < 0.0009


# -- strangers --------------------------------------------------------------------------------------------------------


async def test_pymodbus_reads_rtu_over_tcp() -> None:
    async with TcpHost(meters(latency_s=0.001), fast) as host:
        name, port = host.address.split(":")
        client = AsyncModbusTcpClient(name, port=int(port), framer=FramerType.RTU, timeout=60, retries=0)
        assert await client.connect()
        for unit in (1, 2, 3):
            answer = await client.read_holding_registers(40, count=5, device_id=unit)
            assert answer.registers == [1000 * unit + 40 + i for i in range(5)]
        client.close()


def test_pymodbus_reads_the_terminal() -> None:
    pytest.importorskip("serial", reason="pyserial is not installed: it is in the extra `bench`")
    from pymodbus.client import ModbusSerialClient

    with beside(PtyHost(meters(latency_s=0.001), fast)) as host:
        client = ModbusSerialClient(host.address, baudrate=115200, timeout=60, retries=0)
        assert client.connect()
        for unit in (1, 2, 3):
            answer = client.read_input_registers(40, count=2, device_id=unit)
            assert answer.registers == [31000 + 1000 * (unit - 1) + 40 + i for i in range(2)]
        client.close()  # type: ignore[no-untyped-call]


def test_mbpoll_reads_the_terminal() -> None:
    binary = program("mbpoll")
    with beside(PtyHost(meters(latency_s=0.001), fast)) as host:
        options = f"-m rtu -b 115200 -P none -a 2 -t 4 -0 -r 40 -c 3 -1 {host.address}"
        printed = subprocess.run([binary, *options.split()], capture_output=True, text=True, timeout=PATIENCE_S).stdout

    assert re.findall(r"^\[\d+\]:\s+(\d+)", printed, re.MULTILINE) == ["2040", "2041", "2042"]
