"""A wrong configuration is told whole, with file, line, key, value and what would be right."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.makes import load_make
from energy.errors import ConfigurationError
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Site, Text
from jieneng.__main__ import jieneng
from jieneng.composition import Installed, load_installed, with_permissions
from jieneng.settings import load_settings

CONFIG = Path(__file__).parents[2] / "config"

WRONG = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: one, address: "tcp//127.0.0.1"}
meters:
  - {id: a, name: {zh: 甲, en: A}, medium: electricity, line: one, unit: 1, profile: eastron/sdm63}
  - {id: b, name: {zh: 乙, en: B}, medium: water, line: one, unit: 2, profile: eastron/sdm630}
  - {id: c, name: {zh: 丙, en: C}, medium: electricity, line: one, unit: 3, profile: acrel/adw300, read: [frequency]}
  - {id: d, name: {zh: 丁, en: D}, medium: electricity, line: one, unit: 4}
"""


def test_the_shipped_site_is_right() -> None:
    installed = load_installed(CONFIG / "demo.yaml")

    assert len(installed.site.meters) >= 60
    assert len({m.place for m in installed.site.meters}) >= 8
    assert {m.medium for m in installed.site.meters} == {"electricity", "water", "gas", "heat"}


def test_all_faults_of_a_site_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(WRONG, encoding="utf-8")

    with pytest.raises(ConfigurationError) as told:
        load_installed(file)

    first = [fault.split(": ", 2) for fault in told.value.faults]
    assert [(Path(where).name, key) for where, key, *_ in first] == [
        ("site.yaml:4", "lines[0].address = 'tcp//127.0.0.1'"),
        ("site.yaml:6", "meters[0].profile = 'eastron/sdm63'"),
        ("site.yaml:7", "meters[1].profile = 'eastron/sdm630'"),
        ("site.yaml:8", "meters[2].read[0] = 'frequency'"),
        ("site.yaml:9", "meters[3].profile"),
    ]
    assert "tcp://HOST:PORT" in told.value.faults[0]
    assert "eastron/sdm630" in told.value.faults[1]


def test_lines_of_one_wire_that_speak_otherwise_are_told_at_the_line(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    lines = "[{id: a, address: 'serial:/dev/ttyUSB0'},\n {id: b, address: 'serial:/dev/ttyUSB0?baud=2400'}]"
    file.write_text(f"site: s\nname: {{zh: 一, en: one}}\nlines: {lines}\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"site.yaml:4: .*is the wire of line 'a', which speaks otherwise"):
        load_installed(file)


def test_a_meter_without_a_list_reads_all_that_its_profile_has(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: s\nname: {zh: 一, en: one}\nlines: [{id: one, address: 'tcp://127.0.0.1'}]\n"
        "meters: [{id: a, name: {zh: 甲, en: A}, medium: gas, line: one, profile: fuxin/gas-corrector}]\n",
        encoding="utf-8",
    )

    assert "volume_standard" in load_installed(file).site.meters[0].quantities


def test_options_win_over_the_settings_file_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "jieneng.yaml"
    file.write_text("site: site.yaml\ndata: kept\nlisten: 127.0.0.1:9000\nedge: north\n", encoding="utf-8")

    settings = load_settings(file, edge="south", listen=None)

    assert settings.site == tmp_path / "site.yaml"
    assert settings.store_address == f"duckdb:{tmp_path / 'kept' / 'readings.duckdb'}"
    assert (settings.edge, settings.listen) == ("south", "127.0.0.1:9000")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lisen: 127.0.0.1:80", "did you mean 'listen'?"),
        ("listen: here", "HOST:PORT"),
        ("broker_port: 99999", "65535"),
        ("edge: a b", "letters, digits"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "jieneng.yaml"
    file.write_text(f"data: var\n{text}\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"jieneng.yaml:2: ") as told:
        load_settings(file)

    assert said in str(told.value)


@pytest.mark.parametrize("command", ["edge", "gateway", "run"])
def test_a_process_does_not_start_on_a_wrong_site(tmp_path: Path, command: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(WRONG, encoding="utf-8")

    result = CliRunner().invoke(jieneng, [command, "--site", str(file), "--data", str(tmp_path)])

    assert isinstance(result.exception, ConfigurationError)
    assert len(result.exception.faults) == 5


def test_help_of_every_command_says_what_it_is_for() -> None:
    runner = CliRunner()
    listed = runner.invoke(jieneng, ["--help"]).output
    for command in ("demo", "run", "edge", "gateway", "simulate", "fault", "read", "import", "openapi"):
        assert command in listed
        shown = runner.invoke(jieneng, [command, "--help"])
        assert shown.exit_code == 0
        assert len(shown.output) > 200


ADDRESSED = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: bus, address: "rtu+tcp://192.0.2.8:4001?baud=2400&parity=E"}
  - {id: net, address: "tcp://192.0.2.9"}
meters:
  - {id: a, name: {zh: 甲, en: A}, medium: electricity, line: bus, profile: dlt645/three-phase, address: "000123456789"}
  - {id: b, name: {zh: 乙, en: B}, medium: water, line: bus, profile: cjt188/water-2018, address: "78330011223344"}
"""


def test_meters_that_are_asked_by_their_address_stand_beside_others_on_a_line(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    modbus = "  - {id: c, name: {zh: 丙, en: C}, medium: electricity, line: bus, unit: 1, profile: acrel/adw300}\n"
    file.write_text(ADDRESSED + modbus, encoding="utf-8")

    site = load_installed(file).site

    assert [meter.address for meter in site.meters] == ["000123456789", "78330011223344", None]
    assert site.meter("b").quantities == ("volume",)


def test_all_that_is_wrong_with_an_address_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        ADDRESSED
        + """\
  - {id: c, name: {zh: 丙, en: C}, medium: electricity, line: bus, profile: dlt645/three-phase}
  - {id: d, name: {zh: 丁, en: D}, medium: water, line: bus, profile: cjt188/water-2018, address: "11223344"}
  - {id: e, name: {zh: 戊, en: E}, medium: electricity, line: net, unit: 3, profile: acrel/adw300, address: "12"}
  - {id: f, name: {zh: 己, en: F}, medium: electricity, line: net, profile: dlt645/three-phase, address: "000000000001"}
""",
        encoding="utf-8",
    )

    with pytest.raises(ConfigurationError) as told:
        load_installed(file)

    assert [fault.removeprefix(f"{file}:") for fault in told.value.faults] == [
        "9: meters[2].address: is missing: a DL/T 645 meter is asked by the 12 digits on its plate, in quotes",
        "10: meters[3].address = '11223344': a CJ/T 188 meter has 14 digits, these are 8; fill up with zeros in front",
        "11: meters[4].address = '12': is for meters that are asked by it; a Modbus meter has a unit",
        "12: meters[5].line = 'net': speaks Modbus TCP, a DL/T 645 meter does not: "
        "give it as rtu+tcp://HOST:PORT or serial:/dev/DEVICE",
    ]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("123456789012", "must stand in quotes"),
        ('"00012345678x"', "must be the digits on the meter, nothing else"),
        ('"78330011223344"', "address 78330011223344 on line bus is taken by meter 'b'"),
    ],
)
def test_an_address_is_digits_in_quotes_and_of_one_meter(tmp_path: Path, address: str, told: str) -> None:
    file = tmp_path / "site.yaml"
    other = "  - {id: c, name: {zh: 丙, en: C}, medium: water, line: bus, profile: cjt188/water-2018, address: %s}\n"
    file.write_text(ADDRESSED + other % address, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=told):
        load_installed(file)


def test_what_may_be_written_is_said_by_the_file_at_the_site_and_holds_for_the_same_meter_alone() -> None:
    lines = (LineSettings("bus", "tcp://192.0.2.1"),)
    name, limits = Text("表", "Meter"), {"limit": (Decimal(0), Decimal(10))}
    meter = Meter("main", name, Medium.ELECTRICITY, profile="eastron/sdm630", line="bus", unit=1)
    profiles = {"eastron/sdm630": load_make("eastron/sdm630")}

    def installed(*meters: Meter) -> Installed:
        return Installed(Site("campus", name, "Asia/Shanghai", lines=lines, meters=meters), profiles)

    local = installed(replace(meter, writable=limits))
    given = [with_permissions(installed(m), local).site.meters[0].writable for m in (meter, replace(meter, unit=2))]

    assert given == [limits, {}]
