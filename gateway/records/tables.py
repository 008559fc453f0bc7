"""The log of changes: every write of any subject leaves its rows here, in the same transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class ChangeRow(Base):
    """One record as it was and as it became; `before` is null for a new one, `after` for one that was removed."""

    __tablename__ = "changes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    site: Mapped[str | None] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String, index=True)
    key: Mapped[str] = mapped_column(String)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class AskedKeyRow(Base):
    """A key under which something was asked and done, for a day; `name`, `who` and `body` are digests. What was
    answered is null until it is known, `answer` is in base64."""

    __tablename__ = "asked_keys"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    who: Mapped[str] = mapped_column(String)
    body: Mapped[str] = mapped_column(String)
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str | None] = mapped_column(String)
    content_type: Mapped[str | None] = mapped_column(String)
