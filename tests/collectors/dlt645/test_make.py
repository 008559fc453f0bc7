"""The items of DL/T 645 meters: as another implementation has them, and as an operator may write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlt645.common.transform import bcd_to_float, float_to_bcd
from dlt645.model.data.define import DIMap
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from collectors.dlt645.make import Item, ItemMake
from collectors.makes import addressed_ids, load_make
from collectors.packed_decimal import packed, unpacked
from energy.errors import ConfigurationError
from energy.quantities import quantity
from energy.units import factor

logger.disable("dlt645")


def _three_phase() -> ItemMake:
    made = load_make("dlt645/three-phase")
    assert isinstance(made, ItemMake)
    return made


THREE = _three_phase()
# Under `Unit` the other implementation names the unit of something else for these.
_RATIO = ("power_factor", "thd_voltage")


def _decimals(item: Item) -> int:
    """How many of its digits are behind the point, in the unit that travels."""
    return len(str(item.scale.denominator)) - 1


def _theirs(item: Item) -> str:
    """The format of another implementation, such as XXX.XXX."""
    found = DIMap[int.from_bytes(item.identifier, "big")]
    assert not isinstance(found, list)
    return str(found.data_format)


@pytest.mark.parametrize("item", THREE.items.values(), ids=lambda item: item.quantity)
def test_identifier_length_and_decimals_are_those_of_another_implementation(item: Item) -> None:
    theirs = DIMap[int.from_bytes(item.identifier, "big")]
    assert not isinstance(theirs, list)
    whole, _, behind = str(theirs.data_format).partition(".")

    assert 2 * item.length == len(whole + behind) + len(whole + behind) % 2
    assert _decimals(item) == len(behind)
    if not item.quantity.startswith(_RATIO):
        assert factor(theirs.unit.strip(), quantity(item.quantity).unit) == 1


@given(st.sampled_from(sorted(THREE.items)), st.data())
def test_a_number_is_packed_as_another_implementation_packs_it(name: str, data: st.DataObject) -> None:
    item = THREE.item(name)
    largest = (8 if item.signed else 10) * 10 ** (2 * item.length - 1) - 1
    whole = data.draw(st.integers(-largest if item.signed else 0, largest))
    value = whole * item.scale.numerator / item.scale.denominator
    ours = packed(whole, item.length, signed=item.signed)

    assert unpacked(ours, signed=item.signed) == whole
    assert bytes(float_to_bcd(value, _theirs(item), "little")) == ours
    if item.signed or ours[-1] < 0x80:  # the other one takes any highest bit for a sign
        assert bcd_to_float(ours, _theirs(item), "little") == value


def test_every_shipped_make_names_its_sources() -> None:
    for name in addressed_ids():
        assert load_make(name).sources, name


def test_every_member_of_a_shipped_block_has_the_identifier_of_its_block() -> None:
    for make in (THREE, load_make("dlt645/single-phase")):
        assert isinstance(make, ItemMake)
        for block in make.blocks:
            for place, member in enumerate(block.members):
                item = make.item(member).identifier
                total_first = make.item(block.members[0]).identifier[2] == 0
                assert item == block.identifier[:2] + bytes((place + (not total_first), 0))


def test_an_operator_adds_a_meter_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "protocol: dlt645\nmaker: M\nmodel: X\nsources: [the manual]\nitems:\n"
        '  active_power: {item: "02030000", bytes: 3, decimals: 1, unit: W, signed: true}\n'
    )
    make = load_make(str(path))

    assert isinstance(make, ItemMake)
    assert make.quantities == ("active_power",)
    assert make.item("active_power").scale == factor("W", "kW") / 10


def test_a_file_tells_all_that_is_wrong_in_it_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "protocol: dlt645\nmaker: M\nmodel: X\nsources: [the manual]\nitems:\n"
        '  voltage_l1: {item: "02010100", bytes: 2, decimals: 1, unit: W}\n'
        '  volts: {item: "02010200", bytes: 2, unit: V}\n'
        'blocks:\n  "0201FF00": [voltage_l1, voltage_l2]\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        load_make(str(path))

    assert [fault.removeprefix(f"{path}:") for fault in caught.value.faults] == [
        "6: items.voltage_l1: 'W' measures active power and 'V' measures voltage: there is no factor between them",
        "7: items.volts: quantity 'volts' is not known; the names are in docs/glossary.md",
        "9: blocks.0201FF00[1] = 'voltage_l2': is none of the items above",
    ]
