"""The books as far as they are seen.

Points, meters, places and items are reckoned from what is seen alone, on a site in which there is nothing else. What an
organisation used is reckoned from everything, as for anybody: its share of a main that is not seen is part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from energy.belonging import uppers
from energy.errors import UnknownName
from energy.hours import Hours
from energy.life import MeterEvent
from energy.organisations import Organisation
from energy.quantities import Medium
from energy.sites import Meter
from gateway.access.seen_readings import SeenLedger, only_read, unknown_meter
from gateway.access.seen_site import Listed, seen_kept, seen_organisations
from gateway.access.sight import Ownership, Sight
from gateway.ledger.books import Books, Kept
from gateway.ledger.build import Builder, Built
from gateway.ledger.periods import Figures
from gateway.ledger.scope import Component, Node, NodeKind, Scope
from gateway.ledger.service import Consumption, Counted, Range
from gateway.ledger.terms import Terms


class SeenScope(Scope):
    """Trees of what is seen; an organisation is made of all that it uses."""

    def __init__(self, seen: Scope, whole: Scope, sight: Sight, behind: Scope | None = None) -> None:
        """`whole` has no word of what is hidden from the one who asks; `behind` tells what stands behind what."""
        # What is not told here below has nothing to look at, and fails.
        self._seen, self._whole, self._sight = seen, whole, sight
        self._behind = behind or whole

    def components(self, node: Node) -> dict[Medium, list[Component]]:
        _must_be_seen(node, self._sight)
        return (self._whole if node.kind is NodeKind.ORGANISATION else self._seen).components(node)

    def parts(self, node: Node) -> list[Node]:
        _must_be_seen(node, self._sight)
        return self._seen.parts(node)

    def meters(self, node: Node) -> frozenset[str]:
        _must_be_seen(node, self._sight)
        if node.kind is NodeKind.ORGANISATION:
            return frozenset(m for m in self._whole.meters(node) if self._sight.sees(m))
        return self._seen.meters(node)

    def balanced(self) -> Iterator[tuple[Meter, list[Meter]]]:
        """Those alone of which all sub-meters are seen: the rest of any other is the use of somebody else."""
        seen = {main.id: (main, below) for main, below in self._seen.balanced()}
        for main, below in self._behind.balanced():
            if main.id in seen and all(self._sight.sees(sub.id) for sub in below):
                yield seen[main.id]

    def users(self) -> dict[str, frozenset[str]]:
        return {m: users & self._sight.organisations for m, users in self._whole.users().items() if self._sight.sees(m)}

    def standing(self) -> Mapping[str, Meter]:
        return self._seen.standing()

    def by_organisation(self) -> Mapping[str, list[tuple[Meter, Component]]]:
        used = self._whole.by_organisation()
        return {name: used[name] for name in self._sight.organisations if name in used}


class SeenConsumption(Consumption):
    """What flowed where it is seen."""

    def __init__(
        self, whole: Consumption, books: Books, kept: Kept, sight: Sight, behind: Consumption | None = None
    ) -> None:
        super().__init__(SeenLedger(whole.ledger, sight), books.curves, kept.site, kept.events, kept.bills)
        self._whole, self._sight, self._behind = whole, sight, behind or whole

    def scope(self, day: date) -> Scope:
        return SeenScope(super().scope(day), self._whole.scope(day), self._sight, self._behind.scope(day))

    async def of_node(self, node: Node, asked: Range, medium: Medium | None = None) -> dict[Medium, Counted]:
        _must_be_seen(node, self._sight)
        if node.kind is NodeKind.ORGANISATION:
            return await self._whole.of_node(node, asked, medium)
        return await super().of_node(node, asked, medium)

    async def of_organisations(
        self, asked: Range, names: Collection[str] | None = None
    ) -> dict[str, dict[Medium, Figures]]:
        seen = self._sight.organisations if names is None else self._sight.organisations.intersection(names)
        return await self._whole.of_organisations(asked, seen)


def _must_be_seen(node: Node, sight: Sight) -> None:
    """An organisation that is not seen is answered for as one that is not; a site is seen as a whole only."""
    if node.kind is NodeKind.ORGANISATION and node.id not in sight.organisations:
        raise UnknownName(f"organisation {node.id!r} is not in the site")
    if node.kind is NodeKind.SITE:
        raise whole_site(sight)


def whole_site(sight: Sight) -> UnknownName:
    shown = ", ".join(f"organisation/{name}" for name in sorted(sight.organisations)[:5]) or "place/ID or meter/ID"
    return UnknownName(f"a site is told as a whole to those alone who see all of it; ask of {shown}")


class SeenBuilder(Builder):
    """Reckons hours anew of points that are seen, and writes nothing."""

    def __init__(self, books: Books, ledger: SeenLedger) -> None:
        self._books, self._seen = books, ledger

    def __getattr__(self, name: str) -> Any:
        # The terms change with the records.
        return _of(self._books.builder, name, ("terms",))

    async def under(self, terms: Terms, points: Sequence[int]) -> Hours:
        return await self._books.builder.under(terms, self._seen.seen(points).tolist())

    async def catch_up(
        self, tell: Callable[[float], None] = lambda _share: None, parts: Collection[int] | None = None
    ) -> Built:
        only_read()

    async def rebuild(self, tell: Callable[[float], None] = lambda _share: None) -> Built:
        only_read()


class SeenBooks(Books):
    """The books of what is seen; they follow the whole ones, and are kept up by nobody."""

    def __init__(
        self, books: Books, listed: Listed, sight: Sight, own: Ownership, reckoned: Consumption | None = None
    ) -> None:
        """`reckoned` tells what organisations used, without a word of what is hidden."""
        self._books, self._sight = books, sight
        self._listed, self._day = listed, own.day
        self.factors, self.curves = books.factors, books.curves
        ledger = SeenLedger(books.ledger, sight)
        self.ledger, self.builder = ledger, SeenBuilder(books, ledger)
        self.kept = seen_kept(listed, sight, own)
        whole = reckoned or books.consumption
        self.consumption = SeenConsumption(whole, books, self.kept, sight, books.consumption)

    def __getattr__(self, name: str) -> Any:
        return _of(self._books, name, ("pending", "revision"))

    def top(self) -> Node:
        """The first organisation that none seen stands above; where none is seen, the first place, or meter."""
        site = self.kept.site
        tops = [Node(NodeKind.ORGANISATION, name) for name, ups in uppers(site, self._day).items() if not ups]
        tops = tops or [Node(NodeKind.PLACE, p.id) for p in site.places]
        tops = tops or [Node(NodeKind.METER, m.id) for m in site.meters]
        if not tops:
            raise whole_site(self._sight)
        return tops[0]

    def named(self) -> Sequence[Organisation]:
        return seen_organisations(self._listed, self._sight.organisations | self._sight.named)

    def terms_with(self, events: Sequence[MeterEvent], without: Sequence[MeterEvent] = ()) -> Terms:
        for event in (*events, *without):
            if not self._sight.sees(event.meter):
                raise unknown_meter(event.meter)
        return self._books.terms_with(events, without)

    def take(self, kept: Kept) -> None:
        only_read()

    def changed(self) -> None:
        only_read()

    async def catch_up(
        self, tell: Callable[[float], None] = lambda _share: None, parts: Collection[int] | None = None
    ) -> Built:
        only_read()

    async def follow(self) -> None:
        only_read()


def _of(whole: object, name: str, told: tuple[str, ...]) -> Any:
    if name not in told:
        raise AttributeError(f"{name} is not told of what is seen")
    return getattr(whole, name)
