"""Changes of records: what was, what is, who said so and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.append import append
from gateway.audit.asking import asking
from gateway.audit.chain import Action, Deed
from gateway.records.database import Records
from gateway.records.tables import ChangeRow

Plain = Mapping[str, Any]
# Changes of these kinds are somebody's signature under figures.
_APPROVED = frozenset({"closing", "contract_baseline", "statement", "statement_step"})


@dataclass(frozen=True, slots=True)
class Change:
    """A record that is new (`before` is None), other than before, or gone (`after` is None); values are plain JSON."""

    kind: str
    key: str
    before: Plain | None
    after: Plain | None

    @property
    def fields(self) -> list[tuple[str, Any, Any]]:
        """What differs: (field, before, after)."""
        before, after = self.before or {}, self.after or {}
        names = [*after, *(name for name in before if name not in after)]
        return [(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A change as it was applied."""

    id: int
    at_ms: int
    who: str
    why: str
    site: str | None
    change: Change


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something now, and why."""

    who: str
    why: str
    at_ms: int

    def __post_init__(self) -> None:
        if not self.who.strip():
            raise ValueError("who changes a record must be said")


async def log_changes(
    connection: AsyncConnection, changes: Sequence[Change], author: Author, site: str | None = None
) -> None:
    """Append the changes, here and to the audit log, within the transaction that makes them."""
    said = {"who": author.who, "why": author.why, "at_ms": author.at_ms, "site": site}
    if changes:
        rows = [{**said, "kind": c.kind, "key": c.key, "before": c.before, "after": c.after} for c in changes]
        await connection.execute(insert(ChangeRow), rows)
        await append(connection, [_deed(c, author, site) for c in changes])


def _deed(change: Change, author: Author, site: str | None) -> Deed:
    asked = asking()
    said = {"who": author.who, "why": author.why, "site": site}
    return Deed(
        author.at_ms,
        Action.APPROVE if change.kind in _APPROVED else Action.CHANGE,
        f"{change.kind}/{change.key}",
        asked.account or author.who,
        asked.address,
        detail={**said, "before": change.before, "after": change.after},
    )


async def logged_changes(
    records: Records, *, after: int = 0, newest: int | None = None, kinds: Sequence[str] = ()
) -> list[LoggedChange]:
    """What was changed, oldest first: after the change of this id, of these kinds, the newest so many."""
    wanted = select(ChangeRow.__table__).where(ChangeRow.id > after).order_by(ChangeRow.id.desc()).limit(newest)
    if kinds:
        wanted = wanted.where(ChangeRow.kind.in_(kinds))
    async with records.reading() as connection:
        rows = (await connection.execute(wanted)).all()
    return [
        LoggedChange(r.id, r.at_ms, r.who, r.why, r.site, Change(r.kind, r.key, r.before, r.after))
        for r in reversed(rows)
    ]


async def last_change(records: Records, *, without: Sequence[str] = ()) -> int:
    """The id of the newest change that is not of these kinds; 0 where nothing was ever changed."""
    wanted = select(func.max(ChangeRow.id)).where(ChangeRow.kind.not_in(without))
    async with records.reading() as connection:
        return int((await connection.execute(wanted)).scalar() or 0)


async def changed_kinds(records: Records, *, after: int) -> frozenset[str]:
    """Of which kinds anything was changed after the change of this id."""
    wanted = select(ChangeRow.kind).where(ChangeRow.id > after).distinct()
    async with records.reading() as connection:
        return frozenset((await connection.execute(wanted)).scalars())
