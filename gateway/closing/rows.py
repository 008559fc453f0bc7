"""Closed months as rows: read, written and added up within the transaction of a connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.readings import Point
from gateway.closing.figures import Booked, Difference, EntryKind, Figure
from gateway.closing.tables import ClosingEntryRow, ClosingFigureRow, ClosingRow
from gateway.records.changes import Author

_BOOKED = ("amount_micro", "cost_micro", "unpriced_micro")
_KNOWN = ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms")


@dataclass(frozen=True, slots=True)
class Closing:
    """A month of the site that was closed."""

    id: int
    site: str
    month: str
    closed_at_ms: int
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class ClosingEntry:
    """What was booked beside a closed figure, in the month `booked_in`."""

    id: int
    closing: int
    point: Point
    kind: EntryKind
    booked: Booked
    booked_in: str
    at_ms: int
    who: str
    why: str


def of_site(wanted: Select[Any], site: str) -> Select[Any]:
    return wanted.where(ClosingEntryRow.closing.in_(select(ClosingRow.id).where(ClosingRow.site == site)))


async def closing_of(connection: AsyncConnection, site: str, month: str) -> Closing | None:
    wanted = select(ClosingRow.__table__).where(ClosingRow.site == site, ClosingRow.month == month)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    return None if row is None else Closing(**row)


async def insert_closing(connection: AsyncConnection, site: str, month: str, author: Author) -> Closing:
    said: dict[str, Any] = {"site": site, "month": month, "closed_at_ms": author.at_ms}
    said |= {"who": author.who, "why": author.why}
    made = await connection.execute(insert(ClosingRow).values(**said))
    assert made.inserted_primary_key is not None  # of one row there is one
    return Closing(id=int(made.inserted_primary_key[0]), **said)


async def keep_figures(connection: AsyncConnection, closing: Closing, figures: Mapping[Point, Figure]) -> None:
    rows = []
    for point, figure in sorted(figures.items()):
        known = {name: getattr(figure, name) for name in _KNOWN}
        rows.append({"closing": closing.id, **_columns(point, figure.booked), **known, "basis": figure.basis})
    if rows:
        await connection.execute(insert(ClosingFigureRow), rows)


async def standing(connection: AsyncConnection, closing: Closing) -> dict[Point, Booked]:
    """What was closed of each counter, and all that was booked beside it."""
    found: dict[Point, Booked] = defaultdict(Booked)
    for table in (ClosingFigureRow, ClosingEntryRow):
        columns = (table.meter, table.quantity, *(getattr(table, name) for name in _BOOKED))
        rows = await connection.execute(select(*columns).where(table.closing == closing.id))
        for meter, name, *booked in rows.all():
            found[Point(meter, name)] += Booked(*booked)
    return dict(found)


def entries_of(one: Difference, closing: Closing, booked_in: str, author: Author) -> Sequence[dict[str, Any]]:
    same = {"closing": closing.id, "booked_in": booked_in, "at_ms": author.at_ms, "who": author.who, "why": author.why}
    both = (EntryKind.REVERSAL, one.standing.reversed), (EntryKind.CORRECTION, one.now)
    return [{**same, "kind": str(kind), **_columns(one.point, booked)} for kind, booked in both if booked != Booked()]


def _columns(point: Point, booked: Booked) -> dict[str, Any]:
    values = zip(_BOOKED, (booked.amount, booked.cost, booked.unpriced), strict=True)
    return {"meter": point.meter, "quantity": point.quantity, **dict(values)}


def named(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def point_of(row: Mapping[str, Any]) -> Point:
    return Point(row["meter"], row["quantity"])


def figure_of(row: Mapping[str, Any]) -> Figure:
    known = {name: row[name] for name in _KNOWN}
    return Figure(_booked(row), row["basis"], **known)


def _booked(row: Mapping[str, Any]) -> Booked:
    return Booked(*(row[name] for name in _BOOKED))


def entry_of(row: Mapping[str, Any]) -> ClosingEntry:
    same = {name: row[name] for name in ("id", "closing", "booked_in", "at_ms", "who", "why")}
    return ClosingEntry(point=point_of(row), kind=EntryKind(row["kind"]), booked=_booked(row), **same)
