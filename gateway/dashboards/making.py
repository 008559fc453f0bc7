"""All dashboards of a site, out of what the records say and the stores there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from energy.errors import EnergyError
from energy.life import MeterEvent
from energy.quotas import Quota
from energy.sites import Site
from gateway.dashboards.campus import Campus
from gateway.dashboards.contracts import contract_dashboard
from gateway.dashboards.fleet import fleet_dashboard
from gateway.dashboards.marks import marked
from gateway.dashboards.meters import meter_dashboard
from gateway.dashboards.panels import Language, Model, Words
from gateway.dashboards.parts import Compositions
from gateway.dashboards.quotas import quota_dashboards
from gateway.dashboards.sources import LEDGER, RECORDS, Sources


@dataclass(frozen=True, slots=True)
class Known:
    """What dashboards are made of: the site with all that was read of its meters, their events, quotas that hold."""

    site: Site
    events: Sequence[MeterEvent] = ()
    quotas: Sequence[Quota] = ()


def dashboards(known: Known, sources: Sources, language: Language) -> list[Model]:
    """Each with its mark, ordered as they were made."""
    return [marked(model) for model in _made(known, sources, Words(language))]


def _made(known: Known, sources: Sources, words: Words) -> Iterator[Model]:
    compositions = Compositions(known.site, known.events)
    if sources.has(LEDGER):
        yield from Campus(known.site, compositions, words).dashboards()
        if sources.has(RECORDS):
            yield from quota_dashboards(known.site, known.quotas, compositions, words)
    for made in (meter_dashboard(known.site, sources, words), fleet_dashboard(known.site, sources, words)):
        if made is not None:
            yield made
    if sources.has(RECORDS):
        yield contract_dashboard(known.site, words)


def must_hide_nothing(site: Site) -> None:
    """Grafana does not know who may see what: EnergyError where something is hidden."""
    hidden = [
        f"{kind} {one.id}"
        for kind, them in (("place", site.places), ("organisation", site.organisations), ("meter", site.meters))
        for one in them
        if one.hidden is not None
    ]
    if hidden:
        more = f" and {len(hidden) - 5} more" if len(hidden) > 5 else ""
        raise EnergyError(
            f"{', '.join(hidden[:5])}{more} are hidden, and Grafana shows all to whoever may ask its data sources; "
            "say --show-hidden where everybody in that Grafana may see them"
        )
