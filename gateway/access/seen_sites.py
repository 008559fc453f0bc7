"""The records of the site as files, for who does not administer it."""

from __future__ import annotations

from typing import NoReturn

from gateway.access.roles import Identity, Permission
from gateway.access.seen_readings import not_of_all
from gateway.sites.files import SiteFiles


class ClosedSites(SiteFiles):
    """Tells nothing, and changes nothing. Nothing of the base is set."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, _name: str) -> NoReturn:
        raise not_of_all("the site file")


CLOSED_SITES = ClosedSites()


def seen_sites(sites: SiteFiles, identity: Identity, permission: Permission) -> SiteFiles:
    """Whole, with what is hidden in it, for who administers the installation; else nothing."""
    administers = any(g.organisation is None and not g.meters for g in identity.granted(permission))
    return sites if permission is Permission.ADMINISTER_SYSTEM and administers else CLOSED_SITES
