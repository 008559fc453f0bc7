"""What the books need of the records."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from energy.ports import Clock
from energy.sites import Site
from gateway.billing.service import KIND as BILL
from gateway.billing.service import Bills
from gateway.ledger.books import Kept
from gateway.life.service import KIND as EVENT
from gateway.life.service import Lives
from gateway.records.database import Records
from gateway.sites.keeping import KEPT
from gateway.sites.records import SiteRecords
from gateway.tariffs.service import KIND as TARIFF
from gateway.tariffs.service import Tariffs

OF_SITES = frozenset(KEPT)
OF_BOOKS = OF_SITES | {EVENT, TARIFF, BILL}


async def kept(records: Records, clock: Clock, nobody: Site) -> Kept:
    """The sites as one, the events of all meters, the tariffs; `nobody` where no site was imported."""
    return await renewed(Kept(nobody), OF_BOOKS, records, clock, nobody)


async def renewed(before: Kept, kinds: Collection[str], records: Records, clock: Clock, nobody: Site) -> Kept:
    """What the records say after changes of these kinds; what they do not concern is not read again."""
    site, events, tariffs, bills = before.site, before.events, before.tariffs, before.bills
    if not OF_SITES.isdisjoint(kinds):
        site = await _sites(SiteRecords(records, clock)) or nobody
    if EVENT in kinds:
        events = [one.event for one in await Lives(records, clock).events()]
    if TARIFF in kinds:
        tariffs = await Tariffs(records, clock).tariffs()
    if BILL in kinds:
        bills = [one.value for one in await Bills(records, clock).entries()]
    return Kept(site, events, tariffs, bills)


async def _sites(sites: SiteRecords) -> Site | None:
    found = [await sites.site(i) for i in await sites.ids()]
    return _together(found) if found else None


def _together(sites: list[Site]) -> Site:
    first = sites[0]

    def all_of(name: str) -> Any:
        return tuple(x for site in sites for x in getattr(site, name))

    return replace(
        first,
        places=all_of("places"),
        lines=all_of("lines"),
        meters=all_of("meters"),
        organisations=all_of("organisations"),
        memberships=all_of("memberships"),
        facts=all_of("facts"),
        shares=all_of("shares"),
        virtual_points=all_of("virtual_points"),
        accounts=all_of("accounts"),
    )
