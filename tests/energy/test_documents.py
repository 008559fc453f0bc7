"""A file that is wrong is told what, on which line, and what would be right, all at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from energy import documents
from energy.documents import Document, Words, checked, open_document, spelled
from energy.errors import ConfigurationError


class LampWords(Words):
    """A lamp."""

    room: str
    power: float = Field(default=1.0, gt=0)


class HouseWords(Words):
    """What stands in the files of these tests."""

    name: str
    lamps: list[LampWords] = []
    rooms: dict[str, LampWords] = {}
    colour: str | None = None


def faults(folder: Path, text: str | bytes) -> list[str]:
    """What is told of a file, without its folder."""
    path = folder / "house.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as refused:
        checked(open_document(path), HouseWords)
    return [fault.replace(f"{path}", "house.yaml") for fault in refused.value.faults]


def test_a_file_that_is_right_becomes_its_words(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_text("name: 办公楼\nlamps:\n- {room: hall, power: 40}\n", encoding="utf-8")

    made = checked(open_document(path), HouseWords)

    assert made == HouseWords(name="办公楼", lamps=[LampWords(room="hall", power=40)])


def test_all_faults_of_a_file_are_told_at_once_by_line_with_key_value_and_hint(tmp_path: Path) -> None:
    text = """\
name: a
colr: red
lamps:
- room: hall
  power: -3
- powr: 5
- room: [1]
"""

    assert faults(tmp_path, text) == [
        "house.yaml:2: colr = 'red': is not a key here; did you mean 'colour'?",
        "house.yaml:5: lamps[0].power = -3: must be greater than 0",
        "house.yaml:6: lamps[1].room: is missing and must be given",
        "house.yaml:6: lamps[1].powr = 5: is not a key here; did you mean 'power'?",
        "house.yaml:7: lamps[2].room: must be a valid string",
    ]


def test_a_key_like_no_other_is_answered_with_those_that_are_known(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: a\nlamps:\n- {room: a, xyz: 1}\n") == [
        "house.yaml:3: lamps[0].xyz = 1: is not a key here; known here are room, power"
    ]


def test_a_fault_under_a_name_of_the_operators_own_is_told_with_the_name(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: a\nrooms:\n  hall:\n    room: x\n    power: much\n") == [
        "house.yaml:5: rooms.hall.power = 'much': must be a valid number, unable to parse string as a number"
    ]


def test_a_key_given_twice_is_told_where_it_comes_again(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: a\nlamps:\n- room: a\n  room: b\nname: b\n") == [
        "house.yaml:4: lamps[0].room: is given twice; keep one",
        "house.yaml:5: name: is given twice; keep one",
    ]


def test_a_key_given_twice_does_not_hide_other_faults(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "name: a\nname: b\ncolr: red\n")) == 2


def test_an_empty_file_lacks_what_must_be_given(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == ["house.yaml:1: name: is missing and must be given"]
    assert faults(tmp_path, "# nothing yet\n") == ["house.yaml:1: name: is missing and must be given"]


@pytest.mark.parametrize("text", ["- a\n- b\n", "hello\n", "5\n"])
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, text: str) -> None:
    assert len(faults(tmp_path, text)) == 1


def test_what_is_not_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: a\nlamps: [1, 2\ncolour: b\n")[0].startswith("house.yaml:3: is not YAML: ")
    assert faults(tmp_path, "name:\n\ta\n")[0].startswith("house.yaml:2: is not YAML: ")


def test_what_is_not_utf_8_is_told(tmp_path: Path) -> None:
    assert faults(tmp_path, "name: 办公楼\n".encode("gbk")) == [
        "house.yaml: is not UTF-8: invalid start byte at byte 6"
    ]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\n")

    assert checked(open_document(path), HouseWords).name == "a"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read: No such file or directory"):
        open_document(tmp_path / "none.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        open_document(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\ncolour: !secret x\n", 2),
        ("name: a\ncolour: 2026-13-45\n", 2),
        ("name: a\ncolour: \x07\n", 2),
        ("name: a\n? [b]\n: c\n", 2),
        ("name: a\nlamps: &again [*again]\n", 2),
        ("name: a\nrooms: &again {x: *again}\n", 2),
    ],
    ids=["unknown tag", "no such day", "control character", "key that is a list", "list in itself", "map in itself"],
)
def test_what_yaml_can_say_but_no_file_of_ours_may_is_a_fault_on_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert faults(tmp_path, text)[0].startswith(f"house.yaml:{line}: ")


def test_an_alias_repeats_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_text("name: a\nlamps:\n- &one {room: hall}\n- *one\n")

    assert [lamp.room for lamp in checked(open_document(path), HouseWords).lamps] == ["hall", "hall"]


def test_the_line_of_a_key_that_is_not_there_is_that_of_what_stands_above_it(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_text("name: a\nlamps:\n- room: hall\n")
    document = open_document(path)

    assert document.line(("lamps", 0, "room")) == 3
    assert document.line(("lamps", 0, "power")) == 3
    assert document.line(("lamps", 5, "room")) == 2
    assert document.line(("none",)) == 1
    assert document.value(("lamps", 0, "room")) == "hall"
    assert document.value(("lamps", 5, "room")) is None


def test_a_way_is_spelled_as_one_would_write_it() -> None:
    assert spelled(("registers", "voltage", "sum", 1, "type")) == "registers.voltage.sum[1].type"
    assert spelled(()) == ""


_LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 10}]\n" for i in range(1, 9))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_LAUGHS, "of its aliases"),
        ("a: " + "[" * 5_000, "is nested more than 64 deep"),
        ("a: " + "1:" * 5_000 + "1", "holds a number of more than 400 characters"),
    ],
    ids=["billion laughs", "a tower", "a number of base 60"],
)
def test_a_file_that_would_grow_is_refused_before_it_does(tmp_path: Path, text: str, said: str) -> None:
    [fault] = faults(tmp_path, text)

    assert said in fault and "is not YAML" not in fault


_SHIPPED = sorted(path for folder in ("config", "collectors/profiles") for path in Path(folder).rglob("*.yaml"))


@settings(max_examples=150)
@given(
    st.sampled_from(_SHIPPED), st.integers(0, 2000), st.sampled_from("{}[]:,-#&*!|>'\"%@`\t\n ?\\a1é~<=\ufeff\u2028")
)
def test_a_file_reads_the_same_by_libyaml_and_in_python(path: Path, at: int, letter: str) -> None:
    """Shipped files with one letter changed: data, lines, and what is wrong."""
    text = path.read_text(encoding="utf-8")[:2500]
    changed = text[:at] + letter + text[at + 1 :]
    with pytest.MonkeyPatch.context() as patch:
        read = _told(path, changed)
        patch.setattr(documents, "_DISPUTED", re.compile(""))
        assert read == _told(path, changed)


def _told(path: Path, text: str) -> object:
    try:
        document = Document(path, text)
    except ConfigurationError as error:
        return str(error)
    return document.data, document.faults, document._lines
