"""Filings as rows: read and written within the transaction of a connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.reporting.filing_states import State, Step
from analytics.reporting.filings import Filing, Filled, Origin, Size
from analytics.reporting.forms import Cell
from gateway.records.base import table_of
from gateway.records.changes import Author
from gateway.reporting.tables import FilingRow, FilingStepRow

_FILINGS, _STEPS = table_of(FilingRow), table_of(FilingStepRow)
# So many names fit into one question to any database.
_NAMES = 500
# The kind under which changes of filings are logged; their key is PERIOD/ORGANISATION.
FILING = "filing"


@dataclass(frozen=True, slots=True)
class Entered:
    """A figure that was entered by hand, or None where a cell is to be empty; and why."""

    value: Decimal | None
    why: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A filing in the records; one that was never touched has the id 0.

    frozen : as it was submitted last; what stands while it is submitted or accepted.
    """

    organisation: str
    form: str
    version: str
    period: str
    id: int = 0
    state: State = State.DRAFT
    revision: int = 0
    entered: Mapping[Cell, Entered] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    frozen: Filing | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    step: Step
    at_ms: int
    who: str
    why: str


async def kept_filings(
    connection: AsyncConnection, form: str, periods: Collection[str], organisations: Sequence[str] | None = None
) -> list[Kept]:
    """Those of these periods, of these organisations or of all."""
    wanted = select(_FILINGS).where(_FILINGS.c.form == form, _FILINGS.c.period.in_(sorted(periods)))
    if organisations is None:
        return [_kept(row) for row in (await connection.execute(wanted)).mappings()]
    found: list[Kept] = []
    for i in range(0, len(organisations), _NAMES):
        own = wanted.where(_FILINGS.c.organisation.in_(organisations[i : i + _NAMES]))
        found += [_kept(row) for row in (await connection.execute(own)).mappings()]
    return found


async def states_of(connection: AsyncConnection, form: str, period: str) -> dict[str, State]:
    """In which state the filings of a month are, by institution; of those that nobody touched there is none."""
    wanted = select(_FILINGS.c.organisation, _FILINGS.c.state).where(
        _FILINGS.c.form == form, _FILINGS.c.period == period
    )
    return {row.organisation: State(row.state) for row in (await connection.execute(wanted)).all()}


async def steps_of(connection: AsyncConnection, filing: int) -> list[Taken]:
    """The steps of a filing, oldest first."""
    wanted = select(_STEPS).where(_STEPS.c.filing == filing).order_by(_STEPS.c.id)
    return [Taken(Step(r.step), r.at_ms, r.who, r.why) for r in (await connection.execute(wanted)).all()]


async def keep(connection: AsyncConnection, kept: Kept) -> int:
    """Write a filing, new or changed, one revision on; its id."""
    said = plain(kept) | {"revision": kept.revision + 1}
    if kept.id:
        await connection.execute(update(_FILINGS).where(_FILINGS.c.id == kept.id).values(**said))
        return kept.id
    made = await connection.execute(insert(_FILINGS).values(**said))
    assert made.inserted_primary_key is not None  # of one row there is one
    return int(made.inserted_primary_key[0])


async def add_step(
    connection: AsyncConnection, filing: int, step: Step, author: Author, frozen: Filing | None = None
) -> None:
    said = {"filing": filing, "step": str(step), "at_ms": author.at_ms, "who": author.who, "why": author.why}
    await connection.execute(insert(_STEPS).values(**said, frozen=None if frozen is None else filing_plain(frozen)))


def plain(kept: Kept) -> dict[str, Any]:
    """A filing as its columns, without its id and revision."""
    entered = {
        str(cell): {"value": None if one.value is None else str(one.value), "why": one.why}
        for cell, one in sorted(kept.entered.items(), key=lambda pair: str(pair[0]))
    }
    return {
        "organisation": kept.organisation,
        "form": kept.form,
        "version": kept.version,
        "period": kept.period,
        "state": str(kept.state),
        "entered": entered,
        "reasons": dict(sorted(kept.reasons.items())),
        "frozen": None if kept.frozen is None else filing_plain(kept.frozen),
    }


def filing_plain(filing: Filing) -> dict[str, Any]:
    """A filing as plain JSON; decimals are text, exactly."""
    cells = {
        str(cell): {
            "value": str(one.value),
            "origin": str(one.origin),
            "estimated": str(one.estimated),
            "missing": str(one.missing),
            "basis": one.basis,
        }
        for cell, one in filing.cells.items()
    }
    size = {"area_m2": _text(filing.size.area_m2), "people": _text(filing.size.people)}
    return {"cells": cells, "size": size}


def _kept(row: Mapping[Any, Any]) -> Kept:
    name, period = row["organisation"], row["period"]
    entered = {
        Cell.parse(cell): Entered(_decimal(one["value"]), str(one["why"])) for cell, one in row["entered"].items()
    }
    frozen = None if row["frozen"] is None else _filing(name, period, row["frozen"])
    said = (name, row["form"], row["version"], period, row["id"], State(row["state"]), row["revision"])
    return Kept(*said, entered, row["reasons"], frozen)


def _filing(organisation: str, period: str, plain: Mapping[str, Any]) -> Filing:
    cells = {
        Cell.parse(cell): Filled(
            Decimal(one["value"]),
            Origin(one["origin"]),
            Decimal(one["estimated"]),
            Decimal(one["missing"]),
            one["basis"],
        )
        for cell, one in plain["cells"].items()
    }
    size = plain["size"]
    return Filing(organisation, period, cells, Size(_decimal(size["area_m2"]), _decimal(size["people"])))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
