"""Papers as workbooks, by openpyxl: one sheet, numbers as numbers."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as Field
from openpyxl.cell.cell import MergedCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from energy.papers import Cell, Pairs, Paper, Seals, Table

_SHADE = PatternFill("solid", fgColor="EEF2F6")
_BOLD, _TITLE = Font(bold=True), Font(bold=True, size=14)
_WIDTH = 16.0


def workbook_of(paper: Paper) -> bytes:
    """The paper as a workbook."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "结算单"
    _row(sheet, [paper.title], font=_TITLE)
    _row(sheet, [paper.subtitle])
    for part in paper.parts:
        sheet.append([])
        if isinstance(part, Seals):
            _seals(sheet, part)
        else:
            _row(sheet, [part.heading], font=_BOLD)
            _pairs(sheet, part) if isinstance(part, Pairs) else _table(sheet, part)
    _row(sheet, [])
    _row(sheet, [paper.foot])
    for column in range(1, sheet.max_column + 1):
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTH
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _pairs(sheet: Worksheet, part: Pairs) -> None:
    for label, value in part.rows:
        fields = _row(sheet, [label, value])
        fields[0].fill = _SHADE


def _table(sheet: Worksheet, part: Table) -> None:
    for field in _row(sheet, part.columns, font=_BOLD):
        field.fill = _SHADE
    for row in part.rows:
        _row(sheet, row)


def _seals(sheet: Worksheet, part: Seals) -> None:
    _row(sheet, [name for name, _ in part.parties], font=_BOLD)
    longest = max((len(lines) for _, lines in part.parties), default=0)
    for i in range(longest):
        _row(sheet, [f"{lines[i]}：" if i < len(lines) else "" for _, lines in part.parties])


def _row(sheet: Worksheet, cells: Iterable[Cell], font: Font | None = None) -> Sequence[Field | MergedCell]:
    """A row below what is there. Text stays text, whatever sign it begins with."""
    made: list[Field | MergedCell] = []
    at = sheet.max_row + 1 if sheet.max_row > 1 or sheet.cell(1, 1).value is not None else 1
    for column, value in enumerate(cells, 1):
        field = sheet.cell(at, column)
        field.value = value
        if isinstance(value, str):
            field.data_type = "s"
            field.alignment = Alignment(wrap_text=False, vertical="top")
        if font is not None:
            field.font = font
        made.append(field)
    if not made:
        sheet.cell(at, 1).value = ""
    return made
