"""What was used of fuels that are kept, in the words of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from analytics.carbon.factor_sets import FactorSet
from analytics.carbon.factors import Carrier, FactorError
from energy.belonging import all_below, lowers, uppers
from energy.errors import EnergyError, UnitError, UnknownName
from energy.sites import Site
from energy.stock import StockMove
from gateway.ledger.answers import conversion
from gateway.ledger.books import Books
from gateway.ledger.scope import Node, NodeKind
from gateway.ledger.words import ConvertedWords
from gateway.records.entries import Entry
from gateway.stock.reckoning import FuelUse, uses
from gateway.stock.service import Stock
from gateway.stock.words import FuelTotalWords, FuelUseWords, KeptMoveWords, StockAnswer, StockQuery


async def used(stock: Stock, books: Books, query: StockQuery) -> StockAnswer:
    """What was used of each fuel, stock by stock and together."""
    if not query.from_ < query.to:
        raise EnergyError(f"from {query.from_} must be before to {query.to}")
    kept = await stock.entries(owners_of(books.kept.site, Node.parse(query.of), query.to - timedelta(days=1)))
    chosen = books.factors.set(query.factors or books.factors.sets[0].id)
    found = uses([entry.value for entry in kept], query.from_, query.to)
    words = [_use(use, chosen, query.from_.year) for use in found]
    moves = [KeptMoveWords.of(entry) for entry in sorted(kept, key=_order) if _is_of(entry.value, query)]
    return StockAnswer(query.of, query.from_, query.to, chosen.id, words, _totals(words), moves)


def owners_of(site: Site, node: Node, day: date) -> list[str] | None:
    """Who keeps the stocks of a node: the node and all below it on a day; None of a site, where everybody does."""
    match node.kind:
        case NodeKind.SITE:
            return None
        case NodeKind.ORGANISATION:
            above: Mapping[str, tuple[str, ...]] = uppers(site, day)
        case NodeKind.PLACE:
            above = {p.id: () if p.parent is None else (p.parent,) for p in site.places}
        case _:
            raise EnergyError(f"{node} keeps no stock; ask of an organisation, a place or the site")
    if node.id not in above:
        raise UnknownName(f"{node.kind} {node.id!r} is not in the site")
    within = all_below([node.id], lowers(above))
    return [str(Node(node.kind, name)) for name in above if name in within]


def _is_of(move: StockMove, query: StockQuery) -> bool:
    return query.from_ - timedelta(days=1) <= move.day < query.to


def _order(entry: Entry[StockMove]) -> tuple[str, str, str, int]:
    return entry.value.of, entry.value.fuel, entry.value.day.isoformat(), entry.id


def _use(use: FuelUse, factors: FactorSet, year: int) -> FuelUseWords:
    numbers = use.opening, use.purchased, use.closing, use.spent
    same = use.of, use.fuel, use.unit, use.used, str(use.basis), use.estimated
    return FuelUseWords(*same, *numbers, _converted(use, factors, year))


def _converted(use: FuelUse, factors: FactorSet, year: int) -> ConvertedWords | None:
    if use.used is None:
        return None
    try:
        return conversion(factors.convert(Carrier(use.fuel), use.used, use.unit, year))
    except (FactorError, UnitError):
        return None


def _totals(found: Sequence[FuelUseWords]) -> list[FuelTotalWords]:
    made = []
    for fuel in dict.fromkeys(use.fuel for use in found):
        own = [use for use in found if use.fuel == fuel]
        coal = [None if use.converted is None else use.converted.coal_kg for use in own]
        co2 = [None if use.converted is None else use.converted.co2_kg for use in own]
        made.append(FuelTotalWords(fuel, _sum(coal), _sum(co2), any(use.estimated for use in own), len(own)))
    return made


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return round(sum(known), 6) if len(known) == len(parts) else None
