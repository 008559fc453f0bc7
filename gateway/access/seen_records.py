"""What people entered, as far as it is seen; where something is not, it is entered and withdrawn by others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from energy.bills import SupplierBill
from energy.errors import UnknownName
from energy.findings import FindingKind
from energy.life import MeterEvent
from energy.periods import month_of
from energy.readings import Point
from energy.stock import StockMove
from gateway.access.seen_books import whole_site
from gateway.access.seen_readings import not_of_all, unknown_meter
from gateway.access.sight import Ownership, Sight
from gateway.billing.service import Bills
from gateway.closing.figures import Difference, Figure
from gateway.closing.rows import Closing, ClosingEntry
from gateway.closing.service import Closings
from gateway.findings.kept import Kept, Reason, State
from gateway.findings.learnt import LearntCounters
from gateway.findings.looks import Look
from gateway.findings.service import Findings
from gateway.ledger.books import Books
from gateway.life.service import Added as AddedEvents
from gateway.life.service import KeptEvent, Lives
from gateway.records.entries import Added, Entries, Entry
from gateway.stock.service import Stock

V = TypeVar("V")
# In all of these nothing of the base is set: what is not told here has no records to look into, and fails.


class SeenLives(Lives):
    """The events of the meters that are seen."""

    def __init__(self, lives: Lives, sight: Sight, own: Ownership) -> None:
        self._lives, self._sight, self._own = lives, sight, own

    async def events(self, meters: Iterable[str] | None = None, *, withdrawn: bool = False) -> list[KeptEvent]:
        wanted = self._sight.meters if meters is None else {m for m in meters if self._sight.sees(m)}
        return await self._lives.events(wanted, withdrawn=withdrawn) if wanted else []

    async def event(self, event_id: int) -> KeptEvent:
        kept = await self._lives.event(event_id)
        if not self._sight.sees(kept.event.meter):
            raise UnknownName(f"event {event_id} is not known")
        return kept

    async def add(self, events: Sequence[MeterEvent], who: str, why: str = "", *, again: bool = False) -> AddedEvents:
        for event in events:
            if not self._sight.sees(event.meter):
                raise unknown_meter(event.meter)
            if event.place is not None and event.place not in self._sight.places:
                raise UnknownName(f"place {event.place!r} is not in the site")
        return await self._lives.add(events, who, why, again=again)

    async def withdraw(self, event_id: int, who: str, why: str = "") -> KeptEvent:
        await self.event(event_id)
        return await self._lives.withdraw(event_id, who, why)


class SeenEntries(Entries[V]):
    """Entries of the owners that are seen."""

    def __init__(
        self, entries: Entries[V], name: str, owners: Collection[str], owner: Callable[[V], str], unknown: str
    ) -> None:
        self._entries, self._name, self._owners, self._owner, self._unknown = entries, name, owners, owner, unknown

    async def entries(self, owners: Iterable[str] | None = None, *, withdrawn: bool = False) -> list[Entry[V]]:
        wanted = set(self._owners) if owners is None else {o for o in owners if o in self._owners}
        return await self._entries.entries(wanted, withdrawn=withdrawn) if wanted else []

    async def entry(self, entry_id: int) -> Entry[V]:
        kept = await self._entries.entry(entry_id)
        if self._owner(kept.value) not in self._owners:
            raise UnknownName(f"{self._name} {entry_id} is not known")
        return kept

    async def add(self, values: Sequence[V], who: str, why: str = "", *, again: bool = False) -> Added[V]:
        for value in values:
            if (owner := self._owner(value)) not in self._owners:
                raise UnknownName(self._unknown.format(owner))
        return await self._entries.add(values, who, why, again=again)

    async def withdraw(self, entry_id: int, who: str, why: str = "") -> Entry[V]:
        await self.entry(entry_id)
        return await self._entries.withdraw(entry_id, who, why)


class SeenBills(SeenEntries[SupplierBill], Bills):
    """The bills of the accounts that are seen."""

    def __init__(self, bills: Bills, sight: Sight) -> None:
        super().__init__(bills, "bill", sight.accounts, lambda bill: bill.account, "account {!r} is of no site")


class SeenStock(SeenEntries[StockMove], Stock):
    """The stocks of the organisations that are seen, and of their own places."""

    def __init__(self, stock: Stock, sight: Sight) -> None:
        self._sight = sight
        owners = {f"organisation/{o}" for o in sight.organisations} | {f"place/{p}" for p in sight.own_places}
        super().__init__(stock, "stock_move", owners, lambda move: move.of, "{} is not in the site")

    async def entries(self, owners: Iterable[str] | None = None, *, withdrawn: bool = False) -> list[Entry[StockMove]]:
        if owners is None:
            raise whole_site(self._sight)
        return await super().entries(owners, withdrawn=withdrawn)


class SeenClosings(Closings):
    """The closed months, with the figures of the meters that are seen. They are closed for all at once."""

    def __init__(self, closings: Closings, books: Books, seen: Books, sight: Sight) -> None:
        self._closings, self._whole, self._seen, self._sight = closings, books, seen, sight

    async def close(self, month: str, who: str, why: str = "") -> Closing:
        raise not_of_all("closed months")

    async def correct(self, closing: Closing, who: str, why: str) -> list[ClosingEntry]:
        raise not_of_all("closed months")

    async def closings(self) -> list[Closing]:
        return await self._closings.closings()

    async def closing(self, month: str) -> Closing:
        return await self._closings.closing(month)

    async def closed_figures(self, closing: Closing, points: Collection[Point] | None = None) -> dict[Point, Figure]:
        wanted = self._points() if points is None else [p for p in points if self._sight.sees(p.meter)]
        return await self._closings.closed_figures(closing, wanted) if wanted else {}

    async def closed_of(self, month: str, points: Collection[Point]) -> dict[Point, tuple[int, int | None]]:
        """Of counters that are seen, or that are counted for or against an organisation that is: these are asked to
        be added up."""
        if all(self._sight.sees(p.meter) or p in self._counted(month) for p in points):
            return await self._closings.closed_of(month, points)
        return {}

    async def entries(self, closing: Closing | None = None, *, booked_in: str | None = None) -> list[ClosingEntry]:
        found = await self._closings.entries(closing, booked_in=booked_in)
        return [entry for entry in found if self._sight.sees(entry.point.meter)]

    async def differences(self, closing: Closing) -> list[Difference]:
        return [one for one in await self._closings.differences(closing) if self._sight.sees(one.point.meter)]

    def _points(self) -> list[Point]:
        return [point for meter in self._seen.kept.site.meters for point in meter.points]

    def _counted(self, month: str) -> set[Point]:
        """In the month, as it was reckoned at its end."""
        zone = self._whole.kept.site.zone_info
        last = month_of(month, zone).end.astimezone(zone).date() - timedelta(days=1)
        used = self._seen.consumption.scope(last).by_organisation()
        return {component.point for own in used.values() for _, component in own if component.whole}


class SeenFindings(Findings):
    """The findings at the meters that are seen."""

    def __init__(self, findings: Findings, sight: Sight) -> None:
        self._findings, self._sight = findings, sight

    async def found(
        self,
        *,
        meters: Collection[str] | None = None,
        states: Collection[State] = (),
        kinds: Collection[FindingKind] = (),
        from_ms: int | None = None,
        to_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Kept]:
        wanted = self._sight.meters if meters is None else {m for m in meters if self._sight.sees(m)}
        if not wanted:
            return []
        return await self._findings.found(
            meters=wanted, states=states, kinds=kinds, from_ms=from_ms, to_ms=to_ms, limit=limit
        )

    async def finding(self, finding_id: int) -> Kept:
        kept = await self._findings.finding(finding_id)
        if not self._sight.sees(kept.finding.point.meter):
            raise UnknownName(f"finding {finding_id} is not known")
        return kept

    async def decide(
        self, finding_id: int, state: State, who: str, why: str = "", reason: Reason | None = None
    ) -> Kept:
        await self.finding(finding_id)
        return await self._findings.decide(finding_id, state, who, why, reason)

    def learnt(self, method: str) -> LearntCounters:
        raise not_of_all("findings")

    async def take(self, look: Look) -> tuple[int, int]:
        raise not_of_all("findings")

    async def leave(self, looked_at: Collection[Point], since_ms: int) -> int:
        raise not_of_all("findings")
