"""A stranger adds a make of meter by one YAML file: checked, read, run, and one of its settings written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.campus import command, get, reporting, until
from tests.real_parts import free_port

pytestmark = pytest.mark.by_the_clock

MAKE = """\
maker: Example
model: EX-100
medium: electricity
sources: ["EX-100 Modbus manual, rev. 3, tables 4 and 9"]
registers:
  voltage_l1: {address: 0x0000, type: uint16, scale: 0.1, unit: V}
  active_power: {address: 0x0010, type: int32, unit: W}
  active_energy_import: {address: 0x0020, type: uint32, scale: 0.01, unit: kWh}
writable:
  ct_primary: {address: 0x0100, type: uint16, unit: A, low: 1, high: 5000}
"""
SITE = """\
site: hall
name: {zh: 大院, en: Hall}
lines: [{id: bus, address: "serial:%s?baud=115200"}]
meters:
  - {id: main, name: {zh: 总表, en: Main}, medium: electricity, line: bus, unit: 2, profile: example/ex-100, every: 1s,
     writable: {ct_primary: [50, 600]}}
"""


@dataclass
class Place:
    """A folder as a stranger has it."""

    folder: Path

    def jieneng(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as it is typed there."""
        return subprocess.run(
            [sys.executable, "-m", "jieneng", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "profiles" / "example").mkdir(parents=True)
    make = folder / "profiles" / "example" / "ex-100.yaml"
    make.write_text(MAKE, encoding="utf-8")
    (folder / "site.yaml").write_text(SITE % (folder / "bus"), encoding="utf-8")
    played = ("--pty", str(folder / "bus"), "--baud", "115200", "--units", "2", "--profile", str(make))
    with command("simulate", "bus", *played, log=folder / "bus.log"):
        until((folder / "bus").exists, "the bus")
        yield Place(folder)


def test_the_file_is_checked_listed_and_planned(place: Place) -> None:
    checked = place.jieneng("profiles", "check", "profiles")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "ex-100.yaml: right; 3 quantities, 0 recordings" in checked.stdout
    assert "example/ex-100" in place.jieneng("profiles", "list", "--profiles", "profiles").stdout
    assert "1 requests" in place.jieneng("plan", "main", "--site", "site.yaml").stdout


def test_the_meter_is_read_before_and_after_it_stands_in_a_site_file(place: Place) -> None:
    line = f"serial:{place.folder / 'bus'}?baud=115200"
    alone = place.jieneng("read", line, "--profile", "profiles/example/ex-100.yaml", "--unit", "2")
    installed = place.jieneng("read", "main", "--site", "site.yaml")

    for read in (alone, installed):
        assert read.returncode == 0, read.stderr
        assert read.stdout.count("good") == 3


def test_the_whole_runs_with_it_and_a_setting_is_written_through_the_edge(place: Place) -> None:
    port, broker = free_port(), free_port()
    options = ("--site", str(place.folder / "site.yaml"), "--data", str(place.folder / "var"), "--accounts", "off")
    with ExitStack() as stack:
        where = ("--listen", f"127.0.0.1:{port}", "--broker-port", str(broker))
        stack.enter_context(command("run", *options, *where, log=place.folder / "run.log"))
        until(lambda: reporting(port) == 1, f"the meter; see {place.folder}")
        point = "/api/v1/latest?point=main:active_power"
        (latest,) = until(lambda: (get(port, point) or {}).get("latest"), "its power")
        assert latest["value"] > 0

        held = place.jieneng("write", "main", "ct_primary", "200", "--yes", "--site", "site.yaml", "--data", "other")
        assert (held.returncode, "another process has the port" in held.stderr) == (2, True)
        done = place.jieneng("write", "main", "ct_primary", "200", "--yes", "--site", "site.yaml", "--data", "var")
        assert done.returncode == 0, done.stderr
        assert "through the running edge" in done.stdout
        assert "read back 200 A" in done.stdout
    assert (place.folder / "var" / "timings" / "edge" / "bus.json").exists()
