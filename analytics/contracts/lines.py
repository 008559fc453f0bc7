"""Lines of a statement, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

_DECIMALS = ("baseline", "adjustment", "adjusted", "actual", "saving", "price", "benefit", "share_percent", "amount")


@dataclass(frozen=True, slots=True)
class Line:
    """A line; the sum of the amounts of all lines of a clause is what is due by it, before tax.

    kind : saving, carried, floored, forwarded, fee, adjustment. first, end : its days, `end` not included.
    baseline, adjustment, adjusted, actual, saving : energy [unit]; adjusted = baseline + adjustment, saving =
    adjusted - actual, above zero where energy was saved. price : [yuan/unit]. benefit = saving x price. amount : yuan.
    left_out : days of which not all is known. detail : what else the amount was reckoned from, as text.
    """

    id: str
    clause: str
    kind: str
    first: date
    end: date
    amount: Decimal
    unit: str = ""
    baseline: Decimal | None = None
    adjustment: Decimal | None = None
    adjusted: Decimal | None = None
    actual: Decimal | None = None
    saving: Decimal | None = None
    price: Decimal | None = None
    benefit: Decimal | None = None
    share_percent: Decimal | None = None
    left_out: Sequence[date] = ()
    detail: Mapping[str, str] = field(default_factory=dict)

    def reversed(self) -> Line:
        """The line that takes this one back."""
        turned: dict[str, Any] = {name: _turned(getattr(self, name)) for name in _TURNED}
        return replace(self, **turned)

    def plain(self) -> dict[str, Any]:
        told: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("first", "end")}
        for name in _DECIMALS:
            told[name] = None if told[name] is None else str(told[name])
        left_out = [day.isoformat() for day in self.left_out]
        days = {"from": self.first.isoformat(), "to": self.end.isoformat()}
        return {**told, **days, "left_out": left_out, "detail": dict(self.detail)}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Line:
        told = {name: value for name, value in plain.items() if name not in ("from", "to")}
        for name in _DECIMALS:
            told[name] = None if told[name] is None else Decimal(told[name])
        told["left_out"] = [date.fromisoformat(day) for day in told["left_out"]]
        return cls(**told, first=date.fromisoformat(plain["from"]), end=date.fromisoformat(plain["to"]))


_TURNED = ("baseline", "adjustment", "adjusted", "actual", "saving", "benefit", "amount")


@dataclass(frozen=True, slots=True)
class ClauseTotal:
    """What a clause comes to [yuan]: due by its lines, its tax, and what is carried to the next statement.

    net + tax = gross. metered_cost : what the counters of the clause cost by their tariffs; None where they have none.
    kgce, kgco2 : what was saved comes to.
    """

    clause: str
    due: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    carried_out: Decimal
    metered_cost: Decimal | None = None
    kgce: Decimal | None = None
    kgco2: Decimal | None = None

    def reversed(self) -> ClauseTotal:
        return ClauseTotal(self.clause, *(_turned(getattr(self, f.name)) for f in fields(self)[1:]))

    def plain(self) -> dict[str, Any]:
        told = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value if value is None else str(value) for name, value in told.items()}


def _turned(value: Any) -> Any:
    return -value if value else value


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement says: its lines, what each clause comes to, and the total.

    objections : why it may not be frozen.
    """

    lines: Sequence[Line]
    clauses: Sequence[ClauseTotal]
    objections: Sequence[str] = ()

    @property
    def due(self) -> Decimal:
        """What is due with tax [yuan]; below zero where the ESCO owes."""
        return sum((c.gross for c in self.clauses), Decimal("0.00"))

    def reversed(self) -> Outcome:
        """What takes this back."""
        return Outcome([line.reversed() for line in self.lines], [c.reversed() for c in self.clauses])
