"""`jieneng quotas` and `jieneng forecast` as a stranger uses them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapters.stores import open_store
from energy.readings import Point
from jieneng.__main__ import jieneng
from tests.gateway.ledger.books import columns

SITE = """\
site: campus
name: {zh: 园区, en: Campus}
zone: Asia/Shanghai
organisations:
- {id: bureau, name: {zh: 局, en: Bureau}}
meters:
- {id: main, name: {zh: 总, en: Main}, medium: electricity, read: [active_energy_import], organisation: bureau}
"""
HEADER = "organisation,of,year,amount,method,document,dated\n"
QUOTAS = HEADER + "bureau,electricity,2025,87600,handed_down,letter 7,2025-01-05\n"
BEGAN = datetime.fromisoformat("2024-01-01T00:00:00+08:00")
# 10 kWh in every hour, from 2024 to the tenth of March 2025.
HOURS = 24 * (366 + 31 + 28 + 9) + 12


def run(*arguments: str) -> Result:
    return CliRunner().invoke(jieneng, list(arguments))


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def readings(hours: int, kwh: float = 10.0) -> str:
    """The file of a meter that is read every hour."""
    rows = (f"main,active_energy_import,{(BEGAN + timedelta(hours=i)).isoformat()},{i * kwh}" for i in range(hours + 1))
    return "meter,quantity,taken_at,value\n" + "\n".join(rows) + "\n"


async def _read(folder: Path) -> None:
    rows = {BEGAN + timedelta(hours=i): i * 10.0 for i in range(HOURS + 1)}
    async with open_store(f"duckdb:{folder / 'var' / 'readings.duckdb'}") as store:
        await store.write(columns(rows, Point("main", "active_energy_import")))


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    asyncio.run(_read(tmp_path))
    done("site", "import", written(tmp_path, "site.yaml", SITE), "--yes", "--data", str(tmp_path / "var"))
    return tmp_path


def test_quotas_are_entered_once_listed_and_held_against_the_ledger(office: Path) -> None:
    data = ("--data", str(office / "var"))
    file = written(office, "q.csv", QUOTAS)

    assert "1 added, 0 were there already" in done("quotas", "import", file, "--who", "li", *data)
    assert "0 added, 1 were there already" in done("quotas", "import", file, "--who", "li", *data)
    assert "letter 7" in done("quotas", "list", "bureau", *data)
    told = json.loads(done("quotas", "pace", "bureau", "--year", "2025", "--json", *data))

    # The year is over by now; what is known of it are 68 days and a half.
    [pace] = told["quotas"]
    assert pace["used"] == (68 * 24 + 12) * 10
    assert pace["year"]["reason"] == "the year is over"
    assert pace["state"] == "unknown"


def test_a_quota_of_nobody_enters_nothing(office: Path) -> None:
    text = QUOTAS + "elsewhere,water,2025,10,self_set,note,2025-01-05\n"

    result = run("quotas", "import", written(office, "q.csv", text), "--data", str(office / "var"))

    assert result.exit_code == 1
    assert "not in the records: organisation/elsewhere" in result.output
    assert "letter 7" not in done("quotas", "list", "--data", str(office / "var"))


def forecast(file: str, *more: str) -> Any:
    at = ("--as-of", "2025-03-10T12:00:00+08:00", "--json")
    [found] = json.loads(done("forecast", "--readings", file, *at, *more))["meters"]
    return found


def test_a_forecast_of_files_tells_used_expected_interval_and_chance(tmp_path: Path) -> None:
    file = written(tmp_path, "r.csv", readings(HOURS))

    month, year = forecast(file), forecast(file, "--period", "year", "--quota", "main=90000")

    assert (month["used"], month["expected"]) == (9 * 240, pytest.approx(31 * 240))
    assert (year["used"], year["expected"]) == (68 * 240, pytest.approx(365 * 240))
    assert year["least"] < 365 * 240 < year["most"]
    assert 0 < year["chance"] < 0.5


def test_nothing_after_the_instant_changes_a_forecast(tmp_path: Path) -> None:
    until, beyond = (written(tmp_path, name, readings(n)) for name, n in (("a.csv", HOURS), ("b.csv", HOURS + 300)))

    assert forecast(until) == forecast(beyond)


def test_a_short_file_gets_a_word_in_place_of_a_number(tmp_path: Path) -> None:
    file = written(tmp_path, "r.csv", readings(48))
    at = ("--as-of", "2024-01-03T12:00:00+08:00", "--json")

    [found] = json.loads(done("forecast", "--readings", file, *at))["meters"]

    assert (found["used"], found["expected"], found["reason"]) == (480, None, "too little history")


def test_wrong_options_are_told_with_what_would_be_right(tmp_path: Path) -> None:
    file = written(tmp_path, "r.csv", readings(3))

    assert "with an offset" in run("forecast", "--readings", file, "--as-of", "2026-03-10").output
    wrong = run("forecast", "--readings", file, "--as-of", "2026-03-10T00:00Z", "--quota", "main").output
    assert "METER=AMOUNT" in wrong
