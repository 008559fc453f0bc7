"""Rows of CSV and Excel files under a header; all that is wrong in one is told at once, by row and column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from adapters.workbooks import open_workbook
from energy.errors import ConfigurationError, UnknownName
from energy.sites import check_id

T = TypeVar("T")
# (row, cells); the header is row 1.
Rows: TypeAlias = Iterator[tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field it fills, how a cell that is not empty is read, and whether it must be given."""

    field: str
    read: Callable[[Any], Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """The columns of a file by their names, and what a row makes."""

    columns: Mapping[str, Column]
    make: Callable[..., T]

    @property
    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]


def read_sheet(path: Path, sheet: Sheet[T]) -> list[T]:
    """What the rows make; ConfigurationError lists every fault as `file:row: column: what is wrong`."""
    made: list[T] = []
    faults: list[str] = []
    for row, cells in _rows(path, sheet):
        try:
            made.append(_made(cells, sheet))
        except ConfigurationError as error:
            faults += [f"{path}:{row}: {fault}" for fault in error.faults]
    if faults:
        raise ConfigurationError(faults)
    return made


def _made(cells: Mapping[str, Any], sheet: Sheet[T]) -> T:
    given: dict[str, Any] = {}
    faults: list[str] = []
    for name, column in sheet.columns.items():
        cell = cells.get(name)
        if cell is None or str(cell).strip() == "":
            faults += [f"{name}: is empty and must be given"] if column.required else []
            continue
        try:
            given[column.field] = column.read(cell)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise ConfigurationError(faults)
    try:
        return sheet.make(**given)
    except (ValueError, UnknownName) as error:
        raise ConfigurationError([str(error)]) from error


# -- cells ------------------------------------------------------------------------------------------------------------


def text(cell: Any) -> str:
    """What stands there. A number of Excel that is whole is written so: an id of digits is a number there."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def identifier(kind: str) -> Callable[[Any], str]:
    """An id of this kind of thing."""

    def read(cell: Any) -> str:
        check_id(kind, text(cell))
        return text(cell)

    return read


def number(cell: Any) -> Decimal:
    """A number as it is written, exactly."""
    try:
        made = Decimal(str(cell).strip())
    except InvalidOperation:
        made = Decimal("NaN")
    if not made.is_finite():
        raise ValueError(f"{str(cell).strip()!r} must be a number, such as 1234.50")
    return made


def day(cell: Any) -> date:
    """A day: ISO 8601, or a date of Excel."""
    if isinstance(cell, datetime):
        if cell.time() != datetime.min.time():
            raise ValueError(f"{cell} must be a day, without a time")
        return cell.date()
    try:
        return date.fromisoformat(str(cell).strip())
    except ValueError:
        raise ValueError(f"{str(cell).strip()!r} must be a day, such as 2026-03-01") from None


def one_of(what: str, known: Iterable[str]) -> Callable[[Any], str]:
    """One of these words."""
    words = [str(word) for word in known]

    def read(cell: Any) -> str:
        if text(cell) not in words:
            raise ValueError(_unknown(what, text(cell), words))
        return text(cell)

    return read


def harmless(cell: object) -> object:
    """A cell of a CSV that is written: a text that begins like a formula is none, a `'` stands before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


# -- rows -------------------------------------------------------------------------------------------------------------


def _rows(path: Path, sheet: Sheet[T]) -> Rows:
    try:
        yield from (_of_excel if path.suffix.lower() == ".xlsx" else _of_csv)(path, sheet)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from error


def _of_csv(path: Path, sheet: Sheet[T]) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        lines = csv.reader(opened)
        try:
            yield from _under_header(path, sheet, ((lines.line_num, cells) for cells in lines))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ConfigurationError([f"{path}: is no CSV in UTF-8: {error}"]) from error


def _of_excel(path: Path, sheet: Sheet[T]) -> Rows:
    book = open_workbook(path, values=True)
    try:
        lines = enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
        yield from _under_header(path, sheet, lines)
    finally:
        book.close()


def _under_header(path: Path, sheet: Sheet[T], lines: Iterable[tuple[int, Iterable[Any]]]) -> Rows:
    """Rows by the names of their columns; empty ones are left out."""
    header: list[str] | None = None
    for row, line in lines:
        cells = list(line)
        if header is None:
            header = _header(path, sheet, cells)
        elif any(cell not in (None, "") for cell in cells):
            if any(cell not in (None, "") for cell in cells[len(header) :]):
                raise ConfigurationError([f"{path}:{row}: has more cells than the header has columns"])
            yield row, dict(zip(header, cells, strict=False))
    if header is None:
        raise ConfigurationError([f"{path}:1: is empty; the first row names the columns {','.join(sheet.columns)}"])


def _header(path: Path, sheet: Sheet[T], cells: Iterable[Any]) -> list[str]:
    names = [str(cell or "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    faults = [f"{path}:1: has no column {name}" for name in sheet.required if name not in names]
    faults += [f"{path}:1: {_unknown('column', n, sheet.columns)}" for n in names if n not in sheet.columns]
    faults += [f"{path}:1: column {name!r} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    if faults:
        raise ConfigurationError(faults)
    return names


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"{what} {name!r} is not known; {hint}"
