"""Rules: what is to ring, as data. Limits are held in the unit of their quantity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from energy.names import Text, check_id
from energy.quantities import Kind, Medium, quantity
from energy.readings import Point
from energy.sites import Meter, Site

NO_TEXT = Text("", "")


class Level(StrEnum):
    """How bad it is; the first is the least."""

    NOTICE = "notice"
    WARNING = "warning"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Gather(StrEnum):
    """What makes one alarm of several: each meter its own, or all below one main meter together."""

    METER = "meter"
    TREE = "tree"


class LimitKind(StrEnum):
    """What a limit on live values is meant for."""

    THRESHOLD = "threshold"
    OFF_HOURS_LOAD = "off_hours_load"
    NIGHT_FLOW = "night_flow"


@dataclass(frozen=True, slots=True)
class Head:
    """What every rule has. `first` is what to do first."""

    id: str
    name: Text
    level: Level = Level.WARNING
    gather: Gather = Gather.METER
    first: Text = NO_TEXT

    def __post_init__(self) -> None:
        check_id("rule", self.id)


@dataclass(frozen=True, slots=True)
class DayHours:
    """Hours of a local day, [start, end); past midnight where the end is not later."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError(f"hours from {self.start:%H:%M} to {self.end:%H:%M} are none")


@dataclass(frozen=True, slots=True)
class Limit:
    """A gauge beyond a limit for some time.

    points : named ones; or `every` point of this quantity, `within` a place and those in it, of meters of a `medium`.
    beyond, back : the limit, and where it is over again [unit of the quantity]; `above` says on which side.
    for_s : as long must it last [s]. usual : what flows there normally [unit of the quantity], None where nobody said.
    hours : of a night flow the night, of an off-hours load the hours that are worked on working days; it rings in the
        night, and outside of the hours worked. None rings at any time.
    """

    head: Head
    kind: LimitKind
    points: tuple[Point, ...]
    every: str | None
    within: str | None
    beyond: float
    back: float
    above: bool
    for_s: float
    hours: DayHours | None = None
    usual: float | None = None
    medium: Medium | None = None

    def __post_init__(self) -> None:
        for name in {p.quantity for p in self.points} | ({self.every} if self.every else set()):
            quantity(name).must_be(Kind.GAUGE)
        if self.above and self.back > self.beyond:
            raise ValueError(f"back_below {self.back:g} is above the limit {self.beyond:g}: it would never be over")
        if not self.above and self.back < self.beyond:
            raise ValueError(f"back_above {self.back:g} is below the limit {self.beyond:g}: it would never be over")
        if (self.kind is LimitKind.THRESHOLD) != (self.hours is None):
            raise ValueError(f"a {self.kind} {'needs' if self.hours is None else 'takes no'} hours")


@dataclass(frozen=True, slots=True)
class Silence:
    """A meter without readings for `after_s` [s], and for three of its own intervals at least; all where none named."""

    head: Head
    meters: tuple[str, ...]
    after_s: float


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Sub-meters that leave more than a share of their main unaccounted for, over the last whole day.

    share : of what the main measured. least : what must be left at least [`unit`], so that nobody is woken for a litre;
    with it only mains whose counters are of that unit's kind are meant. meters : the mains; all where none is named.
    """

    head: Head
    meters: tuple[str, ...]
    share: float
    least: float = 0.0
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class NightMinimum:
    """On the ledger: the least hour of a night is above a limit, so that something flows all night.

    points : named ones; or `every` counter of this quantity, `within` a place, of meters of a `medium`.
    beyond : what may flow in the least hour [unit of the counter].
    """

    head: Head
    points: tuple[Point, ...]
    every: str | None
    within: str | None
    beyond: float
    hours: DayHours
    usual: float | None = None
    medium: Medium | None = None

    def __post_init__(self) -> None:
        for name in {p.quantity for p in self.points} | ({self.every} if self.every else set()):
            quantity(name).must_be(Kind.COUNTER)


Rule = Limit | Silence | Imbalance | NightMinimum


def points_of(rule: Limit | NightMinimum, site: Site) -> list[Point]:
    """The points that a rule is about."""
    if rule.points:
        return list(rule.points)
    inside = None if rule.within is None else places_within(site, rule.within)
    return [
        Point(meter.id, rule.every)
        for meter in site.meters
        if rule.every in meter.quantities
        and meter.removed_on is None
        and (inside is None or meter.place in inside)
        and rule.medium in (None, meter.medium)
    ]


def places_within(site: Site, place: str) -> set[str]:
    """A place and all that are in it."""
    found = {place}
    while more := {p.id for p in site.places if p.parent in found} - found:
        found |= more
    return found


def roots(meters: Iterable[Meter]) -> Mapping[str, str]:
    """The topmost meter above each of one medium."""
    known = {m.id: m for m in meters}
    return {name: list(_upwards(name, known))[-1] for name in known}


def _upwards(name: str, known: Mapping[str, Meter]) -> Iterator[str]:
    seen: set[str] = set()
    at: Meter | None = known.get(name)
    while at is not None and at.id not in seen:
        seen.add(at.id)
        yield at.id
        above = None if at.parent is None else known.get(at.parent)
        at = above if above is not None and above.medium is at.medium else None
