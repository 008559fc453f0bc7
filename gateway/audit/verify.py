"""Whether the audit log is what was written: every row as it was, none gone, none between, none elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, fields

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.chain import Action, Row, digest
from gateway.audit.seal import Head, Seal
from gateway.audit.tables import AuditHeadRow, AuditRow
from gateway.records.base import table_of
from gateway.records.database import Records

_ROWS, _HEADS = table_of(AuditRow), table_of(AuditHeadRow)
_PAGE = 5_000
# So far from its place a row is looked for that stands where it was not written.
_NEAR = 100
COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows were right, up to which; `seq` and `fault` tell the first that is not, None where all are."""

    rows: int
    head: Head
    seq: int | None = None
    fault: str | None = None


class _Wrong(Exception):
    """A row is not what was written."""

    def __init__(self, seq: int, fault: str) -> None:
        super().__init__(fault)
        self.seq, self.fault = seq, fault


async def verified(records: Records, elsewhere: Iterable[Head] = ()) -> Finding:
    """Look through the whole log; heads that were kept `elsewhere` must be on the chain too."""
    seal = records.seal
    file = seal.kept_head()  # before the database is looked at: others may append meanwhile
    async with records.reading() as connection:
        base, head, newest = await _ends(connection)
        look = _Look(base, head)
        for known in (file, *elsewhere):
            look.expect(known, seal)
        try:
            async for row in _rows(connection, base.seq, head.seq):
                look.take(row)
            look.end(newest, seal, file)
        except _Wrong as wrong:
            return Finding(look.rows, head, wrong.seq, wrong.fault)
    return Finding(look.rows, head)


class _Look:
    """Goes along the chain."""

    def __init__(self, base: Head, head: Head) -> None:
        self._base, self._head = base, head
        self._seq, self._hash = base.seq, base.hash
        self._known: dict[int, str] = {}
        self._unsigned: list[int] = []
        self.rows = 0

    def expect(self, known: Head | None, seal: Seal) -> None:
        """The row of this head, which was kept outside of the database, must have its hash."""
        if known is None:
            return
        if seal.holds(known):
            self._known[known.seq] = known.hash
        else:
            self._unsigned.append(known.seq)

    def take(self, row: Row) -> None:
        expected = self._seq + 1
        if row.seq != expected:
            raise _Wrong(expected, f"is missing: the next row there is, is row {row.seq}")
        if row.hash != digest(row):
            raise _Wrong(row.seq, _elsewhere(row) or "was changed: what it says is not what was hashed")
        if row.previous != self._hash:
            raise _Wrong(row.seq, f"does not follow row {row.seq - 1}: one of the two was put in or made anew")
        if self._known.get(row.seq, row.hash) != row.hash:
            raise _Wrong(row.seq, "is not the row that the head kept outside of the database knows: made anew")
        if row.action == Action.SEAL_BROKEN:
            raise _Wrong(row.seq, f"tells that the log had been touched when it was written: {row.detail}")
        self._seq, self._hash = row.seq, row.hash
        self.rows += 1

    def end(self, newest: int, seal: Seal, file: Head | None) -> None:
        """What can only be told of the whole."""
        furthest = max((self._head.seq, *self._known))
        if self._seq < furthest:
            raise _Wrong(self._seq + 1, f"is missing, and all behind it: row {furthest} was written once")
        if newest > self._head.seq:
            raise _Wrong(self._head.seq + 1, "was put in: the signed head ends before it")
        if self._hash != self._head.hash:
            raise _Wrong(self._seq, "is not the row that the head knows: it was made anew")
        for place in (self._base, self._head):
            if not seal.holds(place):
                raise _Wrong(
                    place.seq, f"is the {place.name} of the log, and was not signed by audit.key of this folder"
                )
        if self._unsigned:
            raise _Wrong(self._unsigned[0], "is named by a head outside of the database that audit.key did not sign")
        if self._head.seq and file is None:
            raise _Wrong(self._head.seq, "is the newest, but audit.head beside the database is gone")


def _elsewhere(row: Row) -> str | None:
    """Where the row was written, if it was, near its place."""
    for seq in range(max(1, row.seq - _NEAR), row.seq + _NEAR):
        if digest(row, seq) == row.hash:
            return f"was written as row {seq}: rows were put in, taken out or reordered here"
    return None


async def _ends(connection: AsyncConnection) -> tuple[Head, Head, int]:
    """Beginning, end, and the newest row there is, at one moment."""
    newest = select(func.max(_ROWS.c.seq)).scalar_subquery()
    found = (await connection.execute(select(_HEADS, newest.label("newest")))).all()
    heads = {row.name: Head(row.name, row.seq, row.hash, row.signature) for row in found}
    return heads["base"], heads["head"], max((row.newest or 0 for row in found), default=0)


async def _rows(connection: AsyncConnection, after: int, until: int) -> AsyncIterator[Row]:
    while True:
        page = select(_ROWS).where(_ROWS.c.seq > after, _ROWS.c.seq <= until).order_by(_ROWS.c.seq).limit(_PAGE)
        found = (await connection.execute(page)).all()
        for row in found:
            yield Row(**{name: getattr(row, name) for name in COLUMNS})
        if len(found) < _PAGE:
            return
        after = found[-1].seq
