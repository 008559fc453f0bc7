"""`jieneng simulate bus`: it says where it answers, does as it is told, and tells in the end what it did."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from jieneng.__main__ import jieneng
from tests.collectors.simulators.bus.asking import ask, told
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock


def asked(terminal: Path, request: bytes, expected: int) -> bytes:
    """What a terminal answers, as far as it comes within a second."""
    file = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(file, request)
        came = b""
        while len(came) < expected and select.select([file], [], [], PATIENCE_S)[0]:
            came += os.read(file, 256)
        return came
    finally:
        os.close(file)


def test_a_bus_answers_misbehaves_as_told_and_says_what_it_did(tmp_path: Path) -> None:
    terminal, log = tmp_path / "meters", tmp_path / "served.jsonl"
    options = f"--pty {terminal} --baud 115200 --units 1-3 --misbehave wrong_unit:unit=2,every=2 --log {log}"
    command = [sys.executable, "-m", "jieneng", "simulate", "bus", *options.split()]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == f"{terminal}: RTU, 115200 8N1, 3 units, 20 ms\n"
        answers = [asked(terminal, ask(2, 7, 1), 7) for _ in range(2)]
        run.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        printed = run.stdout.read()
        assert run.wait(PATIENCE_S) == 0

    assert answers == [told(2, 2007), told(3, 2007)]
    assert printed == "unit 2     asked 2  wrong_unit 1\nnobody     asked 0\n" * 2
    assert [json.loads(line)["did"] for line in log.read_text().splitlines()] == [[], ["wrong_unit"]]
    assert not terminal.is_symlink()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "give one of --pty, --rtu-tcp, --tcp"),
        ("--pty a --tcp 15020", "give one of --pty, --rtu-tcp, --tcp"),
        ("--tcp here", "must be HOST:PORT or PORT"),
        ("--pty a --units 0-3", "units are 1..247"),
        ("--pty a --units 3-1", "must be numbers and ranges"),
        ("--pty a --latency soon", "must be a duration"),
        ("--pty a --profile x --registers y", "give one of --profile, --registers, --recording"),
        ("--pty a --log /nowhere/at/all", "--log /nowhere/at/all: No such file"),
    ],
)
def test_what_makes_no_sense_is_told(options: str, words: str) -> None:
    told_ = CliRunner().invoke(jieneng, ["simulate", "bus", *options.split()])

    assert told_.exit_code == 2
    assert words in told_.output


def test_a_misbehaviour_that_makes_no_sense_is_told() -> None:
    told_ = CliRunner().invoke(jieneng, ["simulate", "bus", "--pty", "a", "--misbehave", "lat:unit=3"])

    assert "misbehave lat:unit=3: kind: must be" in str(told_.exception)
