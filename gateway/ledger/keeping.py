"""What the books need of the records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from energy.ports import Clock
from energy.sites import Site
from gateway.billing.service import Bills
from gateway.ledger.books import Kept
from gateway.life.service import Lives
from gateway.records.database import Records
from gateway.sites.records import SiteRecords
from gateway.tariffs.service import Tariffs


async def kept(records: Records, clock: Clock, nobody: Site) -> Kept:
    """The sites as one, the events of all meters, the tariffs; `nobody` where no site was imported."""
    sites = SiteRecords(records, clock)
    found = [await sites.site(i) for i in await sites.ids()]
    events = [one.event for one in await Lives(records, clock).events()]
    bills = [one.value for one in await Bills(records, clock).entries()]
    return Kept(_together(found) if found else nobody, events, await Tariffs(records, clock).tariffs(), bills)


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
