"""Contracts as documents, frozen baselines, weather, statements and what parties did with them. Nothing is deleted."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base
from gateway.records.entries import Entered


class _Said:
    """Who entered it, why and when."""

    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)


class ContractRow(_Said, Base):
    """What a contract file said of a contract, as YAML; it holds while `superseded_at_ms` is null."""

    __tablename__ = "contracts"
    __table_args__ = (UniqueConstraint("id", "version"),)

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String, index=True)
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    superseded_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class BaselineRow(_Said, Base):
    """A frozen baseline, as canonical JSON with its hash; the newest version of a clause holds."""

    __tablename__ = "contract_baselines"
    __table_args__ = (UniqueConstraint("contract", "clause", "version"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    contract: Mapped[str] = mapped_column(String, index=True)
    clause: Mapped[str] = mapped_column(String)
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String)


class BaselineAdjustmentRow(Entered, Base):
    """A non-routine adjustment; decimals are kept as text, `last_day` is included."""

    __tablename__ = "contract_adjustments"

    contract: Mapped[str] = mapped_column(String, index=True)
    clause: Mapped[str] = mapped_column(String)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    per_day: Mapped[str] = mapped_column(String)
    formula: Mapped[str] = mapped_column(String)
    evidence: Mapped[str] = mapped_column(String)


class WeatherDayRow(_Said, Base):
    """The mean temperature of a day at a station [degC, as text]; it holds while `superseded_at_ms` is null."""

    __tablename__ = "weather_days"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    station: Mapped[str] = mapped_column(String, index=True)
    day: Mapped[date] = mapped_column(Date, index=True)
    celsius: Mapped[str] = mapped_column(String)
    superseded_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class StatementRow(_Said, Base):
    """A frozen statement: `bundle` is the file as it is given out, to the byte. `end_day` is not included."""

    __tablename__ = "contract_statements"
    __table_args__ = (UniqueConstraint("contract", "sequence"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    contract: Mapped[str] = mapped_column(String, index=True)
    sequence: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    first_day: Mapped[date] = mapped_column(Date)
    end_day: Mapped[date] = mapped_column(Date)
    reverses: Mapped[int | None] = mapped_column(Integer, ForeignKey("contract_statements.id"))
    bundle: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String)
    due: Mapped[str] = mapped_column(String)


class StatementStepRow(_Said, Base):
    """What a party did with a statement; `line` is empty where it is about all of it."""

    __tablename__ = "contract_statement_steps"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    statement: Mapped[int] = mapped_column(Integer, ForeignKey("contract_statements.id"), index=True)
    kind: Mapped[str] = mapped_column(String)
    party: Mapped[str] = mapped_column(String)
    line: Mapped[str] = mapped_column(String)
