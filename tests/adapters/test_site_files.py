"""A site file says what is measured where; all that is wrong in it is told at once, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.scalars import seconds
from adapters.site_files import read_site
from energy.errors import ConfigurationError
from energy.quantities import Medium

CONFIG = Path(__file__).parents[2] / "config"
NAME = "name: {zh: 表, en: meter}"
RIGHT = f"""\
site: campus
{NAME}
places:
- {{id: house, {NAME}}}
lines:
- {{id: bus, address: "tcp://192.0.2.1", timeout: 500ms}}
meters:
- {{id: main, {NAME}, medium: electricity, line: bus, place: house, every: 15min, ct: 40, read: [active_power]}}
"""


def faults(folder: Path, text: str) -> list[str]:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_site(path)
    return [fault.replace(str(path), "site.yaml") for fault in refused.value.faults]


def test_a_site_file_becomes_a_site(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(RIGHT, encoding="utf-8")

    site, document = read_site(path)

    [meter] = site.meters
    assert (site.id, site.name.zh, site.zone) == ("campus", "表", "Asia/Shanghai")
    assert (meter.medium, meter.interval_s, meter.ct, meter.quantities) == (
        Medium.ELECTRICITY,
        900.0,
        40.0,
        ("active_power",),
    )
    assert site.lines[0].timeout_s == 0.5
    assert document.line(("meters", 0, "ct")) == 8


def test_a_quantity_may_be_read_more_often_than_the_others(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    keys = "every: 60s, read: [volume, flow_rate@5s, signal_quality]"
    path.write_text(RIGHT + f"- {{id: water, {NAME}, medium: water, {keys}}}\n", encoding="utf-8")

    meter = read_site(path)[0].meters[1]

    assert meter.quantities == ("volume", "flow_rate", "signal_quality")
    assert meter.groups == [(5.0, ("flow_rate",)), (60.0, ("volume", "signal_quality"))]


def test_the_site_of_the_demo_is_right() -> None:
    site, _ = read_site(CONFIG / "demo.yaml")

    assert site.faults() == []
    assert site.meters


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("every: 0s", "site.yaml:9: meters[1].every = '0s': must be greater than 0"),
        ("every: 60", "site.yaml:9: meters[1].every = 60: must be a number with its unit, such as 5s, 15min or 1h"),
        ("unit: 256", "site.yaml:9: meters[1].unit = 256: must be less than or equal to 255"),
        ("ct: 0", "site.yaml:9: meters[1].ct = 0: must be greater than 0"),
        ("read: [active_powr]", "site.yaml:9: meters[1].read[0] = 'active_powr': quantity 'active_powr' is not known"),
        (
            "read: [flow_rate@5]",
            "site.yaml:9: meters[1].read[0] = 'flow_rate@5': must be a number with its unit, such as 5s, 15min or 1h",
        ),
        ("read: [flow_rte@5s]", "site.yaml:9: meters[1].read[0] = 'flow_rte@5s': quantity 'flow_rte' is not known"),
        (
            "read: [flow_rate@2min]",
            "site.yaml:9: meters[1]: meter water: flow_rate at 120 s is not above 0 and below the 60 s of the meter",
        ),
        (
            "plausible: {flow_rat: [0, 5]}",
            "site.yaml:9: meters[1].plausible.flow_rat: quantity 'flow_rat' is not known",
        ),
        ("plausible: {flow_rate: [5, 0]}", "site.yaml:9: meters[1].plausible.flow_rate: must be [low, high]"),
        ("plausible: {flow_rate: [5]}", "site.yaml:9: meters[1].plausible.flow_rate[1]: "),
        ("line: buss", "site.yaml:9: meters[1].line = 'buss': line 'buss' is none of bus"),
        ("line: bus", "site.yaml:9: meters[1].unit: unit 1 on line bus is taken by meter 'main'"),
        (
            "parent: main",
            "site.yaml:9: meters[1].parent = 'main': parent 'main' measures electricity, this meter water",
        ),
        ("medum: x", "site.yaml:9: meters[1].medum = 'x': is not a key here; did you mean 'medium'?"),
        ("place: a b", "site.yaml:9: meters[1].place = 'a b': must be of letters, digits"),
    ],
)
def test_a_wrong_word_of_a_meter_is_told_on_its_line(tmp_path: Path, key: str, told: str) -> None:
    [fault] = faults(tmp_path, RIGHT + f"- {{id: water, {NAME}, medium: water, {key}}}\n")

    assert fault.startswith(told)


def test_all_wrong_words_are_told_at_once_and_by_line(tmp_path: Path) -> None:
    text = RIGHT.replace("500ms", "0s").replace("ct: 40", "ct: -1") + "zone: Asia/Hangzhou\n"

    assert faults(tmp_path, text) == [
        "site.yaml:6: lines[0].timeout = '0s': must be greater than 0",
        "site.yaml:8: meters[0].ct = -1: must be greater than 0",
        "site.yaml:9: zone = 'Asia/Hangzhou': must be a zone of the IANA database, such as Asia/Shanghai",
    ]


def test_an_empty_file_lacks_a_site(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == [
        "site.yaml:1: site: is missing and must be given",
        "site.yaml:1: name: is missing and must be given",
    ]


@pytest.mark.parametrize(("text", "expected"), [("5s", 5), ("1.5 min", 90), (" 250ms ", 0.25), ("1h", 3600)])
def test_a_duration_is_a_number_with_its_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 days", 5, None, "1e3s", "5s5s"])
def test_a_duration_without_its_unit_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a number with its unit"):
        seconds(text)
