"""Findings in the records: what was found is kept up with the ledger; what somebody said of it stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from energy.errors import EnergyError, UnknownName
from energy.findings import Finding, FindingKind
from energy.ports import Clock
from energy.readings import Point, to_ms
from gateway.findings.learnt import LearntCounters
from gateway.findings.tables import FindingRow
from gateway.findings.worth import Valued
from gateway.records.base import LARGEST_ID, table_of
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

KIND = "finding"
_TABLE = table_of(FindingRow)
# So many names fit into one question to any database.
_NAMES = 500
# Events this near to each other are one that was seen twice.
_NEAR_MS = 24 * 3_600_000


class State(StrEnum):
    """What became of a finding; `gone` is one that readings which came late explained away before anybody decided."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    GONE = "gone"


class Reason(StrEnum):
    """Why a finding is dismissed: it is known and meant, or was none. Either makes the meter's threshold higher."""

    KNOWN = "known"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as it is kept: its worth, by which method it was found, and who decided what of it."""

    id: int
    valued: Valued
    method: str
    found_at_ms: int
    changed_at_ms: int
    state: State = State.OPEN
    reason: Reason | None = None
    who: str | None = None
    why: str | None = None
    decided_at_ms: int | None = None

    @property
    def finding(self) -> Finding:
        return self.valued.finding


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
        found = sorted((_kept(row) for row in rows), key=lambda k: (-k.finding.start_ms, -k.id))
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

    async def take(self, found: Sequence[Valued], since_ms: int, method: str) -> tuple[int, int]:
        """Bring what is kept since an instant up to what is found now; returns how many are new and how many gone.

        What was decided stays decided; an open finding that is no longer found is gone. One that began before the
        instant and is over stays as it was told when it could be seen whole.
        """
        now = to_ms(self._clock.now())
        made = {"site": self._site, "method": method, "found_at_ms": now, "changed_at_ms": now}
        async with self._records.writing() as connection:
            kept = await self._since(connection, since_ms)
            told = _Told.of(kept, found, since_ms)
            changed = [_change(k, one) | {"method": method, "changed_at_ms": now} for k, one in told.changed]
            await _update(connection, changed)
            if told.new:
                rows = [{**_row(v), **made, "state": str(State.OPEN)} for v in told.new]
                await connection.execute(insert(_TABLE), rows)
            await _update(connection, [_gone(k.id, now) for k in told.gone])
        return len(told.new), len(told.gone)

    async def _since(self, connection: AsyncConnection, since_ms: int) -> dict[Point, list[Kept]]:
        """What is kept of each counter since an instant, the newest first."""
        kept: dict[Point, list[Kept]] = {}
        rows = (await connection.execute(self._wanted((), (), since_ms, None))).mappings()
        for one in map(_kept, rows):
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
        return _kept(row)


async def _of_meters(connection: AsyncConnection, wanted: Select[Any], meters: Sequence[str]) -> list[RowMapping]:
    rows: list[RowMapping] = []
    for i in range(0, len(meters), _NAMES):
        own = wanted.where(_TABLE.c.meter.in_(meters[i : i + _NAMES]))
        rows += (await connection.execute(own)).mappings().all()
    return rows


@dataclass(frozen=True, slots=True)
class _Told:
    """What a look changes: what is new, what is told otherwise than it is kept, and what is no longer found."""

    new: list[Valued]
    changed: list[tuple[Kept, Valued]]
    gone: list[Kept]

    @classmethod
    def of(cls, kept: Mapping[Point, Sequence[Kept]], found: Sequence[Valued], since_ms: int) -> _Told:
        told, matched = cls([], [], []), set[int]()
        for one in found:
            own = kept.get(one.finding.point, ())
            same = next((k for k in own if k.id not in matched and _same(k.finding, one.finding)), None)
            if same is None:
                told.new.append(one)
                continue
            matched.add(same.id)
            if not _is_past(same, since_ms) and (same.valued != one or same.state is State.GONE):
                told.changed.append((same, one))
        left = (k for own in kept.values() for k in own if k.id not in matched)
        told.gone.extend(k for k in left if k.state is State.OPEN and not _is_past(k, since_ms))
        return told


def _is_past(kept: Kept, since_ms: int) -> bool:
    """Whether less of a finding can be seen than when it was told."""
    return kept.finding.start_ms < since_ms and not kept.finding.ongoing


def _change(kept: Kept, found: Valued) -> dict[str, Any]:
    """What is kept as it is found now; one that was gone is open again."""
    state = State.OPEN if kept.state is State.GONE else kept.state
    return _row(found) | {"of": kept.id, "state": str(state)}


def _gone(finding_id: int, now: int) -> dict[str, Any]:
    return {"of": finding_id, "state": str(State.GONE), "ongoing": False, "changed_at_ms": now}


async def _update(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change findings, each named by `of`; all of them in the same columns."""
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "of"}
        await connection.execute(update(_TABLE).where(_TABLE.c.id == bindparam("of")).values(**values), rows)


def _same(one: Finding, other: Finding) -> bool:
    """Whether two findings are the same event, seen at two times."""
    if one.point != other.point or one.kind.is_of_data != other.kind.is_of_data:
        return False
    if one.kind.is_of_data and one.kind is not other.kind:
        return False
    return one.start_ms < other.end_ms + _NEAR_MS and other.start_ms < one.end_ms + _NEAR_MS


def _said(state: State, reason: Reason | None) -> dict[str, Any]:
    return {"state": str(state), "reason": reason and str(reason)}


def _row(valued: Valued) -> dict[str, Any]:
    finding = valued.finding
    return {
        "meter": finding.point.meter,
        "quantity": finding.point.quantity,
        "kind": str(finding.kind),
        **{name: getattr(finding, name) for name in _SAME_NAMES},
        "cost": valued.cost,
        "tariff": valued.tariff,
        "co2_kg": None if valued.co2_kg is None else str(valued.co2_kg),
        "factor_set": valued.factor_set,
    }


def _kept(row: Mapping[str, Any] | RowMapping) -> Kept:
    point, kind = Point(row["meter"], row["quantity"]), FindingKind(row["kind"])
    finding = Finding(point, kind, **{name: row[name] for name in _SAME_NAMES})
    co2 = None if row["co2_kg"] is None else Decimal(row["co2_kg"])
    reason = None if row["reason"] is None else Reason(row["reason"])
    return Kept(
        row["id"],
        Valued(finding, row["cost"], row["tariff"], co2, row["factor_set"]),
        row["method"],
        row["found_at_ms"],
        row["changed_at_ms"],
        State(row["state"]),
        reason,
        row["who"],
        row["why"],
        row["decided_at_ms"],
    )


_SAME_NAMES = ("start_ms", "end_ms", "ongoing", "peak", "threshold", "excess", "used", "expected", "ratio")
