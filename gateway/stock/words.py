"""Stocks of fuels as the API tells and takes them. Money and quantities are decimals, as text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from energy.stock import MoveKind, StockMove
from gateway.api.words import Note, Said, Who
from gateway.ledger.words import ConvertedWords
from gateway.records.entries import Added, Entry


class MoveWords(msgspec.Struct, forbid_unknown_fields=True):
    """What was bought or used on a day, or counted in its evening. `amount` is what a purchase cost."""

    of: Said
    fuel: str
    kind: MoveKind
    day: date
    quantity: Decimal
    unit: str
    amount: Decimal | None = None
    note: Note = ""

    @property
    def move(self) -> StockMove:
        return StockMove(**msgspec.structs.asdict(self))

    @classmethod
    def of_move(cls, move: StockMove) -> MoveWords:
        return cls(**{name: getattr(move, name) for name in cls.__struct_fields__})


class KeptMoveWords(msgspec.Struct):
    """A move as it is kept: by whom, why and when it was entered, and withdrawn if it was."""

    id: int
    move: MoveWords
    who: str
    why: str
    entered_at: int
    withdrawn_at: int | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @classmethod
    def of(cls, kept: Entry[StockMove]) -> KeptMoveWords:
        said = kept.who, kept.why, kept.entered_at_ms, kept.withdrawn_at_ms, kept.withdrawn_by, kept.withdrawn_why
        return cls(kept.id, MoveWords.of_move(kept.value), *said)


class FuelUseWords(msgspec.Struct):
    """What was used of a fuel from one stock, or from all below the node.

    `basis` is counted (opening + purchases - closing: exact), told, or purchases: then what was bought is taken for
    used, and `estimated`. `used` is null where counts say more than was there. `spent` is null where a purchase has no
    amount; `converted` where the factor set has no factor.
    """

    of: str
    fuel: str
    unit: str
    used: Decimal | None
    basis: str
    estimated: bool
    opening: Decimal | None
    purchased: Decimal
    closing: Decimal | None
    spent: Decimal | None
    converted: ConvertedWords | None


class FuelTotalWords(msgspec.Struct):
    """A fuel over all stocks of the node; null where one of them is not known."""

    fuel: str
    coal_kg: float | None
    co2_kg: float | None
    estimated: bool
    stocks: int


class StockQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`of` is organisation/ID or place/ID, with all below it; or site/ID. `to` is not included."""

    of: str
    from_: date
    to: date
    factors: str | None = None


class StockAnswer(msgspec.Struct, rename={"from_": "from"}):
    """What was used of fuels that are kept, and every move of the period and of the count before it."""

    of: str
    from_: date
    to: date
    factor_set: str
    uses: list[FuelUseWords]
    totals: list[FuelTotalWords]
    moves: list[KeptMoveWords]


class NewMoves(msgspec.Struct, forbid_unknown_fields=True):
    """Moves to keep, all of them or, where one is wrong, none. `again` takes those that were withdrawn once."""

    moves: Annotated[list[MoveWords], msgspec.Meta(min_length=1, max_length=1000)]
    who: Who = ""
    why: Note = ""
    again: bool = False


class MoveContradictionWords(msgspec.Struct):
    """A count that was not added: another one of the day is kept. Withdraw that one first."""

    move: MoveWords
    kept: KeptMoveWords


class AddedMovesAnswer(msgspec.Struct):
    """Ids of the new moves, and what became of the others."""

    added: list[int]
    known: int
    withdrawn: list[KeptMoveWords]
    contradicting: list[MoveContradictionWords]

    @classmethod
    def of(cls, added: Added[StockMove]) -> AddedMovesAnswer:
        others = [
            MoveContradictionWords(MoveWords.of_move(c.given), KeptMoveWords.of(c.kept)) for c in added.contradicting
        ]
        return cls(added.ids, added.known, [KeptMoveWords.of(kept) for kept in added.withdrawn], others)


class MoveWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Which move holds no longer, and who says so why."""

    id: int
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    who: Who = ""
