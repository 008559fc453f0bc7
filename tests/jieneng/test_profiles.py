"""`jieneng plan` and `jieneng profiles` as a stranger uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.clocks import SystemClock
from collectors import cjt188, dlt645
from collectors.makes import make_ids
from collectors.meter_profile import FOLDER, Table, profile_ids
from collectors.simulators.modbus_server import Answering, ModbusServer
from collectors.simulators.registers import Image
from energy.errors import ConfigurationError
from jieneng.__main__ import jieneng
from jieneng.composition import load_installed
from jieneng.meter_pages import supported_meters
from jieneng.nameplates import read_texts

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"
OWN = """\
maker: Example
model: EX-100
medium: electricity
sources: ["EX-100 manual, table 4"]
registers:
  voltage_l1: {address: 0, type: uint16, scale: 0.1, unit: V}
  active_power: {address: 3, type: int32, unit: W}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(jieneng, list(arguments))


def planned(*arguments: str) -> dict[str, object]:
    ran = run("plan", *arguments, "--json")
    assert ran.exit_code == 0, ran.output
    answer: dict[str, object] = json.loads(ran.output)
    return answer


def test_a_plan_tells_its_requests_and_what_other_ways_would_cost() -> None:
    told = run("plan", "eastron/sdm630").output

    assert "input 0..79" in told
    assert "3 requests, 405.8 ms on the line; 0.68% of its time" in told
    assert "one for each value: 52 requests, 2340.0 ms" in told
    assert "contiguous: 9 requests, 584.2 ms" in told


def test_a_plan_is_that_of_the_line() -> None:
    slow = planned("schneider/pm5000", "--baud", "2400", "--parity", "even", "--latency", "0")
    tcp = planned("schneider/pm5000", "--tcp")

    assert slow["line"] == "2400 8E1, 0 ms latency"
    # 2400 8E1: 20 characters of 4.583 ms, and 9.167 ms a register.
    assert (slow["fixed_ms"], slow["register_ms"], slow["break_even"]) == (91.667, 9.167, 10.0)
    assert len(slow["blocks"]) > len(tcp["blocks"]) == 2  # type: ignore[arg-type]


def test_a_meter_of_a_site_is_planned_as_it_is_installed() -> None:
    answer = planned("office-a-main", "--site", str(DEMO), "--latency", "11")

    assert (answer["profile"], answer["line"]) == ("schneider/iem3155", "Modbus TCP, 11 ms a turn")
    assert [b["every_s"] for b in answer["blocks"]] == [5.0, 5.0]  # type: ignore[attr-defined]


def test_counters_may_be_read_at_a_rate_of_their_own() -> None:
    answer = planned("abb/b23", "--every", "5", "--counters-every", "60")

    assert [(b["address"], b["every_s"]) for b in answer["blocks"]] == [(23296, 5), (20480, 60), (21600, 60)]  # type: ignore[attr-defined]
    # 170 ms each 5 s, 82.5 and 90.8 ms each minute.
    assert answer["line_share"] == pytest.approx(0.170 / 5 + (0.0825 + 0.0908333) / 60, rel=1e-5)


def test_a_meter_that_counts_addresses_from_elsewhere_is_named_so_in_its_site(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: campus\nname: {zh: 园区, en: Campus}\n"
        "places: [{id: house, name: {zh: 楼, en: House}}]\n"
        "lines: [{id: bus, address: 'tcp://192.0.2.7'}]\n"
        "meters: [{id: main, name: {zh: 总表, en: Main}, medium: water, place: house, line: bus,"
        " profile: xintai/electronic-water@-1, read: [volume]}]\n"
    )

    answer = planned("main", "--site", str(site))

    assert [(b["address"], b["registers"]) for b in answer["blocks"]] == [(0, 2)]  # type: ignore[attr-defined]


def test_a_meter_on_a_serial_line_is_planned_for_its_characters_and_rates(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: campus\nname: {zh: 园区, en: Campus}\n"
        "places: [{id: house, name: {zh: 楼, en: House}}]\n"
        "lines: [{id: bus, address: 'serial:/dev/ttyUSB0?baud=2400&parity=E'}]\n"
        "meters: [{id: main, name: {zh: 总表, en: Main}, medium: electricity, place: house, line: bus,"
        " profile: abb/b23, every: 60s, read: [active_power@5s, active_energy_import]}]\n"
    )
    answer = planned("main", "--site", str(site))

    assert answer["line"] == "2400 8E1, 20 ms latency"
    first = answer["blocks"][0]  # type: ignore[index]
    assert (first["quantities"], first["every_s"]) == (["active_power"], 5.0)
    assert answer["together_share"] <= answer["line_share"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["eastron/sdm631"], "profile 'eastron/sdm631' is not known"),
        (["nobody", "--site", str(DEMO)], "nobody"),
        (["abb/b23", "--quantity", "volume"], "profile abb/b23 has no volume"),
    ],
)
def test_what_cannot_be_planned_is_told(arguments: list[str], told: str) -> None:
    ran = run("plan", *arguments)

    assert ran.exit_code != 0
    assert told in str(ran.exception)


def test_profiles_are_listed_with_whether_they_were_tested() -> None:
    lines = run("profiles", "list").output.splitlines()

    assert [line.split()[0] for line in lines] == make_ids()
    assert {line.split()[0] for line in lines if " recorded " in line} == {
        "eastron/sdm630",
        "fuxin/gas-corrector",
        "xintai/electronic-water",
    }


def test_the_page_of_supported_meters_is_printed() -> None:
    assert run("profiles", "list", "--markdown").output == supported_meters()


def test_a_profile_is_shown_with_its_traps() -> None:
    told = run("profiles", "show", "tuf/tuf-2000").output

    assert "trap: A total is an integer plus a fraction: both must come from one reply" in told
    assert "uint8 low byte" in told


async def test_the_texts_of_a_meter_are_read(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        OWN + "nameplate: {model: {address: 10, type: string, length: 3}, serial: {address: 90, type: bcd32}}\n"
        "status: {door: {address: 13, type: uint16, flags: {0: open}}}\n"
    )
    registers = {Table.HOLDING: Image(10, b"EX-100" + b"\0\1")}
    server = ModbusServer({3: Answering(lambda: registers)})
    await server.start()
    try:
        address = f"tcp://{server.host}:{server.port}"
        found = await read_texts(str(own), address, 3, SystemClock(), 1.0)
    finally:
        await server.stop()

    assert [(t.name, t.text) for t in found] == [("model", "EX-100"), ("serial", None), ("door", "open")]
    assert found[1].error == "exception 2: illegal data address"


def test_every_shipped_profile_is_right() -> None:
    ran = run("profiles", "check", *(str(FOLDER / f"{name}.yaml") for name in profile_ids()))

    assert ran.exit_code == 0
    assert ran.output.count(": right; ") == len(profile_ids())


def test_all_that_is_wrong_with_all_files_is_told_at_once(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(OWN)
    wrong.write_text(
        OWN.replace("unit: V", "unit: A").replace("address: 3", "adress: 3").replace("[", "").replace("]", "")
    )

    ran = run("profiles", "check", str(wrong), str(right))

    assert ran.exit_code == 1
    assert [line.removeprefix(f"{wrong}:").split(": ")[0] for line in ran.output.splitlines()[:3]] == [
        "4",
        "6",
        "7",
    ]
    assert f"{right}: right; 2 quantities, 0 recordings" in ran.output


def test_makes_that_are_not_modbus_are_checked_and_shown_too(tmp_path: Path) -> None:
    folders = [Path(package.__path__[0]) / "meters" for package in (dlt645, cjt188)]
    ran = run("profiles", "check", *map(str, folders))
    assert (ran.exit_code, ran.output.count(": right; ")) == (0, 9)

    shown = run("profiles", "show", "cjt188/water-2018").output
    assert "`volume`" in shown
    assert "as the meter says" in shown

    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(OWN + "protocol: dlt465\n")
    assert "protocol = 'dlt465': must be dlt645 or cjt188" in run("profiles", "check", str(wrong)).output


SITE = """
site: s
name: {zh: 楼, en: S}
lines: [{id: l, address: "tcp://192.0.2.7"}]
meters: [{id: m, name: {zh: 表, en: M}, medium: electricity, line: l, profile: NAME}]
"""


@pytest.mark.parametrize("name", ["ex-100", "example/ex-100", "profiles/ex-100.yaml"])
def test_a_make_of_ones_own_stands_in_a_folder_beside_the_site_file(tmp_path: Path, name: str) -> None:
    own = tmp_path / "profiles" / f"{name.removeprefix('profiles/').removesuffix('.yaml')}.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("NAME", name), encoding="utf-8")

    (meter,) = load_installed(site).site.meters
    assert (meter.profile, meter.quantities) == (str(own), ("voltage_l1", "active_power"))


def test_a_make_of_ones_own_never_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "profiles" / "abb" / "b23.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(OWN)
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("NAME", "abb/b23"), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="is the name of a shipped profile; give the file another name"):
        load_installed(site)


def test_a_make_that_is_nowhere_is_told_with_where_it_could_stand(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.replace("NAME", "../ex-100"), encoding="utf-8")
    (tmp_path / "ex-100.yaml").write_text(OWN)

    with pytest.raises(ConfigurationError, match="one of your own stands in profiles/ beside the site file"):
        load_installed(site)
