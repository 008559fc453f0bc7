"""Entries: what people enter one by one, and withdraw where it was wrong. Nothing is changed in place or deleted."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Integer, RowMapping, String, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from energy.errors import EnergyError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.records.base import LARGEST_ID
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

V = TypeVar("V")
# So many names fit into one question to any database.
_NAMES = 500
_SAID = ("who", "why", "entered_at_ms", "withdrawn_at_ms", "withdrawn_by", "withdrawn_why")


class Entered:
    """The columns that every entry has."""

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    who: Mapped[str] = mapped_column(String)
    why: Mapped[str] = mapped_column(String)
    entered_at_ms: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str | None] = mapped_column(String)
    withdrawn_why: Mapped[str | None] = mapped_column(String)


@dataclass(frozen=True, slots=True)
class Entry(Generic[V]):
    """A value as it was entered; one that was withdrawn holds no longer."""

    id: int
    value: V
    who: str
    why: str
    entered_at_ms: int
    withdrawn_at_ms: int | None = None
    withdrawn_by: str | None = None
    withdrawn_why: str | None = None


@dataclass(frozen=True, slots=True)
class Contradiction(Generic[V]):
    """A value that says otherwise than one that is kept; of the same file where that has the id 0."""

    given: V
    kept: Entry[V]


@dataclass(frozen=True, slots=True)
class Added(Generic[V]):
    """What became of values: new ids; how many were there already; which had been withdrawn; which contradict."""

    ids: list[int]
    known: int
    withdrawn: list[Entry[V]]
    contradicting: list[Contradiction[V]]


@dataclass(frozen=True, slots=True)
class Keeping(Generic[V]):
    """How values of a kind are kept, and told apart.

    name : of the kind, in the log of changes. owner : the column by which entries are found.
    row, value : a value as columns, and back. group : values of other groups never concern each other.
    clash : whether two values speak of the same thing. substance : a value without what changes no figure.
    """

    name: str
    table: Table
    owner: str
    row: Callable[[V], dict[str, Any]]
    value: Callable[[Mapping[str, Any]], V]
    group: Callable[[V], Hashable]
    clash: Callable[[V, V], bool]
    substance: Callable[[V], V]


class Entries(Generic[V]):
    """The entries of a kind, in the records."""

    def __init__(self, records: Records, clock: Clock, keeping: Keeping[V]) -> None:
        self._records, self._clock, self._keeping = records, clock, keeping

    async def add(self, values: Sequence[V], who: str, why: str = "", *, again: bool = False) -> Added[V]:
        """Keep the values that are new; the same one twice is kept once.

        One that was withdrawn is only taken again where `again` says so; one that contradicts what is kept never is.
        """
        author = Author(who, why, to_ms(self._clock.now()))
        owners = sorted({self._keeping.row(value)[self._keeping.owner] for value in values})
        async with self._records.writing() as connection:
            sorting = _Sorting(self._keeping, await self._of(connection, owners, withdrawn=True), again=again)
            new = sorting.new(values)
            ids = await self._insert(connection, new, author)
            changes = [self._change(i, None, value) for i, value in zip(ids, new, strict=True)]
            await log_changes(connection, changes, author)
        return Added(ids, sorting.known, sorting.withdrawn, sorting.contradicting)

    async def withdraw(self, entry_id: int, who: str, why: str = "") -> Entry[V]:
        """Let an entry hold no longer; UnknownName where there is none, EnergyError where it does not hold anyway."""
        author = Author(who, why, to_ms(self._clock.now()))
        table, said = self._keeping.table, {"withdrawn_by": who, "withdrawn_why": why}
        async with self._records.writing() as connection:
            kept = await self._one(connection, entry_id)
            if kept.withdrawn_at_ms is not None:
                raise EnergyError(f"{self._keeping.name} {entry_id} was withdrawn already, by {kept.withdrawn_by}")
            gone = update(table).where(table.c.id == entry_id).values(withdrawn_at_ms=author.at_ms, **said)
            await connection.execute(gone)
            await log_changes(connection, [self._change(entry_id, kept.value, None)], author)
            return await self._one(connection, entry_id)

    async def entry(self, entry_id: int) -> Entry[V]:
        """One entry, withdrawn or not; UnknownName where there is none."""
        async with self._records.reading() as connection:
            return await self._one(connection, entry_id)

    async def entries(self, owners: Iterable[str] | None = None, *, withdrawn: bool = False) -> list[Entry[V]]:
        """What was entered of these owners, or of all, in the order of entry; what was withdrawn too if asked."""
        async with self._records.reading() as connection:
            return await self._of(connection, None if owners is None else sorted(set(owners)), withdrawn=withdrawn)

    async def _of(
        self, connection: AsyncConnection, owners: Sequence[str] | None, *, withdrawn: bool
    ) -> list[Entry[V]]:
        table = self._keeping.table
        wanted = select(table).order_by(table.c.id)
        if not withdrawn:
            wanted = wanted.where(table.c.withdrawn_at_ms.is_(None))
        if owners is None:
            return [self._entry(row) for row in (await connection.execute(wanted)).mappings()]
        found: list[Entry[V]] = []
        for i in range(0, len(owners), _NAMES):
            own = wanted.where(table.c[self._keeping.owner].in_(owners[i : i + _NAMES]))
            found += [self._entry(row) for row in (await connection.execute(own)).mappings()]
        return found

    async def _one(self, connection: AsyncConnection, entry_id: int) -> Entry[V]:
        table = self._keeping.table
        wanted = select(table).where(table.c.id == entry_id)
        row = (await connection.execute(wanted)).mappings().one_or_none() if 0 < entry_id <= LARGEST_ID else None
        if row is None:
            raise UnknownName(f"{self._keeping.name} {entry_id} is not known")
        return self._entry(row)

    async def _insert(self, connection: AsyncConnection, values: Sequence[V], author: Author) -> list[int]:
        if not values:
            return []
        table = self._keeping.table
        said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}
        made = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        rows = [{**self._keeping.row(value), **said} for value in values]
        return [int(i) for i in (await connection.execute(made, rows)).scalars()]

    def _entry(self, row: RowMapping) -> Entry[V]:
        columns = {str(name): value for name, value in row.items()}
        return Entry(columns["id"], self._keeping.value(columns), **{name: columns[name] for name in _SAID})

    def _change(self, entry_id: int, before: V | None, after: V | None) -> Change:
        plain = [None if v is None else _plain(self._keeping.row(v)) for v in (before, after)]
        return Change(self._keeping.name, str(entry_id), *plain)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


class _Sorting(Generic[V]):
    """Tells new values from those that are there."""

    def __init__(self, keeping: Keeping[V], kept: Iterable[Entry[V]], *, again: bool) -> None:
        self._keeping = keeping
        self._standing: dict[Hashable, list[Entry[V]]] = {}
        self._gone: dict[V, Entry[V]] = {}
        for one in kept:
            if one.withdrawn_at_ms is None:
                self._standing.setdefault(keeping.group(one.value), []).append(one)
            elif not again:
                self._gone[keeping.substance(one.value)] = one
        self.known = 0
        self.withdrawn: list[Entry[V]] = []
        self.contradicting: list[Contradiction[V]] = []

    def new(self, values: Iterable[V]) -> list[V]:
        return [value for value in values if self._is_new(value)]

    def _is_new(self, value: V) -> bool:
        standing = self._standing.setdefault(self._keeping.group(value), [])
        substance = self._keeping.substance(value)
        others = [one for one in standing if self._keeping.clash(value, one.value)]
        gone = self._gone.get(substance)
        if any(self._keeping.substance(one.value) == substance for one in others):
            self.known += 1
        elif others:
            self.contradicting.append(Contradiction(value, others[0]))
        elif gone is not None:
            self.withdrawn.append(gone)
        else:
            # It has no number yet.
            standing.append(Entry(0, value, "", "", 0))
            return True
        return False
