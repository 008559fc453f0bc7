"""What of a site does not fit together: references that lead nowhere, circles, overlaps, sums that are not 1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from energy.belonging import belonging_faults
from energy.official_codes import REGION_KINDS, region_prefix
from energy.organisations import Fact, Organisation, Share

if TYPE_CHECKING:
    from energy.sites import Meter, Place, Site

Way: TypeAlias = tuple[str | int, ...]
Fault: TypeAlias = tuple[Way, str]

_LISTS = ("places", "lines", "meters", "organisations", "virtual_points", "accounts")
# key of a reference -> the list that it leads into; `parent` is told apart by the list that it stands in.
_LEADS = {"line": "lines", "place": "places", "organisation": "organisations", "account": "accounts", "meter": "meters"}
_REFERRING = ("meters", "facts", "shares", "virtual_points", "accounts")


def faults(site: Site) -> list[Fault]:
    """All faults, each as (the way to the key as in a site file, a sentence)."""
    found = [*_repeated(site)]
    for key in _REFERRING:
        found += _leading_nowhere(site, key)
    found += _of_meters(site)
    found += _of_tree("places", [(place.id, place.parent) for place in site.places])
    found += _of_tree("organisations", [(one.id, one.parent) for one in site.organisations])
    found += belonging_faults(site)
    found += _of_codes(site)
    found += _of_facts(site.facts)
    found += _of_shares(site)
    return found


def _repeated(site: Site) -> Iterator[Fault]:
    for key in _LISTS:
        seen = {m.id for m in site.meters} if key == "virtual_points" else set()
        for i, item in enumerate(getattr(site, key)):
            if item.id in seen:
                yield (key, i, "id"), f"id {item.id!r} is used twice; give each its own"
            seen.add(item.id)


def _leading_nowhere(site: Site, key: str) -> Iterator[Fault]:
    """References of the things in a list that lead to nothing."""
    known = {name: {item.id for item in getattr(site, inside)} for name, inside in _LEADS.items()}
    for i, item in enumerate(getattr(site, key)):
        for name, ids in known.items():
            given = getattr(item, name, None)
            if given is not None and given not in ids:
                yield (key, i, name), f"{name} {given!r} is none of {_listed(ids)}"


def _of_meters(site: Site) -> Iterator[Fault]:
    meters = {m.id: m for m in site.meters}
    parents = {m.id: m.parent for m in site.meters}
    billed = {a.id: a.medium for a in site.accounts}
    called: dict[tuple[str, int | str], str] = {}
    for i, meter in enumerate(site.meters):
        if meter.line is not None:
            key = "unit" if meter.address is None else "address"
            name: int | str = getattr(meter, key)
            other = called.setdefault((meter.line, name), meter.id)
            if other != meter.id:
                yield ("meters", i, key), f"{key} {name} on line {meter.line} is taken by meter {other!r}"
            if meter.sender is not None:
                text = f"is for meters that are on no line; line {meter.line} says by `edge` who reads it"
                yield ("meters", i, "sender"), text
            if meter.removed_on is not None:
                yield ("meters", i, "removed_on"), "a meter that was removed is on no line; take its `line` away"
        for text in _parent_faults(meter, meters) or _circles(meter.id, parents):
            yield ("meters", i, "parent"), text
        if meter.account is not None and billed.get(meter.account, meter.medium) is not meter.medium:
            yield (
                ("meters", i, "account"),
                f"account {meter.account!r} is for {billed[meter.account]}, this meter measures {meter.medium}",
            )


def _parent_faults(meter: Meter, meters: Mapping[str, Meter]) -> list[str]:
    if meter.parent is None:
        return []
    parent = meters.get(meter.parent)
    if parent is None:
        return [f"parent {meter.parent!r} is no meter of this site"]
    if parent.medium is not meter.medium:
        return [f"parent {parent.id!r} measures {parent.medium}, this meter {meter.medium}"]
    return []


def _circles(start: str, parents: Mapping[str, str | None]) -> list[str]:
    """The circle that the parents of `start` run into, as a sentence; none where they end."""
    above = [start]
    parent = parents.get(start)
    while parent is not None:
        if parent in above:
            return [f"parents go in a circle: {' -> '.join([*above, parent])}"]
        above.append(parent)
        parent = parents.get(parent)
    return []


def _of_tree(key: str, nodes: Sequence[tuple[str, str | None]]) -> Iterator[Fault]:
    """Faults of a tree of (id, parent)."""
    parents = dict(nodes)
    for i, (name, parent) in enumerate(nodes):
        if parent is not None and parent not in parents:
            yield (key, i, "parent"), f"parent {parent!r} is none of {_listed(parents)}"
        for text in _circles(name, parents):
            yield (key, i, "parent"), text


def _of_codes(site: Site) -> Iterator[Fault]:
    """Codes that two have, and regions that do not nest."""
    regions = {o.id: o for o in site.organisations}
    both: tuple[tuple[str, Sequence[Organisation | Place]], ...] = (
        ("organisations", site.organisations),
        ("places", site.places),
    )
    for key, nodes in both:
        seen: dict[str, str] = {}
        for i, node in enumerate(nodes):
            if node.code is not None and seen.setdefault(node.code, node.id) != node.id:
                yield (key, i, "code"), f"code {node.code!r} is that of {seen[node.code]!r} already"
    for i, one in enumerate(site.organisations):
        above = regions.get(one.parent or "")
        if one.kind not in REGION_KINDS or above is None:
            continue
        if above.kind not in (*REGION_KINDS, "region"):
            yield ("organisations", i, "parent"), f"a {one.kind} lies in a region; {above.id!r} is a {above.kind}"
        elif above.kind in REGION_KINDS and REGION_KINDS.index(above.kind) >= REGION_KINDS.index(one.kind):
            yield ("organisations", i, "parent"), f"a {one.kind} cannot lie in {above.id!r}, which is a {above.kind}"
        elif one.code and above.code and not one.code.startswith(prefix := region_prefix(above.kind, above.code)):
            yield ("organisations", i, "code"), f"code {one.code} must begin with {prefix}, as it lies in {above.code}"


def _of_facts(facts: Sequence[Fact]) -> Iterator[Fault]:
    same: dict[tuple[str, ...], list[tuple[int, Fact]]] = defaultdict(list)
    for i, fact in enumerate(facts):
        same[(*fact.node, fact.fact)].append((i, fact))
    for group in same.values():
        for (_, one), (i, other) in combinations(group, 2):
            if one.valid.overlaps(other.valid):
                yield (
                    ("facts", i),
                    f"{other.fact} of {other.node[0]} {other.node[1]} is said twice: it holds {one.valid} already",
                )


def _of_shares(site: Site) -> Iterator[Fault]:
    sized = {(fact.organisation, fact.fact) for fact in site.facts}
    organisations = {organisation.id for organisation in site.organisations}
    subjects: dict[tuple[str, str], list[Share]] = defaultdict(list)
    for i, share in enumerate(site.shares):
        for text in share.faults():
            yield ("shares", i, "parts"), text
        for k, part in enumerate(share.parts):
            way = ("shares", i, "parts", k, "organisation")
            if part.organisation not in organisations:
                yield way, f"organisation {part.organisation!r} is none of {_listed(organisations)}"
            elif share.weighed_by_facts and (part.organisation, share.weighed_by_facts) not in sized:
                yield way, f"has neither a weight here nor a fact {share.weighed_by_facts} to take it from"
        for other in subjects[share.subject]:
            if share.valid.overlaps(other.valid):
                yield ("shares", i), f"{' '.join(share.subject)} is shared twice: a share holds {other.valid} already"
        subjects[share.subject].append(share)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "(none is given)"
