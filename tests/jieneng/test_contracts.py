"""`jieneng contracts`, `settle` and `baseline` as a stranger uses them, over one folder of data."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.contracts.contract_files import SAVINGS
from tests.jieneng.test_money import SITE, _read, plain, run, written


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "var").mkdir()
    asyncio.run(_read(tmp_path))
    assert run(tmp_path, "site", "import", written(tmp_path, "site.yaml", SITE), "--yes").exit_code == 0
    return tmp_path


def test_a_contract_with_a_meter_that_is_not_there_is_refused_and_nothing_is_kept(office: Path) -> None:
    wrong = SAVINGS.replace("main:active", "maim:active").replace("share_percent: 90", "share_percent: 900")

    refused = run(office, "contracts", "import", written(office, "wrong.yaml", wrong))

    text = str(refused.exception)
    assert refused.exit_code != 0
    assert "wrong.yaml:13" in text
    assert "meter 'maim' is not in the site; it has main" in text
    assert "must be from 0 to 100" in text
    assert "lighting" not in run(office, "contracts", "list").output


def test_a_statement_is_frozen_given_out_and_verified_by_the_other_party(office: Path, tmp_path_factory: Any) -> None:
    assert "lighting: version 1" in run(office, "contracts", "import", written(office, "c.yaml", SAVINGS)).output
    assert "no difference" in run(office, "contracts", "import", written(office, "c.yaml", SAVINGS)).output
    asked = ("settle", "baseline", "lighting", "savings", "--from", "2025-01-01", "--to", "2025-12-31")
    agreed = run(office, *asked, "--model", "agreed", "--per-day", "30", "--freeze", "--why", "both signed")
    assert "version 1 is frozen" in agreed.output, agreed.output
    days = ("--from", "2026-01-01", "--to", "2026-01-31")

    drafted = run(office, "settle", "draft", "lighting", *days)
    assert (drafted.exit_code, "due 133.92 yuan" in drafted.output) == (0, True), drafted.output
    frozen = run(office, "settle", "freeze", "lighting", *days, "--who", "li")
    assert "HT-2026-018-001 is frozen: SHA-256" in plain(frozen)
    elsewhere = tmp_path_factory.mktemp("esco")
    file = elsewhere / "statement.json"
    assert run(office, "settle", "export", "HT-2026-018-001", str(file)).exit_code == 0

    # The other party has the file alone.
    found = _verify(file)
    assert found.exit_code == 0
    assert "1 lines reckoned again, 133.92 yuan due, all as it stands" in found.output
    sha = frozen.output.split()[-1]
    assert _verify(file, "--hash", sha).exit_code == 0
    assert "it is another statement than the signed one" in _verify(file, "--hash", "0" * 64).output
    raw = bytearray(file.read_bytes())
    at = raw.index(b'"24000000"') if b'"24000000"' in raw else raw.index(b"24000000")
    raw[at + 1 : at + 2] = b"5"
    file.write_bytes(bytes(raw))
    changed = _verify(file)
    assert changed.exit_code == 1
    assert "line savings.1: actual is 744.00, reckoned again 745.00" in changed.output
    assert "HT-2026-018-001" in run(office, "settle", "list").output


def _verify(file: Path, *more: str) -> Any:
    from click.testing import CliRunner

    from jieneng.__main__ import jieneng

    return CliRunner().invoke(jieneng, ["settle", "verify", str(file), *more])


def test_weather_is_brought_in_by_day(office: Path) -> None:
    file = written(office, "weather.csv", "day,celsius\n2026-01-01,-2.5\n2026-01-02,1\n")

    assert "2 days are new or other" in run(office, "settle", "weather", file, "--station", "54511").output
    assert "0 days are new or other" in run(office, "settle", "weather", file, "--station", "54511").output


def test_a_baseline_is_fitted_to_files_and_tested_on_the_days_after(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from jieneng.__main__ import jieneng

    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(400)]
    celsius = [15 - 15 * abs(200 - i % 365) / 200 for i in range(400)]
    amount = [100 + 4 * max(0.0, 10 - t) for t in celsius]
    readings = written(tmp_path, "kwh.csv", "".join(f"{d},{a:.3f}\n" for d, a in zip(days, amount, strict=True)))
    weather = written(tmp_path, "degc.csv", "".join(f"{d},{t:.2f}\n" for d, t in zip(days, celsius, strict=True)))
    asked = [
        "baseline",
        "fit",
        "--readings",
        readings,
        "--weather",
        weather,
        "--from",
        "2025-01-01",
        "--to",
        "2025-12-31",
    ]

    found = json.loads(CliRunner().invoke(jieneng, [*asked, "--until", "2026-01-31", "--json"]).output)

    assert found["figures"]["n"] == 365
    assert float(found["segments"]["workday"]["heating"]) == pytest.approx(4, abs=0.02)
    assert found["out_of_sample"]["days"] == 31
    assert abs(float(found["out_of_sample"]["total_error"])) < 0.001
    assert "out of sample" not in CliRunner().invoke(jieneng, asked).output
