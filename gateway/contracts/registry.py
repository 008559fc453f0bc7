"""Contracts, frozen baselines, adjustments and weather in the records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.contracts.baseline import COEFFICIENT_DIGITS, TEMPERATURE_DIGITS, Baseline, spelled, whole
from analytics.contracts.canonical import canonical
from analytics.contracts.contract_file import contract_of
from analytics.contracts.inputs import Adjustment
from analytics.contracts.words import ContractWords
from energy.errors import EnergyError
from energy.ports import Clock
from energy.readings import to_ms
from gateway.contracts.tables import BaselineAdjustmentRow, BaselineRow, ContractRow, WeatherDayRow
from gateway.records.base import table_of
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.records.entries import Entries, Entry, Keeping

CONTRACT, BASELINE, WEATHER = "contract", "contract_baseline", "weather"


@dataclass(frozen=True, slots=True)
class KeptContract:
    """A contract as it was entered; `superseded_at_ms` is None for the version that holds."""

    contract: ContractWords
    version: int
    document: str
    who: str
    why: str
    entered_at_ms: int
    superseded_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeptBaseline:
    """A baseline that was frozen, with the hash of its document."""

    id: int
    contract: str
    baseline: Baseline
    sha256: str
    who: str
    why: str
    entered_at_ms: int


class Adjustments(Entries[tuple[str, Adjustment]]):
    """Non-routine adjustments, each with the contract that it is of. Two may hold at a time: they add up."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, clock, _KEEPING)

    async def of(self, contract: str, *, withdrawn: bool = False) -> list[Entry[tuple[str, Adjustment]]]:
        """Those of a contract."""
        return await self.entries([contract], withdrawn=withdrawn)


def adjustments_of(entries: Sequence[Entry[tuple[str, Adjustment]]]) -> list[Adjustment]:
    """As a statement takes them: with number and author."""
    return [
        Adjustment(e.id, a.clause, a.first, a.last, a.per_day, a.formula, a.evidence, e.why, e.who)
        for e in entries
        for a in [e.value[1]]
    ]


def _row(value: tuple[str, Adjustment]) -> dict[str, Any]:
    contract, a = value
    days = {"first_day": a.first, "last_day": a.last}
    told = {"clause": a.clause, "formula": a.formula, "evidence": a.evidence}
    return {"contract": contract, **days, **told, "per_day": spelled(a.per_day, COEFFICIENT_DIGITS)}


def _value(row: Mapping[str, Any]) -> tuple[str, Adjustment]:
    days = row["first_day"], row["last_day"], whole(row["per_day"], COEFFICIENT_DIGITS)
    return row["contract"], Adjustment(0, row["clause"], *days, row["formula"], row["evidence"], "", "")


_KEEPING: Keeping[tuple[str, Adjustment]] = Keeping(
    "contract_adjustment",
    table_of(BaselineAdjustmentRow),
    "contract",
    _row,
    _value,
    group=lambda value: value[0],
    clash=lambda one, other: one == other,
    substance=lambda value: value,
)


class Registry:
    """Contracts and what they go by."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self.adjustments = Adjustments(records, clock)

    # -- contracts ------------------------------------------------------------------------------------------------

    async def contracts(self, *, superseded: bool = False) -> list[KeptContract]:
        """Those that hold, by id; with `superseded` all versions, oldest first."""
        wanted = select(ContractRow.__table__).order_by(ContractRow.version)
        if not superseded:
            wanted = wanted.where(ContractRow.superseded_at_ms.is_(None))
        async with self._records.reading() as connection:
            found = [_contract(row) for row in (await connection.execute(wanted)).mappings()]
        return sorted(found, key=lambda kept: kept.contract.id)

    async def bring(self, documents: Mapping[str, str], who: str, why: str = "") -> dict[str, int]:
        """Let the documents hold from now on, all or none; the versions of those that are new or other."""
        author = Author(who, why, to_ms(self._clock.now()))
        changed: dict[str, int] = {}
        async with self._records.writing() as connection:
            now = await _standing_documents(connection)
            changes = []
            for name, text in documents.items():
                before = now.get(name)
                if before is not None and before[1] == text:
                    continue
                changed[name] = 1 if before is None else before[0] + 1
                await _supersede(connection, name, changed[name], text, author)
                told = None if before is None else {"version": before[0], "document": before[1]}
                changes.append(Change(CONTRACT, name, told, {"version": changed[name], "document": text}))
            await log_changes(connection, changes, author)
        return changed

    # -- baselines ------------------------------------------------------------------------------------------------

    async def baselines(self, contract: str) -> list[KeptBaseline]:
        """Those of a contract, of each clause the newest last."""
        wanted = select(BaselineRow.__table__).where(BaselineRow.contract == contract).order_by(BaselineRow.id)
        async with self._records.reading() as connection:
            return [_baseline(row) for row in (await connection.execute(wanted)).mappings()]

    async def freeze(self, contract: str, baseline: Baseline, who: str, why: str = "") -> KeptBaseline:
        """Keep a baseline as the next version of its clause; EnergyError where another one has come first."""
        author = Author(who, why, to_ms(self._clock.now()))
        plain = baseline.plain()
        async with self._records.writing() as connection:
            of_clause = select(BaselineRow.version).where(
                BaselineRow.contract == contract, BaselineRow.clause == baseline.clause
            )
            versions = [int(v) for v in (await connection.execute(of_clause)).scalars()]
            if baseline.version != max(versions, default=0) + 1:
                raise EnergyError(f"a baseline of {baseline.clause} was frozen meanwhile; fit it again")
            row: dict[str, Any] = {"contract": contract, "clause": baseline.clause, "version": baseline.version}
            row |= {"document": canonical(plain).decode(), "sha256": plain["sha256"], **_said(author)}
            made = await connection.execute(insert(BaselineRow).values(**row))
            assert made.inserted_primary_key is not None  # of one row there is one
            told = {"clause": baseline.clause, "version": baseline.version, "sha256": plain["sha256"]}
            await log_changes(connection, [Change(BASELINE, contract, None, told)], author)
            return _baseline({"id": int(made.inserted_primary_key[0]), **row})

    # -- weather --------------------------------------------------------------------------------------------------

    async def bring_weather(self, station: str, days: Mapping[date, int], who: str, why: str = "") -> int:
        """Keep mean temperatures [hundredths of degC]; how many are new or other. The others stay."""
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            known = await _weather(connection, station, min(days), max(days)) if days else {}
            fresh = {day: t for day, t in days.items() if known.get(day) != t}
            if not fresh:
                return 0
            other = [day for day in fresh if day in known]
            for i in range(0, len(other), 500):
                old = update(WeatherDayRow).where(
                    WeatherDayRow.station == station,
                    WeatherDayRow.superseded_at_ms.is_(None),
                    WeatherDayRow.day.in_(other[i : i + 500]),
                )
                await connection.execute(old.values(superseded_at_ms=author.at_ms))
            rows = [
                {"station": station, "day": d, "celsius": spelled(t, TEMPERATURE_DIGITS), **_said(author)}
                for d, t in fresh.items()
            ]
            await connection.execute(insert(WeatherDayRow), rows)
            told = {"days": len(fresh), "changed": len(other), "from": str(min(fresh)), "to": str(max(fresh))}
            await log_changes(connection, [Change(WEATHER, station, None, told)], author)
        return len(fresh)

    async def weather(self, station: str, first: date, end: date) -> list[int | None]:
        """The mean temperature of each day of [first, end) [hundredths of degC]; None where nobody knows."""
        async with self._records.reading() as connection:
            known = await _weather(connection, station, first, end)
        return [known.get(first + timedelta(days=i)) for i in range((end - first).days)]


def _said(author: Author) -> dict[str, Any]:
    return {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}


async def _standing_documents(connection: AsyncConnection) -> dict[str, tuple[int, str]]:
    wanted = select(ContractRow.__table__).where(ContractRow.superseded_at_ms.is_(None))
    rows = (await connection.execute(wanted)).mappings()
    return {row["id"]: (row["version"], row["document"]) for row in rows}


async def _supersede(connection: AsyncConnection, name: str, version: int, text: str, author: Author) -> None:
    old = update(ContractRow).where(ContractRow.id == name, ContractRow.superseded_at_ms.is_(None))
    await connection.execute(old.values(superseded_at_ms=author.at_ms))
    await connection.execute(insert(ContractRow).values(id=name, version=version, document=text, **_said(author)))


async def _weather(connection: AsyncConnection, station: str, first: date, last: date) -> dict[date, int]:
    wanted = select(WeatherDayRow.day, WeatherDayRow.celsius).where(
        WeatherDayRow.station == station,
        WeatherDayRow.superseded_at_ms.is_(None),
        WeatherDayRow.day >= first,
        WeatherDayRow.day <= last,
    )
    return {row.day: whole(row.celsius, TEMPERATURE_DIGITS) for row in (await connection.execute(wanted)).all()}


def _contract(row: RowMapping) -> KeptContract:
    said = row["who"], row["why"], row["entered_at_ms"], row["superseded_at_ms"]
    return KeptContract(contract_of(row["document"]), row["version"], row["document"], *said)


def _baseline(row: Mapping[str, Any] | RowMapping) -> KeptBaseline:
    made = Baseline.of_plain(json.loads(row["document"]))
    said = row["sha256"], row["who"], row["why"], row["entered_at_ms"]
    return KeptBaseline(row["id"], row["contract"], made, *said)
