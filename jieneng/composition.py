"""Where files become settings: the site with its profiles, all faults told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.site_files import read_site
from collectors.lines.address import Address, by_edge, clashes, parse_address
from collectors.makes import Make, load_make, own_make, placing_faults, readable
from collectors.writing import writable_faults
from energy.documents import Document
from energy.errors import ConfigurationError, EnergyError, LineError
from energy.extracts import own_part
from energy.sites import Meter, Site


@dataclass(frozen=True, slots=True)
class Installed:
    """A site, and the makes of its meters by the name that the site calls them."""

    site: Site
    profiles: Mapping[str, Make]


def load_installed(path: Path) -> Installed:
    """Read a site file and the profiles that it names; every meter then knows its quantities."""
    site, document = read_site(path)
    profiles: dict[str, Make] = {}
    faults: list[str] = []
    addresses: dict[str, Address] = {}
    for i, line in enumerate(site.lines):
        try:
            addresses[line.id] = parse_address(line.address)
        except LineError as error:
            faults.append(document.fault(("lines", i, "address"), str(error)))
    places = {line.id: i for i, line in enumerate(site.lines)}
    for of_edge in by_edge(site.lines, addresses):
        faults += [document.fault(("lines", places[line], "address"), text) for line, text in clashes(of_edge)]
    meters: list[Meter] = []
    for i, meter in enumerate(site.meters):
        try:
            own = own_make(meter.profile, path.parent) if meter.profile else None
        except ConfigurationError as error:
            faults += error.faults
            own = None
        if own is not None:
            meter = replace(meter, profile=str(own))
        profile, found = _profile(meter, document, i, addresses.get(meter.line or ""))
        faults += found
        if profile is not None and meter.profile is not None:
            profiles[meter.profile] = profile
            meter = replace(meter, quantities=meter.quantities or readable(profile, reversed_=meter.reversed))
        meters.append(meter)
    if faults:
        raise ConfigurationError(faults)
    return Installed(replace(site, meters=tuple(meters)), profiles)


def load_own(path: Path, edge: str) -> Installed:
    """A site file without the lines that it gives to other edges."""
    installed = load_installed(path)
    return replace(installed, site=own_part(installed.site, edge))


def with_permissions(handed: Installed, local: Installed) -> Installed:
    """What was handed over, and what the file at the site alone can say: which settings of a meter may be written.

    It holds for a meter that is the same in both: on the same line, called alike there, of the same make.
    """
    known = {m.id: (_place_of(m, local), m.writable) for m in local.site.meters if m.writable}
    meters = (
        replace(m, writable=known[m.id][1]) if m.id in known and known[m.id][0] == _place_of(m, handed) else m
        for m in handed.site.meters
    )
    return replace(handed, site=replace(handed.site, meters=tuple(meters)))


def _place_of(meter: Meter, installed: Installed) -> tuple[object, ...]:
    make = installed.profiles.get(meter.profile or "")
    same = None if make is None else replace(make, id="")
    lines = {line.id: line.address for line in installed.site.lines}
    return lines.get(meter.line or ""), meter.unit, meter.address, meter.ct, meter.pt, same


def version_of(path: Path) -> str:
    """How the version of a local site file is told: another text is another one."""
    return f"local-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def _profile(meter: Meter, document: Document, i: int, line: Address | None) -> tuple[Make | None, list[str]]:
    if meter.profile is None:
        text = "is missing: a meter on a line needs a profile" if meter.line else ""
        return None, [document.fault(("meters", i, "profile"), text)] if text else []
    try:
        profile = load_make(meter.profile)
    except ConfigurationError as error:
        return None, error.faults
    except EnergyError as error:
        return None, [document.fault(("meters", i, "profile"), str(error))]
    placing = [document.fault(("meters", i, key), text) for key, text in placing_faults(meter, profile, line)]
    return profile, [*_misfits(meter, profile, document, i), *placing]


def _misfits(meter: Meter, profile: Make, document: Document, i: int) -> Iterator[str]:
    if profile.medium is not meter.medium:
        text = f"is for {profile.medium}, but the meter measures {meter.medium}"
        yield document.fault(("meters", i, "profile"), text)
    has = readable(profile, reversed_=meter.reversed)
    for name, text in writable_faults(meter, profile):
        yield document.fault(("meters", i, "writable", name), text)
    for k, name in enumerate(meter.quantities):
        if name not in has:
            text = f"profile {profile.id} has no such register; it has {', '.join(has)}"
            yield document.fault(("meters", i, "read", k), text)
