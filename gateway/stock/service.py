"""What was bought, counted and used of fuels, in the records."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from analytics.carbon.factors import Carrier
from energy.errors import EnergyError
from energy.ports import Clock
from energy.stock import MoveKind, StockMove
from gateway.records.base import table_of
from gateway.records.database import Records
from gateway.records.entries import Added, Entries, Keeping
from gateway.stock.tables import StockMoveRow

# What is metered as it flows has no stock.
_FLOWING = (Carrier.ELECTRICITY, Carrier.SOLAR_SELF_USED, Carrier.HEAT, Carrier.STEAM, Carrier.WATER)
FUELS = tuple(str(carrier) for carrier in Carrier if carrier not in _FLOWING)


class Stock(Entries[StockMove]):
    """The moves of all stocks. Two counts of one day contradict each other; a fuel is all weighed, or all measured."""

    def __init__(self, records: Records, clock: Clock) -> None:
        super().__init__(records, clock, _KEEPING)

    async def add(
        self, values: Sequence[StockMove], who: str, why: str = "", *, again: bool = False
    ) -> Added[StockMove]:
        """As `Entries.add`; EnergyError where a fuel is none, or is weighed here and measured by volume there."""
        kept = [entry.value for entry in await self.entries({move.of for move in values})]
        measures = {(move.of, move.fuel): move.measure for move in reversed([*kept, *values])}
        for move in values:
            _must_be_fuel(move)
            if measures[move.of, move.fuel] != move.measure:
                raise EnergyError(
                    f"{move.fuel} of {move.of} on {move.day} is in {move.unit}, other rows give it by "
                    f"{measures[move.of, move.fuel]}; give all of it by one of them"
                )
        return await super().add(values, who, why, again=again)


def _must_be_fuel(move: StockMove) -> None:
    if move.fuel not in FUELS:
        raise EnergyError(f"fuel {move.fuel!r} is not known; known are {', '.join(FUELS)}")


def _row(move: StockMove) -> dict[str, Any]:
    amount = None if move.amount is None else str(move.amount)
    same = {"of": move.of, "fuel": move.fuel, "day": move.day, "unit": move.unit, "note": move.note}
    return {**same, "kind": str(move.kind), "quantity": str(move.quantity), "amount": amount}


def _move(row: Mapping[str, Any]) -> StockMove:
    amount = None if row["amount"] is None else Decimal(row["amount"])
    kind, quantity = MoveKind(row["kind"]), Decimal(row["quantity"])
    return StockMove(row["of"], row["fuel"], kind, row["day"], quantity, row["unit"], amount, row["note"])


def _group(move: StockMove) -> Hashable:
    return move.of, move.fuel, move.kind, move.day


def _clash(one: StockMove, other: StockMove) -> bool:
    """A stock has one count a day; but things may be bought twice, told apart by what is noted beside."""
    return one.kind is MoveKind.COUNT or _substance(one) == _substance(other)


def _substance(move: StockMove) -> StockMove:
    return replace(move, note="") if move.kind is MoveKind.COUNT else move


_KEEPING: Keeping[StockMove] = Keeping(
    "stock_move", table_of(StockMoveRow), "of", _row, _move, group=_group, clash=_clash, substance=_substance
)
