"""Files of bills and of stocks: read whole, or refused with all that is wrong, by row and column."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from adapters.bill_files import COLUMNS, read_bills
from adapters.stock_files import read_stock
from energy.bills import SupplierBill
from energy.errors import ConfigurationError
from energy.stock import MoveKind

FUELS = ("coal", "diesel")
RIGHT = "account,from,to,quantity,amount,number,note\n0110,2026-01-01,2026-02-01,744,372.00,17,paper\n"


def written(folder: Path, text: str) -> Path:
    (folder / "b.csv").write_text(text, encoding="utf-8")
    return folder / "b.csv"


def faults(path: Path, fuels: tuple[str, ...] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        _ = read_bills(path) if fuels is None else read_stock(path, fuels)
    return [fault.removeprefix(f"{path}:") for fault in refused.value.faults]


def test_a_bill_is_read_as_it_is_written(tmp_path: Path) -> None:
    given = SupplierBill("0110", date(2026, 1, 1), date(2026, 2, 1), Decimal(744), Decimal("372.00"), "17", "paper")

    assert read_bills(written(tmp_path, RIGHT)) == [given]
    assert str(read_bills(written(tmp_path, RIGHT))[0].amount) == "372.00"


def test_columns_come_in_any_order_and_what_may_be_left_out_is(tmp_path: Path) -> None:
    [bill] = read_bills(written(tmp_path, "\ufeffamount,account,to,from,quantity\n\n-3,a,2026-02-01,2026-01-01,0\n"))

    assert (bill.account, bill.amount, bill.number) == ("a", Decimal(-3), "")


def test_an_excel_workbook_has_days_and_numbers_of_its_own(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(COLUMNS))
    sheet.append([1100045678, datetime(2026, 1, 1), "2026-02-01", 744.5, 372.25, 17, None])
    book.save(tmp_path / "b.xlsx")

    [bill] = read_bills(tmp_path / "b.xlsx")

    assert (bill.account, bill.start, bill.end) == ("1100045678", date(2026, 1, 1), date(2026, 2, 1))
    assert (bill.quantity, bill.amount, bill.number, bill.note) == (Decimal("744.5"), Decimal("372.25"), "17", "")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "account,from,to,quantity,amount\na/b,2026-1-1,,many,1\nok,2026-02-01,2026-01-01,1,1.005\n"

    found = faults(written(tmp_path, text))

    assert [fault.split(": ")[0] + ": " + fault.split(": ")[1][:30] for fault in found] == [
        "2: account",
        "2: from",
        "2: to",
        "2: quantity",
        "3: from 2026-02-01 must be before",
    ]
    assert "'2026-1-1' must be a day, such as 2026-03-01" in found[1]
    assert "is empty and must be given" in found[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: is empty; the first row names the columns account,from,to,quantity,amount,number,note"),
        ("account,from,to,quantity,amount,nr\n", "1: column 'nr' is not known; did you mean 'number'?"),
        ("account,from,to,quantity\n", "1: has no column amount"),
        ("account,from,to,quantity,amount,amount\n", "1: column 'amount' is there twice"),
        (RIGHT + "a,2026-01-01,2026-02-01,1,1,,,more\n", "3: has more cells than the header has columns"),
    ],
)
def test_a_file_with_a_wrong_head_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert faults(written(tmp_path, text)) == [told]


def test_what_is_no_file_of_this_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_text("no workbook")
    (tmp_path / "b.csv").write_bytes(b"account,from\n\xff\xfe")

    assert faults(tmp_path / "b.xlsx") == [" is no Excel workbook (.xlsx): File is not a zip file"]
    assert "is no CSV in UTF-8" in faults(tmp_path / "b.csv")[0] or "has no column" in faults(tmp_path / "b.csv")[0]
    assert "cannot be read" in faults(tmp_path / "none.csv")[0]


def test_moves_of_a_stock_are_read(tmp_path: Path) -> None:
    text = (
        "of,fuel,kind,at,quantity,unit,amount,note\n"
        "place/east,diesel,purchase,2026-01-05,400,L,3020.00,receipt 118\n"
        "place/east,diesel,count,2026-01-31,80,L,,\n"
    )

    bought, counted = read_stock(written(tmp_path, text), FUELS)

    assert (bought.kind, bought.note) == (MoveKind.PURCHASE, "receipt 118")
    assert [bought.quantity, bought.amount] == [Decimal(400), Decimal(3020)]
    assert (counted.kind, counted.day, counted.amount) == (MoveKind.COUNT, date(2026, 1, 31), None)


def test_a_wrong_row_of_a_stock_is_told_by_its_column(tmp_path: Path) -> None:
    text = "of,fuel,kind,at,quantity,unit\nplace/a,disel,bought,2026-01-05,1,kWh\nbureau,coal,used,2026-01-05,1,t\n"

    assert faults(written(tmp_path, text), FUELS) == [
        "2: fuel: fuel 'disel' is not known; did you mean 'diesel'?",
        "2: kind: kind 'bought' is not known; did you mean 'count'?",
        "2: unit: unit 'kWh' is not known; known are kg, t, L, m3",
        "3: of 'bureau' must be organisation/ID or place/ID",
    ]
