"""The records as far as they are seen: a site that fits together, of nothing but what is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from analytics.consumption.formula import FormulaError, flattened, parse
from energy.bills import SupplierBill
from energy.errors import EnergyError
from energy.life import MeterEvent
from energy.organisations import Fact, Organisation, Share
from energy.readings import Point
from energy.sites import Meter, Site, VirtualPoint
from gateway.access.sight import Ownership, Sight
from gateway.ledger.books import Kept


class Listed:
    """What the records list, by what it is of: so that who sees little waits little."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        site = kept.site
        self.meters = {m.id: m for m in site.meters}
        self.organisations = {o.id: o for o in site.organisations}
        self.places = {p.id: p for p in site.places}
        self.accounts = {a.id: a for a in site.accounts}
        self.position = {name: i for i, name in enumerate(self.organisations)}
        self.place_position = {name: i for i, name in enumerate(self.places)}
        self.facts: dict[tuple[str, str], list[Fact]] = {}
        for fact in site.facts:
            self.facts.setdefault(fact.node, []).append(fact)
        self.shares: dict[tuple[str, str], list[Share]] = {}
        for share in site.shares:
            self.shares.setdefault(share.subject, []).append(share)
        self.events: dict[str, list[MeterEvent]] = {}
        for event in kept.events:
            self.events.setdefault(event.meter, []).append(event)
        self.bills: dict[str, list[SupplierBill]] = {}
        for bill in kept.bills:
            self.bills.setdefault(bill.account, []).append(bill)

    @cached_property
    def virtual(self) -> dict[str, list[tuple[VirtualPoint, frozenset[str]]]]:
        """Virtual points with the meters that they rest on, by each of these; a broken formula rests on nothing."""
        site, found = self.kept.site, dict[str, list[tuple[VirtualPoint, frozenset[str]]]]()
        for point in site.virtual_points:
            meters = _rests_on(site, point)
            for meter in meters:
                found.setdefault(meter, []).append((point, meters))
        return found


def _rests_on(site: Site, point: VirtualPoint) -> frozenset[str]:
    try:
        formula = flattened({v.id: parse(v.formula) for v in site.virtual_points}, point.id)
        return frozenset(Point.parse(name).meter if ":" in name else name for name in formula.operands)
    except (FormulaError, EnergyError, ValueError):
        return frozenset()


def seen_kept(listed: Listed, sight: Sight, own: Ownership) -> Kept:
    """The records of what is seen."""
    meters = sorted((m for m in sight.meters if m in listed.meters), key=own.order.__getitem__)
    return Kept(
        _site(listed, sight, [seen_meter(listed.meters[m], sight, own) for m in meters]),
        [event for m in meters for event in listed.events.get(m, ())],
        listed.kept.tariffs,
        [bill for a in sorted(sight.accounts) for bill in listed.bills.get(a, ())],
    )


def seen_meter(meter: Meter, sight: Sight, own: Ownership) -> Meter:
    """A meter, with no word of what is not seen: the next one above that is takes the place of its parent."""
    return replace(
        meter,
        parent=_seen_above(meter.parent, sight, own),
        organisation=meter.organisation if meter.organisation in sight.organisations else None,
        account=meter.account if meter.account in sight.comparable & sight.accounts else None,
    )


def _seen_above(name: str | None, sight: Sight, own: Ownership) -> str | None:
    while name is not None and name not in sight.meters:
        name = own.listed[name].parent if name in own.listed else None
    return name


def _site(listed: Listed, sight: Sight, meters: list[Meter]) -> Site:
    whole = listed.kept.site
    nodes = [*(("organisation", o) for o in sight.organisations), *(("place", p) for p in sight.own_places)]
    subjects = [*(("meter", m) for m in sight.meters), *(("place", p) for p in sight.own_places)]
    shares = (s for subject in subjects for s in listed.shares.get(subject, ()))
    return replace(
        whole,
        places=tuple(listed.places[p] for p in sorted(sight.places, key=listed.place_position.__getitem__)),
        lines=(),
        meters=tuple(meters),
        organisations=seen_organisations(listed, sight.organisations),
        memberships=tuple(m for m in whole.memberships if {m.organisation, m.within} <= sight.organisations),
        facts=tuple(fact for node in sorted(nodes) for fact in listed.facts.get(node, ())),
        shares=tuple(s for s in shares if all(part.organisation in sight.organisations for part in s.parts)),
        virtual_points=tuple(_virtual(listed, sight)),
        accounts=tuple(listed.accounts[a] for a in sorted(sight.accounts) if a in listed.accounts),
    )


def _virtual(listed: Listed, sight: Sight) -> Iterable[VirtualPoint]:
    """Those of which everything that they rest on is seen."""
    candidates = {point.id: (point, on) for m in sight.meters for point, on in listed.virtual.get(m, ())}
    for _, (point, on) in sorted(candidates.items()):
        if on <= sight.meters:
            yield replace(
                point,
                place=point.place if point.place in sight.places else None,
                organisation=point.organisation if point.organisation in sight.organisations else None,
            )


def seen_organisations(listed: Listed, names: Iterable[str]) -> tuple[Organisation, ...]:
    """Organisations in the order of the records; below one that is not among them they stand at the top."""
    chosen = set(names)
    found = sorted((n for n in chosen if n in listed.organisations), key=listed.position.__getitem__)
    organisations = (listed.organisations[n] for n in found)
    return tuple(o if o.parent in chosen else replace(o, parent=None) for o in organisations)
