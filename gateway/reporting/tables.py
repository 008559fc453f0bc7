"""Filings of the statistics: what was entered by hand, where each stands, and what was submitted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class FilingRow(Base):
    """What an institution files for a month 'YYYY-MM'; `entered` by cell, `frozen` as it was submitted last.

    revision : counts every change, so that two who write at once notice each other.
    """

    __tablename__ = "filings"
    __table_args__ = (UniqueConstraint("form", "period", "organisation"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    organisation: Mapped[str] = mapped_column(String, index=True)
    form: Mapped[str] = mapped_column(String)
    version: Mapped[str] = mapped_column(String)
    period: Mapped[str] = mapped_column(String, index=True)
    state: Mapped[str] = mapped_column(String)
    revision: Mapped[int] = mapped_column(Integer)
    entered: Mapped[dict[str, Any]] = mapped_column(JSON)
    reasons: Mapped[dict[str, Any]] = mapped_column(JSON)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class FilingStepRow(Base):
    """A step of a filing: who submitted, returned or accepted it, when and why; `frozen` is what was submitted."""

    __tablename__ = "filing_steps"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    filing: Mapped[int] = mapped_column(Integer, ForeignKey("filings.id"), index=True)
    step: Mapped[str] = mapped_column(String)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
