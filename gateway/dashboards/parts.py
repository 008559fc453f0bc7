"""Which counters make up a node, and when: as rows that SQL can be given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from energy.errors import UnknownName
from energy.hours import HOUR_MS
from energy.life import EventKind, MeterEvent
from energy.quantities import Medium
from energy.readings import Point, from_ms, to_ms
from energy.sites import Site
from gateway.ledger.scope import Component, Move, Node, Scope, cuts

# Hours since the epoch before and after all that is asked for.
ALWAYS = (0, 10_000_000)


@dataclass(frozen=True, slots=True)
class Part:
    """A counter that counts towards a node in the hours [first, stop) since the epoch."""

    component: Component
    first: int
    stop: int

    @property
    def point(self) -> Point:
        return self.component.point


@dataclass(frozen=True, slots=True)
class Made:
    """What a node is made of, of one medium; `eras` are hours [first, stop) and how many counters there are in them."""

    parts: Sequence[Part]
    eras: Sequence[tuple[int, int, int]]

    @property
    def whole(self) -> bool:
        """Whether no counter is shared."""
        return all(p.component.whole for p in self.parts)


class Compositions:
    """What nodes are made of, since ever: the same as the gateway reckons with, but for bills without meters."""

    def __init__(self, site: Site, events: Sequence[MeterEvent]) -> None:
        zone = site.zone_info
        moves = [
            Move(e.meter, e.place, from_ms(e.at_ms).astimezone(zone).date())
            for e in events
            if e.kind is EventKind.MOVED and e.place is not None
        ]
        days = cuts(site, moves)
        edges = [to_ms(datetime(d.year, d.month, d.day, tzinfo=zone)) // HOUR_MS for d in days]
        bounds = [ALWAYS[0], *edges, ALWAYS[1]]
        begins = [date(1970, 1, 1), *days]
        self._scopes = [
            (first, stop, Scope(site, day, moves))
            for first, stop, day in zip(bounds[:-1], bounds[1:], begins, strict=True)
            if first < stop
        ]
        self._known: dict[Node, Mapping[Medium, Made]] = {}

    @property
    def last(self) -> Scope:
        """The trees as they are after all changes that are known."""
        return self._scopes[-1][2]

    def of(self, node: Node) -> Mapping[Medium, Made]:
        """By medium; nothing in the time in which there is no such node."""
        if node not in self._known:
            self._known[node] = self._composed(node)
        return self._known[node]

    def _composed(self, node: Node) -> Mapping[Medium, Made]:
        found: dict[Medium, list[tuple[int, int, list[Component]]]] = defaultdict(list)
        for first, stop, scope in self._scopes:
            try:
                components = scope.components(node)
            except UnknownName:
                continue
            for medium, own in components.items():
                found[medium].append((first, stop, own))
        return {medium: _made(eras) for medium, eras in sorted(found.items())}


def _made(eras: Sequence[tuple[int, int, list[Component]]]) -> Made:
    counted: list[tuple[int, int, int]] = []
    for first, stop, own in eras:
        if counted and counted[-1][1:] == (first, len(own)):
            counted[-1] = (counted[-1][0], stop, len(own))
        else:
            counted.append((first, stop, len(own)))
    return Made(_joined(eras), counted)


def _joined(eras: Sequence[tuple[int, int, list[Component]]]) -> list[Part]:
    """Each counter once for as long as it counts in the same way. One that counts twice is there twice."""
    running: dict[tuple[Component, int], Part] = {}
    done: list[Part] = []
    for first, stop, own in eras:
        seen: dict[Component, int] = defaultdict(int)
        for component in own:
            name = component, seen[component]
            seen[component] += 1
            before = running.get(name)
            if before is not None and before.stop == first:
                running[name] = replace(before, stop=stop)
            else:
                done += [before] if before is not None else []
                running[name] = Part(component, first, stop)
    return [*done, *running.values()]
