"""A profile is data with its sources; a wrong one is refused with its line and what would be right."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.decoder import compile_meter
from collectors.meter_profile import FOLDER, Table, WordOrder, load_profile, profile_ids, read_profile
from collectors.planner import RequestCost
from energy.documents import open_document
from energy.errors import ConfigurationError, UnknownName
from energy.quantities import QUANTITIES, quantity
from energy.sites import Meter, Text
from energy.units import dimension

RIGHT = """\
maker: a
model: b
medium: electricity
sources: [the manual, p. 5]
registers:
  active_power: {address: 10, type: int32, scale: 0.1, unit: W}
"""


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_profile(str(path))
    return [fault.replace(str(path), "own.yaml") for fault in refused.value.faults]


def with_register(line: str) -> str:
    return RIGHT + f"  {line}\n"


def test_profiles_are_shipped() -> None:
    assert {"eastron/sdm630", "schneider/iem3155", "tuf/tuf-2000", "fuxin/gas-corrector"} <= set(profile_ids())
    assert len(profile_ids()) == len(list(FOLDER.glob("*/*")))


@pytest.mark.parametrize("name", profile_ids())
def test_a_shipped_profile_loads_and_names_its_sources(name: str) -> None:
    made = load_profile(name)

    assert made.id == name
    assert all(source.strip() for source in made.sources)
    assert made.registers
    assert set(made.quantities) <= set(QUANTITIES)
    assert 1 <= made.max_registers <= 125


@pytest.mark.parametrize("name", profile_ids())
def test_the_traps_of_a_shipped_profile_speak_of_this_file(name: str) -> None:
    made = load_profile(name)

    claimed = [trap for trap in made.traps if "this file has voltage x10" in trap]
    scales = {p.scale for r in made.registers for p in r.parts if r.quantity == "voltage_l1"}
    assert not claimed or scales == {Fraction(1, 10)}


def test_a_register_becomes_exact_parts(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(RIGHT)

    register = load_profile(str(path)).register("active_power")

    [part] = register.parts
    # A tenth of a watt is a ten-thousandth of a kilowatt, exactly.
    assert part.scale == Fraction(1, 10_000)
    assert (part.table, part.address, part.length, part.word_order) == (Table.HOLDING, 10, 2, WordOrder.ABCD)


def test_a_register_may_differ_from_the_rest_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(with_register("frequency: {address: 1, type: uint32, unit: Hz, read: input, word_order: CDAB}"))

    [part] = load_profile(str(path)).register("frequency").parts

    assert (part.table, part.word_order, part.table.function) == (Table.INPUT, WordOrder.CDAB, 4)


def test_the_parts_of_a_sum_are_scaled_each(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    line = (
        "active_energy_import: {unit: Wh, sum: [{address: 0, type: uint16, scale: 1000}, {address: 1, type: uint16}]}"
    )
    path.write_text(with_register(line))

    parts = load_profile(str(path)).register("active_energy_import").parts

    assert [p.scale for p in parts] == [1, Fraction(1, 1000)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "frequency: {address: 1, type: uint16, unit: Hz, skale: 2}",
            "registers.frequency.skale = 2: is not a key here; did you mean 'scale'?",
        ),
        ("frequency: {address: 1, type: uint16, unit: hz}", "registers.frequency.unit = 'hz': unit 'hz' is not known"),
        ("frequency: {address: 1, type: uint16, unit: kW}", "'kW' measures active power and 'Hz' measures frequency"),
        ("frequncy: {address: 1, type: uint16, unit: Hz}", "did you mean 'frequency'?"),
        ("frequency: {address: 65536, type: uint16, unit: Hz}", "registers.frequency.address = 65536: must be less"),
        ("frequency: {address: -1, type: uint16, unit: Hz}", "registers.frequency.address = -1: must be greater"),
        ("frequency: {address: 65535, type: uint32, unit: Hz}", "uint32 at address 65535 reaches past 65535"),
        ("frequency: {address: 1, type: uint9, unit: Hz}", "registers.frequency.type = 'uint9': must be 'uint16'"),
        ("frequency: {address: 1, type: uint16, unit: Hz, byte: low}", "byte says where in its register an int8"),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, bits: 12..16}",
            "bits are those of uint8 to uint64, and within",
        ),
        ("frequency: {address: 1, type: int16, unit: Hz, bits: 3}", "int16 has none up to 3"),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, bits: 7..4}",
            "registers.frequency.bits = '7..4': must ascend",
        ),
        ("frequency: {address: 1, type: uint16, unit: Hz, bits: x}", "must be a bit such as 3, or bits such as 4..7"),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, encoding: four_quadrant}",
            "four_quadrant is that of a float",
        ),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, sentinels: [none]}",
            "must be all_ones, greatest, least, nan",
        ),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, scale_from: {address: 200, type: int16}}",
            "its parts span 200 registers and must come from one reply of 125 at most",
        ),
        ("frequency: {address: 1, type: uint16}", "registers.frequency.unit: is missing and must be given"),
        ("frequency: {address: 1, unit: Hz}", "give either address and type, or sum"),
        ("frequency: {type: uint16, unit: Hz}", "give either address and type, or sum"),
        ("frequency: {unit: Hz}", "give either address and type, or sum"),
        ("frequency: {unit: Hz, sum: []}", "registers.frequency.sum: List should have at least 1 item"),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, sum: [{address: 2, type: uint16}]}",
            "address, type beside sum means nothing; give it to the parts",
        ),
        ("frequency: {address: 1, unit: Hz, sum: [{address: 2, type: uint16}]}", "address beside sum means nothing"),
        ("frequency: {unit: Hz, scale: 0.1, sum: [{address: 2, type: uint16}]}", "scale beside sum means nothing"),
        ("frequency: {unit: Hz, sum: [{address: 2, type: uint16, scale: 0}]}", "sum[0].scale = 0: must not be 0"),
        ("frequency: {address: 1, type: uint16, unit: Hz, scale: 0}", "registers.frequency.scale = 0: must not be 0"),
        ("frequency: {address: 1, type: uint16, unit: Hz, scale: .nan}", "registers.frequency.scale"),
        ("frequency: {address: 1, type: uint16, unit: Hz, read: coil}", "must be 'holding' or 'input'"),
        (
            "frequency: {address: 1, type: uint16, unit: Hz, word_order: abcd}",
            "must be 'ABCD', 'CDAB', 'BADC' or 'DCBA'",
        ),
        ("active_power: {address: 1, type: uint16, unit: W}", "registers.active_power: is given twice; keep one"),
    ],
)
def test_a_wrong_register_is_refused_on_its_line(tmp_path: Path, line: str, told: str) -> None:
    [fault] = faults(tmp_path, with_register(line))

    assert fault.startswith("own.yaml:7: ")
    assert told in fault


def test_all_wrong_registers_are_told_at_once(tmp_path: Path) -> None:
    wrong = with_register("frequncy: {address: 1, type: uint16, unit: Hz}")
    wrong += "  voltage_l1: {address: 1, type: uint16, unit: kW}\n"

    assert [fault.split(": ")[0] for fault in faults(tmp_path, wrong)] == ["own.yaml:7", "own.yaml:8"]


def test_wrong_words_and_wrong_units_are_told_in_one_round(tmp_path: Path) -> None:
    wrong = with_register("frequency: {address: 1, type: uint16, unit: kW}")
    wrong += "  voltage_l1: {adress: 1, type: uint16, unit: V}\n"
    wrong += "  voltage_l2: {address: 1, type: uint17, unit: A}\n"

    told = faults(tmp_path, wrong)

    assert [fault.split(": ")[0] for fault in told] == ["own.yaml:7", "own.yaml:8", *["own.yaml:9"] * 2]
    assert "there is no factor between them" in told[0]
    assert "did you mean 'address'?" in told[1]
    assert "'A' measures current and 'V' measures voltage" in told[2] + told[3]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("nameplate: {serial: {address: 1, type: string}}", "a string needs its length in registers"),
        ("status: {state: {address: 1, type: uint16, length: 2}}", "a string needs its length in registers"),
        ("status: {state: {address: 1, type: uint16, means: {1: a}, flags: {0: b}}}", "not both"),
        ("status: {state: {address: 65536, type: uint16}}", "status.state.address = 65536: must be less than"),
        (
            "recordings: [{source: a, address: 1, reply: 0x1, values: {active_power: 1}}]",
            "must be bytes in hexadecimal",
        ),
        ("recordings: [{source: a, address: 1, reply: '00', values: {frequency: 1}}]", "not among the registers"),
        ("address_base: 400002", "address_base = 400002: must be less than or equal to 400001"),
        ("address_base: 30001", "registers.active_power.address = 10: must be greater than or equal to 30001"),
    ],
)
def test_a_wrong_section_is_refused_on_its_line(tmp_path: Path, section: str, told: str) -> None:
    [fault] = faults(tmp_path, RIGHT + section + "\n")

    assert fault.startswith("own.yaml:6: " if "address_base: 30001" in section else "own.yaml:7: ")
    assert told in fault


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["uint16", "V", "low", "3..5", "", "nan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["address", "type", "1"]), inner),
    max_leaves=4,
)
WHOLE = yaml.safe_load(
    RIGHT
    + """\
max_registers: 60
address_base: 1
sentinels: [nan, 5]
nameplate: {model: {address: 1, type: string, length: 3}}
status: {state: {address: 4, type: uint16, flags: {0: open}}}
recordings: [{source: a, address: 10, reply: '0000', values: {active_power: 1}}]
"""
)


def ways(of: object, way: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The ways to everything within."""
    inner = of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ()
    return [way, *(deep for key, value in inner for deep in ways(value, (*way, key)))]


def told_of(path: Path) -> list[str]:
    """The faults of a file; one without is compiled."""
    try:
        made = read_profile(open_document(path), "own")
    except ConfigurationError as error:
        return error.faults
    compile_meter(Meter("m", Text("", ""), made.medium), made, RequestCost.tcp())
    return []


@settings(max_examples=300)
@given(st.sampled_from(ways(WHOLE)), anything)
def test_whatever_stands_in_a_file_it_is_read_or_its_faults_are_told(
    tmp_path_factory: pytest.TempPathFactory, way: tuple[object, ...], value: object
) -> None:
    made: object = deepcopy(WHOLE)
    within: object = made
    for step in way[:-1]:
        within = within[step]  # type: ignore[index]
    if way:
        within[way[-1]] = value  # type: ignore[index]
    path = tmp_path_factory.getbasetemp() / "anything.yaml"
    path.write_text(yaml.safe_dump(made if way else value))

    assert all(fault.startswith(str(path)) for fault in told_of(path))


def test_a_file_may_count_addresses_as_its_manual_does(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(RIGHT.replace("address: 10", "address: 30053") + "address_base: 30001\n")

    assert load_profile(str(path)).register("active_power").parts[0].address == 52


def test_a_meter_may_count_the_addresses_of_its_profile_from_elsewhere() -> None:
    as_written, shifted = load_profile("xintai/electronic-water"), load_profile("xintai/electronic-water@-1")

    assert shifted.id == "xintai/electronic-water@-1"
    assert [r.parts[0].address for r in shifted.registers] == [r.parts[0].address - 1 for r in as_written.registers]
    assert [m.address for m in shifted.status] == [6, 27]


@pytest.mark.parametrize("name", ["xintai/electronic-water@-2", "xintai/none@+1", "own.yaml@+1"])
def test_a_shift_past_the_registers_or_of_no_shipped_profile_is_refused(name: str) -> None:
    with pytest.raises(UnknownName):
        load_profile(name)


def test_a_number_that_is_written_as_a_word_is_checked_as_it_is_taken(tmp_path: Path) -> None:
    assert faults(tmp_path, RIGHT + "max_registers: true\n") == [
        "own.yaml:6: registers.active_power: int32 is longer than max_registers 1"
    ]


def test_a_value_longer_than_a_reply_is_refused(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, RIGHT.replace("registers:", "max_registers: 1\nregisters:"))

    assert fault == "own.yaml:7: registers.active_power: int32 is longer than max_registers 1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RIGHT.replace("sources: [the manual, p. 5]", "sources: []"), "own.yaml:4: sources: "),
        (RIGHT.replace("electricity", "steam"), "own.yaml:3: medium = 'steam': must be 'electricity'"),
        (RIGHT + "max_registers: 126\n", "own.yaml:7: max_registers = 126: must be less than or equal to 125"),
        ("maker: a\n", "own.yaml:1: model: is missing and must be given"),
    ],
)
def test_a_profile_that_lacks_what_it_needs_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert any(fault.startswith(told) for fault in faults(tmp_path, text))


def test_an_unknown_profile_is_answered_with_those_that_are_shipped() -> None:
    with pytest.raises(UnknownName, match=r"shipped are abb/b23, .*a file of your own is named with \.yaml"):
        load_profile("eastron/sdm631")


@pytest.mark.parametrize("name", ["../profiles/eastron/sdm630", "/etc/passwd", ""])
def test_a_profile_is_not_looked_for_outside_its_folder(name: str) -> None:
    with pytest.raises(UnknownName):
        load_profile(name)


def test_a_register_that_a_profile_has_not_is_answered_with_those_it_has() -> None:
    with pytest.raises(UnknownName, match="profile acrel/adw300 has no frequency; it has voltage_l1"):
        load_profile("acrel/adw300").register("frequency")


def test_the_units_of_shipped_profiles_are_those_of_their_quantities() -> None:
    # Loading has converted them: what is left is that no factor is absurd.
    for name in profile_ids():
        for register in load_profile(name).registers:
            assert dimension(quantity(register.quantity).unit)
            assert all(Fraction(1, 10**7) <= part.scale <= 10**4 for part in register.parts)
