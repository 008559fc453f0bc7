"""The records from the command line: sites and the lives of meters, without a running gateway or beside one.

Each service is loaded where it is asked for: all of them take as long as the database itself.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.clocks import SystemClock
from energy.errors import EnergyError
from energy.sites import Meter, Site
from gateway.records.database import Records, open_records
from gateway.sites.records import SiteRecords
from jieneng.settings import Settings

if TYPE_CHECKING:
    from gateway.accounts.service import Accounts
    from gateway.audit.service import Audit
    from gateway.billing.service import Bills
    from gateway.findings.service import Findings
    from gateway.life.service import Lives
    from gateway.quotas.service import Quotas
    from gateway.stock.service import Stock
    from gateway.tariffs.service import Tariffs


@asynccontextmanager
async def kept(settings: Settings) -> AsyncIterator[Records]:
    """The records that the settings name."""
    async with open_records(*settings.of_records) as records:
        yield records


@asynccontextmanager
async def kept_sites(settings: Settings) -> AsyncIterator[SiteRecords]:
    async with kept(settings) as records:
        yield SiteRecords(records, SystemClock())


@asynccontextmanager
async def kept_lives(settings: Settings) -> AsyncIterator[tuple[Lives, SiteRecords]]:
    from gateway.life.service import Lives

    async with kept(settings) as records:
        yield Lives(records, SystemClock()), SiteRecords(records, SystemClock())


@asynccontextmanager
async def kept_audit(settings: Settings) -> AsyncIterator[Audit]:
    from gateway.audit.service import Audit

    async with kept(settings) as records:
        yield Audit(records, SystemClock())


@asynccontextmanager
async def kept_findings(settings: Settings) -> AsyncIterator[list[Findings]]:
    """The findings of each site."""
    from gateway.findings.service import Findings

    async with kept(settings) as records:
        clock = SystemClock()
        yield [Findings(records, clock, site) for site in await SiteRecords(records, clock).ids()]


@asynccontextmanager
async def kept_tariffs(settings: Settings) -> AsyncIterator[Tariffs]:
    from gateway.tariffs.service import Tariffs

    async with kept(settings) as records:
        yield Tariffs(records, SystemClock())


@asynccontextmanager
async def kept_bills(settings: Settings) -> AsyncIterator[tuple[Bills, SiteRecords]]:
    from gateway.billing.service import Bills

    async with kept(settings) as records:
        yield Bills(records, SystemClock()), SiteRecords(records, SystemClock())


@asynccontextmanager
async def kept_quotas(settings: Settings) -> AsyncIterator[tuple[Quotas, SiteRecords]]:
    from gateway.quotas.service import Quotas

    async with kept(settings) as records:
        yield Quotas(records, SystemClock()), SiteRecords(records, SystemClock())


@asynccontextmanager
async def kept_stock(settings: Settings) -> AsyncIterator[tuple[Stock, SiteRecords]]:
    from gateway.stock.service import Stock

    async with kept(settings) as records:
        yield Stock(records, SystemClock()), SiteRecords(records, SystemClock())


@asynccontextmanager
async def kept_accounts(settings: Settings) -> AsyncIterator[Accounts]:
    from gateway.accounts.secrecy import open_seal
    from gateway.accounts.service import Accounts

    async with kept(settings) as records:
        yield Accounts(records, SystemClock(), open_seal(settings.key))


async def the_site(sites: SiteRecords, site_id: str | None) -> Site:
    """The site of this id, or the only one."""
    ids = await sites.ids()
    if not ids:
        raise EnergyError("the records hold no site yet; bring one in with: jieneng site import FILE")
    if site_id is None and len(ids) > 1:
        raise EnergyError(f"the records hold the sites {', '.join(ids)}; name one with --id")
    return await sites.site(site_id or ids[0])


async def unknown_meters(sites: SiteRecords, meters: Sequence[str]) -> list[str]:
    """Which of the meters no site of the records has."""
    known = {meter.id for site_id in await sites.ids() for meter in (await sites.site(site_id)).meters}
    return sorted(set(meters) - known)


async def unknown_accounts(sites: SiteRecords, accounts: Sequence[str]) -> list[str]:
    """Which of the accounts no site of the records has."""
    known = {account.id for site_id in await sites.ids() for account in (await sites.site(site_id)).accounts}
    return sorted(set(accounts) - known)


async def unknown_owners(sites: SiteRecords, owners: Sequence[str]) -> list[str]:
    """Which organisation/ID and place/ID no site of the records has."""
    known: set[str] = set()
    for site in [await sites.site(site_id) for site_id in await sites.ids()]:
        known |= {f"organisation/{o.id}" for o in site.organisations} | {f"place/{p.id}" for p in site.places}
    return sorted(set(owners) - known)


def relative_to(site: Site, folder: Path) -> Site:
    """The site with its own profiles named as seen from a folder, where its site file will lie."""
    return replace(site, meters=tuple(_relative(meter, folder) for meter in site.meters))


def _relative(meter: Meter, folder: Path) -> Meter:
    if meter.profile is None or not Path(meter.profile).is_absolute():
        return meter
    return replace(meter, profile=Path(os.path.relpath(meter.profile, folder.resolve())).as_posix())
