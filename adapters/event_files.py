"""Files of events of meters, CSV or Excel (see docs/events.md); all that is wrong in one is told at once."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from energy.errors import ConfigurationError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.readings import to_ms
from energy.sites import check_id

# Columns are called as the fields of an event; instants without the unit that they have inside.
COLUMNS = tuple(field.name.removesuffix("_ms") for field in fields(MeterEvent))
REQUIRED = ("meter", "kind", "at")
Cells: TypeAlias = Mapping[str, Any]
# (row, cells); the header is row 1.
Rows: TypeAlias = Iterator[tuple[int, Cells]]


def read_events(path: Path) -> list[MeterEvent]:
    """The events of a file; ConfigurationError lists every fault as `file:row: column: what is wrong`."""
    events: list[MeterEvent] = []
    faults: list[str] = []
    for row, cells in _rows(path):
        try:
            events.append(event_of(cells))
        except ConfigurationError as error:
            faults += [f"{path}:{row}: {fault}" for fault in error.faults]
    if faults:
        raise ConfigurationError(faults)
    return events


def event_of(cells: Cells) -> MeterEvent:
    """The event of a row; ConfigurationError lists what is wrong in it."""
    made: dict[str, Any] = {}
    faults: list[str] = []
    for column, cell in cells.items():
        text = "" if cell is None else str(cell).strip()
        name, read = _CELLS.get(column, (column, str))
        try:
            if text or column in REQUIRED:
                made[name] = read(_whole(cell) if read is _meter else text)
        except ValueError as error:
            faults.append(f"{column}: {error}")
    if faults:
        raise ConfigurationError(faults)
    try:
        return MeterEvent(**made)
    except (ValueError, UnknownName) as error:
        raise ConfigurationError([str(error)]) from error


def _rows(path: Path) -> Rows:
    try:
        yield from (_of_excel if path.suffix.lower() == ".xlsx" else _of_csv)(path)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror or error}"]) from error


def _of_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        lines = csv.reader(opened)
        try:
            yield from _under_header(path, ((lines.line_num, cells) for cells in lines))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ConfigurationError([f"{path}: is no CSV in UTF-8: {error}"]) from error


def _of_excel(path: Path) -> Rows:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise ConfigurationError([f"{path}: is no Excel workbook (.xlsx)"]) from error
    try:
        sheet = book.worksheets[0]
        yield from _under_header(path, enumerate(sheet.iter_rows(values_only=True), start=1))
    finally:
        book.close()


def _under_header(path: Path, lines: Iterable[tuple[int, Iterable[Any]]]) -> Rows:
    """Rows by the names of their columns; empty ones are left out."""
    header: list[str] | None = None
    for row, line in lines:
        cells = list(line)
        if header is None:
            header = _header(path, cells)
        elif any(cell not in (None, "") for cell in cells):
            if any(cell not in (None, "") for cell in cells[len(header) :]):
                raise ConfigurationError([f"{path}:{row}: has more cells than the header has columns"])
            yield row, dict(zip(header, cells, strict=False))
    if header is None:
        raise ConfigurationError([f"{path}:1: is empty; the first row names the columns {','.join(COLUMNS)}"])


def _header(path: Path, cells: Iterable[Any]) -> list[str]:
    names = [str(cell or "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    faults = [f"{path}:1: has no column {name}" for name in REQUIRED if name not in names]
    faults += [f"{path}:1: {_unknown('column', name, COLUMNS)}" for name in names if name not in COLUMNS]
    faults += [f"{path}:1: column {name!r} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    if faults:
        raise ConfigurationError(faults)
    return names


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"{what} {name!r} is not known; {hint}"


def _whole(cell: Any) -> str:
    """An id of digits is a number in Excel."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell or "").strip()


def _meter(text: str) -> str:
    check_id("meter", text)
    return text


def _kind(text: str) -> EventKind:
    try:
        return EventKind(text)
    except ValueError:
        raise ValueError(_unknown("kind", text, [str(kind) for kind in EventKind])) from None


def _instant(text: str) -> int:
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write ISO 8601, such as 2026-03-02T10:30:00+08:00") from None
    if made.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write {made.isoformat()}+08:00, as text")
    return to_ms(made)


def _number(text: str) -> float:
    try:
        made = float(text)
    except ValueError:
        made = math.nan
    if not math.isfinite(made):
        raise ValueError(f"{text!r} must be a number, such as 184260.0")
    return made


# column -> (field, how it is read); the others are text.
_CELLS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "meter": ("meter", _meter),
    "kind": ("kind", _kind),
    "at": ("at_ms", _instant),
    "until": ("until_ms", _instant),
    "final_register": ("final_register", _number),
    "initial_register": ("initial_register", _number),
    "ratio": ("ratio", _number),
}
