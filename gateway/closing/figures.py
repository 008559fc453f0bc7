"""Figures of counters over a month: what the ledger says, what was closed, what was booked beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from energy.errors import EnergyError
from energy.hours import HOUR_MS
from energy.periods import Period
from energy.ports import Ledger
from energy.quantities import Kind, quantity
from energy.readings import Point, to_ms


@dataclass(frozen=True, slots=True)
class Booked:
    """What flowed and what it cost; sums of these are exact.

    amount, unpriced : [millionths of the unit], `unpriced` being what has no tariff. cost : [millionths of a yuan].
    """

    amount: int = 0
    cost: int = 0
    unpriced: int = 0

    def __add__(self, other: Booked) -> Booked:
        return Booked(self.amount + other.amount, self.cost + other.cost, self.unpriced + other.unpriced)

    def __sub__(self, other: Booked) -> Booked:
        return self + other.reversed

    @property
    def reversed(self) -> Booked:
        return Booked(-self.amount, -self.cost, -self.unpriced)

    @property
    def priced_cost(self) -> int | None:
        """The cost; None where none of it has a tariff."""
        return None if self.amount != 0 and self.unpriced == self.amount else self.cost


@dataclass(frozen=True, slots=True)
class Figure:
    """What the ledger says of a counter, made under what, and how much of the time is known in which way [ms]."""

    booked: Booked
    basis: str
    measured_ms: int
    estimated_ms: int
    manual_ms: int
    disputed_ms: int

    @property
    def known(self) -> bool:
        """Whether anything is known to have flowed, be it nothing."""
        return self.measured_ms + self.estimated_ms + self.manual_ms > 0


class EntryKind(StrEnum):
    """A reversal takes back what stood; a correction books what holds instead."""

    REVERSAL = "reversal"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter of which the ledger says otherwise now than what stands: what was closed and all entries since."""

    point: Point
    standing: Booked
    now: Booked

    @property
    def booked(self) -> Booked:
        return self.now - self.standing


async def figures_of(ledger: Ledger, month: Period) -> dict[Point, Figure]:
    """What the ledger says of every counter that has anything in the month."""
    counters = [i for i, p in enumerate(ledger.points) if quantity(p.quantity).kind is Kind.COUNTER]
    if not counters:
        return {}
    sums = await ledger.totals(counters, *_hours_of(month))
    bases = await ledger.bases()
    booked = np.column_stack([sums.amount, sums.cost, sums.unpriced]).tolist()
    known = np.column_stack([sums.measured_ms, sums.estimated_ms, sums.manual_ms, sums.disputed_ms]).tolist()
    found = {}
    for number, amounts, ms in zip(sums.of.tolist(), booked, known, strict=True):
        basis = f"{bases[number].register} {bases[number].price}".strip() if number in bases else ""
        found[ledger.points[number]] = Figure(Booked(*amounts), basis, *ms)
    return found


def _hours_of(month: Period) -> tuple[int, int]:
    start, end = to_ms(month.start), to_ms(month.end)
    if start % HOUR_MS or end % HOUR_MS:
        raise EnergyError("months that do not begin on a whole hour of UTC cannot be closed yet: the ledger is by hour")
    return start // HOUR_MS, end // HOUR_MS


def differing(standing: Mapping[Point, Booked], now: Mapping[Point, Figure]) -> list[Difference]:
    """The counters of which the ledger says otherwise now, by point; one that it knows no longer is nothing now."""
    points: Iterable[Point] = sorted({*standing, *now})
    found = (Difference(p, standing.get(p, Booked()), now[p].booked if p in now else Booked()) for p in points)
    return [one for one in found if one.standing != one.now]
