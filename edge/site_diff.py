"""What one site file changes of another for who reads the meters: which wires and which meters stay as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from collectors.lines.address import Address, parse_address
from collectors.makes import Make
from energy.extracts import as_read
from energy.names import Text
from energy.sites import LineSettings, Meter, Site

_NAMELESS = Text("", "")


class Installed(Protocol):
    """A site that was found right, and the makes of its meters by the name that the site calls them."""

    @property
    def site(self) -> Site: ...

    @property
    def profiles(self) -> Mapping[str, Make]: ...


@dataclass(frozen=True, slots=True)
class Wire:
    """What one worker reads: the lines of one port, and their meters. `line` is the id of the first of them."""

    line: str
    address: Address
    timeout_s: float
    meters: tuple[Meter, ...]

    @property
    def key(self) -> str:
        return self.address.wire

    def is_that_of(self, other: Wire | None) -> bool:
        """Whether a connection to the one is a connection to the other."""
        return other is not None and (self.address, self.timeout_s) == (other.address, other.timeout_s)


@dataclass(frozen=True, slots=True)
class Changes:
    """How to come from one site to another.

    ended : the wires, by key, whose workers end; one that is spoken on otherwise ends, too, and starts anew.
    started : the wires that get a worker. kept : the wires whose workers and connections stay. unchanged : the meters
    on these that go on being read as if nothing had happened.
    """

    ended: tuple[str, ...]
    started: tuple[Wire, ...]
    kept: tuple[Wire, ...]
    unchanged: frozenset[str]


def wires(site: Site) -> list[list[LineSettings]]:
    """The lines of a site, those of one port together: there is one worker for them, since there is one wire."""
    found: dict[str, list[LineSettings]] = defaultdict(list)
    for line in site.lines:
        found[parse_address(line.address).wire].append(line)
    return list(found.values())


def wires_of(site: Site) -> list[Wire]:
    """The wires of a site that have meters to be read."""
    found = []
    for lines in wires(site):
        ids = {line.id for line in lines}
        meters = tuple(m for m in site.meters if m.line in ids and m.profile is not None)
        if meters:
            longest_s = max(line.timeout_s for line in lines)
            found.append(Wire(lines[0].id, parse_address(lines[0].address), longest_s, meters))
    return found


def diff(old: Installed, new: Installed) -> Changes:
    """What changes; names alone and what is not needed for reading change nothing."""
    before, after = ({wire.key: wire for wire in wires_of(one.site)} for one in (old, new))
    kept = [wire for wire in after.values() if wire.is_that_of(before.get(wire.key))]
    keys = {wire.key for wire in kept}
    unchanged = [
        meter.id
        for wire in kept
        for meter in wire.meters
        for was in before[wire.key].meters
        if was.id == meter.id and _how(was, old) == _how(meter, new)
    ]
    return Changes(
        tuple(key for key in before if key not in keys),
        tuple(wire for wire in after.values() if wire.key not in keys),
        tuple(kept),
        frozenset(unchanged),
    )


def _how(meter: Meter, installed: Installed) -> tuple[Meter, Make]:
    """How it is read, whatever it and the file of its profile are called."""
    make = installed.profiles[meter.profile or ""]
    return replace(as_read(meter), name=_NAMELESS, profile=None), replace(make, id="")
