"""The audit log, and the two places of its chain that are signed: where it begins and where it ends."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class AuditRow(Base):
    """Something that was done; `detail` is the very text that was hashed, `previous` the hash of the row before."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    account: Mapped[str] = mapped_column(String, index=True)
    address: Mapped[str] = mapped_column(String)
    action: Mapped[str] = mapped_column(String, index=True)
    subject: Mapped[str] = mapped_column(String, index=True)
    outcome: Mapped[str] = mapped_column(String)
    detail: Mapped[str] = mapped_column(String)
    previous: Mapped[str] = mapped_column(String)
    hash: Mapped[str] = mapped_column(String)


class AuditHeadRow(Base):
    """`head` is the newest row; `base` the newest of those that were pruned. Both are signed."""

    __tablename__ = "audit_heads"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String)
    signature: Mapped[str] = mapped_column(String)
