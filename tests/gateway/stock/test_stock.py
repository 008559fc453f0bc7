"""What was used of fuels follows from what was counted, told or bought; and it says from which."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from energy.errors import EnergyError, UnknownName
from energy.organisations import Organisation
from energy.sites import Site, Text
from energy.stock import MoveKind, StockMove
from gateway.records.database import Records
from gateway.stock.answers import used
from gateway.stock.reckoning import UseBasis, uses
from gateway.stock.service import Stock
from gateway.stock.words import StockAnswer, StockQuery
from tests.gateway.ledger.books import books

JANUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def stock(records: Records) -> Stock:
    return Stock(records, SteppedClock(datetime(2026, 7, 1, tzinfo=UTC)))


def move(kind: str, day: str, quantity: str, unit: str = "L", **given: Any) -> StockMove:
    of, fuel = given.pop("of", "organisation/bureau"), given.pop("fuel", "diesel")
    amount = Decimal(given.pop("amount")) if "amount" in given else None
    return StockMove(of, fuel, MoveKind(kind), date.fromisoformat(day), Decimal(quantity), unit, amount, **given)


OPENING, CLOSING = move("count", "2025-12-31", "100"), move("count", "2026-01-31", "80")
BOUGHT = move("purchase", "2026-01-15", "400", amount="3020.00", note="receipt 118")


def test_counts_at_both_ends_give_the_use_exactly() -> None:
    [use] = uses([OPENING, BOUGHT, CLOSING], *JANUARY)

    assert (use.used, use.basis, use.estimated) == (Decimal(420), UseBasis.COUNTED, False)
    assert [use.opening, use.purchased, use.closing, use.spent] == [Decimal(n) for n in (100, 400, 80, 3020)]


@pytest.mark.parametrize("counts", [[], [OPENING], [CLOSING]])
def test_without_both_counts_what_was_bought_is_taken_for_used_and_says_so(counts: list[StockMove]) -> None:
    [use] = uses([BOUGHT, *counts], *JANUARY)

    assert (use.used, use.basis, use.estimated) == (Decimal(400), UseBasis.PURCHASES, True)


def test_what_is_told_to_be_used_counts_before_what_was_bought() -> None:
    [use] = uses([BOUGHT, move("used", "2026-01-09", "30"), move("used", "2026-01-20", "25")], *JANUARY)

    assert (use.used, use.basis, use.estimated) == (Decimal(55), UseBasis.TOLD, False)


def test_counts_that_say_more_than_was_there_give_no_use() -> None:
    [use] = uses([OPENING, move("count", "2026-01-31", "130")], *JANUARY)

    assert (use.used, use.basis) == (None, UseBasis.COUNTED)


def test_a_purchase_of_the_last_evening_is_in_the_count_of_that_evening() -> None:
    late = move("purchase", "2026-01-31", "50")

    [use] = uses(
        [OPENING, CLOSING, late, move("purchase", "2025-12-31", "7"), move("purchase", "2026-02-01", "9")], *JANUARY
    )

    assert use.used == 100 + 50 - 80


def test_tonnes_and_kilograms_are_added_and_what_has_no_price_leaves_the_money_open() -> None:
    coal = [move("purchase", "2026-01-05", "1.5", "t", fuel="coal", amount="900.00")]
    coal.append(move("purchase", "2026-01-06", "250", "kg", fuel="coal"))

    [use] = uses(coal, *JANUARY)

    assert (use.used, use.unit, use.spent) == (Decimal("1.75"), "t", None)


def test_each_stock_and_fuel_stands_for_itself() -> None:
    found = uses([BOUGHT, move("purchase", "2026-01-15", "5", of="place/east"), OPENING], *JANUARY)

    assert [(use.of, use.used) for use in found] == [("organisation/bureau", Decimal(400)), ("place/east", Decimal(5))]
    assert uses([OPENING], *JANUARY) == []


async def test_moves_are_entered_once_and_two_counts_of_a_day_contradict(stock: Stock) -> None:
    await stock.add([OPENING, BOUGHT], "li")

    added = await stock.add([OPENING, BOUGHT, move("count", "2025-12-31", "90")], "wang")

    assert (added.ids, added.known) == ([], 2)
    assert [c.kept.value for c in added.contradicting] == [OPENING]


async def test_two_purchases_of_a_day_are_two_where_they_are_noted_apart(stock: Stock) -> None:
    added = await stock.add([move("purchase", "2026-01-15", "50", note=n) for n in ("1", "2", "2")], "li")

    assert (len(added.ids), added.known) == (2, 1)


async def test_what_is_no_fuel_or_measured_otherwise_than_before_is_refused(stock: Stock) -> None:
    await stock.add([OPENING], "li")

    with pytest.raises(EnergyError, match="on 2026-01-15 is in kg, other rows give it by volume"):
        await stock.add([move("purchase", "2026-01-15", "300", "kg")], "li")
    with pytest.raises(EnergyError, match="fuel 'electricity' is not known"):
        await stock.add([move("purchase", "2026-01-15", "300", fuel="electricity")], "li")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"of": "bureau"}, "must be organisation/ID or place/ID"),
        ({"unit": "kWh"}, "unit 'kWh' must be kg, t, L, m3"),
        ({"quantity": Decimal(-1)}, "must be a number, 0 or more"),
        ({"quantity": Decimal(0)}, "quantity 0 of a purchase"),
        ({"amount": Decimal("1.001")}, "must be in whole cents"),
        ({"kind": MoveKind.USED, "amount": Decimal(1)}, "amount is what a purchase cost; a used has none"),
    ],
)
def test_a_move_refuses_to_be_wrong(wrong: dict[str, Any], told: str) -> None:
    right = {"of": "place/a", "fuel": "diesel", "kind": MoveKind.PURCHASE, "day": date(2026, 1, 1)}
    with pytest.raises(ValueError, match=told):
        StockMove(**{**right, "quantity": Decimal(1), "unit": "L", **wrong})


def _organisations() -> Site:
    def organisation(name: str, parent: str | None = None) -> Organisation:
        return Organisation(name, Text(name, name), parent=parent)

    below = organisation("office", "bureau")
    return Site("campus", Text("园区", "Campus"), "Asia/Shanghai", organisations=(organisation("bureau"), below))


async def _used(stock: Stock, of: str, **given: Any) -> StockAnswer:
    async with books(_organisations()) as (kept, _):
        return await used(stock, kept, StockQuery(of, *JANUARY, **given))


async def test_a_node_has_the_stocks_of_all_below_it_converted(stock: Stock) -> None:
    await stock.add([OPENING, BOUGHT, CLOSING, move("purchase", "2026-01-15", "80", of="organisation/office")], "li")

    answer = await _used(stock, "organisation/bureau")

    assert [(use.of, use.used, use.estimated) for use in answer.uses] == [
        ("organisation/bureau", Decimal(420), False),
        ("organisation/office", Decimal(80), True),
    ]
    [total] = answer.totals
    parts = [use.converted.coal_kg for use in answer.uses if use.converted is not None]
    assert (total.fuel, total.stocks, total.estimated) == ("diesel", 2, True)
    assert total.coal_kg == pytest.approx(sum(parts)) and len(parts) == 2
    # A litre of diesel weighs less than a kilogram, and a kilogram is 1.4571 kgce.
    assert 0.8 * 1.4571 < parts[0] / 420 < 0.9 * 1.4571
    assert [entry.move.note for entry in answer.moves] == ["", "receipt 118", "", ""]
    assert len((await _used(stock, "organisation/office")).uses) == 1
    assert len((await _used(stock, "site/campus")).uses) == 2


async def test_what_keeps_no_stock_is_told(stock: Stock) -> None:
    with pytest.raises(UnknownName, match="organisation 'nobody' is not in the site"):
        await _used(stock, "organisation/nobody")
    with pytest.raises(EnergyError, match="meter/main keeps no stock"):
        await _used(stock, "meter/main")
