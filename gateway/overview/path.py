"""Where a node stands: the way down to it, and what is directly below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from energy.belonging import uppers
from energy.items import ITEMS, item
from energy.sites import Site
from gateway.ledger.answers import names_of
from gateway.ledger.books import Books
from gateway.ledger.scope import Node, NodeKind
from gateway.overview.words import OverviewNodeWords


def way_to(books: Books, node: Node, day: date) -> list[OverviewNodeWords]:
    """From the top of what is seen down to the node, which is the last. Of one that stands below two the first."""
    site, top = books.kept.site, books.top()
    way = list(_upwards(books, node, day))[::-1]
    if top.kind is NodeKind.SITE and way[0] != top:
        way.insert(0, top)
    return _named(site, way)


def below(books: Books, node: Node, day: date) -> list[OverviewNodeWords]:
    """What is directly below in the same tree; below a site its topmost organisations, and its topmost places."""
    site, found = books.kept.site, books.consumption.scope(day).parts(node)
    if node.kind is NodeKind.SITE:
        found = [Node(NodeKind.ORGANISATION, name) for name, ups in uppers(site, day).items() if not ups] + found
    return _named(site, found)


def _named(site: Site, nodes: Iterable[Node]) -> list[OverviewNodeWords]:
    listed = list(nodes)
    names = names_of(site, listed)
    return [OverviewNodeWords(str(node), names[node]) for node in listed]


def _upwards(books: Books, node: Node, day: date) -> Iterator[Node]:
    """The node, and what stands above it: of a meter the place it hangs in."""
    site = books.kept.site
    yield node
    match node.kind:
        case NodeKind.PLACE:
            yield from _above(node.id, NodeKind.PLACE, {p.id: p.parent for p in site.places})
        case NodeKind.ORGANISATION:
            parents = {name: next(iter(ups), None) for name, ups in uppers(site, day).items()}
            yield from _above(node.id, NodeKind.ORGANISATION, parents)
        case NodeKind.ITEM:
            codes = {one.code: one.parent for one in ITEMS.values()}
            own = _above(item(node.id).code, NodeKind.ITEM, codes)
            yield from (Node(NodeKind.ITEM, item(one.id).short) for one in own)
        case NodeKind.METER:
            places = {p.id: p.parent for p in site.places}
            standing = books.consumption.scope(day).standing().get(node.id)
            if standing is not None and standing.place in places:
                yield Node(NodeKind.PLACE, standing.place)
                yield from _above(standing.place, NodeKind.PLACE, places)


def _above(name: str, kind: NodeKind, parents: Mapping[str, str | None]) -> Iterator[Node]:
    at = parents.get(name)
    while at is not None and at in parents:
        yield Node(kind, at)
        at = parents[at]
