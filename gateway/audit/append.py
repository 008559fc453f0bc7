"""Appending to the audit log, within the transaction that does what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row as Found
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.chain import Action, Deed, Outcome, row_of
from gateway.audit.seal import Head, Seal
from gateway.audit.tables import AuditHeadRow, AuditRow
from gateway.records.base import table_of

# Under this name a writing connection carries the seal, and what is to be written beside the database once it commits.
SEAL, PENDING = "seal", "audit_head"
_ROWS, _HEADS = table_of(AuditRow), table_of(AuditHeadRow)
_LAST = select(_ROWS.c.hash).where(_ROWS.c.seq == _HEADS.c.seq).scalar_subquery()
# Where others may write at once the row is locked until we commit; SQLite has one writer anyway.
_HEAD = select(_HEADS, _LAST.label("last")).where(_HEADS.c.name == "head").with_for_update(of=_HEADS)


async def append(connection: AsyncConnection, deeds: Sequence[Deed]) -> None:
    """Append what was done, oldest first."""
    if not deeds:
        return
    seal = _seal(connection)
    found = (await connection.execute(_HEAD)).one()
    rows: list[dict[str, Any]] = []
    seq, previous = int(found.seq), str(found.hash)
    for deed in [*_broken(found, seal, deeds[0].at_ms), *deeds]:
        seq += 1
        rows.append(row_of(deed, seq, previous))
        previous = rows[-1]["hash"]
    await connection.execute(insert(_ROWS), rows)
    await move(connection, seal.signed("head", seq, previous))


async def move(connection: AsyncConnection, head: Head) -> None:
    """Let a signed place of the chain be another."""
    said = {"seq": head.seq, "hash": head.hash, "signature": head.signature}
    await connection.execute(update(_HEADS).where(_HEADS.c.name == head.name).values(**said))
    if head.name == "head":
        _info(connection)[PENDING] = head


def _broken(found: Found[Any], seal: Seal, at_ms: int) -> list[Deed]:
    """A row that says so where the end of the log is not what was signed; going on in silence would sign it."""
    head = Head("head", int(found.seq), str(found.hash), str(found.signature))
    whole = seal.holds(head) and found.last in ((None, head.hash) if head.seq == 0 else (head.hash,))
    if whole:
        return []
    detail = {"seq": head.seq, "head": head.hash, "row": found.last, "signed": seal.holds(head)}
    return [Deed(at_ms, Action.SEAL_BROKEN, "audit", outcome=Outcome.FAILED, detail=detail)]


def _seal(connection: AsyncConnection) -> Seal:
    assert connection.sync_connection is not None  # it was begun
    seal = connection.sync_connection.get_execution_options()[SEAL]
    assert isinstance(seal, Seal)
    return seal


def _info(connection: AsyncConnection) -> dict[Any, Any]:
    assert connection.sync_connection is not None
    return connection.sync_connection.info
