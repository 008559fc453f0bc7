"""Which kind of record is kept in which table, under which key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, RowMapping, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.records.base import Base
from gateway.records.changes import Change, Plain
from gateway.sites.rows import Row
from gateway.sites.tables import (
    AccountRow,
    FactRow,
    LineRow,
    MembershipRow,
    MeterRow,
    NodeRow,
    ShareRow,
    SiteRow,
    VirtualPointRow,
)

_OURS = ("number", "site")


@dataclass(frozen=True, slots=True)
class Keeping:
    """A table, the columns that tell its records apart, and what is the same in all records of the kind."""

    table: Table
    key: tuple[str, ...] = ("id",)
    same: Mapping[str, str] = field(default_factory=dict)

    def key_of(self, row: Plain) -> str:
        return " ".join(str(row[name]) for name in self.key if row[name] is not None)

    def of_site(self, site: str) -> ColumnElement[bool]:
        """The records of a site."""
        of = self.table.c["site" if "site" in self.table.c else "id"]
        return and_(of == site, *(self.table.c[name] == value for name, value in self.same.items()))

    def record(self, site: str, row: Plain) -> ColumnElement[bool]:
        """The one record."""
        values = self.columns(row)
        return and_(self.of_site(site), *(self.table.c[name] == values[name] for name in self.key))

    def was(self, row: Plain) -> Row:
        """The key of a record as the parameters of one statement for many."""
        return {f"was_{name}": self._value(name, row[name]) for name in self.key}

    def rest(self, row: Plain) -> Row:
        """All but the key, which stays: a database that is told to set it looks who refers to it, each time."""
        return {name: value for name, value in self.columns(row).items() if name not in self.key}

    def columns(self, row: Plain) -> Row:
        """A plain row as the columns take it."""
        return {name: self._value(name, value) for name, value in row.items()}

    def _value(self, name: str, value: Any) -> Any:
        return date.fromisoformat(value) if value is not None and isinstance(self.table.c[name].type, Date) else value

    def plain(self, row: RowMapping) -> Row:
        """What stands in the columns as a plain row."""
        hidden = (*(_OURS if "site" in self.table.c else ()), *self.same)
        kept = {str(name): value for name, value in row.items() if name not in hidden}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in kept.items()}


def _table(row: type[Base]) -> Table:
    table = row.__table__
    assert isinstance(table, Table)
    return table


# In the order in which they are written; what is gone is removed in the reverse one.
KEPT: dict[str, Keeping] = {
    "site": Keeping(_table(SiteRow)),
    "place": Keeping(_table(NodeRow), same={"tree": "place"}),
    "organisation": Keeping(_table(NodeRow), same={"tree": "organisation"}),
    "membership": Keeping(_table(MembershipRow), ("organisation", "within", "valid_from")),
    "fact": Keeping(_table(FactRow), ("tree", "node", "fact", "valid_from")),
    "line": Keeping(_table(LineRow)),
    "account": Keeping(_table(AccountRow)),
    "meter": Keeping(_table(MeterRow)),
    "virtual_point": Keeping(_table(VirtualPointRow)),
    "share": Keeping(_table(ShareRow), ("subject_kind", "subject", "valid_from")),
}


async def kept_rows(connection: AsyncConnection, site: str) -> dict[str, list[Row]]:
    """All records of a site by kind, in the order of their entry."""
    found: dict[str, list[Row]] = {}
    for kind, keeping in KEPT.items():
        wanted = select(keeping.table).where(keeping.of_site(site)).order_by(*keeping.table.primary_key)
        found[kind] = [keeping.plain(row) for row in (await connection.execute(wanted)).mappings()]
    return found


async def write(connection: AsyncConnection, site: str, changes: Sequence[Change]) -> None:
    """Make the changes, within the transaction of the connection."""
    for kind in reversed(KEPT):
        for change in changes:
            if change.kind == kind and change.after is None and change.before is not None:
                keeping = KEPT[kind]
                await connection.execute(delete(keeping.table).where(keeping.record(site, change.before)))
    for kind, keeping in KEPT.items():
        await _write_kind(connection, site, keeping, [change for change in changes if change.kind == kind])


async def _write_kind(connection: AsyncConnection, site: str, keeping: Keeping, changes: Sequence[Change]) -> None:
    new = [change.after for change in changes if change.before is None and change.after is not None]
    own = {**keeping.same, **({"site": site} if "site" in keeping.table.c else {})}
    if new:
        await connection.execute(insert(keeping.table), [{**keeping.columns(row), **own} for row in new])
    changed = [(c.before, c.after) for c in changes if c.before is not None and c.after is not None]
    whole = [(b, a) for b, a in changed if all(b[name] is not None for name in keeping.key)]
    if whole:
        wanted = (keeping.table.c[name] == bindparam(f"was_{name}") for name in keeping.key)
        at_once = update(keeping.table).where(keeping.of_site(site), *wanted)
        await connection.execute(at_once, [{**keeping.was(b), **keeping.rest(a)} for b, a in whole])
    for before, after in changed:
        if any(before[name] is None for name in keeping.key):
            one = update(keeping.table).where(keeping.record(site, before))
            await connection.execute(one.values(keeping.rest(after)))
