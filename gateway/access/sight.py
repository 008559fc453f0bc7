"""What somebody may see: organisations, and the meters, places, accounts and virtual points that are theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TypeVar

from energy.belonging import all_above, all_below, lowers, uppers
from energy.sites import Site
from gateway.access.roles import SEPARATE, Grant, Identity, Permission, Role
from gateway.ledger.scope import Move, Scope

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far grants reach: everything, organisations with all below them, or single meters; two alike see alike."""

    everything: bool = False
    organisations: frozenset[str] = frozenset()
    meters: frozenset[str] = frozenset()

    @classmethod
    def of(cls, identity: Identity, permission: Permission) -> Reach:
        """Of the grants that permit it. Administration sees no data: that takes a role that reads."""
        granted = [g for g in identity.granted(permission) if g.role not in SEPARATE]
        return cls(
            any(_of_everything(g) for g in granted),
            frozenset(g.organisation for g in granted if g.organisation is not None and g.role is not Role.PARTNER),
            frozenset(m for g in granted if g.role is Role.PARTNER for m in g.meters),
        )


def operates_everywhere(identity: Identity) -> bool:
    """Whether edges and refused readings of the whole installation are his to look at."""
    return any(g.organisation is None and not g.meters for g in identity.granted(Permission.OPERATE))


def audits_everywhere(identity: Identity) -> bool:
    """Whether the log of what was done, which is that of the whole installation, is his to look at."""
    return any(g.organisation is None and not g.meters for g in identity.granted(Permission.AUDIT))


def _of_everything(grant: Grant) -> bool:
    return grant.organisation is None and grant.role is not Role.PARTNER


class Ownership:
    """Who uses what each meter of a site measures on a day: made once, for all who ask.

    A meter that was removed before the day is his who would use it if it stood there still.
    """

    def __init__(self, site: Site, day: date, moves: Sequence[Move] = ()) -> None:
        self.site, self.day, self.moves = site, day, moves
        standing = Scope(site, day, moves)
        gone = Scope(replace(site, meters=tuple(replace(m, removed_on=None) for m in site.meters)), day, moves)
        self.users = {**gone.users(), **standing.users()}
        self.meters = {**gone.standing(), **standing.standing()}
        # As the records list them: answers come in this order.
        self.order = {m.id: i for i, m in enumerate(site.meters)}
        self.below = _grouped((m.parent, m.id) for m in self.meters.values())
        self.of_organisation = _grouped((user, name) for name, users in self.users.items() for user in users)
        # By region and by department: who stands above, and below, on the day.
        self.uppers = uppers(site, day)
        self.lowers = lowers(self.uppers)
        self.places = {p.id: p.parent for p in site.places}
        self.within = _grouped((p.parent, p.id) for p in site.places)
        self.listed = {m.id: m for m in site.meters}
        self.in_place = self._in_places()
        self.of_account = _grouped((m.account, m.id) for m in site.meters)
        self.accounts = _grouped((a.organisation, a.id) for a in site.accounts)

    def _in_places(self) -> dict[str, list[str]]:
        """The meters that hang in a place, or in one within it."""
        found: dict[str, list[str]] = {}
        for meter in self.meters.values():
            for place in above(meter.place, self.places):
                found.setdefault(place, []).append(meter.id)
        return found

    @cached_property
    def users_in(self) -> dict[str, frozenset[str]]:
        """Who uses what is measured in a place, or in one within it."""
        return {place: frozenset().union(*(self.users[m] for m in own)) for place, own in self.in_place.items()}

    def subtree(self, organisations: Iterable[str]) -> frozenset[str]:
        """Organisations that there are, with all below them."""
        return frozenset(all_below((name for name in organisations if name in self.uppers), self.lowers))


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen; of what is not, nothing is told, not even that it is there.

    named : organisations above that are told by name alone. own_places : where everything that is measured is seen.
    accounts : with those alone of which all is seen compared with meters (`comparable`).
    """

    everything: bool = False
    organisations: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    meters: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    own_places: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    comparable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, identity: Identity, permission: Permission, site: Site, day: date) -> Sight:
        """What the identity may see under a permission, on a day."""
        return cls.within(Reach.of(identity, permission), Ownership(site, day))

    @classmethod
    def within(cls, reach: Reach, own: Ownership) -> Sight:
        """What is within reach."""
        if reach.everything:
            return cls(True)
        organisations = own.subtree(reach.organisations)
        used = {m for o in organisations for m in own.of_organisation.get(o, ()) if own.users[m] <= organisations}
        own_places = _own_places(used, organisations, own)
        used |= _of_nobody(own_places, used, own)
        meters = used | {m for m in reach.meters if m in own.meters}
        # Where a meter hangs on the day, and where it was hung at first.
        hung = {place for m in meters for place in (own.meters[m].place, own.listed[m].place)}
        accounts = {a for o in organisations for a in own.accounts.get(o, ())}
        named = {own.meters[m].account for m in used} - {None}
        whole = frozenset(a for a in named if a is not None and used.issuperset(own.of_account[a]))
        return cls(
            False,
            organisations,
            frozenset(all_above(reach.organisations, own.uppers)) & own.uppers.keys() - organisations,
            frozenset(meters),
            own_places.union(*(above(name, own.places) for name in hung)),
            own_places,
            frozenset(accounts | (whole & frozenset(own.accounts.get(None, ())))),
            whole,
        )

    def sees(self, meter: str) -> bool:
        return self.everything or meter in self.meters


def _own_places(used: Collection[str], organisations: frozenset[str], own: Ownership) -> frozenset[str]:
    """The places where nobody else uses anything, with those within them."""
    hung = {place for m in used for place in above(own.meters[m].place, own.places)}
    return _subtree((place for place in hung if own.users_in[place] <= organisations), own.within)


def _of_nobody(places: frozenset[str], used: Collection[str], own: Ownership) -> set[str]:
    """The meters in these places that nobody is told to use, and that measure nothing beyond them."""
    found = {m for p in places for m in own.in_place.get(p, ()) if not own.users[m]}
    return {m for m in found if all(below in used or below in found for below in _behind(m, own))}


def _behind(meter: str, own: Ownership) -> Iterator[str]:
    for sub in own.below.get(meter, ()):
        yield sub
        yield from _behind(sub, own)


def above(name: str | None, parents: dict[str, str | None]) -> Iterator[str]:
    """A node and those above it; none where there is no such node."""
    while name is not None and name in parents:
        yield name
        name = parents[name]


def _grouped(pairs: Iterable[tuple[T, str]]) -> dict[T, list[str]]:
    found: dict[T, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def _subtree(names: Iterable[str], below: Mapping[str | None, Sequence[str]]) -> frozenset[str]:
    left, found = list(names), set[str]()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += below.get(name, ())
    return frozenset(found)
