"""Recorded hours are judged from files, with labels and without."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from jieneng.__main__ import jieneng

# A Monday at midnight of Shanghai, in weeks without holidays.
START = datetime(2026, 6, 28, 16, tzinfo=UTC)
DAYS = 80


def at(hour: int) -> str:
    return (START + timedelta(hours=hour)).isoformat()


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    hours = np.arange(DAYS * 24)
    use = np.where((hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18), 30.0, 10.0)
    use += np.random.default_rng(1).normal(0, 0.4, len(hours))
    use[70 * 24 : 73 * 24] += 6
    file = tmp_path / "hours.csv"
    lines = [f"main,electricity,{at(int(h))},{u:.3f}" for h, u in zip(hours, use, strict=True)]
    file.write_text("\n".join(["meter,medium,at,value", *lines]), encoding="utf-8")
    return file


def test_a_labelled_leak_is_found_and_measured(readings: Path, tmp_path: Path) -> None:
    labels, scores = tmp_path / "labels.csv", tmp_path / "scores.parquet"
    labels.write_text(f"meter,from,to,kind\nmain,{at(70 * 24)},{at(73 * 24)},leak\n", encoding="utf-8")
    asked = ["backtest", "--readings", str(readings), "--labels", str(labels), "--scores", str(scores), "--json"]

    done = CliRunner().invoke(jieneng, asked, catch_exceptions=False)

    found = json.loads(done.stdout)
    assert found["event_recall_by_kind"] == {"leak": 1.0}
    assert found["roc_auc"] > 0.95
    assert found["median_delay_h"] <= 12
    hour = START + timedelta(hours=71 * 24)
    asked_of = f"SELECT meter, medium, score FROM '{scores}' WHERE \"at\" = '{hour.isoformat()}'"
    row = duckdb.connect().execute(asked_of).fetchall()
    assert row[0][:2] == ("main", "electricity")
    assert row[0][2] > 1


def test_without_labels_the_events_are_told(readings: Path) -> None:
    done = CliRunner().invoke(jieneng, ["backtest", "--readings", str(readings), "--json"], catch_exceptions=False)

    (event,) = json.loads(done.stdout)["events"]
    assert (event["meter"], event["kind"]) == ("main", "constant")
    assert event["excess"] == pytest.approx(6 * 72, rel=0.2)


def test_a_file_without_a_column_says_which(tmp_path: Path) -> None:
    file = tmp_path / "hours.csv"
    file.write_text("meter,at,value\nmain,2026-01-01T00:00:00Z,1\n", encoding="utf-8")

    done = CliRunner().invoke(jieneng, ["backtest", "--readings", str(file)])

    assert "has no column medium; needs at, medium, meter, value" in str(done.exception)
