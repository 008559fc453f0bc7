"""The bills that suppliers sent, in the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from energy.bills import BilledLine, SupplierBill
from energy.ports import Clock
from gateway.billing.tables import BillRow
from gateway.records.base import table_of
from gateway.records.database import Records
from gateway.records.entries import Entries, Keeping


class Bills(Entries[SupplierBill]):
    """The bills of all accounts. Two that charge an account for the same day contradict each other."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, clock, _KEEPING)


def _row(bill: SupplierBill) -> dict[str, Any]:
    return {
        "account": bill.account,
        "from_day": bill.start,
        "to_day": bill.end,
        "quantity": str(bill.quantity),
        "amount": str(bill.amount),
        "lines": [_line(line) for line in bill.lines] or None,
        "number": bill.number,
        "note": bill.note,
    }


def _line(line: BilledLine) -> dict[str, str | None]:
    numbers = {"quantity": line.quantity, "price": line.price}
    told = {key: None if value is None else str(value) for key, value in numbers.items()}
    return {"name": line.name, "amount": str(line.amount), **told}


def _bill(row: Mapping[str, Any]) -> SupplierBill:
    quantity, amount = Decimal(row["quantity"]), Decimal(row["amount"])
    lines = tuple(_billed_line(line) for line in row["lines"] or ())
    days = row["account"], row["from_day"], row["to_day"]
    return SupplierBill(*days, quantity, amount, row["number"], row["note"], lines)


def _billed_line(row: Mapping[str, str | None]) -> BilledLine:
    quantity, price = (None if (text := row[key]) is None else Decimal(text) for key in ("quantity", "price"))
    return BilledLine(str(row["name"]), Decimal(str(row["amount"])), quantity, price)


KIND = "bill"
_KEEPING: Keeping[SupplierBill] = Keeping(
    KIND,
    table_of(BillRow),
    "account",
    _row,
    _bill,
    group=lambda bill: bill.account,
    clash=lambda one, other: one.overlaps(other),
    substance=lambda bill: replace(bill, note="", lines=()),
)
