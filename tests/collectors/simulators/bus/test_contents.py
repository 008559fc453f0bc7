"""What stands in the registers: of a profile, of a file, or who they belong to; holes, restarts and roll-overs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.decoder import compile_meter
from collectors.meter_profile import Profile, Table, load_profile, profile_ids
from collectors.planner import RequestCost
from collectors.simulators.bus.contents import Contents, PlayedMeter, contents_of, read_table, telling
from collectors.simulators.bus.misbehaviour import spelled_misbehaviour
from collectors.simulators.bus.modbus_slave import ModbusSlave, crc16
from energy.errors import ConfigurationError
from energy.quantities import Kind, quantity
from energy.readings import Quality
from energy.sites import Meter, Text
from tests.collectors.simulators.bus.asking import ask, told


class Stepped:
    def __init__(self) -> None:
        self.at = datetime(2026, 1, 14, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def contents(*deeds: str, profile: str | None = None, clock: Stepped | None = None) -> Contents:
    found = None if profile is None else load_profile(profile)
    return contents_of(1, [spelled_misbehaviour(d) for d in deeds], now=clock or Stepped(), profile=found)


def read(of: Contents, profile: Profile) -> dict[str, float | None]:
    """The meter as the collector reads and decodes it."""
    meter = Meter("m", Text("表", "Meter"), profile.medium, profile=profile.id)
    images = of.images()
    assert images is not None
    found: dict[str, float | None] = {}
    for plan in compile_meter(meter, profile, RequestCost.rtu(9600)):
        payload = images[plan.block.table].read(plan.block.address, plan.block.count)
        assert payload is not None
        for decoded in plan.decode(payload):
            assert decoded.quality is Quality.GOOD
            found[decoded.quantity] = decoded.value
    return found


@pytest.mark.parametrize("name", profile_ids())
def test_a_meter_of_any_profile_is_read_as_it_was_played_and_counts(name: str) -> None:
    clock, profile = Stepped(), load_profile(name)
    of = contents_of(1, [], now=clock, profile=profile)
    assert isinstance(of, PlayedMeter)
    before = read(of, profile)
    clock.pass_s(36_000)
    after, truth = read(of, profile), of.values()

    counters = [q for q in profile.quantities if quantity(q).kind is Kind.COUNTER]
    assert any(after[q] > before[q] for q in counters)  # type: ignore[operator]
    for name_, value in after.items():
        assert value == pytest.approx(truth.get(name_, 0.0), rel=0.02, abs=1.2), name_


def test_a_register_tells_whose_it_is() -> None:
    slave = ModbusSlave(3, contents_of(3, [], now=Stepped()))

    assert slave.answer(ask(3, 12, 2)) == told(3, 3012, 3013)
    assert slave.answer(ask(3, 12, 1, function=4)) == told(3, 33012, function=4)
    assert slave.answer(ask(3, 65535, 1)) == told(3, telling(3, Table.HOLDING, 65535))


@pytest.mark.parametrize(
    ("address", "count", "refused"), [(98, 2, None), (98, 3, 2), (101, 1, 2), (102, 1, None), (200, 5, 3), (90, 120, 2)]
)
def test_a_hole_refuses_whatever_touches_it_and_nothing_else(address: int, count: int, refused: int | None) -> None:
    slave = ModbusSlave(1, contents("hole:addresses=100-101", "hole:addresses=203,code=3"))
    answer = slave.answer(ask(1, address, count))

    body = bytes((1, 0x83, refused or 0))
    assert (answer == body + crc16(body)) is (refused is not None)


def test_a_hole_of_another_meter_is_none_of_this_one() -> None:
    assert contents("hole:unit=2,addresses=100").refuses(Table.HOLDING, 100, 1) is None


@pytest.mark.parametrize(("at", "register_type"), [("2^32", "uint32"), ("100000000", "bcd32")])
def test_a_counter_rolls_over_shortly_after_the_start(at: str, register_type: str, tmp_path: Path) -> None:
    file = tmp_path / "meter.yaml"
    file.write_text(
        "maker: Test\nmodel: Counter\nmedium: electricity\nsources: [made for this test]\n"
        f"registers:\n  active_energy_import: {{unit: kWh, address: 0, type: {register_type}, scale: 0.01}}\n"
    )
    clock, profile = Stepped(), load_profile(str(file))
    rollover = spelled_misbehaviour(f"rollover:at={at},steps=100")
    of = contents_of(1, [rollover], now=clock, profile=profile)
    assert rollover.at is not None
    before = read(of, profile)["active_energy_import"]
    clock.pass_s(3600)  # at 13.2 kW more than the 1.00 kWh that were missing
    after = read(of, profile)["active_energy_import"]

    assert before == pytest.approx(rollover.at / 100 - 1)
    assert after == pytest.approx(13.2 - 1, abs=0.011)


def test_a_meter_that_reboots_counts_from_zero_and_its_gauges_stay() -> None:
    clock, profile = Stepped(), load_profile("eastron/sdm630")
    of = contents("rollover", profile="eastron/sdm630", clock=clock)
    before = read(of, profile)
    of.reboot()
    at_once = read(of, profile)
    clock.pass_s(3600)

    assert at_once["active_energy_import"] == 0
    assert at_once["voltage_l1"] == before["voltage_l1"]
    assert read(of, profile)["active_energy_import"] == pytest.approx(13.2, abs=0.1)


def test_a_file_lists_registers_and_what_it_does_not_list_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "registers.yaml"
    file.write_text("holding: {100: [1, 2], 103: 4}\ninput: {0: 65535}\n")
    of = contents_of(1, [], now=Stepped(), tables=read_table(file))
    slave = ModbusSlave(1, of)

    assert slave.answer(ask(1, 100, 2)) == told(1, 1, 2)
    assert slave.answer(ask(1, 0, 1, function=4)) == told(1, 65535, function=4)
    for address, count in ((100, 3), (102, 1), (0, 1)):
        refused = slave.answer(ask(1, address, count))
        assert refused is not None
        assert refused[1:3] == b"\x83\x02"
    of.reboot()
    assert slave.answer(ask(1, 100, 2)) == told(1, 0, 0)


def test_all_faults_of_a_file_of_registers_are_told(tmp_path: Path) -> None:
    file = tmp_path / "registers.yaml"
    file.write_text("holding:\n  100: 70000\n  -1: 2\n")
    with pytest.raises(ConfigurationError) as refused:
        read_table(file)

    assert "registers.yaml:2" in str(refused.value)
    assert "registers.yaml:3" in str(refused.value)
    file.write_text("input:\n  65535: [1, 2]\n")
    with pytest.raises(ConfigurationError, match="2 registers reach past 65535"):
        read_table(file)


def test_a_meter_returns_no_more_registers_than_it_can() -> None:
    of = contents_of(1, [], now=Stepped(), max_registers=10)

    refused = ModbusSlave(1, of).answer(ask(1, 0, 11))
    assert refused is not None
    assert refused[1:3] == b"\x83\x03"
