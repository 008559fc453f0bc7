"""Closed months. A figure that was closed is never changed: what differs later is booked as entries beside it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class ClosingRow(Base):
    """A month of a site that was closed."""

    __tablename__ = "closings"
    __table_args__ = (UniqueConstraint("site", "month"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    site: Mapped[str] = mapped_column(String)
    month: Mapped[str] = mapped_column(String)
    closed_at_ms: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)


class _Booked:
    """What was booked of a counter: [millionths of the unit; of a yuan; and of the unit, what has no price]."""

    meter: Mapped[str] = mapped_column(String)
    quantity: Mapped[str] = mapped_column(String)
    amount_micro: Mapped[int] = mapped_column(BigInteger)
    cost_micro: Mapped[int] = mapped_column(BigInteger)
    unpriced_micro: Mapped[int] = mapped_column(BigInteger)


class ClosingFigureRow(_Booked, Base):
    """What the ledger said of a counter when the month was closed; `basis` names what its hours were made under."""

    __tablename__ = "closing_figures"
    __table_args__ = (UniqueConstraint("closing", "meter", "quantity"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    closing: Mapped[int] = mapped_column(Integer, ForeignKey("closings.id"))
    measured_ms: Mapped[int] = mapped_column(BigInteger)
    estimated_ms: Mapped[int] = mapped_column(BigInteger)
    manual_ms: Mapped[int] = mapped_column(BigInteger)
    disputed_ms: Mapped[int] = mapped_column(BigInteger)
    basis: Mapped[str] = mapped_column(String)


class ClosingEntryRow(_Booked, Base):
    """A reversal of what stood, or the correction in its place, booked in a later month."""

    __tablename__ = "closing_entries"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    closing: Mapped[int] = mapped_column(Integer, ForeignKey("closings.id"), index=True)
    kind: Mapped[str] = mapped_column(String)
    booked_in: Mapped[str] = mapped_column(String, index=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
