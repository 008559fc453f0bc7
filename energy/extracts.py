"""What of a site an edge runs on: its own lines and their meters, and of these what it takes to read them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from energy.sites import LineSettings, Meter, Site


def own_part(site: Site, edge: str) -> Site:
    """A site without the lines that other edges read, and without their meters."""
    return _with_lines(site, [line for line in site.lines if line.edge in (None, edge)])


def extracts(site: Site, default: str) -> dict[str, Site]:
    """The site of each edge that reads lines of it; those that name none are read by the `default` one.

    Who uses what, and whatever else is not needed for reading meters, stays at home.
    """
    lines: dict[str, list[LineSettings]] = defaultdict(list)
    meters: dict[str, list[Meter]] = defaultdict(list)
    edges = {line.id: line.edge or default for line in site.lines}
    for line in site.lines:
        lines[edges[line.id]].append(replace(line, edge=None))
    for meter in site.meters:
        if meter.line is not None:
            meters[edges[meter.line]].append(as_read(meter))
    return {edge: replace(bare(site), lines=tuple(lines[edge]), meters=tuple(meters[edge])) for edge in sorted(lines)}


def bare(site: Site) -> Site:
    """A site of which nothing is said."""
    return Site(site.id, site.name, site.zone)


def as_read(meter: Meter) -> Meter:
    """A meter with no more than how it is read: two that are read alike are equal here, but for their names."""
    return Meter(
        meter.id,
        meter.name,
        meter.medium,
        profile=meter.profile,
        line=meter.line,
        unit=meter.unit,
        interval_s=meter.interval_s,
        ct=meter.ct,
        pt=meter.pt,
        reversed=meter.reversed,
        quantities=meter.quantities,
        address=meter.address,
        rates=meter.rates,
    )


def _with_lines(site: Site, lines: list[LineSettings]) -> Site:
    ids = {line.id for line in lines}
    return replace(site, lines=tuple(lines), meters=tuple(m for m in site.meters if m.line is None or m.line in ids))
