"""Workbooks: what is written is read back equal, and text is never a formula."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from adapters.workbook_pages import Page, write_workbook


def written(*rows: list[object]) -> BytesIO:
    target = BytesIO()
    write_workbook(target, [Page("表", rows)])
    target.seek(0)
    return target


def test_what_is_written_is_read_back_equal() -> None:
    sheet = load_workbook(written(["名称", "数值"], ["一中", Decimal("2232.05")], [None, 3])).active

    assert sheet is not None
    assert [[c.value for c in row] for row in sheet.iter_rows()] == [["名称", "数值"], ["一中", 2232.05], [None, 3]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "\t=1", "#N/A", "bad\x00letter"]
)
def test_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    cell = load_workbook(written([text])).active["A1"]  # type: ignore[index]

    assert (cell.data_type, cell.value.strip()) == ("s", text.replace("\x00", "").strip())
