"""What a CJ/T 188 meter's record becomes: units by their codes, doubts by its status."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.cjt188.make import RecordMake
from collectors.cjt188.plan import RecordAsked, compile_record, doubts
from collectors.decoder import Decoded
from collectors.lines.line import Refused
from collectors.makes import addressed_ids, load_make
from collectors.simulators.cjt188_slave import Cjt188Slave, RecordMap
from energy.errors import ConfigurationError
from energy.quantities import Medium
from energy.readings import Quality, Reason
from energy.sites import Meter, Text
from tests.collectors.cjt188.test_questions import HEATED, RIGHTED
from tests.collectors.frames import NOON, WireInMemory

HEAT = {
    "heat_energy": 1234.56,
    "heat_power": 12.5,
    "flow_rate": 0.5125,
    "volume": 10.34,
    "temperature_supply": 55.25,
    "temperature_return": 41.75,
}


def make(name: str) -> RecordMake:
    found = load_make(name)
    assert isinstance(found, RecordMake)
    return found


def asked(of: RecordMake, *quantities: str) -> RecordAsked:
    meter = Meter("m", Text("表", "Meter"), of.medium, quantities=quantities, address="00000040314132")
    [one] = compile_record(meter, of)
    return one


def values(found: object) -> dict[str, float | None]:
    return {d.quantity: d.value for d in found}  # type: ignore[attr-defined]


def test_the_published_water_meter_reads_as_its_page_says() -> None:
    of = make("cjt188/water-2018")

    assert asked(of).decode(RIGHTED[14:-2]) == [Decoded("volume", 556677.0, Quality.GOOD, Reason.NONE)]
    assert doubts(of, RIGHTED[14:-2]) == []


def test_the_published_heat_meter_reads_as_its_page_says() -> None:
    found = values(asked(make("cjt188/heat-code-first")).decode(HEATED[18:-2]))

    assert found == {
        "heat_energy": 0.072,  # 0.02 MWh
        "heat_power": 0.0,
        "flow_rate": 0.0,
        "volume": 10.34,
        "temperature_supply": 25.35,
        "temperature_return": 25.66,
    }


def test_units_are_told_by_their_codes_and_a_code_that_measures_something_else_is_bad() -> None:
    one = asked(make("cjt188/water-2018"))
    record = bytearray(RIGHTED[14:-2])
    record[4] = 0x29
    assert values(one.decode(bytes(record))) == {"volume": 556.677}
    for code in (0x05, 0x35, 0x00):
        record[4] = code
        assert one.decode(bytes(record)) == [Decoded("volume", None, Quality.BAD, Reason.NOT_A_NUMBER)]


@pytest.mark.parametrize(("status", "why"), [(4, ["battery low"]), (3, ["valve faulty"]), (1, []), (0x8400, [])])
async def test_a_low_battery_or_a_faulty_valve_makes_its_values_uncertain(status: int, why: list[str]) -> None:
    of = make("cjt188/water-2004")
    one = asked(of)
    slave = Cjt188Slave(one.address, RecordMap(_meter(of), of), lambda: {"volume": 12.5}, status=status)
    reply = await one.ask(WireInMemory(slave))

    expected = (Quality.UNCERTAIN, Reason.MARKED) if why else (Quality.GOOD, Reason.NONE)
    assert one.decode(reply.payload) == [Decoded("volume", 12.5, *expected)]
    assert doubts(of, reply.payload) == why


async def test_what_a_meter_leaves_out_stays_bad_though_its_battery_is_low() -> None:
    of = make("cjt188/water-2004")
    one = asked(of)
    slave = Cjt188Slave(one.address, RecordMap(_meter(of), of), dict, status=4)

    found = one.decode((await one.ask(WireInMemory(slave))).payload)

    assert found == [Decoded("volume", None, Quality.BAD, Reason.SENTINEL)]


@pytest.mark.parametrize("name", [name for name in addressed_ids() if "heat" in name])
async def test_a_heat_meter_is_read_whole(name: str) -> None:
    one = asked(make(name))
    wire = WireInMemory(Cjt188Slave(one.address, RecordMap(_meter(one.make), one.make), lambda: HEAT))

    for _ in range(2):
        assert values(one.decode((await one.ask(wire)).payload)) == HEAT
    assert [frame[-3] for frame in wire.asked] == [0, 1]


async def test_a_meter_that_takes_the_item_the_other_way_round_refuses() -> None:
    of = make("cjt188/water-2004")
    one = asked(make("cjt188/water-2018"))
    with pytest.raises(Refused):
        await one.ask(WireInMemory(Cjt188Slave(one.address, RecordMap(_meter(of), of), dict)))


@given(st.integers(0, 99_999_999))
async def test_every_volume_comes_back_exact(hundredths: int) -> None:
    of = make("cjt188/water-2004")
    one = asked(of)
    slave = Cjt188Slave(one.address, RecordMap(_meter(of), of), lambda: {"volume": hundredths / 100})

    reply = await one.ask(WireInMemory(slave))

    assert reply.taken_at == NOON
    assert values(one.decode(reply.payload)) == {"volume": hundredths / 100}


def test_a_record_of_another_length_is_no_answer() -> None:
    with pytest.raises(ValueError, match="record of 18 bytes, where 19 are due"):
        asked(make("cjt188/water-2018")).decode(bytes(18))


def test_a_file_tells_all_that_is_wrong_in_it_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "protocol: cjt188\nmaker: M\nmodel: X\nmedium: water\nsources: [the manual]\nmeter_type: 0x10\n"
        'item: "901F"\nanswer:\n  - {quantity: temperature, bytes: 3, unit_code: after}\n'
        "  - {quantity: volume, bytes: 4, unit: GJ}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_make(str(path))

    assert [fault.removeprefix(f"{path}:") for fault in caught.value.faults] == [
        "9: answer[0].quantity = 'temperature': no code of CJ/T 188 measures temperature; give the unit itself",
        "10: answer[1].quantity = 'volume': 'GJ' measures heat and 'm3' measures volume: "
        "there is no factor between them",
    ]


def _meter(of: RecordMake) -> Meter:
    return Meter("m", Text("表", "Meter"), Medium(of.medium), address="00000040314132")
