"""Counters that are looked at no more: their meter was taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from energy.findings import Finding
from energy.periods import of_days
from energy.quantities import main_counter
from energy.readings import Point, to_ms
from energy.sites import Meter, Site
from gateway.findings.worth import Valued


def away_since(site: Site, now: datetime) -> Callable[[Point], int | None]:
    """Tells since when a counter is looked at no more [ms]: the midnight at which its meter was taken away, or now
    where the site does not know it any more; None for one that is there."""
    now_ms, meters = to_ms(now), {m.id: m for m in site.meters}

    def since(point: Point) -> int | None:
        meter = meters.get(point.meter)
        if meter is None or not _is_main(meter, point):
            return now_ms
        removed_ms = removal_ms(site, meter)
        return removed_ms if removed_ms is not None and removed_ms <= now_ms else None

    return since


def removal_ms(site: Site, meter: Meter) -> int | None:
    """The midnight at which a meter is taken away; None for one that stays."""
    day = meter.removed_on
    return None if day is None else to_ms(of_days(day, day, site.zone_info).start)


def ended_with_meter(site: Site, finding: Finding) -> bool:
    """Whether a finding that goes on no more ended because its counter is looked at no more."""
    if finding.ongoing:
        return False
    meter = next((m for m in site.meters if m.id == finding.point.meter), None)
    if meter is None or not _is_main(meter, finding.point):
        return True
    removed_ms = removal_ms(site, meter)
    return removed_ms is not None and finding.end_ms >= removed_ms


def while_there(found: Sequence[Valued], away: Callable[[Point], int | None]) -> list[Valued]:
    """What was found while the meters were there: nothing is missing of one that was taken away."""
    told = []
    for one in found:
        finding, away_ms = one.finding, away(one.finding.point)
        if away_ms is None or finding.end_ms <= away_ms:
            told.append(one)
        elif finding.start_ms < away_ms:
            told.append(replace(one, finding=replace(finding, end_ms=away_ms, ongoing=False)))
    return told


def _is_main(meter: Meter, point: Point) -> bool:
    return main_counter(meter.medium, meter.quantities) == point.quantity
