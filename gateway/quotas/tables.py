"""Quotas as they were entered, and the bounds that were crossed. Decimals are kept as text, exactly."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base
from gateway.records.entries import Entered


class QuotaRow(Entered, Base):
    """What an organisation may use in a year; of several of one year the one dated last holds."""

    __tablename__ = "quotas"

    of: Mapped[str] = mapped_column(String, index=True)
    limited: Mapped[str] = mapped_column(String)
    year: Mapped[int] = mapped_column(Integer)
    amount: Mapped[str] = mapped_column(String)
    method: Mapped[str] = mapped_column(String)
    document: Mapped[str] = mapped_column(String)
    dated: Mapped[date] = mapped_column(Date)
    months: Mapped[Any | None] = mapped_column(JSON)
    standard: Mapped[str] = mapped_column(String)
    factor_set: Mapped[str | None] = mapped_column(String)
    note: Mapped[str] = mapped_column(String)


class QuotaCrossingRow(Base):
    """A bound that a year crossed; it stands while `cleared_at_ms` is null."""

    __tablename__ = "quota_crossings"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    quota_id: Mapped[int] = mapped_column(Integer, index=True)
    of: Mapped[str] = mapped_column(String, index=True)
    bound: Mapped[str] = mapped_column(String)
    level: Mapped[float] = mapped_column(Float)
    share: Mapped[float] = mapped_column(Float)
    raised_at_ms: Mapped[int] = mapped_column(BigInteger)
    cleared_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    zh: Mapped[str] = mapped_column(String)
    en: Mapped[str] = mapped_column(String)
