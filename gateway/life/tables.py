"""The events of meters. Nothing is deleted: a wrong one is withdrawn, and another added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class MeterEventRow(Base):
    """An event; `digest` names what stands for one meter, kind, instant and quantity, and is null once withdrawn."""

    __tablename__ = "meter_events"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    digest: Mapped[str | None] = mapped_column(String, unique=True)
    meter: Mapped[str] = mapped_column(String, index=True)
    kind: Mapped[str] = mapped_column(String)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int | None] = mapped_column(BigInteger)
    quantity: Mapped[str | None] = mapped_column(String)
    final_register: Mapped[float | None] = mapped_column(Double)
    initial_register: Mapped[float | None] = mapped_column(Double)
    ratio: Mapped[float | None] = mapped_column(Double)
    place: Mapped[str | None] = mapped_column(String)
    address: Mapped[str | None] = mapped_column(String)
    note: Mapped[str] = mapped_column(String)
    photo: Mapped[str | None] = mapped_column(String)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str | None] = mapped_column(String)
    withdrawn_why: Mapped[str | None] = mapped_column(String)
