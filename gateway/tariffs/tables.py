"""Tariffs as documents. Nothing is deleted: a document is superseded by the next one of the same tariff."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class TariffRow(Base):
    """What a tariff file said of a tariff, as YAML; it holds while `superseded_at_ms` is null."""

    __tablename__ = "tariffs"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String, index=True)
    document: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)
    superseded_at_ms: Mapped[int | None] = mapped_column(BigInteger)
