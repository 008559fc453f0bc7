"""Excel workbooks: rows written as they come, text always as text, so that nothing of it is ever a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

# What a cell of Excel holds.
_MOST_LETTERS = 32_767
# A text that begins so is run as a formula by programs that do not look at its type, or taken for an error.
_FORMULAS = ("=", "+", "-", "@", "#", "\t", "\r")
_NUMBER = "#,##0.00####"
_SHADE = "EEF2F6"


@dataclass(frozen=True, slots=True)
class Styled:
    """A value that looks otherwise than the rest. size : of its letters [pt]."""

    value: object
    bold: bool = False
    shaded: bool = False
    wrapped: bool = False
    size: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A sheet: its title, its rows, the first `heads` of which are headings, and the widths of its columns.

    frozen : how many columns stay where they are, as headings do.
    """

    title: str
    rows: Iterable[Sequence[object]]
    heads: int = 1
    widths: Sequence[float] = ()
    frozen: int = 0


def write_workbook(target: BinaryIO | Path, pages: Iterable[Page]) -> None:
    """Write the sheets, row by row; numbers as numbers, days and instants as such, all else as text."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for page in pages:
        _write(book, page)
    book.save(target)


def _write(book: Any, page: Page) -> None:
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(page.title)
    if page.heads or page.frozen:
        sheet.freeze_panes = f"{get_column_letter(page.frozen + 1)}{page.heads + 1}"
    for number, width in enumerate(page.widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    cells = _Cells(sheet)
    for number, row in enumerate(page.rows):
        is_head = number < page.heads
        sheet.append([cells.of(Styled(value, bold=True, wrapped=True) if is_head else value) for value in row])


class _Cells:
    """Cells of a sheet. What needs no style is no object of its own: there may be a million of them."""

    def __init__(self, sheet: Any) -> None:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        self._sheet, self._cell, self._illegal = sheet, WriteOnlyCell, ILLEGAL_CHARACTERS_RE

    def of(self, value: object) -> Any:
        """What openpyxl is given for a value."""
        match value:
            case Styled():
                return self._styled(value)
            case Decimal():
                return self._made(value, number_format=_NUMBER)
            case str():
                text = self._illegal.sub("", value)[:_MOST_LETTERS]
                return self._made(text, data_type="s", quotePrefix=True) if text.startswith(_FORMULAS) else text
        return value

    def _made(self, value: object, **what: object) -> Any:
        given: Any = value
        made = self._cell(self._sheet, given)
        for name, told in what.items():
            setattr(made, name, told)
        return made

    def _styled(self, styled: Styled) -> Any:
        from openpyxl.cell.cell import Cell
        from openpyxl.styles import Alignment, Font, PatternFill

        plain = self.of(styled.value)
        made = plain if isinstance(plain, Cell) else self._made(plain)
        made.font = Font(bold=styled.bold, size=styled.size)
        if styled.shaded:
            made.fill = PatternFill("solid", fgColor=_SHADE)
        if styled.wrapped:
            made.alignment = Alignment(wrap_text=True, vertical="top")
        return made
