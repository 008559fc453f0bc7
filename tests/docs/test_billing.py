"""The pages about bills, stocks and closed months show files that can be entered, and name what can be met."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from adapters.bill_files import COLUMNS, read_bills
from adapters.stock_files import columns, read_stock
from energy.stock import MoveKind
from gateway.billing.routes import ROUTES as BILLING
from gateway.closing.figures import EntryKind
from gateway.closing.routes import ROUTES as CLOSING
from gateway.stock.reckoning import UseBasis, uses
from gateway.stock.routes import ROUTES as STOCK
from gateway.stock.service import FUELS
from tests.docs.pages import ROOT, block

PAGE, CLOSED = ROOT / "docs" / "billing.md", ROOT / "docs" / "closing.md"
TEXT = PAGE.read_text(encoding="utf-8")


def written(folder: Path, info: str) -> Path:
    (folder / "shown.csv").write_text(block(PAGE, info), encoding="utf-8")
    return folder / "shown.csv"


def test_the_bills_that_are_shown_are_read(tmp_path: Path) -> None:
    assert [bill.note for bill in read_bills(written(tmp_path, "csv bills"))] == ["", "read by hand"]


def test_the_stock_that_is_shown_gives_the_use_that_is_told(tmp_path: Path) -> None:
    moves = read_stock(written(tmp_path, "csv stock"), FUELS)

    [diesel, lpg] = uses(moves, date(2026, 1, 1), date(2026, 2, 1))
    assert [diesel.used, lpg.used] == [Decimal(420), Decimal(45)]
    assert (diesel.basis, lpg.estimated) == (UseBasis.COUNTED, True)
    assert "420 L of diesel" in TEXT


def test_every_column_kind_and_fuel_is_told() -> None:
    told = set(re.findall(r"`([a-z_]+)`", TEXT))

    assert {*COLUMNS, *columns(FUELS), *FUELS, *MoveKind, *UseBasis} <= told
    assert set(EntryKind) <= set(re.findall(r"`([a-z_]+)`", CLOSED.read_text(encoding="utf-8")))


def test_every_route_is_told() -> None:
    pages = TEXT + CLOSED.read_text(encoding="utf-8")

    assert [f"{r.method} {r.path}" for r in (*BILLING, *STOCK, *CLOSING) if f"`{r.method} {r.path}`" not in pages] == []
