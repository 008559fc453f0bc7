"""Moves of stocks of fuels. Decimals are kept as text, exactly."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base
from gateway.records.entries import Entered


class StockMoveRow(Entered, Base):
    """What was bought, counted or used of a fuel; `of` is organisation/ID or place/ID."""

    __tablename__ = "stock_moves"

    of: Mapped[str] = mapped_column(String, index=True)
    fuel: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    day: Mapped[date] = mapped_column(Date)
    quantity: Mapped[str] = mapped_column(String)
    unit: Mapped[str] = mapped_column(String)
    amount: Mapped[str | None] = mapped_column(String)
    note: Mapped[str] = mapped_column(String)
