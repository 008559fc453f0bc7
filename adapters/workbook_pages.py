"""Excel workbooks: rows written as they are, text always as text, so that nothing of it is ever a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

# What a cell of Excel holds.
_MOST_LETTERS = 32_767


@dataclass(frozen=True, slots=True)
class Page:
    """A sheet: its title, its rows, the first `heads` of which are headings, and the widths of its columns."""

    title: str
    rows: Iterable[Sequence[object]]
    heads: int = 1
    widths: Sequence[float] = ()


def write_workbook(target: BinaryIO, pages: Iterable[Page]) -> None:
    """Write the sheets, row by row; numbers as numbers, days and instants as such, all else as text."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for page in pages:
        _write(book, page)
    book.save(target)


def _write(book: Any, page: Page) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(page.title)
    if page.heads:
        sheet.freeze_panes = f"A{page.heads + 1}"
    for number, width in enumerate(page.widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(page.rows):
        cells = [_cell(sheet, value) for value in row]
        if number < page.heads:
            for cell in cells:
                cell.font, cell.alignment = bold, wrapped
        sheet.append(cells)


def _cell(sheet: Any, value: object) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    given: Any = value
    if isinstance(value, str):
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:_MOST_LETTERS])
        # What begins with "=" was taken for a formula.
        made.data_type = "s"
        return made
    made = WriteOnlyCell(sheet, given)
    if isinstance(value, Decimal):
        made.number_format = "#,##0.00####"
    return made
