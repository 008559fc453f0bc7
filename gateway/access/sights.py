"""Services as each may see them: made once for all who see alike, as long as records and day stay the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from gateway.access.roles import Identity, Permission
from gateway.access.seen_audit import ClosedAudit
from gateway.access.seen_books import SeenBooks
from gateway.access.seen_present import ClosedEdges, SeenEdges, SeenHub, seen_directory, seen_problems
from gateway.access.seen_readings import SeenQuarantine, SeenStore
from gateway.access.seen_records import SeenBills, SeenClosings, SeenLives, SeenStock
from gateway.access.seen_site import Listed
from gateway.access.sight import Ownership, Reach, Sight, audits_everywhere, operates_everywhere
from gateway.ledger.books import Kept
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

    def of(self, services: Services, identity: Identity, permission: Permission) -> Services:
        """The services as the identity may see them under the permission."""
        return self.within(
            services, Reach.of(identity, permission), operates_everywhere(identity), audits_everywhere(identity)
        )

    def within(self, services: Services, reach: Reach, operates: bool, audits: bool) -> Services:
        """The services as far as a reach goes; `operates` opens edges and refused readings, `audits` the log."""
        if reach.everything:
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
            self._of, self._listed = (services, kept, revision, day), None
            self.ownership(services, day)

    def _narrowed(self, services: Services, reach: Reach, operates: bool, audits: bool) -> Services:
        whole, services = services, _of_everything(services, operates, audits)
        assert self._own is not None
        own = self._own[1]
        if self._listed is None:
            self._listed = Listed(services.books.kept)
        sight = Sight.within(reach, own)
        books = SeenBooks(services.books, self._listed, sight, own)
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
            closings=SeenClosings(services.closings, services.books, books, sight),
            statistics=services.statistics.over(books, stock),
            sights=Sights(),
        )


def _of_everything(services: Services, operates: bool, audits: bool) -> Services:
    """Without what is told of the whole installation alone, where that is not his."""
    if not operates:
        closed = SeenQuarantine(services.quarantine, open_to=False)
        services = replace(services, edges=ClosedEdges(), quarantine=closed)
    return services if audits else replace(services, audit=ClosedAudit(services.audit))
