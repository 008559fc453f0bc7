"""Files of suppliers' bills, CSV or Excel (see docs/billing.md)."""

from __future__ import annotations

from pathlib import Path

from adapters.sheets import Column, Sheet, day, identifier, number, read_sheet, text
from energy.bills import SupplierBill

COLUMNS = {
    "account": Column("account", identifier("account"), required=True),
    "from": Column("start", day, required=True),
    "to": Column("end", day, required=True),
    "quantity": Column("quantity", number, required=True),
    "amount": Column("amount", number, required=True),
    "number": Column("number", text),
    "note": Column("note", text),
}


def read_bills(path: Path) -> list[SupplierBill]:
    """The bills of a file; ConfigurationError lists every fault by row and column."""
    return read_sheet(path, Sheet(COLUMNS, SupplierBill))
