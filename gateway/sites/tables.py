"""The records of sites. Ids are unique within a site; `number` is the order of entry, which is the order of the page.

Dates are days in the zone of the site; `valid_to` is not included. Decimals are kept as text, exactly;
`hidden` as an interval of ISO 8601-2, `2026-01-01/..` or `../..`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.records.base import Base


class SiteRow(Base):
    """A site."""

    __tablename__ = "sites"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    name_zh: Mapped[str] = mapped_column(String)
    name_en: Mapped[str] = mapped_column(String)
    zone: Mapped[str] = mapped_column(String)


class SiteFileRow(Base):
    """The file that a gateway was last started on, and that was followed: digests of what it said of each kind, and of
    what the records then were."""

    __tablename__ = "site_files"

    site: Mapped[str] = mapped_column(String, ForeignKey("sites.id"), primary_key=True)
    taken_at_ms: Mapped[int] = mapped_column(BigInteger)
    file: Mapped[dict[str, str]] = mapped_column(JSON)
    records: Mapped[dict[str, str]] = mapped_column(JSON)


class EdgeSiteRow(Base):
    """The version of its site file that an edge was handed last: its number, and the digest of what stands in it."""

    __tablename__ = "edge_sites"

    site: Mapped[str] = mapped_column(String, ForeignKey("sites.id"), primary_key=True)
    edge: Mapped[str] = mapped_column(String, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String)
    made_at_ms: Mapped[int] = mapped_column(BigInteger)


class _OfSite:
    """What every record of a site has."""

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    site: Mapped[str] = mapped_column(String, ForeignKey("sites.id"))


class _Named:
    """What has an id and a name."""

    id: Mapped[str] = mapped_column(String)
    name_zh: Mapped[str] = mapped_column(String)
    name_en: Mapped[str] = mapped_column(String)


class _Dated:
    """What holds from a day to a day."""

    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class NodeRow(_OfSite, _Named, _Dated, Base):
    """A node of a tree: `place` or `organisation`."""

    __tablename__ = "nodes"
    __table_args__ = (UniqueConstraint("site", "tree", "id"),)

    tree: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    parent: Mapped[str | None] = mapped_column(String)
    institution_class: Mapped[str | None] = mapped_column(String)
    hidden: Mapped[str | None] = mapped_column(String)
    code: Mapped[str | None] = mapped_column(String)


class MembershipRow(_OfSite, _Dated, Base):
    """An organisation belongs below another one for a time."""

    __tablename__ = "memberships"

    organisation: Mapped[str] = mapped_column(String, index=True)
    within: Mapped[str] = mapped_column(String, index=True)


class FactRow(_OfSite, _Dated, Base):
    """A dated number of a node, such as its area."""

    __tablename__ = "facts"

    tree: Mapped[str] = mapped_column(String)
    node: Mapped[str] = mapped_column(String, index=True)
    fact: Mapped[str] = mapped_column(String)
    value: Mapped[str] = mapped_column(String)
    source: Mapped[str] = mapped_column(String)


class LineRow(_OfSite, Base):
    """A line on which meters answer."""

    __tablename__ = "lines"
    __table_args__ = (UniqueConstraint("site", "id"),)

    id: Mapped[str] = mapped_column(String)
    address: Mapped[str] = mapped_column(String)
    timeout_s: Mapped[float] = mapped_column(Double)
    edge: Mapped[str | None] = mapped_column(String)


class AccountRow(_OfSite, Base):
    """An account at a supplier (电户)."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("site", "id"),)

    id: Mapped[str] = mapped_column(String)
    medium: Mapped[str] = mapped_column(String)
    supplier: Mapped[str] = mapped_column(String)
    organisation: Mapped[str | None] = mapped_column(String)
    tariff: Mapped[str | None] = mapped_column(String)
    capacity_kva: Mapped[float | None] = mapped_column(Double)


def _leads(column: str, table: str) -> ForeignKeyConstraint:
    """A reference within the site, checked when the transaction ends."""
    return ForeignKeyConstraint(
        ["site", column], [f"{table}.site", f"{table}.id"], deferrable=True, initially="DEFERRED"
    )


class MeterRow(_OfSite, _Named, Base):
    """A meter as it is installed."""

    __tablename__ = "meters"
    __table_args__ = (
        UniqueConstraint("site", "id"),
        _leads("line", "lines"),
        _leads("account", "accounts"),
        _leads("parent", "meters"),
    )

    medium: Mapped[str] = mapped_column(String)
    place: Mapped[str | None] = mapped_column(String)
    parent: Mapped[str | None] = mapped_column(String)
    profile: Mapped[str | None] = mapped_column(String)
    line: Mapped[str | None] = mapped_column(String)
    unit: Mapped[int] = mapped_column(Integer)
    interval_s: Mapped[float] = mapped_column(Double)
    ct: Mapped[float] = mapped_column(Double)
    pt: Mapped[float] = mapped_column(Double)
    reversed: Mapped[bool] = mapped_column(Boolean)
    quantities: Mapped[list[str]] = mapped_column(JSON)
    plausible: Mapped[dict[str, Any]] = mapped_column(JSON)
    organisation: Mapped[str | None] = mapped_column(String)
    item: Mapped[str | None] = mapped_column(String)
    account: Mapped[str | None] = mapped_column(String)
    registers: Mapped[dict[str, Any]] = mapped_column(JSON)
    removed_on: Mapped[date | None] = mapped_column(Date)
    hidden: Mapped[str | None] = mapped_column(String)
    sender: Mapped[str | None] = mapped_column(String)


class VirtualPointRow(_OfSite, _Named, _Dated, Base):
    """A formula over other points, as text."""

    __tablename__ = "virtual_points"
    __table_args__ = (UniqueConstraint("site", "id"),)

    medium: Mapped[str] = mapped_column(String)
    quantity: Mapped[str] = mapped_column(String)
    formula: Mapped[str] = mapped_column(String)
    place: Mapped[str | None] = mapped_column(String)
    organisation: Mapped[str | None] = mapped_column(String)
    item: Mapped[str | None] = mapped_column(String)


class ShareRow(_OfSite, _Dated, Base):
    """How organisations share a meter or a place; `parts` is a list of {organisation, weight}."""

    __tablename__ = "shares"

    subject_kind: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String, index=True)
    basis: Mapped[str] = mapped_column(String)
    document: Mapped[str] = mapped_column(String)
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
