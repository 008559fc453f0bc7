"""Files of what was bought, counted and used of fuels, CSV or Excel (see docs/billing.md)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapters.sheets import Column, Sheet, day, number, one_of, read_sheet, text
from energy.stock import UNITS, MoveKind, StockMove


def read_stock(path: Path, fuels: Iterable[str]) -> list[StockMove]:
    """The moves of a file, of these fuels alone; ConfigurationError lists every fault by row and column."""
    return read_sheet(path, Sheet(columns(fuels), StockMove))


def columns(fuels: Iterable[str]) -> dict[str, Column]:
    return {
        "of": Column("of", text, required=True),
        "fuel": Column("fuel", one_of("fuel", fuels), required=True),
        "kind": Column("kind", _kind, required=True),
        "at": Column("day", day, required=True),
        "quantity": Column("quantity", number, required=True),
        "unit": Column("unit", one_of("unit", UNITS), required=True),
        "amount": Column("amount", number),
        "note": Column("note", text),
    }


def _kind(cell: Any) -> MoveKind:
    return MoveKind(one_of("kind", MoveKind)(cell))
