"""A site written as a workbook: reading it back gives the same records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.site_columns import SHEETS, Cell, Column, Sheet, sheet_of
from adapters.site_export import site_words
from energy.sites import Site

# A text that begins so is run as a formula by programs that do not look at its type.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_FIRST_OF_EXCEL = date(1900, 3, 1)


def write_book(site: Site | None, path: Path) -> None:
    """Write a site, or without one the sheets and their headers alone."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    by_sheet = _by_sheet(site_words(site)) if site is not None else {}
    for sheet in SHEETS:
        page = book.create_sheet(sheet.title)
        page.freeze_panes = "B3"
        page.append([column.zh for column in sheet.columns])
        page.append([column.key for column in sheet.columns])
        for record in by_sheet.get(sheet.title, ()):
            page.append([_cell(page, _value(record, column), column) for column in sheet.columns])
    book.save(path)


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


def _cell(page: Any, value: Any, column: Column) -> Any:
    """Texts as texts, whatever they begin with; numbers and days that Excel would change as text too."""
    if column.cell is Cell.LIST and value is not None:
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, Decimal | float | int):
        return _number(value)
    if isinstance(value, date):
        return value if value >= _FIRST_OF_EXCEL else value.isoformat()
    return _text(page, str(value)) if value is not None else None


def _number(value: Decimal | float) -> Any:
    # Excel keeps 15 digits, openpyxl writes 16.
    given = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return float(value) if Decimal(f"{float(given):.15g}") == given else f"{given:f}"


def _text(page: Any, text: str) -> Any:
    if not text.startswith(_FORMULAS):
        return text
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(page, text)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell
