"""The audit log: what is not a change of records is told to it here; it is looked at, checked and pruned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select

from energy.errors import EnergyError
from energy.ports import Clock
from energy.readings import to_ms
from gateway.audit.append import append, move
from gateway.audit.asking import asking
from gateway.audit.chain import Action, Deed, Outcome, Row
from gateway.audit.redaction import clear_text
from gateway.audit.seal import Head
from gateway.audit.tables import AuditRow
from gateway.audit.verify import COLUMNS, Finding, verified
from gateway.records.base import table_of
from gateway.records.database import Records

# 网络安全法, article 21: logs are kept for six months at least.
LEAST_DAYS, KEPT_DAYS = 180, 365
_DAY_MS = 86_400_000
_ROWS = table_of(AuditRow)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: of [from_ms, to_ms), of an account, of an action; a subject, or all of a kind as KIND/."""

    from_ms: int | None = None
    to_ms: int | None = None
    account: str | None = None
    action: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The log was looked through; `until_ms` is when the last row that is right was written, None where none is."""

    at_ms: int
    until_ms: int | None
    finding: Finding


@dataclass(frozen=True, slots=True)
class State:
    """How many rows there are, when the first was written, the number of the newest; what was found last."""

    rows: int
    first_at_ms: int | None
    newest: int
    checked: Checked | None


class Audit:
    """The log in the records."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._looking = asyncio.Lock()
        self._checked: Checked | None = None

    async def record(
        self,
        action: Action,
        subject: str,
        *,
        account: str | None = None,
        outcome: Outcome = Outcome.DONE,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell what is no change of records: sign-ins, refusals, exports. Who and whence are those of the request."""
        asked = asking()
        who = asked.account if account is None else account
        deed = Deed(to_ms(self._clock.now()), action, subject, who, asked.address, outcome, detail or {})
        async with self._records.writing() as connection:
            await append(connection, [deed])

    async def rows(
        self, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[Row]:
        """The newest rows before row `before`, newest first; or the oldest after row `after`, oldest first."""
        chosen = select(_ROWS).limit(limit).order_by(_ROWS.c.seq.desc() if after is None else _ROWS.c.seq)
        conditions = [
            None if before is None else _ROWS.c.seq < before,
            None if after is None else _ROWS.c.seq > after,
            None if wanted.from_ms is None else _ROWS.c.at_ms >= wanted.from_ms,
            None if wanted.to_ms is None else _ROWS.c.at_ms < wanted.to_ms,
            # Names stand in the log as they were masked.
            None if wanted.account is None else _ROWS.c.account == clear_text(wanted.account),
            None if wanted.action is None else _ROWS.c.action == wanted.action,
            None if wanted.subject is None else _of_subject(clear_text(wanted.subject)),
        ]
        chosen = chosen.where(*(one for one in conditions if one is not None))
        async with self._records.reading() as connection:
            found = (await connection.execute(chosen)).all()
        return [Row(**{name: getattr(row, name) for name in COLUMNS}) for row in found]

    async def verify(self, elsewhere: Iterable[Head] = ()) -> Finding:
        """Whether it is what was written; one looks at a time."""
        async with self._looking:
            finding = await verified(self._records, elsewhere)
            until = await self._at_ms(finding.head.seq if finding.seq is None else finding.seq - 1)
            self._checked = Checked(to_ms(self._clock.now()), until, finding)
        return finding

    async def state(self) -> State:
        """Where the log begins and ends, and what was found when it was last looked through by this process."""
        async with self._records.reading() as connection:
            ends = select(func.count(), func.min(_ROWS.c.at_ms), func.max(_ROWS.c.seq)).select_from(_ROWS)
            rows, first_at_ms, newest = (await connection.execute(ends)).one()
        return State(int(rows), first_at_ms, newest or 0, self._checked)

    async def _at_ms(self, seq: int) -> int | None:
        async with self._records.reading() as connection:
            return (await connection.execute(select(_ROWS.c.at_ms).where(_ROWS.c.seq == seq))).scalar_one_or_none()

    async def prune(self, days: int = KEPT_DAYS) -> int:
        """Delete the rows that are older, and sign where the log begins now; how many were deleted.

        A log that is not whole is left as it is: what is wrong with it would be gone.
        """
        if days < LEAST_DAYS:
            raise EnergyError(f"the audit log is kept {LEAST_DAYS} days at least, not {days}")
        now = to_ms(self._clock.now())
        if await self._old(now - days * _DAY_MS) is None:
            return 0
        finding = await self.verify()
        if finding.fault is not None:
            raise EnergyError(f"the audit log is not pruned: row {finding.seq} {finding.fault}")
        async with self._records.writing() as connection:
            last = await self._old(now - days * _DAY_MS)
            if last is None:
                return 0
            detail = {"days": days, "seq": last.seq, "hash": last.hash}
            await append(connection, [Deed(now, Action.PRUNE, "audit", asking().account, detail=detail)])
            await move(connection, self._records.seal.signed("base", last.seq, last.hash))
            gone = await connection.execute(delete(_ROWS).where(_ROWS.c.seq <= last.seq))
        return int(gone.rowcount)

    async def _old(self, before_ms: int) -> Any:
        """The newest of the rows that all are older, if there is one."""
        async with self._records.reading() as connection:
            young = select(func.min(_ROWS.c.seq)).where(_ROWS.c.at_ms >= before_ms).scalar_subquery()
            last = select(_ROWS.c.seq, _ROWS.c.hash).order_by(_ROWS.c.seq.desc()).limit(1)
            return (await connection.execute(last.where(_ROWS.c.seq < func.coalesce(young, 2**62)))).one_or_none()


def _of_subject(subject: str) -> Any:
    if subject.endswith("/"):
        return _ROWS.c.subject.startswith(subject, autoescape=True)
    return _ROWS.c.subject == subject
