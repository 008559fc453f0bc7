"""A finding as it is kept, and how it is written as a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping

from energy.findings import Finding, FindingKind
from energy.readings import Point
from gateway.findings.worth import Valued


class State(StrEnum):
    """What became of a finding.

    Before anybody decides: `open` is to be decided; `ended` is over by itself; `gone` was explained away by readings
    that came late.
    """

    OPEN = "open"
    ENDED = "ended"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    GONE = "gone"

    @property
    def is_decided(self) -> bool:
        return self in (State.CONFIRMED, State.DISMISSED)


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


def finding_row(valued: Valued) -> dict[str, Any]:
    """What was found, as columns."""
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


def kept_of(row: Mapping[str, Any] | RowMapping) -> Kept:
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
