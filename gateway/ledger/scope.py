"""Which counters make up a node: a meter, a place, an organisation, an item, or the whole site, on a given day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Self

from analytics.consumption.allocation import WHOLE, Shares, cumulative, weights_of
from energy.belonging import all_below, cut_days, lowers, uppers
from energy.errors import EnergyError, UnknownName
from energy.items import children, item
from energy.organisations import Basis, Share
from energy.quantities import Medium, main_counter
from energy.readings import Point
from energy.sites import Meter, Site


class NodeKind(StrEnum):
    """The trees in which a node can stand."""

    SITE = "site"
    PLACE = "place"
    ORGANISATION = "organisation"
    ITEM = "item"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a tree, written KIND/ID."""

    kind: NodeKind
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        kind, slash, name = text.partition("/")
        if not slash or not name or kind not in tuple(NodeKind):
            raise EnergyError(f"node {text!r} must be of the form KIND/ID, KIND being {', '.join(NodeKind)}")
        return cls(NodeKind(kind), name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Component:
    """A counter that counts towards a node: wholly, against it (sign -1), or with its share [low, high) of WHOLE."""

    point: Point
    sign: int = 1
    low: int = 0
    high: int = WHOLE

    @property
    def whole(self) -> bool:
        return self.low == 0 and self.high == WHOLE


@dataclass(frozen=True, slots=True)
class Move:
    """A meter hangs in another place from a day on."""

    meter: str
    place: str
    day: date


class Scope:
    """The trees of a site as they are on a day."""

    def __init__(self, site: Site, day: date, moves: Sequence[Move] = ()) -> None:
        self._site, self._day = site, day
        moved = {m.meter: m.place for m in sorted(moves, key=lambda m: m.day) if m.day <= day}
        parents = {m.id: m.parent for m in site.meters}
        there = {m.id for m in site.meters if m.removed_on is None or day < m.removed_on}
        self._meters: Mapping[str, Meter] = {
            m.id: replace(m, place=moved.get(m.id, m.place), parent=_standing(m.parent, parents, there))
            for m in site.meters
            if m.id in there
        }
        self._below: dict[str | None, list[Meter]] = defaultdict(list)
        for meter in self._meters.values():
            self._below[meter.parent].append(meter)
        self._shares = [s for s in site.shares if s.valid.holds(day)]
        self._organisations_below = lowers(uppers(site, day))
        self._divided = self._division()
        self._used: defaultdict[str, list[tuple[Meter, Component]]] | None = None
        self._inside: dict[Node, frozenset[str]] = {}

    def components(self, node: Node) -> dict[Medium, list[Component]]:
        """The counters that make up a node, by medium; UnknownName where there is no such node."""
        match node.kind:
            case NodeKind.SITE:
                found = self._plain(self._below[None])
            case NodeKind.METER:
                found = self._plain([self._meter(node.id)])
            case NodeKind.PLACE:
                found = self._plain(self._of_place(node.id))
            case NodeKind.ITEM:
                codes = _codes(node.id)
                found = self._plain(self._topmost({m.id for m in self._meters.values() if _has_item(m, codes)}))
            case NodeKind.ORGANISATION:
                found = self._of_organisation(node.id)
        by_medium: dict[Medium, list[Component]] = defaultdict(list)
        for meter, component in found:
            by_medium[meter.medium].append(component)
        return dict(by_medium)

    def parts(self, node: Node) -> list[Node]:
        """The nodes directly below, in the same tree; below the site are its places, below a meter its sub-meters."""
        match node.kind:
            case NodeKind.SITE:
                return [Node(NodeKind.PLACE, p.id) for p in self._site.places if p.parent is None]
            case NodeKind.PLACE:
                below = [Node(NodeKind.PLACE, p.id) for p in self._site.places if p.parent == node.id]
                return below or [Node(NodeKind.METER, m.id) for m in self._of_place(node.id)]
            case NodeKind.ORGANISATION:
                return [Node(NodeKind.ORGANISATION, o) for o in self._organisations_below.get(node.id, ())]
            case NodeKind.ITEM:
                return [Node(NodeKind.ITEM, i.short) for i in children(node.id)]
            case NodeKind.METER:
                return [Node(NodeKind.METER, m.id) for m in self._below[node.id]]

    def balanced(self) -> Iterator[tuple[Meter, list[Meter]]]:
        """Each meter that has sub-meters, and these."""
        for name, below in self._below.items():
            if name is not None:
                yield self._meters[name], below

    def meters(self, node: Node) -> frozenset[str]:
        """All meters of a node, those below its mains too; of an organisation all that it or one below it uses of,
        itself or with others. UnknownName where there is no such node."""
        if node not in self._inside:
            self._inside[node] = frozenset(self._all_of(node))
        return self._inside[node]

    def _all_of(self, node: Node) -> Collection[str]:
        match node.kind:
            case NodeKind.SITE:
                return self._meters.keys()
            case NodeKind.METER:
                meter = self._meter(node.id)
                return [meter.id, *(m.id for m in self._below_of(meter))]
            case NodeKind.PLACE:
                places = subtree(node.id, {p.id: p.parent for p in self._site.places}, "place")
                return [m.id for m in self._meters.values() if m.place in places]
            case NodeKind.ITEM:
                codes = _codes(node.id)
                return [m.id for m in self._meters.values() if _has_item(m, codes)]
            case NodeKind.ORGANISATION:
                own = organisations_of(node.id, self._site, self._organisations_below)
                return {m for name in own for m in self._by_user.get(name, ())}

    @cached_property
    def _by_user(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for meter, users in self.users().items():
            for user in users:
                found[user].append(meter)
        return found

    def users(self) -> dict[str, frozenset[str]]:
        """Who uses what each meter measures, itself or shared with others; nobody where that is not told."""
        found: dict[str, frozenset[str]] = {}
        left = [(meter, frozenset[str]()) for meter in self._below[None]]
        while left:
            meter, above = left.pop()
            found[meter.id] = self._users(meter, above)
            left += [(sub, found[meter.id]) for sub in self._below.get(meter.id, ())]
        return found

    def _users(self, meter: Meter, above: frozenset[str]) -> frozenset[str]:
        share = self._divided.get(meter.id)
        if share is not None:
            return frozenset(part.organisation for part in share.parts)
        return above if meter.organisation is None else frozenset((meter.organisation,))

    def standing(self) -> Mapping[str, Meter]:
        """The meters that are there on the day, each in its place and below the one that stands above it then."""
        return self._meters

    # -- meters ---------------------------------------------------------------------------------------------------

    def _meter(self, name: str) -> Meter:
        if name not in self._meters:
            raise UnknownName(f"meter {name!r} is not in the site on {self._day}")
        return self._meters[name]

    def _plain(self, meters: Sequence[Meter]) -> list[tuple[Meter, Component]]:
        return [(m, Component(p)) for m in meters if (p := _point(m)) is not None]

    def _below_of(self, meter: Meter) -> Iterator[Meter]:
        for sub in self._below[meter.id]:
            yield sub
            yield from self._below_of(sub)

    def _above(self, meter: Meter) -> Iterator[Meter]:
        while (parent := self._meters.get(meter.parent or "")) is not None:
            meter = parent
            yield meter

    def _topmost(self, chosen: Collection[str]) -> list[Meter]:
        """Of the meters chosen those that no chosen one stands above: none is counted twice."""
        return [self._meters[i] for i in chosen if not any(a.id in chosen for a in self._above(self._meters[i]))]

    def _of_place(self, name: str) -> list[Meter]:
        """The meters that together measure a place; one that measures beyond it is none of them."""
        places = subtree(name, {p.id: p.parent for p in self._site.places}, "place")
        inside = {m.id for m in self._meters.values() if m.place in places}
        within = {
            i for i in inside if all(s.place is None or s.place in places for s in self._below_of(self._meters[i]))
        }
        return self._topmost(within)

    # -- organisations --------------------------------------------------------------------------------------------

    def by_organisation(self) -> Mapping[str, list[tuple[Meter, Component]]]:
        """What each organisation itself uses, without those below it: made once, in one walk over all meters."""
        if self._used is None:
            self._used = defaultdict(list)
            for meter in self._below[None]:
                self._walk(meter, None, self._used)
            by_share: defaultdict[Share, list[Meter]] = defaultdict(list)
            for name, share in self._divided.items():
                by_share[share].append(self._meters[name])
            for share, meters in by_share.items():
                self._divide(share, meters, self._used)
        return self._used

    def _of_organisation(self, name: str) -> list[tuple[Meter, Component]]:
        own = organisations_of(name, self._site, self._organisations_below)
        used = self.by_organisation()
        return _without_opposites([found for organisation in own for found in used.get(organisation, [])])

    def _walk(self, meter: Meter, owner: str | None, used: dict[str, list[tuple[Meter, Component]]]) -> None:
        """From the main downwards: what is measured for another is his, and no longer that of whose main it is."""
        own = None if self._is_shared(meter) else meter.organisation or owner
        point = _point(meter)
        if own != owner and point is not None:
            if own is not None:
                used[own].append((meter, Component(point)))
            if owner is not None:
                used[owner].append((meter, Component(point, -1)))
        for sub in self._below[meter.id]:
            self._walk(sub, own, used)

    def _is_shared(self, meter: Meter) -> bool:
        return meter.id in self._divided

    def _division(self) -> dict[str, Share]:
        """By which share each meter is divided: by its own, else by that of the innermost place; by one only."""
        parents = {p.id: p.parent for p in self._site.places}
        found: dict[str, Share] = {}
        for place, share in sorted(
            ((s.place, s) for s in self._shares if s.place is not None), key=lambda pair: _depth(pair[0], parents)
        ):
            found |= {m.id: share for m in self._of_place(place) if m.organisation is None}
        found |= {s.meter: s for s in self._shares if s.meter is not None and s.meter in self._meters}
        return {name: share for name, share in found.items() if share.basis is not Basis.SUB_METER}

    def _divide(self, share: Share, meters: Sequence[Meter], used: dict[str, list[tuple[Meter, Component]]]) -> None:
        """Among those who share, what is measured together and not for one of them by himself."""
        weights = weights_of(share, self._site.facts, self._day, self._day + timedelta(days=1))
        edges = cumulative(Shares(tuple(weights.values())))
        for meter in meters:
            for of, sign in self._net(meter):
                point = _point(of)
                for name, low, high in zip(weights, edges[:-1], edges[1:], strict=True):
                    if point is not None and low < high:
                        used[name].append((of, Component(point, sign, low, high)))

    def _net(self, meter: Meter) -> Iterator[tuple[Meter, int]]:
        """What is shared of a meter: all of it, less what is measured for someone by himself."""
        yield meter, 1
        yield from ((sub, -1) for sub in self._owned_below(meter))

    def _owned_below(self, meter: Meter) -> Iterator[Meter]:
        for sub in self._below[meter.id]:
            if sub.organisation is not None or self._is_shared(sub):
                yield sub
            else:
                yield from self._owned_below(sub)


def _without_opposites(found: list[tuple[Meter, Component]]) -> list[tuple[Meter, Component]]:
    """Less what is counted once for and once against: what passes from one to another of the same tree."""
    left = Counter((c.point, c.low, c.high) for _, c in found if c.sign == -1)
    taken = Counter((c.point, c.low, c.high) for _, c in found if c.sign == 1)
    cancelled = {1: left & taken, -1: left & taken}
    kept = []
    for meter, component in found:
        name = component.point, component.low, component.high
        if cancelled[component.sign][name] > 0:
            cancelled[component.sign][name] -= 1
        else:
            kept.append((meter, component))
    return kept


def _point(meter: Meter) -> Point | None:
    name = main_counter(meter.medium, meter.quantities)
    return Point(meter.id, name) if name else None


def _codes(code: str) -> set[str]:
    found = {item(code).code}
    for below in children(code):
        found |= _codes(below.code)
    return found


def _has_item(meter: Meter, codes: Collection[str]) -> bool:
    try:
        return meter.item is not None and item(meter.item).code in codes
    except UnknownName:
        return False


def subtree(name: str, parents: Mapping[str, str | None], what: str) -> set[str]:
    """A node of a tree and all below it; UnknownName where there is none of this name."""
    if name not in parents:
        raise UnknownName(f"{what} {name!r} is not in the site")
    found = {name}
    more = True
    while more:
        below = {n for n, parent in parents.items() if parent in found} - found
        found |= below
        more = bool(below)
    return found


def organisations_of(name: str, site: Site, below: Mapping[str, Sequence[str]]) -> set[str]:
    """An organisation and all below it, by whatever tree, each once; UnknownName where there is none of this name."""
    if not any(o.id == name for o in site.organisations):
        raise UnknownName(f"organisation {name!r} is not in the site")
    return all_below([name], below)


def _standing(name: str | None, parents: Mapping[str, str | None], there: Collection[str]) -> str | None:
    """The nearest meter above that is still there."""
    while name is not None and name not in there:
        name = parents.get(name)
    return name


def _depth(name: str, parents: Mapping[str, str | None]) -> int:
    above, depth = parents.get(name), 0
    while above is not None:
        above, depth = parents.get(above), depth + 1
    return depth


def cuts(site: Site, moves: Sequence[Move]) -> list[date]:
    """The days on which who uses what changes."""
    days = {m.day for m in moves} | {m.removed_on for m in site.meters if m.removed_on} | cut_days(site)
    for share in site.shares:
        days |= {d for d in (share.valid.start, share.valid.end) if d is not None}
        if share.weighed_by_facts is not None:
            days |= {d for f in site.facts for d in (f.valid.start, f.valid.end) if d is not None}
    return sorted(days)
