"""Who belongs below whom on a day: by the `parent` of an organisation, and by its dated memberships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from energy.validity import ALWAYS, Validity

if TYPE_CHECKING:
    from energy.sites import Site

Way: TypeAlias = tuple[str | int, ...]
Edge: TypeAlias = tuple[Way, str, str, Validity]


def uppers(site: Site, day: date) -> dict[str, tuple[str, ...]]:
    """Of every organisation those directly above it on a day, its `parent` first."""
    found: dict[str, tuple[str, ...]] = {o.id: () if o.parent is None else (o.parent,) for o in site.organisations}
    for m in site.memberships:
        if m.valid.holds(day) and m.organisation in found and m.within not in found[m.organisation]:
            found[m.organisation] = (*found[m.organisation], m.within)
    return found


def lowers(above: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """`uppers` turned round: of every organisation those directly below it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, ups in above.items():
        for up in ups:
            found[up].append(name)
    return found


def all_above(names: Iterable[str], above: Mapping[str, Sequence[str]]) -> set[str]:
    """All that stand above, not these themselves unless one is above another."""
    left, found = [up for name in names for up in above.get(name, ())], set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += above.get(name, ())
    return found


def all_below(names: Iterable[str], below: Mapping[str, Sequence[str]]) -> set[str]:
    """These and all below them, each once however many ways lead to it."""
    left, found = list(names), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += below.get(name, ())
    return found


def cut_days(site: Site) -> set[date]:
    """The days on which somebody comes to belong elsewhere."""
    return {d for m in site.memberships for d in (m.valid.start, m.valid.end) if d is not None}


def belonging_faults(site: Site) -> Iterator[tuple[Way, str]]:
    """Memberships that lead nowhere, go in a circle, or bring one organisation twice below the same."""
    known = {o.id for o in site.organisations}
    edges = [e for e in _edges(site) if e[1] in known and e[2] in known]
    above: dict[str, list[str]] = defaultdict(list)
    of: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        above[edge[1]].append(edge[2])
        of[edge[1]].append(edge)
    for i, m in enumerate(site.memberships):
        for key, name in (("organisation", m.organisation), ("within", m.within)):
            if name not in known:
                yield ("memberships", i, key), f"organisation {name!r} is not among the organisations"
        if m.organisation in known and m.organisation in all_above([m.organisation], above):
            yield ("memberships", i, "within"), f"{m.organisation!r} would belong to itself, by way of {m.within!r}"
    for own in of.values():
        yield from _twice(own, above)


def _edges(site: Site) -> Iterator[Edge]:
    for i, o in enumerate(site.organisations):
        if o.parent is not None:
            yield ("organisations", i, "parent"), o.id, o.parent, ALWAYS
    for i, m in enumerate(site.memberships):
        yield ("memberships", i, "within"), m.organisation, m.within, m.valid


def _twice(own: Collection[Edge], above: Mapping[str, Sequence[str]]) -> Iterator[tuple[Way, str]]:
    """Each tree counts an organisation once: what stands above it by two ways at a time would count it twice."""
    for (_, _, one, first), (way, name, other, second) in combinations(own, 2):
        if first.overlaps(second):
            both = sorted({one, *all_above([one], above)} & {other, *all_above([other], above)})
            if both:
                yield (
                    way,
                    f"{name!r} would count twice in {both[0]!r}, by {one!r} and by {other!r} at the same time; "
                    "end one before the other begins, or let the department stand beside the region, not below it",
                )
