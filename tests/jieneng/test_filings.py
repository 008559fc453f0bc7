"""`jieneng statistics` as a stranger uses it, over a folder of data."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from adapters.stores import open_store
from jieneng.__main__ import jieneng
from tests.gateway.billing.accounts import hourly

SITE = """\
site: campus
name: {zh: 园区, en: Campus}
zone: Asia/Shanghai
organisations:
- {id: county, name: {zh: 某县, en: County}, kind: county}
- {id: school, name: {zh: =一中, en: School}, parent: county}
meters:
- {id: main, name: {zh: 总, en: Main}, medium: electricity, read: [active_energy_import], organisation: school}
"""


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(jieneng, ["statistics", *arguments, "--data", str(folder / "var")])


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A school that used a kilowatt-hour an hour, for which nobody knows a price."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")

    async def read() -> None:
        async with open_store(f"duckdb:{tmp_path / 'var' / 'readings.duckdb'}") as store:
            await store.write(hourly("main", 60))

    asyncio.run(read())
    arguments = ["site", "import", str(tmp_path / "site.yaml"), "--yes", "--data", str(tmp_path / "var")]
    assert CliRunner().invoke(jieneng, arguments).exit_code == 0
    return tmp_path


def test_the_list_says_who_is_late_and_what_is_to_be_explained(office: Path) -> None:
    told = run(office, "list", "2026-01").output

    assert "1 institutions: 1 draft; 1 late" in told
    assert "school" in told


def test_a_filing_says_where_its_figures_come_from(office: Path) -> None:
    found = json.loads(run(office, "show", "2026-01", "school", "--json").output)
    cells = {cell["cell"]: (cell["value"], cell["origin"]) for cell in found["cells"] if cell["value"] is not None}

    assert cells == {"electricity.quantity": ("744.00", "meters")}
    assert "error: water is empty" in run(office, "show", "2026-01", "school").output


def test_the_month_is_written_once_and_names_stay_names(office: Path) -> None:
    target = office / "january.xlsx"

    assert "1 institutions" in run(office, "export", "2026-01", str(target), "--drafts").output
    again = run(office, "export", "2026-01", str(target))

    assert (again.exit_code, "is there already" in again.output) == (2, True)
    book = load_workbook(target)
    rows = {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}
    heads, school = rows["消费状况"]
    assert dict(zip(heads, school, strict=True))["电 kWh"] == 744
    assert (school[1], book["消费状况"]["B2"].data_type) == ("=一中", "s")
    assert [row[1] for row in rows["区域汇总"][1:]] == ["某县", "合计"]


def test_a_month_that_is_none_is_refused(office: Path) -> None:
    refused = run(office, "list", "2026-13")

    assert refused.exit_code != 0
    assert "2026-13" in str(refused.output) + str(refused.exception)
