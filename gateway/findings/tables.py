"""Findings, and what was said of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class FindingRow(Base):
    """An event at a counter. Amounts are millionths; `ongoing` is False where it paused or is over. The states open,
    ended (by itself) and gone (explained away) are told by the program; the others are decided by somebody."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    site: Mapped[str] = mapped_column(String, index=True)
    meter: Mapped[str] = mapped_column(String, index=True)
    quantity: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    start_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    ongoing: Mapped[bool] = mapped_column(Boolean)
    peak: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float] = mapped_column(Float)
    excess: Mapped[int | None] = mapped_column(BigInteger)
    used: Mapped[int | None] = mapped_column(BigInteger)
    expected: Mapped[int | None] = mapped_column(BigInteger)
    ratio: Mapped[float | None] = mapped_column(Float)
    cost: Mapped[int | None] = mapped_column(BigInteger)
    tariff: Mapped[str | None] = mapped_column(String)
    co2_kg: Mapped[str | None] = mapped_column(String)
    factor_set: Mapped[str | None] = mapped_column(String)
    method: Mapped[str] = mapped_column(String)
    found_at_ms: Mapped[int] = mapped_column(BigInteger)
    changed_at_ms: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String, index=True)
    reason: Mapped[str | None] = mapped_column(String)
    who: Mapped[str | None] = mapped_column(String)
    why: Mapped[str | None] = mapped_column(String)
    decided_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class LearntRow(Base):
    """From which score on an hour of a counter is a finding, for how many hours an amount of it may stay the same, and
    up to when of its past that was learnt."""

    __tablename__ = "findings_learnt"

    site: Mapped[str] = mapped_column(String, primary_key=True)
    meter: Mapped[str] = mapped_column(String, primary_key=True)
    quantity: Mapped[str] = mapped_column(String, primary_key=True)
    threshold: Mapped[float] = mapped_column(Float)
    usual_run: Mapped[float] = mapped_column(Float)
    upto_ms: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str] = mapped_column(String)
