"""The duty roster. Nothing is deleted: a roster is superseded by the next one."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class DutyRosterRow(Base):
    """A whole roster as it was entered, as YAML; the newest holds."""

    __tablename__ = "duty_rosters"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    document: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)
