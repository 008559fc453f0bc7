"""Bills of suppliers. Decimals are kept as text, exactly; `to_day` is not included."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base
from gateway.records.entries import Entered


class BillRow(Entered, Base):
    """A bill; `lines` are those printed on it, where they were entered."""

    __tablename__ = "bills"

    account: Mapped[str] = mapped_column(String, index=True)
    from_day: Mapped[date] = mapped_column(Date)
    to_day: Mapped[date] = mapped_column(Date)
    quantity: Mapped[str] = mapped_column(String)
    amount: Mapped[str] = mapped_column(String)
    lines: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    number: Mapped[str] = mapped_column(String)
    note: Mapped[str] = mapped_column(String)
