"""Findings in the records: what was found is kept up with the ledger; what somebody said of it stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import EnergyError, UnknownName
from energy.findings import FindingKind
from energy.ports import Clock
from energy.readings import Point, to_ms
from gateway.findings.kept import Kept, Reason, State, finding_row, kept_of
from gateway.findings.learnt import LearntCounters
from gateway.findings.looks import Look, Told
from gateway.findings.tables import FindingRow
from gateway.records.base import LARGEST_ID, table_of
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

KIND = "finding"
_TABLE = table_of(FindingRow)
# So many names fit into one question to any database.
_NAMES = 500


class Findings:
    """The findings of a site."""

    def __init__(self, records: Records, clock: Clock, site: str) -> None:
        self._records, self._clock, self._site = records, clock, site

    async def found(
        self,
        *,
        meters: Collection[str] | None = None,
        states: Collection[State] = (),
        kinds: Collection[FindingKind] = (),
        from_ms: int | None = None,
        to_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Kept]:
        """Findings that touch [from, to), the newest first; of these meters, in these states, of these kinds."""
        wanted = self._wanted(states, kinds, from_ms, to_ms)
        async with self._records.reading() as connection:
            if meters is None:
                rows = (await connection.execute(wanted.limit(limit))).mappings().all()
            else:
                rows = await _of_meters(connection, wanted, sorted(set(meters)))
        found = sorted((kept_of(row) for row in rows), key=lambda k: (-k.finding.start_ms, -k.id))
        return found[:limit]

    async def finding(self, finding_id: int) -> Kept:
        """One of them; UnknownName where there is none."""
        async with self._records.reading() as connection:
            return await self._one(connection, finding_id)

    async def decide(
        self, finding_id: int, state: State, who: str, why: str = "", reason: Reason | None = None
    ) -> Kept:
        """Confirm or dismiss a finding, or open it again; EnergyError where that makes no sense."""
        if state is State.GONE:
            raise EnergyError("only readings can explain a finding away; confirm or dismiss it")
        if state is State.ENDED:
            raise EnergyError("a finding ends by itself; confirm or dismiss it")
        if (state is State.DISMISSED) != (reason is not None):
            raise EnergyError("a dismissed finding has a reason: known or wrong; others have none")
        author = Author(who, why, to_ms(self._clock.now()))
        values = {"state": str(state), "reason": reason, "who": who, "why": why, "decided_at_ms": author.at_ms}
        async with self._records.writing() as connection:
            before = await self._one(connection, finding_id)
            await connection.execute(update(_TABLE).where(_TABLE.c.id == finding_id).values(**values))
            change = Change(KIND, str(finding_id), _said(before.state, before.reason), _said(state, reason))
            await log_changes(connection, [change], author, self._site)
            return await self._one(connection, finding_id)

    async def dismissed_peaks(self) -> dict[Point, float]:
        """By counter, the greatest score that was dismissed of it."""
        peaks: dict[Point, float] = {}
        for kept in await self.found(states=[State.DISMISSED]):
            peaks[kept.finding.point] = max(peaks.get(kept.finding.point, 0.0), kept.finding.peak)
        return peaks

    def learnt(self, method: str) -> LearntCounters:
        """What is known of the counters by a method."""
        return LearntCounters(self._records, self._site, method)

    async def take(self, look: Look) -> tuple[int, int]:
        """Bring what is kept up to what a look saw; returns how many are new and how many gone.

        What was decided stays decided. Of the others, what goes on is open, what is over has ended, and what is no
        longer found is gone.
        """
        now = to_ms(self._clock.now())
        made = {"site": self._site, "method": look.method, "found_at_ms": now, "changed_at_ms": now}
        async with self._records.writing() as connection:
            told = Told.of(await self._standing(connection, look.since_ms), look)
            await _update(connection, [_change(one) | {"changed_at_ms": now} for one in told.changed])
            if told.new:
                rows = [{**finding_row(valued), **made, "state": str(state)} for valued, state in told.new]
                await connection.execute(insert(_TABLE), rows)
        return len(told.new), told.gone

    async def _standing(self, connection: AsyncConnection, since_ms: int) -> dict[Point, list[Kept]]:
        """What is kept of each counter since an instant, and what did not end before it; the newest first."""
        lasting = or_(_TABLE.c.end_ms > since_ms, _TABLE.c.state == str(State.OPEN), _TABLE.c.ongoing)
        kept: dict[Point, list[Kept]] = {}
        rows = (await connection.execute(self._wanted((), (), None, None).where(lasting))).mappings()
        for one in map(kept_of, rows):
            kept.setdefault(one.finding.point, []).append(one)
        return kept

    def _wanted(
        self, states: Collection[State], kinds: Collection[FindingKind], from_ms: int | None, to_ms: int | None
    ) -> Select[Any]:
        wanted = select(_TABLE).where(_TABLE.c.site == self._site)
        if states:
            wanted = wanted.where(_TABLE.c.state.in_([str(s) for s in states]))
        if kinds:
            wanted = wanted.where(_TABLE.c.kind.in_([str(k) for k in kinds]))
        if from_ms is not None:
            wanted = wanted.where(_TABLE.c.end_ms > from_ms)
        if to_ms is not None:
            wanted = wanted.where(_TABLE.c.start_ms < to_ms)
        return wanted.order_by(_TABLE.c.start_ms.desc(), _TABLE.c.id.desc())

    async def _one(self, connection: AsyncConnection, finding_id: int) -> Kept:
        wanted = select(_TABLE).where(_TABLE.c.id == finding_id, _TABLE.c.site == self._site)
        row = (await connection.execute(wanted)).mappings().one_or_none() if 0 < finding_id <= LARGEST_ID else None
        if row is None:
            raise UnknownName(f"finding {finding_id} is not known")
        return kept_of(row)


async def _of_meters(connection: AsyncConnection, wanted: Select[Any], meters: Sequence[str]) -> list[RowMapping]:
    rows: list[RowMapping] = []
    for i in range(0, len(meters), _NAMES):
        own = wanted.where(_TABLE.c.meter.in_(meters[i : i + _NAMES]))
        rows += (await connection.execute(own)).mappings().all()
    return rows


def _change(kept: Kept) -> dict[str, Any]:
    return finding_row(kept.valued) | {"of": kept.id, "state": str(kept.state), "method": kept.method}


async def _update(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change findings, each named by `of`; all of them in the same columns."""
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "of"}
        await connection.execute(update(_TABLE).where(_TABLE.c.id == bindparam("of")).values(**values), rows)


def _said(state: State, reason: Reason | None) -> dict[str, Any]:
    return {"state": str(state), "reason": reason and str(reason)}
