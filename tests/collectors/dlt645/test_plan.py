"""How a DL/T 645 meter is read, what it does not have, and what its values become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decoder import Decoded, as_wired, transformer_ratios
from collectors.dlt645.frame import Frame, encode
from collectors.dlt645.make import ItemMake
from collectors.dlt645.plan import ItemsAsked, compile_items
from collectors.lines.line import NoAnswer, Untrusted
from collectors.makes import load_make
from collectors.simulators.dlt645_slave import Dlt645Slave, ItemMap
from collectors.station_address import address_bytes
from energy.quantities import Medium, quantity
from energy.readings import Quality, Reason
from energy.sites import Meter, Text
from tests.collectors.frames import NOON, WireInMemory


def three_phase() -> ItemMake:
    made = load_make("dlt645/three-phase")
    assert isinstance(made, ItemMake)
    return made


MAKE = three_phase()
VOLTS = {"voltage_l1": 220.1, "voltage_l2": 221.2, "voltage_l3": 222.3}
VOLTAGES, POWERS = bytes.fromhex("0201FF00"), bytes.fromhex("0203FF00")


def meter(*quantities: str, ct: float = 1.0, reversed_: bool = False) -> Meter:
    of = {"ct": ct, "reversed": reversed_, "quantities": quantities, "address": "000000000161"}
    return Meter("m", Text("表", "Meter"), Medium.ELECTRICITY, **of)  # type: ignore[arg-type]


def slave(of: Meter, values: Mapping[str, float], refuses: Sequence[bytes] = (), at_most: int = 196) -> Dlt645Slave:
    return Dlt645Slave("000000000161", ItemMap(of, MAKE), lambda: values, refuses=refuses, at_most=at_most)


async def read(asked: Sequence[ItemsAsked], wire: WireInMemory) -> dict[str, Decoded]:
    found: dict[str, Decoded] = {}
    for one in asked:
        reply = await one.ask(wire)
        assert reply.taken_at == NOON
        found |= {d.quantity: d for d in one.decode(reply.payload)}
    return found


def compiled(of: Meter) -> list[ItemsAsked]:
    return compile_items(of, MAKE, lambda: NOON)


async def test_what_stands_in_one_block_is_asked_once() -> None:
    of = meter(*VOLTS, "frequency")
    wire = WireInMemory(slave(of, {**VOLTS, "frequency": 49.98}))
    found = await read(compiled(of), wire)

    assert {name: d.value for name, d in found.items()} == {**VOLTS, "frequency": 49.98}
    assert len(wire.asked) == 2


async def test_a_block_that_is_refused_is_read_item_by_item_and_not_asked_for_again() -> None:
    of = meter(*VOLTS)
    wire = WireInMemory(slave(of, VOLTS, refuses=[VOLTAGES]))
    asked = compiled(of)

    for rounds in (4, 7):
        assert {name: d.value for name, d in (await read(asked, wire)).items()} == VOLTS
        assert len(wire.asked) == rounds


async def test_an_item_that_the_meter_has_not_is_marked_and_its_neighbours_are_read() -> None:
    of = meter("voltage_l1", "frequency", "active_demand_import_max")
    found = await read(compiled(of), WireInMemory(slave(of, {"voltage_l1": 220.1, "active_demand_import_max": 3.25})))

    assert found["voltage_l1"].value == 220.1
    assert found["active_demand_import_max"].value == 3.25
    assert found["frequency"] == Decoded("frequency", None, Quality.BAD, Reason.UNSUPPORTED)


async def test_a_refused_item_is_asked_for_again_after_a_while() -> None:
    of, values = meter("frequency"), {"voltage_l1": 220.0}
    wire, asked = WireInMemory(slave(of, values)), compiled(of)
    for _ in range(100):
        assert (await read(asked, wire))["frequency"].reason is Reason.UNSUPPORTED
    values["frequency"] = 50.0

    assert len(wire.asked) == 1
    assert (await read(asked, wire))["frequency"].value == 50.0


async def test_what_is_refused_for_another_reason_is_asked_for_at_once_again() -> None:
    of = meter("voltage_l1")

    class Busy:
        def answer(self, burst: bytes) -> bytes | None:
            return encode(Frame(address_bytes("000000000161"), 0xD1, b"\x01"))

    wire, asked = WireInMemory(Busy()), compiled(of)
    for _ in range(3):
        assert (await read(asked, wire))["voltage_l1"].reason is Reason.UNSUPPORTED
    assert len(wire.asked) == 3


async def test_a_meter_of_fewer_phases_answers_a_block_with_fewer_members() -> None:
    of = meter(*VOLTS)
    found = await read(compiled(of), WireInMemory(slave(of, {"voltage_l1": 220.1})))

    assert found["voltage_l1"].value == 220.1
    assert found["voltage_l2"].reason is Reason.UNSUPPORTED


async def test_a_meter_of_many_tariffs_answers_with_more_than_are_wanted() -> None:
    of = meter("active_energy_import", "active_energy_import_t1")
    [asked] = compiled(of)

    class EightTariffs:
        def answer(self, burst: bytes) -> bytes | None:
            data = bytes((n + 0x33) % 256 for n in bytes.fromhex("00FF0100") + bytes.fromhex("00010000") * 9)
            body = bytes.fromhex("68 61 01 00 00 00 00 68 91") + bytes((len(data),)) + data
            return body + bytes((sum(body) % 256, 0x16))

    found = await read([asked], WireInMemory(EightTariffs()))

    assert [found[name].value for name in found] == [1.0, 1.0]


async def test_an_answer_in_several_frames_is_put_together() -> None:
    of = meter(*VOLTS)
    wire = WireInMemory(slave(of, VOLTS, at_most=4))

    assert {name: d.value for name, d in (await read(compiled(of), wire)).items()} == VOLTS
    assert len(wire.asked) == 2


async def test_a_meter_that_never_comes_to_an_end_is_not_trusted() -> None:
    of = meter("voltage_l1")

    class Endless:
        def answer(self, burst: bytes) -> bytes | None:
            data = bytes((n + 0x33) % 256 for n in bytes.fromhex("00010102 0022"))
            body = bytes.fromhex("68 61 01 00 00 00 00 68 B1") + bytes((len(data),)) + data
            return body + bytes((sum(body) % 256, 0x16))

    with pytest.raises(Untrusted, match="item 02010100 has 2 bytes or more, where 2 are due"):
        await compiled(of)[0].ask(WireInMemory(Endless()))


async def test_a_silent_meter_fails_as_any_other() -> None:
    with pytest.raises(NoAnswer):
        await compiled(meter("voltage_l1"))[0].ask(WireInMemory())


async def test_transformers_and_a_meter_wired_backwards_are_those_of_the_site() -> None:
    of = meter("active_power", "active_energy_import", "current_l1", ct=120.0, reversed_=True)
    values = {"active_power": 240.012, "active_energy_import": 1234.8, "current_l1": 60.0}
    found = await read(compiled(of), WireInMemory(slave(of, values)))

    assert {name: d.value for name, d in found.items()} == values


async def test_powers_carry_their_sign() -> None:
    of = meter("active_power", "active_power_l1", "power_factor")
    values = {"active_power": -12.3456, "active_power_l1": 0.0001, "power_factor": -0.998}
    found = await read(compiled(of), WireInMemory(slave(of, values)))

    assert {name: d.value for name, d in found.items()} == values


@given(st.sampled_from(sorted(MAKE.items)), st.floats(0, 1), st.sampled_from([1.0, 40.0, 0.5]), st.booleans())
async def test_every_item_comes_back_exact(name: str, part: float, ct: float, reversed_: bool) -> None:
    shown = as_wired(name, reversed_=reversed_)[0]
    item = MAKE.item(name)
    of = meter(shown, ct=ct, reversed_=reversed_)
    scale = item.scale * transformer_ratios(of)[quantity(name).transformed]
    value = int(part * (8 * 10 ** (2 * item.length - 1) - 1)) * scale.numerator / scale.denominator
    found = await read(compiled(of), WireInMemory(slave(of, {shown: -value if item.signed else value})))

    assert found[shown] == Decoded(shown, -value if item.signed else value, Quality.GOOD, Reason.NONE)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("FFFF", Reason.SENTINEL),
        ("EEEE", Reason.SENTINEL),
        ("0A20", Reason.NOT_A_NUMBER),
        ("FF22", Reason.NOT_A_NUMBER),
    ],
)
def test_what_is_no_number_is_bad_and_says_why(raw: str, reason: Reason) -> None:
    [asked] = compiled(meter("voltage_l1"))
    payload = bytes.fromhex("02010100 0002") + bytes.fromhex(raw)

    assert asked.decode(payload) == [Decoded("voltage_l1", None, Quality.BAD, reason)]


def test_a_payload_that_is_cut_off_is_no_answer() -> None:
    [asked] = compiled(meter("voltage_l1"))
    with pytest.raises(ValueError, match="are no answers"):
        asked.decode(bytes.fromhex("02010100 0002 10"))


def test_all_of_a_three_phase_meter_takes_fifteen_questions() -> None:
    assert len(compiled(meter())) == 15
