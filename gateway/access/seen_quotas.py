"""Quotas of the organisations that are seen, how their years go, and what they crossed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal

from analytics.quotas.pace import Mark
from energy.errors import UnknownName
from energy.quotas import Quota
from energy.sites import Text
from gateway.access.seen_readings import only_read
from gateway.access.seen_records import SeenEntries
from gateway.access.sight import Sight
from gateway.ledger.books import Books
from gateway.quotas.books import QuotaBooks
from gateway.quotas.paces import Paces
from gateway.quotas.reckoning import Pace
from gateway.quotas.service import Crossing, Crossings, Quotas
from gateway.records.entries import Entry


def seen_quotas(
    books: QuotaBooks, sight: Sight, reckoned: Books | None = None, touched: frozenset[str] = frozenset()
) -> QuotaBooks:
    """The books of quotas as far as they are seen; standards are everybody's.

    reckoned : the books by which paces are reckoned where something is hidden. touched : the organisations whose
    crossings were then reckoned with what is hidden; these are not told.
    """
    entries = SeenQuotas(books.entries, sight)
    paces = SeenPaces(books.paces if reckoned is None else books.paces.over(reckoned), sight)
    crossings = SeenCrossings(books.crossings, _owners(sight) - {f"organisation/{name}" for name in touched})
    return QuotaBooks(entries, paces, crossings, books.standards)


def _owners(sight: Sight) -> frozenset[str]:
    return frozenset(f"organisation/{name}" for name in sight.organisations)


class SeenQuotas(SeenEntries[Quota], Quotas):
    """The quotas of the organisations that are seen."""

    def __init__(self, quotas: Quotas, sight: Sight) -> None:
        super().__init__(quotas, "quota", _owners(sight), lambda quota: quota.of, "{} is not in the site")


class SeenPaces(Paces):
    """How the years of organisations that are seen go; reckoned as for anybody, with all that they use."""

    def __init__(self, paces: Paces, sight: Sight) -> None:
        # What is not told here below has nothing to look at, and fails.
        self._paces, self._owners = paces, _owners(sight)

    @property
    def today(self) -> date:
        return self._paces.today

    async def of(self, owners: Iterable[str] | None = None, year: int | None = None) -> list[Pace]:
        wanted = self._owners if owners is None else self._owners & set(owners)
        return await self._paces.of(wanted, year)

    async def lately(self, owners: Iterable[str] | None = None) -> list[Pace]:
        return await self._paces.lately(self._owners if owners is None else self._owners & set(owners))

    async def of_entries(self, entries: Sequence[Entry[Quota]]) -> list[Pace]:
        for entry in entries:
            self._must_be_seen(entry.value)
        return await self._paces.of_entries(entries)

    async def past_years(self, quota: Quota) -> dict[int, Decimal | None]:
        self._must_be_seen(quota)
        return await self._paces.past_years(quota)

    def _must_be_seen(self, quota: Quota) -> None:
        if quota.of not in self._owners:
            raise UnknownName(f"organisation {quota.of.removeprefix('organisation/')!r} is not in the site")


class SeenCrossings(Crossings):
    """What organisations that are seen crossed."""

    def __init__(self, crossings: Crossings, owners: frozenset[str]) -> None:
        self._crossings, self._owners = crossings, owners

    async def crossings(
        self, owners: Collection[str] | None = None, *, standing: bool = False, after: int = 0
    ) -> list[Crossing]:
        wanted = self._owners if owners is None else self._owners & set(owners)
        return await self._crossings.crossings(wanted, standing=standing, after=after)

    async def tell(
        self, entry: Entry[Quota], new: Sequence[tuple[Mark, float, Text]], over: Sequence[Mark]
    ) -> list[Crossing]:
        only_read()

    async def end(self, quota_ids: Collection[int]) -> None:
        only_read()
