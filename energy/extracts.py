"""What of a site an edge runs on: its own lines and their meters, and of these what it takes to read them."""

from __future__ import annotations

from dataclasses import replace

from energy.sites import LineSettings, Meter, Site


def edges_of(site: Site, default: str) -> list[str]:
    """The edges that read lines of a site; those that name none are read by the `default` one."""
    return sorted({line.edge or default for line in site.lines})


def own_part(site: Site, edge: str) -> Site:
    """A site without the lines that other edges read, and without their meters."""
    return _with_lines(site, [line for line in site.lines if line.edge in (None, edge)])


def extract(site: Site, edge: str, default: str) -> Site:
    """The site of one edge: who uses what, and whatever else is not needed for reading meters, stays at home."""
    lines = [replace(line, edge=None) for line in site.lines if (line.edge or default) == edge]
    own = _with_lines(site, lines)
    return Site(site.id, site.name, site.zone, lines=own.lines, meters=tuple(as_read(m) for m in own.meters if m.line))


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
