"""`jieneng write`: what it asks, writes and prints, beside a bus that is played in another process."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jieneng.__main__ import jieneng
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

PROFILE = """
maker: Example
model: EX-100
medium: electricity
sources: ["EX-100 Modbus manual, rev. 3, table 9"]
registers:
  active_power: {address: 0x0010, type: int32, unit: W}
writable:
  ct_primary: {address: 0x0100, type: uint16, unit: A, low: 1, high: 5000}
  relay: {address: 7, type: coil}
"""
SITE = """
site: hall
name: {zh: 大院, en: Hall}
lines: [{id: bus, address: "serial:BUS?baud=115200"}]
meters:
  - {id: main, name: {zh: 总表, en: Main}, medium: electricity, line: bus, unit: 2, profile: ex-100.yaml,
     writable: {ct_primary: [50, 600]}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("write")
    terminal = folder / "bus"
    (folder / "ex-100.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / "site.yaml").write_text(SITE.replace("BUS", str(terminal)), encoding="utf-8")
    options = f"--pty {terminal} --baud 115200 --units 2 --profile {folder / 'ex-100.yaml'}"
    command = [sys.executable, "-m", "jieneng", "simulate", "bus", *options.split()]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        yield folder
        run.terminate()
        run.wait(PATIENCE_S)


def write(folder: Path, *words: str, answer: str = "") -> Result:
    options = ["--site", str(folder / "site.yaml"), "--data", str(folder / "var"), "--who", "wang"]
    return CliRunner().invoke(jieneng, ["write", *words, *options], input=answer)


def test_it_shows_the_old_value_asks_writes_and_shows_what_was_read_back(folder: Path) -> None:
    declined = write(folder, "main", "ct_primary", "200", answer="n\n")
    assert declined.exit_code == 2
    assert "now       1 A" in declined.output
    assert "nothing was written" in declined.output

    done = write(folder, "main", "ct_primary", "200", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "now       1 A" in done.output
    assert "read back 200 A" in done.output
    assert "the meter shows the new value" in done.output

    again = write(folder, "main", "ct_primary", "300", "--yes", "--json")
    said = json.loads(again.stdout.splitlines()[-1])
    assert (said["old"], said["read_back"], said["holds"]) == ("200", "300", True)
    noted = [json.loads(line) for line in (folder / "var" / "written" / "edge.jsonl").read_text().splitlines()]
    assert [(n["who"], n["event"], n["old"], n["new"]) for n in noted] == [
        ("wang", "begun", "1", "200"),
        ("wang", "ended", "1", "200"),
        ("wang", "begun", "200", "300"),
        ("wang", "ended", "200", "300"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("main", "relay", "1"), "relay of meter main is not switched on for writing; switched on is ct_primary"),
        (("main", "ct_primary", "601"), "ct_primary of meter main may be 50 to 600 A, not 601"),
        (("canteen", "ct_primary", "200"), "meter 'canteen' is not in site 'hall'"),
    ],
)
def test_all_else_is_refused_in_a_sentence(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = write(folder, *words, "--yes")

    assert result.exit_code != 0
    assert said in str(result.exception)


def test_a_port_that_another_process_has_is_left_alone(folder: Path) -> None:
    with (folder / "bus").open("rb", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = write(folder, "main", "ct_primary", "200", "--yes")

    assert "another process has the port; where an edge reads this line, name its folder" in str(result.exception)


def test_what_the_profile_does_not_describe_is_a_fault_of_the_site_file(folder: Path) -> None:
    site = folder / "wrong.yaml"
    text = (folder / "site.yaml").read_text(encoding="utf-8")
    site.write_text(text.replace("{ct_primary: [50, 600]}", "{ct_primary: [0, 600], reset: [0, 1]}"), encoding="utf-8")
    result = CliRunner().invoke(jieneng, ["write", "main", "reset", "1", "--site", str(site)])

    told = str(result.exception)
    assert "wrong.yaml:7: meters[0].writable.ct_primary" in told
    assert "lies not within 1 to 5000" in told
    assert "is no setting of profile" in told
