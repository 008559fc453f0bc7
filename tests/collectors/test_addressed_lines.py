"""Meters that are asked by their address, on real lines: read whole, and never wrong whatever they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from dlt645.service.serversvc.async_server_service import AsyncMeterServerService
from loguru import logger

from collectors.asked import Plan, ask
from collectors.cjt188.make import RecordMake
from collectors.cjt188.questions import ReadAddress as ReadCjt188Address
from collectors.dlt645.make import ItemMake
from collectors.dlt645.questions import ReadAddress as ReadDlt645Address
from collectors.lines.address import Characters, SerialServerAddress, parse_address
from collectors.lines.byte_line import ByteLine
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.makes import AddressedMake, compile_make, load_make
from collectors.simulators.addressed import addressed_slave, map_of
from collectors.simulators.bus.hosts import PtyHost, TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.slave import Slave
from collectors.simulators.bus.wire import Station, Wire
from energy.errors import LineError
from energy.readings import Quality
from energy.sites import Meter, Text

pytestmark = pytest.mark.by_the_clock

logger.disable("dlt645")
CHARACTERS = Characters(57600, "E")
POWER = {"voltage_l1": 220.1, "voltage_l2": 221.2, "voltage_l3": 222.3, "active_power": -1.2345, "frequency": 50.01}
HEAT = {"heat_energy": 1234.56, "heat_power": 12.5, "volume": 10.34, "temperature_supply": 55.25}
ELECTRICITY, WARMTH, WATER = "000000000007", "00000040314132", "78330011223344"


def now() -> datetime:
    return datetime.now(UTC)


def addressed(name: str) -> AddressedMake:
    made = load_make(name)
    assert isinstance(made, ItemMake | RecordMake)
    return made


def installed(name: str, address: str, values: dict[str, float], number: int) -> tuple[Slave, Sequence[Plan]]:
    """A meter, and what is asked of it."""
    make = addressed(name)
    meter = Meter(f"m{number}", Text("表", "Meter"), make.medium, quantities=tuple(values), address=address)
    slave = addressed_slave(meter, map_of(meter, make), lambda: values, number=number)
    return slave, compile_make(meter, make, ANY_LINE.cost, now)


ANY_LINE = open_line("rtu+tcp://127.0.0.1:9", now=now)
METERS = {
    "power": (installed("dlt645/three-phase", ELECTRICITY, POWER, 1), POWER),
    "heat": (installed("cjt188/heat-2004", WARMTH, HEAT, 2), HEAT),
    "water": (installed("cjt188/water-2018", WATER, {"volume": 556677.0}, 3), {"volume": 556677.0}),
}


def bus(*deeds: str) -> Meters:
    slaves = [slave for (slave, _), _ in METERS.values()]
    return Meters(slaves, [spelled_misbehaviour(deed) for deed in deeds], latency=Latency(0.002), seed=1)


def wire(station: Station) -> Wire:
    return Wire(station, CHARACTERS, uart=8)


@asynccontextmanager
async def tcp_line(meters: Meters, timeout_s: float = 0.3, latest_s: float = 0.1) -> AsyncIterator[Line]:
    async with TcpHost(meters, wire) as host:
        address = parse_address(f"rtu+tcp://{host.address}?baud={CHARACTERS.baud}&parity=E")
        assert isinstance(address, SerialServerAddress)
        async with ByteLine(address, now=now, timeout_s=timeout_s, latest_s=latest_s) as line:
            yield line


async def read(asked: Sequence[Plan], line: Line) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for one in asked:
        reply = await ask(one, line, 1)
        for decoded in one.decode(reply.payload):
            assert decoded.quality is Quality.GOOD or decoded.value is None
            found[decoded.quantity] = decoded.value
    return found


async def test_three_protocols_of_meters_on_one_serial_server_are_read_exactly() -> None:
    async with tcp_line(bus()) as line:
        for (_, asked), values in METERS.values():
            assert await read(asked, line) == values


async def test_they_are_read_on_a_serial_port() -> None:
    async with PtyHost(bus(), wire) as host:
        address = f"serial:{host.address}?baud={CHARACTERS.baud}&parity=E"
        async with open_line(address, now=now, timeout_s=0.3) as line:
            for (_, asked), values in METERS.values():
                assert await read(asked, line) == values


async def test_the_only_meter_on_a_line_tells_its_address() -> None:
    for name, question, told in (
        ("power", ReadDlt645Address(), bytes.fromhex(ELECTRICITY)[::-1]),
        ("water", ReadCjt188Address(), b"\x10" + bytes.fromhex(WATER)[::-1]),
    ):
        (slave, _), _ = METERS[name]
        async with tcp_line(Meters([slave])) as line:
            assert (await line.ask(question)).payload == told


@pytest.mark.parametrize(
    "deed",
    [
        "garble:rate=0.4,bytes=1",
        "cut:rate=0.4,bytes=2",
        "noise:rate=0.4,bytes=5",
        "wrong_unit:rate=0.4",
        "wrong_function:rate=0.4",
        "wrong_transaction:rate=0.4",
        "short:rate=0.4",
        "long:rate=0.4",
        "exception:rate=0.4,code=1",
        "late:rate=0.4,by=50ms",
        "glued:rate=0.4",
    ],
)
async def test_whatever_they_do_a_value_is_right_or_there_is_none(deed: str) -> None:
    seen: Counter[bool] = Counter()
    async with tcp_line(bus(deed), timeout_s=0.04) as line:
        for _ in range(2):
            for (_, asked), values in METERS.values():
                for one in asked:
                    try:
                        reply = await ask(one, line, 1)
                    except LineError:
                        seen[False] += 1
                        continue
                    for decoded in one.decode(reply.payload):
                        assert decoded.value in (values[decoded.quantity], None)
                        seen[decoded.value is not None] += 1
    assert seen[True] > 0


@pytest.mark.parametrize(
    ("profile", "address", "quantity"),
    [("dlt645/three-phase", ELECTRICITY, "voltage_l1"), ("cjt188/water-2018", WATER, "volume")],
)
async def test_an_older_answer_behind_a_broken_one_is_not_taken(profile: str, address: str, quantity: str) -> None:
    make, shown = addressed(profile), [100.0]

    def values() -> dict[str, float]:
        shown.append(shown[-1] + 1)
        return {quantity: shown[-1]}

    meter = Meter("m", Text("表", "Meter"), make.medium, quantities=(quantity,), address=address)
    slave = addressed_slave(meter, map_of(meter, make), values)
    deeds = [spelled_misbehaviour("garble:rate=0.5,bytes=1"), spelled_misbehaviour("glued:rate=0.8")]
    [plan] = compile_make(meter, make, ANY_LINE.cost, now)
    right = 0
    async with tcp_line(Meters([slave], deeds, latency=Latency(0.001), seed=2), 0.04, 0.05) as line:
        for _ in range(20):
            try:
                [found] = plan.decode((await ask(plan, line, 1)).payload)
            except LineError:
                continue
            assert found.value == shown[-1]
            right += 1
    assert right > 5


async def test_a_meter_played_by_another_implementation_is_read_exactly() -> None:
    theirs = AsyncMeterServerService.new_tcp_server("127.0.0.1", 0)
    theirs.set_address(bytearray(bytes.fromhex(ELECTRICITY)[::-1]))
    theirs.set_00(0x00010000, 123456.78)
    for identifier, value in ((0x02010100, 220.1), (0x02010200, 221.2), (0x02030000, -1.2345), (0x02800002, 50.01)):
        theirs.set_02(identifier, value)
    make = addressed("dlt645/three-phase")
    values = {
        "active_energy_import": 123456.78,
        "voltage_l1": 220.1,
        "voltage_l2": 221.2,
        "active_power": -1.2345,
        "frequency": 50.01,
    }
    meter = Meter("m", Text("表", "Meter"), make.medium, quantities=tuple(values), address=ELECTRICITY)
    async with theirs:
        port = theirs.server.port
        async with open_line(f"rtu+tcp://127.0.0.1:{port}", now=now) as line:
            # It knows no blocks: the voltages are asked for one by one.
            assert await read(compile_make(meter, make, line.cost, now), line) == values
