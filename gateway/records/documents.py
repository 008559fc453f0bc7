"""Documents of which one holds at a time: a whole file as it was entered, superseded by the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.ports import Clock
from energy.readings import to_ms
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

# What a document says, by key; what differs between two is logged key by key.
Told = Callable[[str], Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document with who entered it; number 0 where there is none yet."""

    number: int = 0
    document: str = ""
    who: str = ""
    why: str = ""
    entered_at_ms: int = 0


class Documents:
    """The documents of one table, with the columns number, document, who, why, entered_at_ms."""

    def __init__(self, records: Records, clock: Clock, table: Table, kind: str, told: Told) -> None:
        self._records, self._clock, self._table, self._kind, self._told = records, clock, table, kind, told

    async def newest(self) -> KeptDocument:
        async with self._records.reading() as connection:
            return await self._newest(connection)

    async def save(self, document: str, who: str, why: str = "") -> list[Change]:
        """Let a document hold from now on; what it changes. The same one again changes nothing."""
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            before = await self._newest(connection)
            changes = self._changes(before.document, document)
            if document != before.document:
                said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}
                await connection.execute(insert(self._table).values(document=document, **said))
                await log_changes(connection, changes, author)
        return changes

    def differences(self, before: str, document: str) -> list[Change]:
        return self._changes(before, document)

    def _changes(self, before: str, after: str) -> list[Change]:
        old, new = self._told(before) if before else {}, self._told(after)
        names = [*new, *(name for name in old if name not in new)]
        return [Change(self._kind, n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]

    async def _newest(self, connection: AsyncConnection) -> KeptDocument:
        table = self._table
        wanted = select(table).order_by(table.c.number.desc()).limit(1)
        row = (await connection.execute(wanted)).mappings().one_or_none()
        return KeptDocument() if row is None else KeptDocument(**{str(k): v for k, v in row.items()})
