"""Services as each may see them: made once for all who see alike, as long as records and day stay the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from gateway.access.reckoned import reckoned, touched
from gateway.access.roles import SEPARATE, Identity, Permission
from gateway.access.seen_accounts import CLOSED, seen_accounts
from gateway.access.seen_alerts import narrowed, without_all
from gateway.access.seen_audit import ClosedAudit
from gateway.access.seen_books import SeenBooks
from gateway.access.seen_contracts import SeenContracts
from gateway.access.seen_copies import CLOSED_COPIES
from gateway.access.seen_present import ClosedEdges, SeenEdges, SeenHub, seen_directory, seen_problems
from gateway.access.seen_processes import CLOSED_PROCESSES
from gateway.access.seen_quotas import seen_quotas
from gateway.access.seen_readings import SeenQuarantine, SeenStore
from gateway.access.seen_records import SeenBills, SeenClosings, SeenFindings, SeenLives, SeenStock
from gateway.access.seen_site import Listed
from gateway.access.seen_sites import CLOSED_SITES, seen_sites
from gateway.access.sight import (
    Closed,
    Ownership,
    Reach,
    Sight,
    audits_everywhere,
    closed_to,
    hides,
    operates_everywhere,
)
from gateway.ledger.books import Kept
from gateway.ledger.service import Consumption
from gateway.live.hub import Hub
from gateway.live.service import Present

if TYPE_CHECKING:
    from gateway.services import Services

# So many different sights are kept; the longest unasked is forgotten first.
_KEPT = 8192


class Sights:
    """Narrows services, and remembers what it made."""

    def __init__(self) -> None:
        self._own: tuple[Kept, Ownership] | None = None
        self._listed: Listed | None = None
        self._made: OrderedDict[Hashable, Services] = OrderedDict()
        self._of: tuple[Services, Kept, int, date] | None = None
        self._hiding: tuple[Kept, bool] | None = None
        self._closed_to: dict[Reach, Closed] = {}
        self._reckoned: dict[Closed, Consumption] = {}

    def of(self, services: Services, identity: Identity, permission: Permission) -> Services:
        """The services as the identity may see them under the permission."""
        audits = audits_everywhere(identity) and self.tells_all(services, identity, Permission.AUDIT)
        made = self.within(services, Reach.of(identity, permission), self.operates(services, identity), audits)
        accounts = seen_accounts(services.accounts, identity, permission)
        sites = seen_sites(services.sites, identity, permission)
        if accounts is made.accounts and sites is made.sites:
            return made
        return replace(made, accounts=accounts, sites=sites)

    def operates(self, services: Services, identity: Identity) -> bool:
        """Whether edges and refused readings are his to look at: they tell of all meters."""
        return operates_everywhere(identity) and self.tells_all(services, identity, Permission.OPERATE)

    def tells_all(self, services: Services, identity: Identity, permission: Permission) -> bool:
        """Whether nothing is hidden from him under a permission that he holds of everything; the administrations are
        of the whole installation, with what is hidden in it."""
        if any(g.role in SEPARATE for g in identity.granted(permission)) or not self._hides(services):
            return True
        self._renew(services)
        return not self._closed(Reach.of(identity, permission))

    def within(self, services: Services, reach: Reach, operates: bool, audits: bool) -> Services:
        """The services as far as a reach goes; `operates` opens edges and refused readings, `audits` the log."""
        if reach.everything and not self._hides(services):
            return _of_everything(services, operates, audits)
        self._renew(services)
        name = reach, operates, audits
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._narrowed(services, reach, operates, audits)
        self._made.move_to_end(name)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    def _hides(self, services: Services) -> bool:
        """Whether anything is hidden, today or another day."""
        told = services.books.told
        if self._hiding is None or self._hiding[0] is not told:
            self._hiding = told, hides(told.site)
        return self._hiding[1]

    def _closed(self, reach: Reach) -> Closed:
        """What is hidden from who reaches so far; `_renew` came before."""
        assert self._own is not None
        found = self._closed_to.get(reach)
        if found is None:
            found = self._closed_to[reach] = closed_to(reach, self._own[1])
        return found

    def ownership(self, services: Services, day: date) -> Ownership:
        """Who uses what today; made anew where the records changed that, or a day began."""
        told = services.books.told
        if self._own is None or self._own[0] is not told or self._own[1].day != day:
            moves = services.books.consumption.moves
            own = None if self._own is None else self._own[1]
            if own is None or own.day != day or own.site != told.site or own.moves != moves:
                own = Ownership(told.site, day, moves)
            self._own = told, own
        return self._own[1]

    def _renew(self, services: Services) -> None:
        """Forget what was made of other records, other points or another day."""
        day = services.clock.now().astimezone(services.books.kept.site.zone_info).date()
        kept, revision = services.books.kept, services.directory.revision
        if (
            self._of is None
            or self._of[0] is not services
            or self._of[1] is not kept
            or self._of[2:] != (revision, day)
        ):
            self._made.clear()
            self._closed_to.clear()
            self._reckoned.clear()
            self._of, self._listed = (services, kept, revision, day), None
            self.ownership(services, day)

    def _narrowed(self, services: Services, reach: Reach, operates: bool, audits: bool) -> Services:
        whole, services = services, _of_everything(services, operates, audits)
        assert self._own is not None
        own, closed = self._own[1], self._closed(reach)
        if reach.everything and not closed:
            return services
        if closed and closed not in self._reckoned:
            self._reckoned[closed] = reckoned(services.books, closed, own)
        if self._listed is None:
            self._listed = Listed(services.books.kept)
        sight = Sight.within(reach, own)
        books = SeenBooks(services.books, self._listed, sight, own, self._reckoned.get(closed))
        directory = seen_directory(services.directory, books.kept.site, sight, own)
        store = SeenStore(services.store, sight, lambda: [p for m in directory.meters.values() for p in m.points])
        present = Present(store, directory, SeenEdges(whole.edges, sight), services.clock)
        present.of_gateway = seen_problems(services.present, directory, own)

        def again() -> Hub:
            return self.within(whole, reach, operates, audits).hub

        stock = SeenStock(services.stock, sight)
        return replace(
            services,
            store=store,
            directory=directory,
            present=present,
            hub=SeenHub(services.hub, sight, present, again),
            lives=SeenLives(services.lives, sight, own),
            books=books,
            bills=SeenBills(services.bills, sight),
            stock=stock,
            alerts=narrowed(services.alerts, sight),
            closings=SeenClosings(services.closings, services.books, books, sight),
            findings=SeenFindings(services.findings, sight),
            quotas=seen_quotas(services.quotas, sight, books if closed else None, touched(closed, own)),
            contracts=SeenContracts(services.contracts, sight),
            statistics=services.statistics.over(books, stock, apart=bool(closed)),
            sights=Sights(),
        )


def _of_everything(services: Services, operates: bool, audits: bool) -> Services:
    """Without what is told of the whole installation alone, where that is not his."""
    services = replace(services, accounts=CLOSED, sites=CLOSED_SITES)
    if not operates:
        closed = SeenQuarantine(services.quarantine, open_to=False)
        services = replace(
            services,
            edges=ClosedEdges(),
            quarantine=closed,
            alerts=without_all(services.alerts),
            copies=CLOSED_COPIES,
            processes=CLOSED_PROCESSES,
        )
    return services if audits else replace(services, audit=ClosedAudit(services.audit))
