"""`jieneng audit`: the log of a data folder."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jieneng.__main__ import jieneng


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["audit", *arguments, "--data", str(folder / "var")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "events.csv"
    file.write_text("meter,kind,at,note\na,calibrated,2026-03-02T10:30:00+08:00,=1+1 13812345678\n", encoding="utf-8")
    events = ["events", "import", str(file), "--who", "=wang", "--data", str(tmp_path / "var")]
    assert CliRunner().invoke(jieneng, events).exit_code == 0
    return tmp_path


def test_a_log_is_shown_and_found_to_be_whole(folder: Path) -> None:
    told = run(folder, "verify")

    assert told.exit_code == 0
    assert told.output.startswith("1 rows are as they were written, up to row 1 ")
    assert "meter_event/1" in run(folder, "list", "--action", "change").output


def test_a_row_that_was_tampered_with_is_told_and_the_exit_code_is_1(folder: Path) -> None:
    with sqlite3.connect(folder / "var" / "records.sqlite") as db:
        db.execute("DROP TRIGGER audit_is_not_changed")
        db.execute("UPDATE audit SET account = 'eve'")
    db.close()

    told = run(folder, "verify")
    assert told.exit_code == 1
    assert "row 1 was changed" in told.output


def test_a_head_kept_elsewhere_is_looked_at(folder: Path) -> None:
    kept = folder / "kept"
    kept.write_bytes((folder / "var" / "audit.head").read_bytes())

    assert run(folder, "verify", "--head", str(kept)).exit_code == 0
    kept.write_text("nonsense")
    told = run(folder, "verify", "--head", str(kept))
    assert "is no head of an audit log" in str(told.exception)


def test_an_export_is_a_row_and_no_cell_of_it_a_formula(folder: Path) -> None:
    assert run(folder, "export", str(folder / "log.csv")).exit_code == 0

    with (folder / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["account"], second["action"]) == ("'=wang", "export")
    assert "13812345678" not in (folder / "log.csv").read_text(encoding="utf-8-sig")


def test_an_export_as_json_keeps_what_was_hashed(folder: Path) -> None:
    from gateway.audit.chain import Row, digest

    told = run(folder, "export", "--json", "--from", "2026-01-01T00:00:00+08:00")

    rows = [Row(**json.loads(line)) for line in told.output.splitlines()]
    assert [row.hash == digest(row) for row in rows] == [True, True]


def test_an_audit_that_is_kept_too_short_is_refused(tmp_path: Path) -> None:
    told = CliRunner().invoke(jieneng, ["gateway", "--audit-days", "179"])

    assert told.exit_code == 2
    assert "x>=180" in told.output
