"""What was used of a fuel, by the moves of its stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from energy.stock import MoveKind, StockMove

_NOTHING = Decimal(0)


class UseBasis(StrEnum):
    """What a use rests on: stock counted at both ends, what was told to be used, or what was bought."""

    COUNTED = "counted"
    TOLD = "told"
    PURCHASES = "purchases"


@dataclass(frozen=True, slots=True)
class FuelUse:
    """What was used of a fuel from one stock over a period [`unit`].

    used : None where the counts say more than was there: a purchase, or a count, is wrong. estimated : whether it is
    taken for used because it was bought. opening, closing : what was counted; spent : what purchases cost [yuan].
    """

    of: str
    fuel: str
    unit: str
    used: Decimal | None
    basis: UseBasis
    opening: Decimal | None
    purchased: Decimal
    closing: Decimal | None
    spent: Decimal | None

    @property
    def estimated(self) -> bool:
        return self.basis is UseBasis.PURCHASES


def uses(moves: Iterable[StockMove], start: date, end: date) -> list[FuelUse]:
    """What was used over the days [start, end) of each stock and fuel of which something is told.

    Counts are of the evening: the opening one is that of the day before `start`, the closing one that of the last day.
    """
    stocks: dict[tuple[str, str], list[StockMove]] = defaultdict(list)
    for move in moves:
        stocks[move.of, move.fuel].append(move)
    found = (_use(own, start, end) for _, own in sorted(stocks.items()))
    return [use for use in found if use is not None]


def _use(moves: Sequence[StockMove], start: date, end: date) -> FuelUse | None:
    unit = min(moves, key=lambda move: move.day).unit
    inside = [move for move in moves if start <= move.day < end]
    opening = _counted(moves, start - timedelta(days=1), unit)
    closing = _counted(moves, end - timedelta(days=1), unit)
    bought = [move for move in inside if move.kind is MoveKind.PURCHASE]
    purchased = sum((move.quantity_in(unit) for move in bought), _NOTHING)
    told = [move.quantity_in(unit) for move in inside if move.kind is MoveKind.USED]
    if opening is not None and closing is not None:
        left = opening + purchased - closing
        basis, used = UseBasis.COUNTED, left if left >= 0 else None
    elif told:
        basis, used = UseBasis.TOLD, sum(told, _NOTHING)
    elif bought:
        basis, used = UseBasis.PURCHASES, purchased
    else:
        return None
    amounts = [move.amount for move in bought if move.amount is not None]
    spent = sum(amounts, Decimal("0.00")) if len(amounts) == len(bought) else None
    return FuelUse(moves[0].of, moves[0].fuel, unit, used, basis, opening, purchased, closing, spent)


def _counted(moves: Sequence[StockMove], day: date, unit: str) -> Decimal | None:
    """What was counted in the evening of a day."""
    found = [m.quantity_in(unit) for m in moves if m.kind is MoveKind.COUNT and m.day == day]
    return found[0] if found else None
