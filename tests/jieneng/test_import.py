"""`jieneng import` as a stranger uses it."""

from __future__ import annotations

import asyncio
import csv
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from adapters.clocks import SystemClock
from adapters.reading_files import check_point
from adapters.stores import open_store
from energy.readings import Point
from jieneng import importing
from jieneng.__main__ import jieneng
from tests.influx import stub_of_influx

HEADER = "meter,quantity,taken_at,value\n"
GOOD = HEADER + "".join(
    f"main,active_energy_import,2026-01-{day:02}T00:00:00+08:00,{1000 + day}.25\n" for day in range(1, 31)
)


def run(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["import", "--data", str(tmp_path / "var"), *arguments])


def stored(tmp_path: Path, point: str) -> list[float]:
    async def read() -> list[float]:
        async with open_store(f"duckdb:{tmp_path / 'var' / 'readings.duckdb'}") as store:
            found = await store.readings([Point.parse(point)], 0, 10**14)
            return [float(value) for value in found.value]

    return asyncio.run(read())


def file(tmp_path: Path, text: str, name: str = "old.csv") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_good_file_is_stored_whole_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)

    first, second = run(tmp_path, path), run(tmp_path, path)

    assert first.exit_code == 0, first.output
    assert "30 stored, 0 were there already, 0 refused" in first.output
    assert "new meter: main" in first.output
    assert "0 stored, 30 were there already, 0 refused" in second.output
    assert stored(tmp_path, "main:active_energy_import") == [1000 + day + 0.25 for day in range(1, 31)]


async def test_rows_that_the_store_will_never_take_are_told_by_line_and_cause(tmp_path: Path) -> None:
    class Silent(nullcontext[Any]):
        def at(self, what: str, share: float) -> None: ...

    with stub_of_influx() as stub:
        # Ten of the thirty days are older than what the bucket keeps.
        stub.kept_from_ms = 1_768_060_800_000
        async with open_store(stub.address()) as store:
            path = Path(file(tmp_path, GOOD))
            found = await importing._import(path, store, check_point, Silent(), SystemClock())

    assert (found.stored, [row.line for row in found.refused]) == (20, list(range(2, 12)))
    assert "outside retention policy" in found.refused[0].cause


def test_every_row_that_is_refused_is_told_with_line_and_cause_and_the_others_are_stored(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        HEADER + "main,active_power,2026-01-01T00:00:00+08:00,1\n"
        "main,active_power,2026-01-01T00:15:00,2\n"
        "\n"
        "main,active_powr,2026-01-01T00:15:00+08:00,3\n"
        "main,active_power,2026-01-01T00:30:00+08:00,four\n"
        "main,active_power,2026-01-01T00:45:00+08:00,5\n"
        "main,active_power,2026-01-01T00:00:00+08:00,6\n"
        "main,power_factor,2026-01-01T00:00:00+08:00,7\n",
    )
    refused = tmp_path / "refused.csv"

    result = run(tmp_path, path, "--refused", str(refused))

    assert result.exit_code == 1
    told = [line.removeprefix(f"{path}:") for line in result.output.splitlines() if line.startswith(f"{path}:")]
    assert [line.split(":")[0] for line in told if line[0].isdigit()] == ["3", "5", "6", "8", "9"]
    assert "offset" in result.output
    assert "did you mean 'active_power'?" in result.output
    assert "the first one stays" in result.output
    assert stored(tmp_path, "main:active_power") == [1.0, 5.0]
    assert len(refused.read_text(encoding="utf-8").splitlines()) == 6


def test_a_refused_row_is_no_formula(tmp_path: Path) -> None:
    path = file(tmp_path, HEADER + "=cmd|' /C calc'!A0,active_power,2026-01-01T00:00:00,2\n")
    refused = tmp_path / "refused.csv"

    assert run(tmp_path, path, "--refused", str(refused)).exit_code == 1
    [_, row] = csv.reader(refused.read_text(encoding="utf-8").splitlines())
    assert row[3].startswith("'=")


def test_parquet_is_taken_like_csv(tmp_path: Path) -> None:
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT 'main' AS meter, 'volume' AS quantity, "
            f"TIMESTAMPTZ '2026-01-01 00:00:00+08' + i * INTERVAL 1 HOUR AS taken_at, i * 0.001 AS value "
            f"FROM range(1000) t(i)) TO '{tmp_path / 'old.parquet'}' (FORMAT parquet)"
        )

    result = run(tmp_path, str(tmp_path / "old.parquet"))

    assert "1000 stored" in result.output
    assert stored(tmp_path, "main:volume")[:3] == [0.0, 0.001, 0.002]


def test_with_a_site_only_its_meters_are_taken(tmp_path: Path) -> None:
    site = Path(__file__).parents[2] / "config" / "demo.yaml"
    path = file(tmp_path, GOOD + "office-a-main,active_energy_import,2026-01-01T00:00:00+08:00,5\n")

    result = run(tmp_path, path, "--site", str(site))

    assert "1 stored, 0 were there already, 30 refused" in result.output
    assert "meter 'main' is not in site 'demo'" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header is ''; it must hold meter,quantity,taken_at,value"),
        ("a,b,c,d\n1,2,3,4\n", "the header is 'a,b,c,d'"),
        ("main,active_power,2026-01-01T00:00:00Z,1\n", "must hold meter,quantity,taken_at,value"),
    ],
)
def test_a_file_without_its_header_is_refused(tmp_path: Path, text: str, said: str) -> None:
    result = run(tmp_path, file(tmp_path, text))

    assert said in str(result.exception)


def test_a_store_that_a_gateway_holds_is_told_in_words(tmp_path: Path) -> None:
    import subprocess
    import sys

    folder = tmp_path / "var"
    folder.mkdir()
    holder = (
        f"import duckdb, sys; c = duckdb.connect(r'{folder / 'readings.duckdb'}'); print('held', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        result = run(tmp_path, file(tmp_path, GOOD))
        process.stdin.close()

    assert "in use by another process" in str(result.exception)
