"""Frozen statements in the records, and the steps of the parties."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.contracts.canonical import HASH, canonical
from analytics.contracts.standing import Party, Standing, Step, StepKind, after, standing
from energy.errors import EnergyError, UnknownName
from energy.ports import Clock
from energy.readings import to_ms
from gateway.contracts.tables import StatementRow, StatementStepRow
from gateway.records.base import LARGEST_ID
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

STATEMENT, STEP = "statement", "statement_step"


@dataclass(frozen=True, slots=True)
class KeptStep:
    """A step as it was taken."""

    id: int
    step: Step
    who: str
    why: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A frozen statement: its file to the byte, and what was done with it since."""

    id: int
    contract: str
    sequence: int
    number: str
    kind: Literal["regular", "reversing"]
    first: date
    end: date
    reverses: int | None
    text: str
    sha256: str
    due: str
    who: str
    why: str
    frozen_at_ms: int
    steps: tuple[KeptStep, ...] = ()

    @property
    def bundle(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.text)
        return made

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        amounts = {line["id"]: Decimal(line["amount"]) for line in self.bundle["lines"]}
        return standing(amounts, [kept.step for kept in self.steps])

    @property
    def holds(self) -> bool:
        """Whether it settles its period: it is no reversal, and was not taken back."""
        return self.kind == "regular" and all(kept.step.kind is not StepKind.REVERSED for kept in self.steps)


class Statements:
    """The statements of all contracts."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    async def of(self, contract: str) -> list[KeptStatement]:
        """Those of a contract, oldest first."""
        async with self._records.reading() as connection:
            return await _of(connection, contract)

    async def settled(self) -> dict[str, tuple[int, date | None]]:
        """Of each contract how many statements there are, and the day after the last that is settled."""
        reversed_ones = select(StatementStepRow.statement).where(StatementStepRow.kind == StepKind.REVERSED.value)
        wanted = select(StatementRow.id, StatementRow.contract, StatementRow.kind, StatementRow.end_day)
        found: dict[str, tuple[int, date | None]] = {}
        async with self._records.reading() as connection:
            gone = set((await connection.execute(reversed_ones)).scalars())
            for row in (await connection.execute(wanted)).all():
                count, last = found.get(row.contract, (0, None))
                if row.kind == "regular" and row.id not in gone:
                    last = row.end_day if last is None else max(last, row.end_day)
                found[row.contract] = count + 1, last
        return found

    async def one(self, statement_id: int) -> KeptStatement:
        """One statement; UnknownName where there is none."""
        async with self._records.reading() as connection:
            return await _one(connection, statement_id)

    async def freeze(self, bundle: dict[str, Any], who: str, why: str = "") -> KeptStatement:
        """Keep a statement of which the days are not settled yet."""
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            there = await _of(connection, bundle["contract"]["id"])
            _must_be_next(bundle, there)
            return await _insert(connection, bundle, None, author)

    async def reverse(self, statement_id: int, bundle: dict[str, Any], who: str, why: str) -> KeptStatement:
        """Keep the statement that takes another one back, which holds no longer from then on."""
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            original = await _one(connection, statement_id)
            there = await _of(connection, original.contract)
            must_be_reversible(original, there)
            if bundle["sequence"] != max(s.sequence for s in there) + 1:
                raise EnergyError("another statement was frozen meanwhile; try again")
            made = await _insert(connection, bundle, statement_id, author)
            await _step(connection, original, Step(StepKind.REVERSED, Party.CLIENT), author)
            return made

    async def take(self, statement_id: int, step: Step, who: str, why: str = "") -> KeptStatement:
        """Take a step; EnergyError where it is not possible now."""
        author = Author(who, why, to_ms(self._clock.now()))
        async with self._records.writing() as connection:
            await _step(connection, await _one(connection, statement_id), step, author)
            return await _one(connection, statement_id)


def must_be_reversible(original: KeptStatement, there: Sequence[KeptStatement]) -> None:
    """Only what holds is taken back, and what later statements rest on after them."""
    if original.kind != "regular":
        raise EnergyError(f"{original.number} takes another statement back itself; freeze a new one of those days")
    if not original.holds:
        raise EnergyError(f"{original.number} was taken back already")
    for later in there:
        carried = [c["number"] for c in later.bundle.get("carried", {}).values()] if later.holds else []
        if original.number in carried:
            raise EnergyError(
                f"{later.number} rests on what {original.number} carried forward; take that one back first"
            )


def _must_be_next(bundle: dict[str, Any], there: Sequence[KeptStatement]) -> None:
    if bundle["sequence"] != max((s.sequence for s in there), default=0) + 1:
        raise EnergyError("another statement was frozen meanwhile; try again")
    first, end = (date.fromisoformat(bundle["period"][name]) for name in ("from", "to"))
    for other in there:
        if other.holds and other.first < end and first < other.end:
            raise EnergyError(
                f"the days from {other.first} to {other.end} were settled by {other.number}; take that back first"
            )


async def _insert(
    connection: AsyncConnection, bundle: dict[str, Any], reverses: int | None, author: Author
) -> KeptStatement:
    row: dict[str, Any] = {
        "contract": bundle["contract"]["id"],
        "sequence": bundle["sequence"],
        "number": bundle["number"],
        "kind": bundle["kind"],
        "first_day": date.fromisoformat(bundle["period"]["from"]),
        "end_day": date.fromisoformat(bundle["period"]["to"]),
        "reverses": reverses,
        "bundle": canonical(bundle).decode(),
        "sha256": bundle[HASH],
        "due": bundle["due"],
        "who": author.who,
        "why": author.why,
        "entered_at_ms": author.at_ms,
    }
    made = await connection.execute(insert(StatementRow).values(**row))
    assert made.inserted_primary_key is not None  # of one row there is one
    told = {"contract": row["contract"], "sha256": row["sha256"], "due": row["due"], "kind": row["kind"]}
    await log_changes(connection, [Change(STATEMENT, row["number"], None, told)], author)
    return _kept({"id": int(made.inserted_primary_key[0]), **row}, ())


async def _step(connection: AsyncConnection, kept: KeptStatement, step: Step, author: Author) -> None:
    after(kept.standing, step)
    told = {"kind": step.kind.value, "party": step.party.value, "line": step.line}
    said = {"who": author.who, "why": author.why, "entered_at_ms": author.at_ms}
    await connection.execute(insert(StatementStepRow).values(statement=kept.id, **told, **said))
    await log_changes(connection, [Change(STEP, kept.number, None, {**told, "sha256": kept.sha256})], author)


async def _of(connection: AsyncConnection, contract: str) -> list[KeptStatement]:
    wanted = select(StatementRow.__table__).where(StatementRow.contract == contract).order_by(StatementRow.sequence)
    return await _with_steps(connection, list((await connection.execute(wanted)).mappings()))


async def _one(connection: AsyncConnection, statement_id: int) -> KeptStatement:
    wanted = select(StatementRow.__table__).where(StatementRow.id == statement_id)
    rows = list((await connection.execute(wanted)).mappings()) if 0 < statement_id <= LARGEST_ID else []
    if not rows:
        raise UnknownName(f"statement {statement_id} is not known")
    [found] = await _with_steps(connection, rows)
    return found


async def _with_steps(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[KeptStatement]:
    of: dict[int, list[KeptStep]] = defaultdict(list)
    ids = [row["id"] for row in rows]
    for i in range(0, len(ids), 500):
        table = StatementStepRow.__table__
        wanted = select(table).where(StatementStepRow.statement.in_(ids[i : i + 500])).order_by(StatementStepRow.id)
        for row in (await connection.execute(wanted)).mappings():
            step = Step(StepKind(row["kind"]), Party(row["party"]), row["line"])
            said = row["who"], row["why"], row["entered_at_ms"]
            of[row["statement"]].append(KeptStep(row["id"], step, *said))
    return [_kept(row, tuple(of[row["id"]])) for row in rows]


def _kept(row: dict[str, Any] | RowMapping, steps: tuple[KeptStep, ...]) -> KeptStatement:
    same = {name: row[name] for name in ("id", "contract", "sequence", "number", "kind", "reverses", "sha256", "due")}
    said = {"who": row["who"], "why": row["why"], "frozen_at_ms": row["entered_at_ms"]}
    return KeptStatement(**same, first=row["first_day"], end=row["end_day"], text=row["bundle"], **said, steps=steps)
