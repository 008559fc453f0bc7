"""Consumption in the words of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

import numpy as np

from analytics.carbon.factor_file import FactorBook
from analytics.carbon.factor_sets import Converted
from analytics.carbon.factors import Carrier, FactorError
from analytics.consumption.dated import NotKnown, mean_over
from energy.errors import EnergyError
from energy.hours import Doubt
from energy.items import item
from energy.organisations import FactName
from energy.periods import Span, period
from energy.quantities import Medium, medium_of, quantity
from energy.readings import Point, from_ms
from energy.series import MICRO
from energy.sites import Site, Text
from gateway.api.words import TextWords
from gateway.ledger.books import Books
from gateway.ledger.periods import HALF_MS, Figures
from gateway.ledger.scope import Component, Node, NodeKind
from gateway.ledger.service import Counted, Range
from gateway.ledger.words import (
    ClosedWords,
    ComparisonWords,
    ConsumptionAnswer,
    ConsumptionQuery,
    ConvertedWords,
    DoubtWords,
    FactorWords,
    FigureWords,
    MediumWords,
    PartWords,
    PerWords,
    ShareWords,
)

CARRIERS = {Medium.ELECTRICITY: Carrier.ELECTRICITY, Medium.GAS: Carrier.NATURAL_GAS, Medium.HEAT: Carrier.HEAT}
_PER = (FactName.AREA_M2, FactName.PEOPLE)
_DOUBTS = 200
# The share of a period that may be unknown where it is compared with another.
_UNKNOWN_MOST = 0.05
# What points were closed with in a month 'YYYY-MM': amount and cost [millionths].
ClosedOf = Callable[[str, Collection[Point]], Awaitable[Mapping[Point, tuple[int, int | None]]]]
# A question that can be asked of another time too.
_Ask = Callable[[Range], Awaitable[dict[Medium, Counted]]]


async def consumption(books: Books, query: ConsumptionQuery, closed: ClosedOf | None = None) -> ConsumptionAnswer:
    """What flowed through a point or a node; `closed` tells what points had when a month was closed."""
    asked = Range(from_ms(query.from_), from_ms(query.to), Span(query.by), books.kept.site.zone_info)
    whole = Asked(books, asked, query, closed)
    if "/" in query.of:
        return await whole.of_node(Node.parse(query.of))
    return await whole.of_point(Point.parse(query.of))


class Asked:
    """A question, answered piece by piece."""

    def __init__(self, books: Books, asked: Range, query: ConsumptionQuery, closed: ClosedOf | None) -> None:
        self._books, self._asked, self._query, self._closed_of = books, asked, query, closed
        self._service = books.consumption

    async def of_point(self, point: Point) -> ConsumptionAnswer:
        self._service.must_know(point)
        medium = next((m.medium for m in self._books.kept.site.meters if m.id == point.meter), None)

        async def figures(asked: Range) -> dict[Medium, Counted]:
            found = await self._service.of_point(point, asked)
            return {medium or medium_of([point.quantity]): Counted(found, 1, point.quantity)}

        words = await self._media(figures, None)
        doubts = await self._service.doubts([point], self._asked)
        return self._answer(
            str(point), name_of(self._books.kept.site, Node(NodeKind.METER, point.meter)), words, doubts
        )

    async def of_node(self, node: Node) -> ConsumptionAnswer:
        if node.kind is NodeKind.SITE and node.id != self._books.kept.site.id:
            raise EnergyError(f"site {node.id!r} is not this one, which is {self._books.kept.site.id!r}")

        async def figures(asked: Range) -> dict[Medium, Counted]:
            return await self._service.of_node(node, asked, self._query.medium)

        words = await self._media(figures, node)
        points = self._service.points_of(node, self._asked.last_day)
        doubts = await self._service.doubts(points, self._asked)
        return self._answer(str(node), name_of(self._books.kept.site, node), words, doubts)

    def _answer(
        self, of: str, name: TextWords, media: list[MediumWords], doubts: Sequence[tuple[Point, Doubt]]
    ) -> ConsumptionAnswer:
        told = [
            DoubtWords(p.meter, p.quantity, d.kind, d.from_ms, d.to_ms)  # type: ignore[arg-type]
            for p, d in doubts[:_DOUBTS]
        ]
        edges = (self._asked.edges * HALF_MS).tolist()
        zone = self._asked.zone.key
        return ConsumptionAnswer(of, name, self._query.by, zone, edges, media, told, self._books.pending)

    # -- media ----------------------------------------------------------------------------------------------------

    async def _media(self, figures: _Ask, node: Node | None) -> list[MediumWords]:
        by_period = await figures(self._asked)
        total = await figures(self._asked.whole)
        then = self._asked.whole.a_year_before(), self._asked.whole.just_before()
        before = [await figures(r) if self._query.compare else {} for r in then]
        parts = await self._parts(node) if node is not None and self._query.parts else []
        names = names_of(self._books.kept.site, [n for n, _ in parts])
        made = []
        for medium, counted in by_period.items():
            whole = figure_of(total[medium].figures, 0)
            own = [(n, f[medium]) for n, f in parts if medium in f]
            made.append(
                MediumWords(
                    medium,
                    counted.quantity,
                    quantity(counted.quantity).unit if counted.quantity else "",
                    counted.counters,
                    whole,
                    [figure_of(counted.figures, i) for i in range(len(counted.figures.amount))],
                    await self._closed(node, medium),
                    compared(then[0], before[0].get(medium), whole),
                    compared(then[1], before[1].get(medium), whole),
                    self._converted(medium, counted.quantity, total[medium].figures),
                    self._per(node, total[medium].figures),
                    self._tariffs(node, medium),
                    [PartWords(str(n), names[n], figure_of(f.figures, 0)) for n, f in own],
                    _rest(total[medium].figures, [f.figures for _, f in own]) if own else None,
                )
            )
        return made

    async def _closed(self, node: Node | None, medium: Medium) -> list[ClosedWords]:
        """What the months asked for were closed with, as far as whole counters go."""
        if self._closed_of is None or self._asked.by is not Span.MONTH:
            return []
        edges, found = self._asked.edges, []
        for start, end in pairwise(from_ms(int(e) * HALF_MS) for e in edges):
            month = period(Span.MONTH, start, self._asked.zone)
            if (month.start, month.end) == (start, end):
                name = start.astimezone(self._asked.zone).strftime("%Y-%m")
                own = self._components(node, medium, end)
                kept = await self._closed_of(name, [c.point for c in own])
                found += [_closed_words(name, own, kept)] if kept and all(c.whole for c in own) else []
        return found

    def _components(self, node: Node | None, medium: Medium, end: datetime) -> list[Component]:
        if node is None:
            return [Component(Point.parse(self._query.of))]
        day = (end - timedelta(hours=1)).astimezone(self._asked.zone).date()
        return self._service.scope(day).components(node).get(medium, [])

    async def _parts(self, node: Node) -> list[tuple[Node, dict[Medium, Counted]]]:
        scope = self._service.scope(self._asked.last_day)
        whole = self._asked.whole
        return [(n, await self._service.of_node(n, whole, self._query.medium)) for n in scope.parts(node)]

    def _converted(self, medium: Medium, name: str, total: Figures) -> ConvertedWords | None:
        year = self._asked.start.astimezone(self._asked.zone).year
        return converted(self._books.factors, self._query.factors, medium, name, total, year)

    def _tariffs(self, node: Node | None, medium: Medium) -> list[str]:
        """Those that the counters are priced by today."""
        points = [c.point for c in self._components(node, medium, self._asked.end)]
        terms = self._books.builder.terms
        return sorted({worth.id for p in points if (worth := terms.worth(p)) is not None})

    def _per(self, node: Node | None, total: Figures) -> list[PerWords]:
        """For each square metre and person, where these are known on every day."""
        if node is None or node.kind not in (NodeKind.PLACE, NodeKind.ORGANISATION) or not total.known[0]:
            return []
        zone = self._asked.zone
        first, last = self._asked.start.astimezone(zone).date(), self._asked.end.astimezone(zone).date()
        made = []
        for fact in _PER:
            held = [f for f in self._books.kept.site.facts if f.fact is fact and f.node == (str(node.kind), node.id)]
            try:
                of = float(mean_over(held, first, last)) if first < last and held else 0.0
            except NotKnown:
                continue
            if of > 0:
                made.append(PerWords(str(fact), round(of, 6), round(float(total.amount[0]) / MICRO / of, 6)))
        return made


def name_of(site: Site, node: Node) -> TextWords:
    """What a node is called; its id, where it has no name."""
    return names_of(site, [node])[node]


def names_of(site: Site, nodes: Collection[Node]) -> dict[Node, TextWords]:
    """What nodes are called; each tree is looked through once."""
    wanted = set(nodes)
    found: dict[Node, Text] = {}
    trees: tuple[tuple[NodeKind, Callable[[], Iterable[Named]]], ...] = (
        (NodeKind.SITE, lambda: [site]),
        (NodeKind.PLACE, lambda: site.places),
        (NodeKind.ORGANISATION, lambda: site.organisations),
        (NodeKind.METER, lambda: [*site.virtual_points, *site.meters]),
    )
    for kind, listed in trees:
        ids = {node.id for node in wanted if node.kind is kind}
        if ids:
            found |= {Node(kind, one.id): one.name for one in listed() if one.id in ids}
    found |= {node: item(node.id).name for node in wanted if node.kind is NodeKind.ITEM}
    return {node: TextWords.of(found.get(node) or Text(node.id, node.id)) for node in wanted}


class Named(Protocol):
    """What has an id and a name."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> Text: ...


def figure_of(figures: Figures, i: int) -> FigureWords:
    """Period i in the words of the API."""
    known = bool(figures.known[i])
    shares = ShareWords(
        measured=_plain(figures.measured[i]),
        estimated=_plain(figures.estimated_time[i]),
        manual=_plain(figures.manual[i]),
        missing=_plain(figures.missing[i]),
        disputed=_plain(figures.disputed[i]),
    )
    priced = known and (figures.unpriced[i] != figures.amount[i] or figures.amount[i] == 0)
    cost = f"{Decimal(int(figures.cost[i])) / MICRO:.6f}" if priced else None
    return FigureWords(
        int(figures.amount[i]) / MICRO if known else None,
        int(figures.estimated[i]) / MICRO,
        cost,
        int(figures.unpriced[i]) / MICRO,
        shares,
    )


def _closed_words(month: str, own: Sequence[Component], kept: Mapping[Point, tuple[int, int | None]]) -> ClosedWords:
    figures = [(c.sign, *kept[c.point]) for c in own if c.point in kept]
    costs = [sign * cost for sign, _, cost in figures if cost is not None]
    cost = f"{Decimal(sum(costs)) / MICRO:.6f}" if costs else None
    return ClosedWords(month, sum(sign * amount for sign, amount, _ in figures) / MICRO, cost)


def converted(
    factors: FactorBook, chosen: str | None, medium: Medium, name: str, total: Figures, year: int, i: int = 0
) -> ConvertedWords | None:
    """Period i of a medium under a factor set; None where that has no factors for it, and where nothing is known."""
    carrier, found = CARRIERS.get(medium), factors.set(chosen or factors.sets[0].id)
    if carrier is None or not total.known[i]:
        return None
    try:
        made = found.convert(carrier, Decimal(int(total.amount[i])) / MICRO, quantity(name).unit, year)
    except FactorError:
        return None
    return conversion(made)


def compared(then: Range, counted: Counted | None, now: FigureWords) -> ComparisonWords | None:
    """The same in another period."""
    if counted is None:
        return None
    figure = figure_of(counted.figures, 0)
    change = None
    if now.value is not None and figure.value and comparable(now) and comparable(figure):
        change = round((now.value - figure.value) / figure.value, 6)
    start, end = int(then.edges[0]) * HALF_MS, int(then.edges[-1]) * HALF_MS
    return ComparisonWords(start, end, figure, change)


def comparable(figure: FigureWords) -> bool:
    """Whether enough is known of it to be set against another."""
    return figure.shares.missing + figure.shares.disputed <= _UNKNOWN_MOST


def _rest(total: Figures, parts: Sequence[Figures]) -> FigureWords:
    """What the parts do not account for."""

    def less(name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        left: np.ndarray[tuple[int], np.dtype[np.int64]] = getattr(total, name) - sum(getattr(p, name) for p in parts)
        return left

    rest = Figures(
        less("amount"),
        np.abs(less("estimated")),
        less("cost"),
        less("unpriced"),
        total.measured,
        total.estimated_time,
        total.manual,
        total.disputed,
    )
    return figure_of(rest, 0)


def conversion(made: Converted) -> ConvertedWords:
    used = [FactorWords(u.id, u.version, str(u.value), u.unit, u.source, str(u.confidence)) for u in made.used]
    co2 = None if made.kgco2 is None else round(float(made.kgco2), 6)
    return ConvertedWords(made.factor_set, round(float(made.kgce), 6), co2, round(float(made.gj), 9), used)


def _plain(share: float) -> float:
    """Without the dust of binary fractions: a share of a millionth is finer than a reading."""
    return round(float(share), 6) + 0.0
