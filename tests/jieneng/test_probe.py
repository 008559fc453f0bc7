"""From a bus that nobody has written down to a site file, from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.exchanges import read_exchanges
from collectors.lines.address import Characters
from collectors.meter_profile import load_profile
from collectors.simulators.bus.beside import beside
from collectors.simulators.bus.contents import PlayedMeter, TellingRegisters
from collectors.simulators.bus.hosts import TcpHost
from collectors.simulators.bus.meters import Latency, Meters
from collectors.simulators.bus.modbus_slave import ModbusSlave
from collectors.simulators.bus.served import ServedLog
from collectors.simulators.bus.wire import Wire
from energy.errors import ConfigurationError, LineError
from jieneng.__main__ import jieneng
from jieneng.composition import load_installed
from jieneng.simulated_bus import BusSettings, meters_of
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

LOG = ServedLog()


@pytest.fixture(scope="module")
def line() -> Iterator[str]:
    """Two meters of known makes and one of none, on a byte-timed bus."""

    def now() -> datetime:
        return datetime.now(UTC)

    slaves = [ModbusSlave(2, PlayedMeter(load_profile("eastron/sdm630"), 2, now=now))]
    slaves.append(ModbusSlave(3, PlayedMeter(load_profile("acrel/dtsd1352"), 3, now=now)))
    slaves.append(ModbusSlave(4, TellingRegisters(4)))
    meters = Meters(slaves, latency=Latency(0.001), log=LOG)
    with beside(TcpHost(meters, lambda station: Wire(station, Characters(115200), uart=16))) as host:
        yield f"rtu+tcp://{host.address}?baud=115200"


OPTIONS = ("--protocol", "modbus", "--timeout", "0.1", "--pause", "0")


@pytest.fixture(scope="module")
def proposed(line: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site file that probing the line proposes."""
    site = tmp_path_factory.mktemp("probed") / "site.yaml"
    options = ["--units", "1-4", *OPTIONS, "--site", str(site), "--record", str(site.with_name("bus.yaml"))]
    assert CliRunner().invoke(jieneng, ["probe", line, *options]).exit_code == 0
    return site


def test_the_proposal_is_a_site_file_as_it_stands(proposed: Path, line: str) -> None:
    installed = load_installed(proposed)

    assert {meter.id: meter.profile for meter in installed.site.meters} == {
        "meter-2": "eastron/sdm630",
        "meter-3": "acrel/dtsd1352",
    }
    assert [one.address for one in installed.site.lines] == [f"{line}&parity=N&stop=1"]


def test_the_proposal_says_what_to_check_and_whom_nobody_knows(proposed: Path) -> None:
    text = proposed.read_text(encoding="utf-8")

    assert "# check: ct is 1 until somebody has read the ratio off the transformers" in text
    assert "# unit 4: answers (function 3 answered), and no known make fits" in text


def test_a_file_that_is_there_is_not_replaced(proposed: Path, line: str) -> None:
    before = proposed.read_bytes()
    told = CliRunner().invoke(jieneng, ["probe", line, *OPTIONS, "--site", str(proposed)])

    assert told.exit_code == 2
    assert "is there already; --force replaces it" in told.output
    assert proposed.read_bytes() == before


def test_nobody_is_told_as_nobody(line: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(jieneng, ["probe", line, "--units", "9", *OPTIONS, "--site", str(tmp_path / "site.yaml")])

    assert told.exit_code == 1
    assert "nobody answered" in told.output
    assert not (tmp_path / "site.yaml").exists()


def test_a_line_that_cannot_be_opened_is_not_told_as_empty(tmp_path: Path) -> None:
    record = tmp_path / "bus.yaml"
    told = CliRunner().invoke(jieneng, ["probe", "serial:/dev/no-such-port?baud=9600", "--record", str(record)])

    assert isinstance(told.exception, LineError)
    assert "nobody answered" not in told.output
    assert not record.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tcp://192.0.2.1", "--baud", "9600"], "--baud and --parity are for serial ports"),
        (["serial:/dev/ttyUSB0", "--baud", "9601"], "9601 is none of 300, 600"),
        (["tcp://192.0.2.1", "--units", "0-3"], "units are 1..247"),
        (["tcp://192.0.2.1", "--protocol", "mbus"], "mbus is none of modbus, dlt645, cjt188"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(arguments: list[str], words: str) -> None:
    told = CliRunner().invoke(jieneng, ["probe", *arguments])

    assert told.exit_code != 0
    assert words in told.output or words in str(told.exception)


def test_ctrl_c_keeps_what_was_found_and_says_that_it_was_not_all(line: str, tmp_path: Path) -> None:
    site, bus = tmp_path / "site.yaml", tmp_path / "bus.yaml"
    command = [sys.executable, "-m", "jieneng", "probe", line, "--units", "2-200", *OPTIONS, "--json"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    files = ["--site", str(site), "--record", str(bus)]
    pipe, asked_nobody = subprocess.PIPE, LOG.asked[None]
    with subprocess.Popen([*command, *files], stdout=pipe, stderr=pipe, text=True, env=environment) as run:
        assert run.stderr is not None
        assert "if nobody answers" in run.stderr.readline()
        # The line holds three meters, which are asked first, and then nobody for twenty seconds.
        while LOG.asked[None] == asked_nobody and run.poll() is None:
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        printed, complained = run.communicate(timeout=PATIENCE_S)

    assert run.returncode == 130
    assert "stopped before all was asked" in complained
    told = json.loads(printed)
    assert [(m["unit"], m["verdict"]) for m in told["meters"]] == [(unit, "not looked at") for unit in (2, 3, 4)]
    assert load_installed(site).site.meters == ()
    assert bus.exists()


def test_what_was_recorded_is_played_by_the_simulator(proposed: Path) -> None:
    settings = BusSettings([1], recorded=read_exchanges(proposed.with_name("bus.yaml")))
    meters = meters_of(settings, now=lambda: datetime.now(UTC), log=ServedLog())

    assert sorted(meters.names) == ["unit 2", "unit 3", "unit 4"]


def test_a_broken_recording_is_told_line_by_line(tmp_path: Path) -> None:
    broken = tmp_path / "bus.yaml"
    broken.write_text(
        'recording: 1\nrecorded_at: "2026"\nexchanges:\n'
        '  - {line: "tcp://h:1", station: unit 1, at: 0, asked: "01 0x"}\n'
        '  - {line: "tcp://h:1", station: unit 2, at: 0, asked: "01", came: "zz"}\n'
    )
    with pytest.raises(ConfigurationError) as told:
        read_exchanges(broken)

    assert [fault.split(":")[1] for fault in told.value.faults] == ["4", "5"]


def test_meters_are_watched_line_by_line_where_there_is_no_terminal(proposed: Path) -> None:
    options = ["meter-3", "--rounds", "2", "--every", "0.1", "--quantity", "frequency"]
    told = CliRunner().invoke(jieneng, ["watch", str(proposed), *options])

    assert told.exit_code == 0
    rows = [row.split("\t") for row in told.output.splitlines()]
    assert [(row[0], row[1], row[3], row[6]) for row in rows] == [("meter-3", "healthy", "frequency", "good")] * 2


def test_a_meter_that_does_not_answer_is_watched_as_such(proposed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        proposed.read_text(encoding="utf-8")
        .replace("unit: 3", "unit: 9")
        .replace("{id: line-1,", "{id: line-1, timeout: 100ms,"),
        encoding="utf-8",
    )
    told = CliRunner().invoke(jieneng, ["watch", str(site), "meter-3", "--rounds", "1", "--quantity", "frequency"])

    assert told.exit_code == 1
    assert told.output.startswith("meter-3\tsuspect\t")
    assert "no answer within" in told.output


def test_a_meter_of_a_site_file_is_read_as_it_is_installed_there(proposed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(proposed.read_text(encoding="utf-8").replace("ct: 1", "ct: 40"), encoding="utf-8")
    plain, behind = (
        json.loads(CliRunner().invoke(jieneng, ["read", "meter-3", "--site", str(of), "--json", "--raw"]).output)
        for of in (proposed, site)
    )
    volts, amperes = (
        [next(r["value"] for r in of["readings"] if r["quantity"] == name) for of in (plain, behind)]
        for name in ("voltage_l1", "current_l1")
    )

    assert volts[1] == pytest.approx(volts[0], rel=0.02)
    assert amperes[1] == pytest.approx(40 * amperes[0], rel=0.05)
    assert all(len(bytes.fromhex(request["raw"])) == 2 * request["count"] for request in plain["requests"])
