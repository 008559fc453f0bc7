"""What readings tell of meters that the records do not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from energy.quantities import medium_of
from energy.readings import Point
from energy.sites import Meter, Site, Text


def with_points(site: Site, points: Sequence[Point]) -> Site:
    """The site, each of its meters with all that was ever read of it."""
    measured = _measured(points)
    meters = tuple(
        replace(m, quantities=(*m.quantities, *new)) if (new := _beyond(m, measured)) else m for m in site.meters
    )
    return replace(site, meters=meters)


def strangers(site: Site, points: Sequence[Point]) -> list[Meter]:
    """Meters that have readings and are in no site."""
    known = {m.id for m in site.meters}
    return [
        Meter(name, Text(name, name), medium_of(quantities), quantities=tuple(quantities))
        for name, quantities in _measured(points).items()
        if name not in known
    ]


def _measured(points: Sequence[Point]) -> dict[str, list[str]]:
    measured: dict[str, list[str]] = defaultdict(list)
    for point in points:
        measured[point.meter].append(point.quantity)
    return measured


def _beyond(meter: Meter, measured: dict[str, list[str]]) -> list[str]:
    return [name for name in measured.get(meter.id, []) if name not in meter.quantities]
