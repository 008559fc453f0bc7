"""Files of quotas: every fault is told by its cell, and nothing is half read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from adapters.quota_files import read_quotas
from energy.errors import ConfigurationError
from energy.quotas import Method, Quota, QuotaOf

HEADER = "organisation,of,year,amount,method,document,dated"


def test_csv_excel_and_yaml_say_the_same(tmp_path: Path) -> None:
    listed, sheet, written = (tmp_path / name for name in ("q.csv", "q.xlsx", "q.yaml"))
    listed.write_text(f"{HEADER}\noffice,electricity,2026,87600,handed_down,letter 7,2026-01-05\n", encoding="utf-8")
    book = Workbook()
    rows = book.worksheets[0]
    rows.append(HEADER.split(","))
    rows.append(["office", "electricity", 2026, 87600, "handed_down", "letter 7", date(2026, 1, 5)])
    book.save(sheet)
    written.write_text(
        "quotas:\n  - {organisation: office, of: electricity, year: 2026, amount: 87600, method: handed_down,"
        " document: letter 7, dated: 2026-01-05}\n",
        encoding="utf-8",
    )

    found = [read_quotas(path) for path in (listed, sheet, written)]

    electricity = QuotaOf.ELECTRICITY, 2026, Decimal(87600), Method.HANDED_DOWN, "letter 7", date(2026, 1, 5)
    assert found == [[Quota("organisation/office", *electricity)]] * 3


def test_every_fault_is_told_by_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    rows = [
        f"{HEADER},month1",
        "office,electrcity,26x,-5,handed_down,letter 7,2026-01-05,",
        "office,energy,2026,10,handed_down,letter 7,2026-01-05,",
        "office,water,2026,10,handed_down,letter 7,2026-01-05,1",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        read_quotas(path)

    faults = [fault.removeprefix(f"{path}:") for fault in caught.value.faults]
    assert faults[0].startswith("2: of: quota of 'electrcity' is not known; did you mean 'electricity'?")
    assert faults[1].startswith("2: year: '26x' must be a year")
    assert faults[2].startswith("3: a quota of energy needs the factor_set")
    assert faults[3].startswith("4: give all months or none; month2")


def test_months_that_do_not_sum_to_the_year_are_refused() -> None:
    months = (Decimal(1),) * 12
    with pytest.raises(ValueError, match="months sum to 12, not to the amount 13"):
        Quota("organisation/a", QuotaOf.WATER, 2026, Decimal(13), Method.SELF_SET, "note", date(2026, 1, 1), months)
