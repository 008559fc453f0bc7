"""What a process loads at its start: nothing heavy that it does not use. Told by the interpreter of real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.databases import new_records
from tests.real_parts import free_ports
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
_LOADED = re.compile(r"^import time:[^|]*\|[^|]*\|\s*(\S+)$", re.MULTILINE)
SITE = """\
site: campus
name: {zh: 园区, en: Campus}
lines: [{id: one, address: "tcp://127.0.0.1:{port}"}]
meters: [{id: a, name: {zh: 甲, en: A}, medium: electricity, line: one, unit: 1, profile: eastron/sdm630}]
"""

# Whoever writes a paper, asks an identity provider, hears Sparkplug, migrates, or keeps things in another database.
SELDOM = {"reportlab", "openpyxl", "authlib", "joserfc", "google", "influxdb_client", "alembic", "asyncpg"}
# Whoever plays meters, or looks for them.
PLAYED = {"collectors.simulators.fleet", "collectors.simulators.addressed", "collectors.commissioning"}
RECORDS = {"sqlalchemy", "argon2", "pyotp", "segno"}
API = {"aiohttp", "gateway.process.routes"}
DUCKDB = {"duckdb", "_duckdb"}


def test_to_tell_the_commands_nothing_is_loaded_but_their_list() -> None:
    loaded = loaded_by(["--help"])

    assert_without(loaded, SELDOM | RECORDS | API | DUCKDB | {"numpy", "pydantic", "yaml", "rich", "structlog"})


@pytest.mark.parametrize("command", ["gateway", "edge", "run", "ledger", "accounts"])
def test_to_tell_the_options_of_a_command_its_work_is_not_loaded(command: str) -> None:
    loaded = loaded_by([command, "--help"])

    assert "jieneng.commands.options" in loaded
    assert_without(loaded, SELDOM | RECORDS | API | DUCKDB | {"numpy", "pydantic", "yaml", "rich", "structlog"})


def test_to_list_accounts_the_records_are_loaded_and_no_store(tmp_path: Path) -> None:
    new_records(tmp_path / "records.sqlite")

    loaded = loaded_by(["accounts", "list", "--data", str(tmp_path)])

    assert "sqlalchemy" in loaded
    assert_without(loaded, SELDOM | PLAYED | DUCKDB | {"gateway.process.routes", "prometheus_client", "paho"})


def test_to_make_the_ledger_the_store_is_loaded_and_nothing_that_answers_people(tmp_path: Path) -> None:
    new_records(tmp_path / "records.sqlite")

    loaded = loaded_by(["ledger", "build", "--data", str(tmp_path)])

    assert "duckdb" in loaded
    assert_without(loaded, SELDOM | PLAYED | API | {"cryptography", "prometheus_client", "paho"})


def test_an_edge_loads_nothing_of_the_centre(tmp_path: Path) -> None:
    line, broker, health = range(port := free_ports(3), port + 3)
    given = ["edge", *_site(tmp_path, line), "--bus", f"mqtt://127.0.0.1:{broker}", "--listen-health", str(health)]

    loaded = loaded_until_healthy(given, health, tmp_path)

    assert "edge.app" in loaded
    assert_without(loaded, SELDOM | PLAYED | RECORDS | DUCKDB | {"gateway.process.routes", "analytics"})


def test_a_gateway_loads_no_papers_no_providers_and_no_other_databases_than_its_own(tmp_path: Path) -> None:
    new_records(tmp_path / "records.sqlite")
    line, broker, http = range(port := free_ports(3), port + 3)
    given = ["gateway", *_site(tmp_path, line), "--bus", f"mqtt://127.0.0.1:{broker}", "--accounts", "off"]

    loaded = loaded_until_healthy([*given, "--listen", f"127.0.0.1:{http}"], http, tmp_path)

    assert loaded >= {"duckdb", "sqlalchemy", "gateway.process.routes"}
    assert_without(loaded, SELDOM | PLAYED)


def test_what_the_gateway_is_made_of_brings_no_store_along() -> None:
    """Stores are chosen by their address; a process beside servers never loads the library of files."""
    assert_without(_told(_python("-c", "import gateway.app, adapters.stores, adapters.intake")), SELDOM | DUCKDB)


def assert_without(loaded: set[str], unwanted: set[str]) -> None:
    assert sorted(loaded & unwanted) == []


def loaded_by(arguments: Sequence[str]) -> set[str]:
    """The modules that a command has loaded when it is done."""
    return _told(_python("-m", "jieneng", *arguments))


def loaded_until_healthy(arguments: Sequence[str], port: int, folder: Path) -> set[str]:
    """The modules that a process has loaded when it answers how it is."""
    command = [sys.executable, "-X", "importtime", "-m", "jieneng", *arguments]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=log, stderr=log)
    try:
        _until_healthy(process, port)
    finally:
        process.kill()
        process.wait()
    return set(_LOADED.findall((folder / "log").read_text()))


def _until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_S):
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"it never answered; exit code {process.poll()}")


def _site(folder: Path, port: int) -> list[str]:
    file = folder / "site.yaml"
    file.write_text(SITE.replace("{port}", str(port)), encoding="utf-8")
    return ["--site", str(file), "--data", str(folder)]


def _python(*given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", *given]
    return subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)


def _told(ran: subprocess.CompletedProcess[str]) -> set[str]:
    assert ran.returncode == 0, ran.stderr[-2000:]
    return set(_LOADED.findall(ran.stderr))


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
