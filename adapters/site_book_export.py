"""A site written as a workbook: reading it back gives the same records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.site_columns import SHEETS, Cell, Column, Sheet, sheet_of
from adapters.site_export import site_words
from adapters.workbook_pages import Page, write_workbook
from energy.sites import Site

_FIRST_OF_EXCEL = date(1900, 3, 1)


def write_book(site: Site | None, path: Path) -> None:
    """Write a site, or without one the sheets and their headers alone."""
    by_sheet = _by_sheet(site_words(site)) if site is not None else {}
    pages = [Page(sheet.title, _rows(sheet, by_sheet.get(sheet.title, ())), heads=2, frozen=1) for sheet in SHEETS]
    write_workbook(path, pages)


def _rows(sheet: Sheet, records: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    yield [column.zh for column in sheet.columns]
    yield [column.key for column in sheet.columns]
    for record in records:
        yield [_cell(_value(record, column), column) for column in sheet.columns]


def _by_sheet(told: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {sheet.title: [] for sheet in SHEETS}
    found["site"].append(told)
    for listed in dict.fromkeys(sheet.list for sheet in SHEETS):
        for record in told.get(listed, ()) if listed != "site" else ():
            sheet: Sheet = sheet_of(listed, record)
            found[sheet.title] += list(_parts(record)) if listed == "shares" else [record]
    for meter in told.get("meters", ()):
        for name, register in meter.get("registers", {}).items():
            found["registers"].append({"meter": meter["id"], "quantity": name, **register})
        for name, (low, high) in meter.get("plausible", {}).items():
            found["plausible"].append({"meter": meter["id"], "quantity": name, "low": low, "high": high})
    return found


def _parts(share: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in share["parts"]:
        yield {**share, **part}


def _value(record: Mapping[str, Any], column: Column) -> Any:
    found: Any = record
    for step in column.way:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _cell(value: Any, column: Column) -> object:
    """What stands in a cell; numbers and days that Excel would change as text."""
    if column.cell is Cell.LIST and value is not None:
        return ", ".join(value)
    if column.cell is Cell.SPAN and isinstance(value, Mapping):
        return f"{value.get('from') or '..'}/{value.get('to') or '..'}"
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, Decimal | float | int):
        return _number(value)
    if isinstance(value, date):
        return value if value >= _FIRST_OF_EXCEL else value.isoformat()
    return str(value) if value is not None else None


def _number(value: Decimal | float) -> float | str:
    # Excel keeps 15 digits, openpyxl writes 16.
    given = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return float(value) if Decimal(f"{float(given):.15g}") == given else f"{given:f}"
