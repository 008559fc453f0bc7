"""What an edge runs on: a site file that the gateway handed over, its own one, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from adapters.site_keeping import SiteKeeping
from adapters.site_signing import CheckingKey
from adapters.site_versions import opened
from collectors.makes import Make
from edge.site_diff import Installed
from energy.errors import EnergyError
from energy.names import Text
from energy.sites import Site

log = structlog.get_logger()

Load = Callable[[Path], Installed]

# The name of the site file where there is none.
NO_SITE = "none"


@dataclass(frozen=True, slots=True)
class Handed:
    """How an edge takes site files from its gateway.

    key : by which the gateway is known. files : where the last good one is kept. load : reads one, as a local one is.
    """

    key: CheckingKey
    files: SiteKeeping
    load: Load


@dataclass(frozen=True, slots=True)
class Running:
    """A site that runs; `number` is 0 where it was not handed over."""

    name: str
    installed: Installed
    number: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class _Nothing:
    """No site to read."""

    site: Site
    profiles: Mapping[str, Make]


def nothing(edge: str) -> Running:
    """What an edge runs that has no site file."""
    return Running(NO_SITE, _Nothing(Site(edge, Text("", ""), "UTC"), {}))


def last_good(edge: str, handed: Handed) -> Running | None:
    """What the edge ran on last, as far as the gateway handed it over; None where it cannot be trusted or read."""
    try:
        payload = handed.files.good()
        if payload is None:
            return None
        version = opened(payload, handed.key, edge)
        return Running(version.name, handed.load(handed.files.laid_out(version)), version.number, version.digest)
    except EnergyError as error:
        log.error("site.kept_unusable", cause=str(error))
    except Exception:
        # The edge begins with what else it has, and the gateway hands over another one.
        log.exception("site.kept_unusable", cause="a fault of ours")
    return None
