"""Sites: what is measured where. Frozen values that refuse to be wrong; files are read in `adapters/site_files`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from energy.errors import UnknownName
from energy.quantities import Medium, headline, quantity
from energy.readings import Point

# Ids stand in topics, addresses and file names: nothing that means something there.
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


def check_id(what: str, text: str) -> None:
    """Refuse an id that could not stand in a topic, an address or a file name.

    >>> check_id("meter", "a/b")
    Traceback (most recent call last):
    ValueError: meter id 'a/b' may hold letters, digits, '-', '_' and '.', 64 at most, and begins with a letter or digit
    """
    if not re.fullmatch(ID_PATTERN, text):
        raise ValueError(
            f"{what} id {text!r} may hold letters, digits, '-', '_' and '.', 64 at most, "
            "and begins with a letter or digit"
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A name as officers say it and as engineers say it."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """A building, floor or zone."""

    id: str
    name: Text
    kind: str

    def __post_init__(self) -> None:
        check_id("place", self.id)


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A line on which meters answer one at a time: a serial port, or a host and port."""

    id: str
    address: str
    timeout_s: float = 1.0

    def __post_init__(self) -> None:
        check_id("line", self.id)
        if not self.timeout_s > 0:
            raise ValueError(f"line {self.id}: timeout_s {self.timeout_s} is not above 0")


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter as it is installed.

    `ct` and `pt` are the ratios of the transformers in front of it; `reversed` says that it is wired backwards;
    `parent` is the meter of the same medium that measures all of this one too, None for a main meter;
    `plausible` narrows, per quantity, what this meter could report.
    """

    id: str
    name: Text
    medium: Medium
    place: str | None = None
    parent: str | None = None
    profile: str | None = None
    line: str | None = None
    unit: int = 1
    interval_s: float = 60.0
    ct: float = 1.0
    pt: float = 1.0
    reversed: bool = False
    quantities: tuple[str, ...] = ()
    plausible: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id("meter", self.id)
        if not 0 <= self.unit <= 255:
            raise ValueError(f"meter {self.id}: unit {self.unit} is not within 0..255")
        for name, value in (("interval_s", self.interval_s), ("ct", self.ct), ("pt", self.pt)):
            if not value > 0:
                raise ValueError(f"meter {self.id}: {name} {value} is not above 0")
        for name in (*self.quantities, *self.plausible):
            quantity(name)
        for name, (low, high) in self.plausible.items():
            if not low < high:
                raise ValueError(f"meter {self.id}: {name} can be neither above {low} nor below {high}")

    @property
    def headline(self) -> str | None:
        return headline(self.medium, list(self.quantities))

    def bounds(self, name: str) -> tuple[float, float]:
        """The least and the greatest value of a quantity that is plausible at this meter."""
        of_trade = quantity(name)
        return self.plausible.get(name, (of_trade.low, of_trade.high))

    @property
    def points(self) -> list[Point]:
        return [Point(self.id, name) for name in self.quantities]


@dataclass(frozen=True, slots=True)
class Site:
    """A campus: its places, its lines and its meters, in the time zone that its days begin in."""

    id: str
    name: Text
    zone: str
    places: tuple[Place, ...] = ()
    lines: tuple[LineSettings, ...] = ()
    meters: tuple[Meter, ...] = ()

    def __post_init__(self) -> None:
        check_id("site", self.id)
        ZoneInfo(self.zone)

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def meter(self, meter_id: str) -> Meter:
        for meter in self.meters:
            if meter.id == meter_id:
                return meter
        raise UnknownName(f"meter {meter_id!r} is not in site {self.id!r}")

    def faults(self) -> list[tuple[tuple[str | int, ...], str]]:
        """What does not fit together, each as (where, sentence); `where` is the way to the key, as in a site file."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        found += self._repeated()
        meters = {m.id: m for m in self.meters}
        lines, places = {line.id for line in self.lines}, {p.id for p in self.places}
        units: dict[tuple[str, int], str] = {}
        for i, meter in enumerate(self.meters):
            at = ("meters", i)
            if meter.line is not None and meter.line not in lines:
                found.append(((*at, "line"), f"line {meter.line!r} is none of {_listed(lines)}"))
            if meter.place is not None and meter.place not in places:
                found.append(((*at, "place"), f"place {meter.place!r} is none of {_listed(places)}"))
            if meter.line is not None:
                other = units.setdefault((meter.line, meter.unit), meter.id)
                if other != meter.id:
                    found.append(((*at, "unit"), f"unit {meter.unit} on line {meter.line} is taken by meter {other!r}"))
            found += [((*at, "parent"), text) for text in self._parent_faults(meter, meters)]
        return found

    def _repeated(self) -> list[tuple[tuple[str | int, ...], str]]:
        found: list[tuple[tuple[str | int, ...], str]] = []
        for key, ids in (
            ("places", [p.id for p in self.places]),
            ("lines", [line.id for line in self.lines]),
            ("meters", [m.id for m in self.meters]),
        ):
            seen: set[str] = set()
            for i, name in enumerate(ids):
                if name in seen:
                    found.append(((key, i, "id"), f"id {name!r} is used twice; give each its own"))
                seen.add(name)
        return found

    @staticmethod
    def _parent_faults(meter: Meter, meters: Mapping[str, Meter]) -> list[str]:
        if meter.parent is None:
            return []
        parent = meters.get(meter.parent)
        if parent is None:
            return [f"parent {meter.parent!r} is no meter of this site"]
        if parent.medium is not meter.medium:
            return [f"parent {parent.id!r} measures {parent.medium}, this meter {meter.medium}"]
        above: list[str] = [meter.id]
        while parent is not None:
            if parent.id in above:
                return [f"parents go in a circle: {' -> '.join([*above, parent.id])}"]
            above.append(parent.id)
            parent = meters.get(parent.parent) if parent.parent else None
        return []


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "(none is given)"
