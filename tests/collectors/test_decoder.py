"""Words become numbers exactly, and never a number that the meter did not say."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decoder import BlockPlan, Decoded, compile_meter, readable
from collectors.meter_profile import BITS, LENGTHS, Part, Profile, Register, Table, WordOrder, load_profile, profile_ids
from collectors.planner import RequestCost
from collectors.profile_check import disagreements
from energy.quantities import Medium
from energy.readings import Quality, Reason
from energy.sites import Meter, Text

NAME = Text("表", "meter")
LINE = RequestCost.tcp()
ONE = Fraction(1)


def profile(*registers: Register) -> Profile:
    return Profile("x/y", "x", "y", Medium.ELECTRICITY, ("test",), (), 125, registers)


def register(
    name: str, address: int, of_type: str, order: WordOrder = WordOrder.ABCD, scale: Fraction = ONE
) -> Register:
    return Register(name, (Part(Table.HOLDING, address, of_type, order, scale),))


def meter(**given: object) -> Meter:
    return replace(Meter("m", NAME, Medium.ELECTRICITY), **given)  # type: ignore[arg-type]


def only_plan(of: Profile, installed: Meter | None = None) -> BlockPlan:
    [plan] = compile_meter(installed or meter(), of, LINE)
    return plan


def decode_one(of_type: str, payload: bytes, order: WordOrder = WordOrder.ABCD, scale: Fraction = ONE) -> Decoded:
    [decoded] = only_plan(profile(register("active_power", 0, of_type, order, scale))).decode(payload)
    return decoded


def as_it_travels(value_bytes: bytes, order: WordOrder) -> bytes:
    """The bytes of a value, most significant first, in the order in which a meter sends them."""
    words = [value_bytes[i : i + 2] for i in range(0, len(value_bytes), 2)]
    if order in (WordOrder.CDAB, WordOrder.DCBA):
        words = words[::-1]
    if order in (WordOrder.BADC, WordOrder.DCBA):
        words = [word[::-1] for word in words]
    return b"".join(words)


def bits(of_type: str) -> int:
    return 16 * LENGTHS[of_type]


orders = st.sampled_from(list(WordOrder))
scales = st.sampled_from([ONE, Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000), Fraction(1000), Fraction(2500, 9)])


# -- the four orders -------------------------------------------------------------------------------------------------


def test_the_letters_of_an_order_are_the_bytes_of_the_value() -> None:
    # 0x41424344 is "ABCD".
    for order in WordOrder:
        assert decode_one("uint32", order.value.encode(), order).value == 0x41424344


@given(st.sampled_from(["uint16", "uint32", "uint48", "uint64"]), orders, scales, st.data())
def test_unsigned_integers_are_read_and_scaled_with_one_rounding(
    of_type: str, order: WordOrder, scale: Fraction, data: st.DataObject
) -> None:
    raw = data.draw(st.integers(0, 2 ** bits(of_type) - 1))
    payload = as_it_travels(raw.to_bytes(bits(of_type) // 8, "big"), order)

    # float() of a Fraction rounds once, to the nearest double.
    assert decode_one(of_type, payload, order, scale).value == float(raw * scale)


@given(st.sampled_from(["int16", "int32", "int48", "int64"]), orders, scales, st.data())
def test_signed_integers_are_read_and_scaled_with_one_rounding(
    of_type: str, order: WordOrder, scale: Fraction, data: st.DataObject
) -> None:
    raw = data.draw(st.integers(-(2 ** (bits(of_type) - 1)), 2 ** (bits(of_type) - 1) - 1))
    payload = as_it_travels(raw.to_bytes(bits(of_type) // 8, "big", signed=True), order)

    assert decode_one(of_type, payload, order, scale).value == float(raw * scale)


@given(st.sampled_from(["bcd16", "bcd32", "bcd48", "bcd64"]), orders, scales, st.data())
def test_packed_digits_are_the_number_that_they_spell(
    of_type: str, order: WordOrder, scale: Fraction, data: st.DataObject
) -> None:
    digits = 4 * LENGTHS[of_type]
    raw = data.draw(st.integers(0, 10**digits - 1))
    payload = as_it_travels(bytes.fromhex(f"{raw:0{digits}d}"), order)

    assert decode_one(of_type, payload, order, scale).value == float(raw * scale)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), orders)
def test_float32_is_what_struct_says(value: float, order: WordOrder) -> None:
    decoded = decode_one("float32", as_it_travels(struct.pack(">f", value), order), order)

    assert decoded.value == value
    assert decoded.quality is Quality.GOOD


@given(st.floats(allow_nan=False, allow_infinity=False), orders)
def test_float64_is_what_struct_says(value: float, order: WordOrder) -> None:
    assert decode_one("float64", as_it_travels(struct.pack(">d", value), order), order).value == value


@given(st.floats(width=16, allow_nan=False, allow_infinity=False), orders)
def test_float16_is_what_struct_says(value: float, order: WordOrder) -> None:
    assert decode_one("float16", as_it_travels(struct.pack(">e", value), order), order).value == value


@given(st.integers(-128, 255), st.booleans(), orders, st.binary(min_size=1, max_size=1))
def test_a_byte_is_one_half_of_its_register(raw: int, high: bool, order: WordOrder, other: bytes) -> None:
    of_type, byte = ("uint8", bytes([raw])) if raw >= 0 else ("int8", struct.pack("b", raw))
    part = Part(Table.HOLDING, 0, of_type, order, ONE, high=high)
    plan = only_plan(profile(Register("active_power", (part,))))
    word = byte + other if high else other + byte

    assert plan.decode(as_it_travels(word, order))[0].value == raw


@given(st.integers(1, 4).filter(lambda n: n != 1), orders, st.booleans(), scales, st.data())
def test_pairs_of_four_digits_are_the_number_that_they_spell(
    words: int, order: WordOrder, minus: bool, scale: Fraction, data: st.DataObject
) -> None:
    fours = data.draw(st.lists(st.integers(0, 9999), min_size=words, max_size=words))
    sign = -1 if minus else 1
    payload = as_it_travels(struct.pack(f">{words}h", *(sign * four for four in fours)), order)
    raw = sign * int("".join(f"{four:04d}" for four in fours))

    assert decode_one(f"mod10k{16 * words}", payload, order, scale).value == float(raw * scale)


@given(st.sampled_from(["uint8", "uint16", "uint32", "uint48", "uint64"]), orders, st.data())
def test_bits_are_cut_out_of_their_register(of_type: str, order: WordOrder, data: st.DataObject) -> None:
    width = BITS[of_type]
    raw = data.draw(st.integers(0, 2**width - 1))
    low = data.draw(st.integers(0, width - 1))
    last = data.draw(st.integers(low, width - 1))
    part = Part(Table.HOLDING, 0, of_type, order, ONE, bits=(low, last))
    plan = only_plan(profile(Register("active_power", (part,))))
    payload = as_it_travels(raw.to_bytes(max(2, width // 8), "big"), order)

    assert plan.decode(payload)[0].value == int(f"{raw:0{width}b}"[width - 1 - last : width - low], 2)


# -- exactness -------------------------------------------------------------------------------------------------------


def test_12345_at_a_hundredth_is_123_45_and_nothing_else() -> None:
    def at_a_hundredth(raw: int) -> float | None:
        return decode_one("uint16", struct.pack(">H", raw), scale=Fraction(1, 100)).value

    assert at_a_hundredth(12345) == 123.45
    # A product of doubles would be another number.
    assert at_a_hundredth(57) == 0.57 != 57 * 0.01


def test_a_total_of_watt_hours_is_exact_in_kilowatt_hours() -> None:
    assert decode_one("int64", struct.pack(">q", 184_250_251), scale=Fraction(1, 1000)).value == 184250.251


@given(st.integers(0, 65535), st.integers(0, 4))
def test_a_decimal_scale_gives_the_decimal_that_the_display_shows(raw: int, places: int) -> None:
    shown = f"{raw:0{places + 1}d}"
    shown = shown[: len(shown) - places] + "." + shown[len(shown) - places :] if places else shown

    assert decode_one("uint16", struct.pack(">H", raw), scale=Fraction(1, 10**places)).value == float(shown)


# -- published by others ---------------------------------------------------------------------------------------------


def test_the_water_meter_of_xintai_reads_the_flow_that_its_driver_states() -> None:
    # 1E 85 0B 3F is 3F0B851E from its least significant byte on: 0.545 m3/h.
    made = load_profile("xintai/electronic-water")
    [plan] = compile_meter(meter(medium=Medium.WATER, quantities=("flow_rate",)), made, LINE)

    assert plan.decode(bytes.fromhex("1E850B3F"))[0].value == struct.unpack(">f", bytes.fromhex("3F0B851E"))[0]


RECORDED = [(name, i) for name in profile_ids() for i in range(len(load_profile(name).recordings))]


@pytest.mark.parametrize(("name", "i"), RECORDED)
def test_a_recorded_reply_decodes_to_what_was_published(name: str, i: int) -> None:
    made = load_profile(name)

    assert list(disagreements(made, made.recordings[i])) == []


def test_what_was_published_is_recorded() -> None:
    assert {name for name, _ in RECORDED} >= {"xintai/electronic-water", "fuxin/gas-corrector"}
    assert len(load_profile("fuxin/gas-corrector").recordings[0].values) == 6


# -- what is no number -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["7FC00000", "FFC00000", "7F800000", "FF800000", "FFFFFFFF"])
def test_what_is_no_number_is_bad_and_has_no_value(word: str) -> None:
    decoded = decode_one("float32", bytes.fromhex(word))

    assert decoded == Decoded("active_power", None, Quality.BAD, Reason.NOT_A_NUMBER)


@pytest.mark.parametrize("fours", ["270F 2710", "0001 FFFF", "D8EF 0000", "7FFF 7FFF"])
def test_registers_of_four_digits_that_hold_more_are_bad(fours: str) -> None:
    assert decode_one("mod10k32", bytes.fromhex(fours)).reason is Reason.NOT_A_NUMBER


# type, what its profile calls nothing to say, how that travels, and its neighbour, which is a value
SENTINELS = [
    ("uint16", "all_ones", "FFFF", "FFFE"),
    ("uint32", "greatest", "FFFFFFFF", "7FFFFFFF"),
    ("int16", "greatest", "7FFF", "FFFF"),
    ("int32", "greatest", "7FFFFFFF", "7FFFFFFE"),
    ("int64", "greatest", "7FFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFF"),
    ("int48", "least", "800000000000", "800000000001"),
    ("int16", "all_ones", "FFFF", "7FFF"),
    ("int16", 0x8000, "8000", "8001"),
    ("uint48", 0xFFFFFFFFFFFF, "FFFFFFFFFFFF", "FFFFFFFFFFFE"),
    ("bcd32", "all_ones", "FFFFFFFF", "99999999"),
    ("bcd32", 99999999, "99999999", "99999998"),
    ("mod10k32", 99999999, "270F270F", "270F270E"),
    ("float32", "nan", "FFC00000", "C2C60000"),
    ("float32", -9999, "C61C3C00", "C61C3800"),
]


@pytest.mark.parametrize("order", WordOrder)
@pytest.mark.parametrize(("of_type", "sentinel", "nothing", "something"), SENTINELS)
def test_what_a_meter_sends_for_nothing_is_no_value(
    of_type: str, sentinel: str | int, nothing: str, something: str, order: WordOrder
) -> None:
    part = Part(Table.HOLDING, 0, of_type, order, ONE, (sentinel,))
    plan = only_plan(profile(Register("active_power", (part,))))

    [bad] = plan.decode(as_it_travels(bytes.fromhex(nothing), order))
    [good] = plan.decode(as_it_travels(bytes.fromhex(something), order))

    assert bad == Decoded("active_power", None, Quality.BAD, Reason.SENTINEL)
    assert good.quality is Quality.GOOD


def test_a_number_that_is_nothing_in_one_register_is_a_value_in_another() -> None:
    nothing = Register("voltage_l1", (Part(Table.HOLDING, 0, "uint16", WordOrder.ABCD, ONE, (65535,)),))
    plan = only_plan(profile(nothing, register("voltage_l2", 1, "uint16")))

    assert [d.value for d in plan.decode(b"\xff" * 4)] == [None, 65535]
    assert [d.value for d in plan.decode(bytes.fromhex("0001FFFF"))] == [1, 65535]


# -- scales in registers, four quadrants -----------------------------------------------------------------------------


def scaled_by(of_type: str, *, as_power: bool, scale: Fraction = ONE) -> BlockPlan:
    value = Part(Table.HOLDING, 0, "int16", WordOrder.ABCD, scale)
    by = Part(Table.HOLDING, 3, of_type, WordOrder.ABCD, ONE, ("least",))
    return only_plan(profile(Register("active_power", (value,), scaled_by=by, as_power=as_power)))


@given(st.integers(-32768, 32767), st.integers(-12, 12))
def test_a_power_of_ten_from_another_register_is_exact(raw: int, power: int) -> None:
    [decoded] = scaled_by("int16", as_power=True).decode(struct.pack(">hHHh", raw, 7, 7, power))

    assert decoded.value == float(raw * Fraction(10) ** power)


@given(st.integers(-32768, 32767), st.integers(1, 65535))
def test_a_factor_from_another_register_multiplies(raw: int, factor: int) -> None:
    [decoded] = scaled_by("uint16", as_power=False, scale=Fraction(1, 1000)).decode(
        struct.pack(">hHHH", raw, 0, 0, factor)
    )

    assert decoded.value == float(Fraction(raw * factor, 1000))


@pytest.mark.parametrize(("power", "reason"), [(-32768, Reason.SENTINEL), (13, Reason.OUT_OF_RANGE)])
def test_a_scale_that_is_none_leaves_no_value(power: int, reason: Reason) -> None:
    [decoded] = scaled_by("int16", as_power=True).decode(struct.pack(">hHHh", 5, 0, 0, power))

    assert (decoded.value, decoded.quality, decoded.reason) == (None, Quality.BAD, reason)


@pytest.mark.parametrize(
    ("wire", "shown"), [(0.875, 0.875), (-0.5, -0.5), (1.0, 1.0), (1.25, 0.75), (-1.5, -0.5), (2.5, None)]
)
def test_a_power_factor_of_four_quadrants_is_folded_into_one(wire: float, shown: float | None) -> None:
    part = Part(Table.HOLDING, 0, "float32", WordOrder.ABCD, ONE, four_quadrant=True)

    assert only_plan(profile(Register("power_factor", (part,)))).decode(struct.pack(">f", wire))[0].value == shown


def test_the_values_of_a_meter_that_it_does_not_measure_are_told_apart_from_nonsense() -> None:
    # ABB B23: no second phase (0x7FFFFFFF in a signed power, all ones in an unsigned voltage).
    installed = meter(quantities=("voltage_l2", "active_power_l2", "frequency"))
    plan = next(p for p in compile_meter(installed, load_profile("abb/b23"), LINE))
    payload = bytearray(2 * plan.block.count)
    for address, words in ((23298, "FFFFFFFF"), (23320, "7FFFFFFF"), (23340, "1388")):
        at = 2 * (address - plan.block.address)
        payload[at : at + len(words) // 2] = bytes.fromhex(words)

    assert plan.values(bytes(payload)).bad == {"voltage_l2": Reason.SENTINEL, "active_power_l2": Reason.SENTINEL}
    assert plan.values(bytes(payload)).values["frequency"] == 50.0


# -- all at once, and one by one -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(BITS)), orders, scales, st.sampled_from([(), ("greatest",), ("all_ones", "nan", 5)])
        ),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_a_value_is_the_same_alone_and_among_others(
    kinds: list[tuple[str, WordOrder, Fraction, tuple[str | int, ...]]], data: st.DataObject
) -> None:
    names = load_profile("eastron/sdm630").quantities
    address, registers = 0, []
    for name, (of_type, order, scale, sentinels) in zip(names, kinds, strict=False):
        registers.append(Register(name, (Part(Table.HOLDING, address, of_type, order, scale, sentinels),)))
        address += LENGTHS[of_type] + data.draw(st.integers(0, 1))
    plan = only_plan(profile(*registers))
    payload = data.draw(st.binary(min_size=2 * plan.block.count, max_size=2 * plan.block.count))

    together = {d.quantity: d for d in plan.decode(payload)}

    for each in registers:
        [part] = each.parts
        alone = only_plan(profile(each))
        own = payload[2 * part.address : 2 * part.end]
        assert together[each.quantity] == alone.decode(own)[0]


@pytest.mark.parametrize("nibbles", ["0A", "A0", "FF", "1E5F"])
def test_packed_digits_that_are_none_are_bad(nibbles: str) -> None:
    decoded = decode_one("bcd16", bytes.fromhex(nibbles.rjust(4, "0")))

    assert decoded == Decoded("active_power", None, Quality.BAD, Reason.NOT_A_NUMBER)


def test_a_number_too_great_for_any_meter_is_bad_and_not_an_error() -> None:
    decoded = decode_one("float64", struct.pack(">d", 1e308), scale=Fraction(10**6))

    assert decoded.quality is Quality.BAD


def test_the_value_of_a_neighbour_is_not_hurt() -> None:
    plan = only_plan(
        profile(
            register("voltage_l1", 0, "float32"),
            register("voltage_l2", 2, "bcd32"),
            register("voltage_l3", 4, "uint16"),
        )
    )

    one, two, three = plan.decode(bytes.fromhex("7FC00000 0000000F 00E6"))

    assert one.quality is two.quality is Quality.BAD
    assert three == Decoded("voltage_l3", 230.0, Quality.GOOD, Reason.NONE)


@pytest.mark.parametrize("n", [0, 2, 3, 5, 6])
def test_a_reply_of_another_length_is_no_answer(n: int) -> None:
    plan = only_plan(profile(register("active_power", 0, "float32")))

    with pytest.raises(ValueError, match=f"reply of {n} bytes to a request of 2 registers"):
        plan.decode(bytes(n))


# -- sums, holes, nesting --------------------------------------------------------------------------------------------


def test_a_total_in_two_parts_is_their_sum_and_bad_if_one_is() -> None:
    # TUF-2000: a long and a float, the lower word first.
    [plan] = compile_meter(meter(medium=Medium.HEAT, quantities=("volume",)), load_profile("tuf/tuf-2000"), LINE)
    whole, part = (as_it_travels(p, WordOrder.CDAB) for p in (struct.pack(">i", 1234), struct.pack(">f", 0.5)))
    none = as_it_travels(bytes.fromhex("7FC00000"), WordOrder.CDAB)

    assert plan.decode(whole + part)[0].value == 1234.5
    assert plan.decode(whole + none)[0] == Decoded("volume", None, Quality.BAD, Reason.NOT_A_NUMBER)


def test_registers_between_the_wanted_ones_are_passed_over() -> None:
    plan = only_plan(profile(register("voltage_l1", 100, "uint16"), register("voltage_l2", 103, "uint16")))

    assert [d.value for d in plan.decode(struct.pack(">4H", 230, 9999, 9999, 231))] == [230, 231]


def test_a_register_inside_another_is_read_by_itself_too() -> None:
    plan = only_plan(profile(register("active_energy_import", 0, "uint32"), register("voltage_l1", 1, "uint16")))

    assert [d.value for d in plan.decode(struct.pack(">2H", 1, 230))] == [65536 + 230, 230]


def test_a_register_that_lies_in_two_replies_is_read_once() -> None:
    made = replace(
        profile(
            register("voltage_l1", 0, "uint16"),
            Register("volume", tuple(Part(Table.HOLDING, a, "uint16", WordOrder.ABCD, ONE) for a in (1, 3))),
            register("frequency", 3, "uint16"),
            Register("volume_reverse", tuple(Part(Table.HOLDING, a, "uint16", WordOrder.ABCD, ONE) for a in (3, 5))),
            register("voltage_l2", 6, "uint16"),
        ),
        max_registers=5,
    )

    plans = compile_meter(meter(), made, LINE)

    found = [d.quantity for plan in plans for d in plan.decode(bytes(2 * plan.block.count))]
    assert sorted(found) == sorted(made.quantities)


@pytest.mark.parametrize("name", profile_ids())
def test_every_quantity_of_a_shipped_meter_is_read_once(name: str) -> None:
    made = load_profile(name)

    for cost in (RequestCost.tcp(), RequestCost.rtu(9600)):
        plans = compile_meter(meter(medium=made.medium), made, cost)
        found = [d.quantity for plan in plans for d in plan.decode(bytes(2 * plan.block.count))]
        assert sorted(found) == sorted(made.quantities)


# -- as it is installed ----------------------------------------------------------------------------------------------


def read(installed: Meter, of: Profile, words: Sequence[int]) -> dict[str, float | None]:
    [plan] = compile_meter(installed, of, LINE)
    return {d.quantity: d.value for d in plan.decode(struct.pack(f">{len(words)}h", *words))}


ELECTRIC = profile(
    register("voltage_l1", 0, "int16", scale=Fraction(1, 10)),
    register("current_l1", 1, "int16", scale=Fraction(1, 100)),
    register("active_power", 2, "int16", scale=Fraction(1, 1000)),
    register("active_energy_import", 3, "int16", scale=Fraction(1, 100)),
    register("active_energy_export", 4, "int16", scale=Fraction(1, 100)),
    register("frequency", 5, "int16", scale=Fraction(1, 100)),
    register("power_factor", 6, "int16", scale=Fraction(1, 1000)),
)
WORDS = [2301, 123, -400, 12345, 7, 5001, -950]


def test_transformers_multiply_each_value_by_what_it_passed_through() -> None:
    assert read(meter(ct=40.0, pt=100.0), ELECTRIC, WORDS) == {
        "voltage_l1": 23010.0,
        "current_l1": 49.2,
        "active_power": -1600.0,
        "active_energy_import": 493800.0,
        "active_energy_export": 280.0,
        "frequency": 50.01,
        "power_factor": -0.95,
    }


def test_a_ratio_that_is_no_binary_number_is_taken_as_it_is_written() -> None:
    # 123.45 A at 0.1 would be 12.345000000000001 by doubles.
    assert read(meter(ct=0.1), ELECTRIC, WORDS)["current_l1"] == 0.123
    assert read(meter(ct=0.1), ELECTRIC, [0, 12345, 0, 0, 0, 0, 0])["current_l1"] == 12.345


def test_a_meter_wired_backwards_counts_our_import_as_its_export_and_its_power_turns() -> None:
    straight, backwards = read(meter(), ELECTRIC, WORDS), read(meter(reversed=True), ELECTRIC, WORDS)

    assert backwards["active_energy_import"] == straight["active_energy_export"] == 0.07
    assert backwards["active_energy_export"] == straight["active_energy_import"] == 123.45
    assert straight["active_power"] == -0.4
    assert backwards["active_power"] == 0.4
    for unturned in ("voltage_l1", "frequency"):
        assert backwards[unturned] == straight[unturned]


def test_the_power_factor_turns_with_the_power() -> None:
    assert read(meter(), ELECTRIC, WORDS)["power_factor"] == -0.95
    assert read(meter(reversed=True), ELECTRIC, WORDS)["power_factor"] == 0.95


def test_no_power_is_no_power_however_it_is_wired() -> None:
    value = read(meter(reversed=True), ELECTRIC, [0] * 7)["active_power"]

    assert value == 0
    assert math.copysign(1, value) == 1, "-0.0 would be shown as -0"


def test_a_water_meter_mounted_backwards_counts_our_volume_as_its_reverse() -> None:
    water = profile(
        register("flow_rate", 0, "int16"), register("volume", 1, "int16"), register("volume_reverse", 2, "int16")
    )

    assert read(meter(reversed=True, medium=Medium.WATER), water, [-3, 7, 1000]) == {
        "flow_rate": 3,
        "volume": 1000,
        "volume_reverse": 7,
    }


def test_a_meter_that_has_no_export_gives_no_import_when_wired_backwards() -> None:
    one_way = profile(register("active_energy_import", 0, "uint16"), register("active_power", 1, "uint16"))

    assert readable(one_way, reversed_=True) == ("active_energy_export", "active_power")


def test_only_what_the_site_wants_is_read() -> None:
    [plan] = compile_meter(meter(quantities=("frequency",)), ELECTRIC, LINE)

    assert (plan.block.address, plan.block.count) == (5, 1)
    assert [d.quantity for d in plan.decode(struct.pack(">h", 5000))] == ["frequency"]
