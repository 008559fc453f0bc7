"""Mapping files: what is wrong is told with its line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.mapping_files import read_mapping, read_mappings
from adapters.payload_paths import Path as PayloadPath
from adapters.payload_paths import Row, RowsPath, TopicPattern
from energy.errors import ConfigurationError

GOOD = """\
mapping: own
payload: json
topics: ["own/{sn}"]
meter: {from: "{sn}"}
time: {at: ts, unit: ms}
values: {of: data}
quantities:
  P: {is: active_power, unit: W}
"""


def faults(folder: Path, text: str) -> list[str]:
    file = folder / "m.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        read_mapping(file)
    except ConfigurationError as error:
        return [fault.removeprefix(f"{file}:") for fault in error.faults]
    return []


def test_a_good_file_has_no_faults(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("payload: json", "payload: xml", "2: payload = 'xml': must be json or sparkplug"),
        ('["own/{sn}"]', "['#']", "3: topics[0] = '#': must begin with a word of its own"),
        ('["own/{sn}"]', "[jieneng/v1/+/readings]", "3: topics[0] = 'jieneng/v1/+/readings': jieneng/… is spoken by"),
        ('["own/{sn}"]', "['own/{sn}', 'own/{sn}/#']", "3: topics[1] = 'own/{sn}/#': overlaps another of these topics"),
        ('{from: "{sn}"}', '{from: "{no}"}', "4: meter.from = '{no}': is remembered neither from every topic nor"),
        ('{from: "{sn}"}', "{from: ^.sn}", "4: meter.from = '^.sn': begins 1 outwards of a row, which stands in 0"),
        ("unit: ms", "unit: days", "5: time.unit = 'days': must be 's', 'ms', 'us', 'ns' or 'iso'"),
        ("{at: ts, unit: ms}", "later", "5: time = 'later': must be received, or say `at` and `unit`"),
        ("{of: data}", "{of: 'a[]'}", "6: values.of = 'a[]': must lead to one value"),
        ("{of: data}", "{name: n}", "6: values: must say `of` (an object of names and values), or `name` and `value`"),
        ("active_power", "active_powr", "8: quantities.P.is = 'active_powr': quantity 'active_powr' is not known; did"),
        ("unit: W", "unit: Wh", "8: quantities.P.unit = 'Wh': 'Wh' measures active energy and 'kW' measures active"),
        ("unit: W", "factor: 0", "8: quantities.P.factor = 0: would make every value the same"),
        ("unit: W}", "unit: W}\n  Q: active_power", "9: quantities.Q = 'active_power': is active_power, as 'P' is"),
        ('meter: {from: "{sn}"}\n', "", "7: quantities.P: names no meter"),
        ("mapping: own", "mapping: own\ncolour: red", "2: colour = 'red': is not a key here; known here are mapping"),
    ],
)
def test_a_fault_is_told_where_it_stands(tmp_path: Path, before: str, after: str, fault: str) -> None:
    assert before in GOOD
    (told,) = faults(tmp_path, GOOD.replace(before, after))

    assert told.startswith(fault)


def test_meters_that_are_not_of_the_site_are_told_if_it_is_known(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    text = GOOD.replace('"{sn}"}', '"{sn}", names: {A: canteen-main, B: canteen-mian}}').replace("W}", "W, meter: x}")
    file.write_text(text, encoding="utf-8")

    assert read_mapping(file).id == "own"
    with pytest.raises(ConfigurationError) as told:
        read_mapping(file, {"canteen-main"})
    assert [fault.removeprefix(f"{file}:") for fault in told.value.faults] == [
        "4: meter.names.B = 'canteen-mian': is no meter of the site; did you mean 'canteen-main'?",
        "8: quantities.P.meter = 'x': is no meter of the site",
    ]


def test_two_files_that_take_one_topic_are_refused_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("own/{sn}", "own/{sn}/#"), encoding="utf-8")

    with pytest.raises(ConfigurationError) as told:
        read_mappings(tmp_path)
    assert [fault.split(": ", 1)[1][:40] for fault in told.value.faults] == [
        f"mapping = 'own': is the id of {tmp_path}"[:40],
        f"topics: overlap those of {tmp_path}"[:40],
    ]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a/+", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+/c", "a/b/+", True),
        ("a/+", "a/b/c", False),
        ("a/b", "a/c", False),
        ("a/{x}/c", "a/+/d", False),
    ],
)
def test_topics_overlap_where_one_message_would_be_of_both(one: str, other: str, overlap: bool) -> None:
    a, b = TopicPattern.parse(one), TopicPattern.parse(other)

    assert (a.overlaps(b), b.overlaps(a)) == (overlap, overlap)


def test_a_key_with_a_dot_is_written_in_quotes() -> None:
    assert PayloadPath.parse('"a.b".c[1]').find(Row({"a.b": {"c": [1, 2]}}, (), {})) == 2


def test_rows_know_what_they_stand_in() -> None:
    (row,) = RowsPath.parse("{site}.of[]").rows({"north": {"of": [7]}}, {"x": "y"})

    assert (row.value, row.around[-1], row.names) == (7, {"of": [7]}, {"x": "y", "site": "north"})
