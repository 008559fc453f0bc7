"""Whoever answers is found; what it is is told where that is known, and only there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

import pytest
from pymodbus import ModbusDeviceIdentification
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from adapters.clocks import SystemClock
from collectors.commissioning.order import PROTOCOLS, Asking, longest_s, speeds
from collectors.lines.address import Address, Characters, SerialAddress, TcpAddress, parse_address
from collectors.lines.byte_line import ByteLine
from collectors.lines.line import Line, Unreachable
from collectors.lines.opening import open_line
from collectors.makes import AddressedMake, Make, load_make
from collectors.meter_profile import Profile, Table, load_profile, profile_ids
from collectors.simulators.addressed import numbered_slave
from collectors.simulators.bus.contents import Contents, Holes, PlayedMeter, RegisterTable, TellingRegisters
from collectors.simulators.bus.hosts import TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.modbus_slave import ModbusSlave
from collectors.simulators.bus.recorded_slave import recorded_slaves
from collectors.simulators.bus.slave import Slave
from collectors.simulators.bus.wire import Wire
from collectors.simulators.modbus_server import ModbusServer
from collectors.simulators.registers import Image, Images
from jieneng.probing import Probed, addresses_tried, known_makes, probe
from jieneng.proposing import site_proposal
from tests.real_parts import free_port

pytestmark = pytest.mark.by_the_clock

FAST = Characters(115200)


def now() -> datetime:
    return datetime.now(UTC)


def played(unit: int, profile: str) -> ModbusSlave:
    return ModbusSlave(unit, PlayedMeter(load_profile(profile), unit, now=now))


def addressed(make_id: str, number: int) -> Slave:
    make = load_make(make_id)
    assert not isinstance(make, Profile)
    of: AddressedMake = make
    return numbered_slave(of, number, now)


@asynccontextmanager
async def bus(
    slaves: Sequence[Slave], *deeds: str, characters: Characters | None = FAST, latency_s: float = 0.002
) -> AsyncIterator[str]:
    """A byte-timed bus behind a serial server."""
    meters = Meters(slaves, [spelled_misbehaviour(deed) for deed in deeds], latency=Latency(latency_s))
    async with TcpHost(meters, lambda station: Wire(station, characters, uart=16)) as host:
        yield f"rtu+tcp://{host.address}?baud=115200"


def patient(address: Address, timeout_s: float) -> Line:
    """The line at an address; a serial one believes an answer possible for a fifth of a second after its time."""
    if isinstance(address, TcpAddress):
        return open_line(str(address), now=now, timeout_s=timeout_s)
    return ByteLine(address, now=now, timeout_s=timeout_s, latest_s=0.2)


async def probed(
    address: str,
    units: Sequence[int],
    protocols: Sequence[str] = ("modbus",),
    *,
    timeout_s: float = 0.1,
    makes: Sequence[Make] | None = None,
) -> Probed:
    tried = addresses_tried(address, (), ())
    of = Probed(tried[0], now())
    asking = Asking(units, protocols, timeout_s, 0.0)
    opened = partial(patient, timeout_s=timeout_s)
    await probe(of, tried, asking, makes or known_makes(), SystemClock(), lambda what, share: None, opened=opened)
    return of


def verdicts(of: Probed) -> dict[str, tuple[str, list[str]]]:
    return {m.station: (m.verdict, [fit.make.id for fit in m.likely]) for m in of.found.meters}


async def test_three_makes_are_told_apart_beside_a_dead_unit_a_refusing_one_and_noise() -> None:
    slaves = [
        *(played(3, "eastron/sdm630"), played(5, "acrel/dtsd1352"), played(8, "chint/dtsu666")),
        *(played(4, "eastron/sdm120"), played(6, "abb/b23")),
    ]
    async with bus(slaves, "silent:unit=4", "exception:unit=6,code=2", "noise:unit=5,bytes=3,every=4") as address:
        of = await probed(address, range(2, 10))

    assert verdicts(of) == {
        "unit 3": ("identified", ["eastron/sdm630"]),
        "unit 5": ("identified", ["acrel/dtsd1352"]),
        "unit 6": ("unknown", []),
        "unit 8": ("identified", ["chint/dtsu666"]),
    }
    assert of.complete


async def test_a_meter_slower_than_it_is_waited_for_is_found_all_the_same() -> None:
    slaves = [played(unit, "eastron/sdm630") for unit in (3, 5)]
    async with bus(slaves, "slow:unit=3,by=140ms") as address:
        of = await probed(address, range(3, 8), makes=[load_make("eastron/sdm630")])

    assert sorted(verdicts(of)) == ["unit 3", "unit 5"]
    assert {verdict for verdict, _ in verdicts(of).values()} == {"identified"}


# What these show when simulated, without their states, could be an accident; the documentation says so.
UNRECOGNISED = {"bove/ultrasonic-water", "xintai/electronic-water"}


async def test_every_make_is_recognised_beside_its_relatives_or_called_unknown() -> None:
    ids = profile_ids()
    async with bus([played(unit, profile) for unit, profile in enumerate(ids, 1)], characters=None) as address:
        of = await probed(address, range(1, len(ids) + 1))

    assert verdicts(of) == {
        f"unit {unit}": ("unknown", []) if profile in UNRECOGNISED else ("identified", [profile])
        for unit, profile in enumerate(ids, 1)
    }


class Full(PlayedMeter):
    """A water meter whose register of state says that its pipe is full."""

    def images(self) -> Images:
        found = dict(super().images())
        image = found[Table.HOLDING]
        at = 2 * (7 - image.first)
        found[Table.HOLDING] = Image(image.first, image.words[:at] + b"\xaa\0" + image.words[at + 2 :])
        return found


async def test_a_water_meter_is_recognised_by_the_state_of_its_pipe() -> None:
    """Its floats alone could be an accident; few random registers hold 55 or AA."""
    slave = ModbusSlave(3, Full(load_profile("xintai/electronic-water"), 3, now=now))
    async with bus([slave], characters=None) as address:
        of = await probed(address, [3])

    assert verdicts(of) == {"unit 3": ("identified", ["xintai/electronic-water"])}
    assert "pipe is full" in of.found.meters[0].likely[0].sentence


async def test_a_connection_that_is_lost_once_is_made_anew() -> None:
    async with bus([played(3, "eastron/sdm630")], "reset:unit=3,after=4,times=1", characters=None) as address:
        of = await probed(address, [3])

    assert verdicts(of) == {"unit 3": ("identified", ["eastron/sdm630"])}


async def test_a_line_that_is_lost_says_nothing_of_its_meters() -> None:
    of = Probed(parse_address("tcp://192.0.2.1"), now())
    async with bus([played(3, "eastron/sdm630")], "reset:unit=3,after=4", characters=None) as address:
        tried = addresses_tried(address, (), ())
        asking = Asking([3], ("modbus",), 0.1, 0.0)
        opened = partial(patient, timeout_s=0.1)
        with pytest.raises(Unreachable):
            await probe(of, tried, asking, known_makes(), SystemClock(), lambda what, share: None, opened=opened)

    assert verdicts(of) == {"unit 3": ("not looked at", [])}


async def test_where_two_makes_fit_both_are_told() -> None:
    known = load_profile("eastron/sdm630")
    twin = replace(known, id="own.yaml", maker="Somebody")
    async with bus([played(1, known.id)], characters=None) as address:
        of = await probed(address, [1], makes=[known, twin])

    assert verdicts(of) == {"unit 1": ("several", ["eastron/sdm630", "own.yaml"])}
    assert "# - {id: meter-1," in site_proposal(of)


async def test_a_total_that_falls_is_no_total() -> None:
    # Each time it is asked, the meter shows what it showed an hour before.
    began, hours = now(), count()
    known = load_profile("abb/b23")
    slave = ModbusSlave(1, PlayedMeter(known, 1, now=lambda: began - timedelta(hours=next(hours))))
    async with bus([slave], characters=None) as address:
        of = await probed(address, [1], makes=[known])

    assert verdicts(of) == {"unit 1": ("unknown", [])}
    assert of.found.meters[0].note == "abb/b23 is ruled out: its counter fell while it was looked at"


def random_table(seed: int) -> RegisterTable:
    chance = Random(seed)
    words = {address: chance.randrange(65536) for address in range(6000)}
    return RegisterTable({Table.HOLDING: words, Table.INPUT: words})


async def test_a_meter_that_nobody_knows_is_given_no_name() -> None:
    contents: list[Contents] = [random_table(seed) for seed in range(6)]
    contents += [TellingRegisters(unit) for unit in (1, 2, 3, 30)]
    contents += [RegisterTable({table: dict.fromkeys(range(6000), 0) for table in Table})]
    async with bus([ModbusSlave(i, held) for i, held in enumerate(contents, 1)], characters=None) as address:
        of = await probed(address, range(1, len(contents) + 1))

    assert [verdict for verdict, _ in verdicts(of).values()] == ["unknown"] * len(contents)


async def test_a_hole_in_a_block_does_not_hide_the_meter() -> None:
    # 103 to 118 stand between the currents and the frequency of this make, and need not be readable.
    holes = Holes([spelled_misbehaviour("hole:addresses=103-118,code=2")], 5)
    meter = PlayedMeter(load_profile("acrel/dtsd1352"), 5, now=now, holes=holes)
    async with bus([ModbusSlave(5, meter)], characters=None) as address:
        of = await probed(address, [5])

    assert verdicts(of) == {"unit 5": ("identified", ["acrel/dtsd1352"])}


@pytest.mark.parametrize("make_id", ["dlt645/single-phase", "cjt188/heat-2004", "cjt188/gas-2018"])
async def test_a_chinese_meter_alone_on_its_line_tells_its_address_and_is_known(make_id: str) -> None:
    async with bus([addressed(make_id, 7)], characters=None) as address:
        of = await probed(address, [], PROTOCOLS[1:])

    [(station, found)] = verdicts(of).items()
    assert station.removeprefix("meter ").lstrip("0") == "7"
    assert found == ("identified", [make_id])


def addresses(of: Probed) -> list[int]:
    return sorted(int(m.address or -1) for m in of.found.meters)


async def test_meters_of_dlt645_on_one_line_are_told_apart_by_the_last_digits_of_their_addresses() -> None:
    slaves = [addressed("dlt645/single-phase", number) for number in (7, 8)]
    async with bus(slaves) as address:
        of = await probed(address, [], ["dlt645"], timeout_s=0.03, makes=[load_make("dlt645/single-phase")])

    assert addresses(of) == [7, 8]
    assert {m.verdict for m in of.found.meters} == {"identified"}
    assert of.found.notes == []


async def test_two_water_meters_that_answer_a_wildcard_at_once_are_told_and_not_guessed() -> None:
    slaves = [addressed("cjt188/water-2018", number) for number in (7, 8)]
    async with bus(slaves) as address:
        of = await probed(address, [], ["cjt188"])

    assert of.found.meters == []
    assert "several CJ/T 188 meters answer at once" in of.found.notes[0]


async def test_what_was_recorded_plays_as_the_bus_it_was() -> None:
    slaves = [played(3, "eastron/sdm630"), played(5, "tuf/tuf-2000"), addressed("cjt188/water-2018", 9)]
    async with bus(slaves, "noise:unit=3,bytes=3,every=5") as address:
        first = await probed(address, range(2, 6), ["modbus", "cjt188"])
    async with bus(recorded_slaves(first.exchanges)) as address:
        again = await probed(address, range(2, 6), ["modbus", "cjt188"])

    assert [(m.station, m.proof, m.fits) for m in again.found.meters] == [
        (m.station, m.proof, m.fits) for m in first.found.meters
    ]
    assert sorted(m.verdict for m in first.found.meters) == ["identified"] * 3


async def test_a_search_that_is_stopped_keeps_whom_it_found() -> None:
    of = Probed(parse_address("tcp://192.0.2.1"), now())
    async with bus([played(unit, "eastron/sdm630") for unit in (1, 2)], characters=None) as address:
        looking = asyncio.Event()

        def told(what: str, share: float) -> None:
            if "unit 2: " in what:
                looking.set()

        asking = Asking([1, 2], ("modbus",), 0.1, 0.0)
        tried = addresses_tried(address, (), ())
        task = asyncio.create_task(probe(of, tried, asking, known_makes(), SystemClock(), told))
        await looking.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert verdicts(of) == {
        "unit 1": ("identified", ["eastron/sdm630"]),
        "unit 2": ("not looked at", []),
    }
    assert not of.complete


async def test_the_speed_is_found_and_others_are_then_spared() -> None:
    right = Characters(2400, "E")
    asked: list[str] = []
    async with bus([addressed("dlt645/three-phase", 7)], characters=None) as there, bus([]) as nobody:

        def opened(address: Address) -> Line:
            assert isinstance(address, SerialAddress)
            asked.append(str(address.characters))
            return patient(parse_address(there if address.characters == right else nobody), 0.05)

        tried = addresses_tried("serial:/dev/ttyUSB0", [9600, 2400, 19200], ["E"])
        of = Probed(tried[0], now())
        asking = Asking([1], ("modbus", "dlt645"), 0.05, 0.0)
        shares: list[float] = []

        def told(what: str, share: float) -> None:
            shares.append(share)

        await probe(of, tried, asking, known_makes(), SystemClock(), told, opened=opened)

    assert shares == sorted(shares)
    assert asked == [str(Characters(9600, "E")), str(right)]
    assert [m.line for m in of.found.meters] == ["serial:/dev/ttyUSB0?baud=2400&parity=E&stop=1"]


async def test_a_gateway_that_says_nobody_is_there_is_no_meter() -> None:
    server = ModbusServer({4: PlayedMeter(load_profile("siemens/pac2200"), 4, now=now)})
    await server.start()
    of = await probed(f"tcp://{server.host}:{server.port}", range(1, 8))
    await server.stop()

    assert verdicts(of) == {"unit 4": ("identified", ["siemens/pac2200"])}


async def test_one_meter_behind_every_unit_id_is_told_as_such() -> None:
    meter = PlayedMeter(load_profile("siemens/pac2200"), 1, now=now)
    server = ModbusServer(dict.fromkeys(range(1, 6), meter))
    await server.start()
    of = await probed(f"tcp://{server.host}:{server.port}", range(1, 6))
    await server.stop()

    assert "one meter that does not look at the unit id" in of.found.notes[0]


@pytest.mark.parametrize(("scheme", "framer"), [("rtu+tcp", FramerType.RTU), ("tcp", FramerType.SOCKET)])
async def test_what_a_meter_says_of_itself_is_heard(scheme: str, framer: FramerType) -> None:
    says = ModbusDeviceIdentification({0: "Eastron", 1: "SDM630-X", 2: "V1.9"})  # type: ignore[no-untyped-call]
    device = SimDevice(7, [SimData(0, values=[1] * 10, datatype=DataType.REGISTERS)])
    port = free_port()
    server = ModbusTcpServer(device, framer=framer, identity=says, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    of = await probed(f"{scheme}://127.0.0.1:{port}", [7], timeout_s=0.5)
    await server.shutdown()  # type: ignore[no-untyped-call]

    assert of.found.meters[0].identification == {"vendor": "Eastron", "product": "SDM630-X", "revision": "V1.9"}
    # Its name alone is no proof: its registers are those of no make.
    assert of.found.meters[0].verdict == "unknown"


def test_how_long_it_takes_is_known_ahead() -> None:
    # Of each unit 2 × (8 characters of 10 bits at 9600 + 20 ms) + 300 ms + 120 ms are 476.7 ms.
    asking = Asking(range(1, 33), ("modbus",), 0.3, 0.02)

    assert longest_s(asking, [Characters(9600)]) == pytest.approx(32 * 0.47667, rel=1e-3)
    assert [(c.baud, c.parity) for c in speeds([9600, 2400])] == [(9600, "N"), (9600, "E"), (2400, "E"), (2400, "N")]
