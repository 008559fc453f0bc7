"""A profile is checked against what was recorded of a meter, and doubts are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.profile_check import check_profile
from energy.errors import ConfigurationError

PROFILE = """\
maker: a
model: b
medium: electricity
sources: [the manual, p. 5]
registers:
  voltage_l1: {address: 10, type: uint16, scale: 0.1, unit: V}
  active_power: {address: 11, type: int32, unit: W}
recordings:
  - source: "manual p. 9"
    address: 10
    reply: "08FC 0000 04D2"
    values: {voltage_l1: 230.0, active_power: 1.234}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text)
    return path


def test_a_profile_that_decodes_what_was_recorded_is_right(tmp_path: Path) -> None:
    found = check_profile(written(tmp_path, PROFILE))

    assert found.remarks == ()
    assert [len(r.values) for r in found.profile.recordings] == [2]


def test_a_recording_that_decodes_to_something_else_is_told_on_its_line(tmp_path: Path) -> None:
    wrong = PROFILE.replace("scale: 0.1", "scale: 0.01").replace("11, type: int32", "11, type: int32, word_order: CDAB")
    file = written(tmp_path, wrong)

    with pytest.raises(ConfigurationError) as told:
        check_profile(file)

    assert [fault.removeprefix(str(file)) for fault in told.value.faults] == [
        ":12: recordings[0].values.voltage_l1 = 230.0: the reply decodes to 23",
        ":12: recordings[0].values.active_power = 1.234: the reply decodes to 80871.424",
    ]


def test_a_published_value_is_right_to_half_its_last_digit(tmp_path: Path) -> None:
    assert check_profile(written(tmp_path, PROFILE.replace("1.234", "1.23"))).remarks == ()

    with pytest.raises(ConfigurationError, match=r"decodes to 1\.234"):
        check_profile(written(tmp_path, PROFILE.replace("1.234", "'1.230'")))


def test_a_recording_that_lacks_the_registers_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"active_power = 1\.234: the reply does not hold registers 11\.\.12"):
        check_profile(written(tmp_path, PROFILE.replace("08FC 0000 04D2", "08FC 0000")))


def test_what_somebody_should_look_at_once_more_is_remarked(tmp_path: Path) -> None:
    text = PROFILE[: PROFILE.index("recordings")]
    text += "  voltage_l2: {address: 10, type: uint16, scale: 0.1, unit: V, uncertain: copied}\n"

    assert check_profile(written(tmp_path, text)).remarks == (
        "no recording of a meter: untested",
        "voltage_l2 is uncertain: copied",
        "voltage_l1 and voltage_l2 both read register 10",
    )


def test_bits_of_one_register_are_no_double_use(tmp_path: Path) -> None:
    text = PROFILE.replace("address: 10, type: uint16", "address: 10, type: uint8, byte: low")
    text = text[: text.index("recordings")] + "  voltage_l2: {address: 10, type: uint8, byte: high, unit: V}\n"

    assert check_profile(written(tmp_path, text)).remarks == ("no recording of a meter: untested",)
