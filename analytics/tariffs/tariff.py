"""Tariffs: what a class of consumers pays, version by version. Frozen values that refuse to be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from analytics.tariffs.charges import AreaCharge, BasicCharge, Component, PowerFactor
from analytics.tariffs.hours import Band, TimeOfUse
from analytics.tariffs.steps import Excess, Tiers
from analytics.tariffs.unfit import Fault, Way, price_faults, refuse
from energy.confidence import Confidence
from energy.quantities import Medium
from energy.sites import Text, check_id

# Yuan per unit, by band; of `Band.NONE` where all hours cost the same.
Prices = Mapping[Band, Decimal]
UNITS: Mapping[Medium, tuple[str, ...]] = {
    Medium.ELECTRICITY: ("kWh",),
    Medium.WATER: ("m3",),
    Medium.GAS: ("m3", "kWh"),
    Medium.HEAT: ("GJ", "kWh"),
}


@dataclass(frozen=True, slots=True)
class Version:
    """What is paid from `valid_from` on, up to and with `valid_to` (None: until further notice), local days.

    prices : of a unit, without components and surcharges. `monthly`, by month such as 2026-03, wins over them.
    components : further parts of each unit's cost. surcharges : government funds, left out of the power-factor base.
    Parts with a `source` and `confidence` of their own are as well known as these say, else as the version's.
    """

    valid_from: date
    valid_to: date | None
    source: str
    confidence: Confidence
    prices: Prices = field(default_factory=dict)
    monthly: Mapping[str, Prices] = field(default_factory=dict)
    time_of_use: TimeOfUse | None = None
    components: tuple[Component, ...] = ()
    surcharges: tuple[Component, ...] = ()
    tiers: Tiers | None = None
    excess: Excess | None = None
    basic_charge: BasicCharge | None = None
    power_factor: PowerFactor | None = None
    area: AreaCharge | None = None
    negative_prices: bool = False

    def __post_init__(self) -> None:
        refuse([*self._span_faults(), *self._price_faults(), *self._component_faults(), *self._part_faults()])

    @property
    def added(self) -> Decimal:
        """What components and surcharges add to each unit [yuan/unit]."""
        return sum((c.price for c in (*self.components, *self.surcharges)), Decimal(0))

    @property
    def confidences(self) -> Mapping[str, Confidence]:
        """How well each part is known; `version` is all that names no source of its own."""
        names = ("time_of_use", "tiers", "excess", "basic_charge", "power_factor", "area")
        own = {name: part.confidence for name in names if (part := getattr(self, name)) is not None}
        return {"version": self.confidence} | {name: given for name, given in own.items() if given is not None}

    def prices_in(self, month: str) -> Prices | None:
        """The prices of a month such as 2026-03, None where none is known."""
        return self.monthly.get(month) or self.prices or None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def _span_faults(self) -> Iterator[Fault]:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            yield (
                ("valid_to",),
                f"is before valid_from, {self.valid_from}; it is the last day of the version",
            )

    def _tables(self) -> Iterator[tuple[Way, Prices]]:
        if self.prices:
            yield ("price",), self.prices
        for month, prices in self.monthly.items():
            yield ("monthly", month), prices

    def _price_faults(self) -> Iterator[Fault]:
        for way, prices in self._tables():
            for band, price in prices.items():
                at = way if band is Band.NONE else (*way, band.word)
                yield from price_faults(at, price, negative=self.negative_prices)
            yield from ((way, text) for text in self._band_faults(prices))

    def _band_faults(self, prices: Prices) -> Iterator[str]:
        if Band.NONE in prices:
            if len(prices) > 1:
                yield "must be one price or prices by band, not both"
            return
        used = self.time_of_use.bands if self.time_of_use else frozenset()
        if self.time_of_use is None:
            yield "has prices by band, but `time_of_use` does not say when each band is; give it, or one price"
            return
        if missing := [b.word for b in sorted(used - set(prices))]:
            yield f"has no price for {', '.join(missing)}, which the hours name"
        if idle := [b.word for b in sorted(set(prices) - used)]:
            yield f"has a price for {', '.join(idle)}, which no hours name"

    def _component_faults(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for key, parts in (("components", self.components), ("surcharges", self.surcharges)):
            for i, part in enumerate(parts):
                yield from price_faults((key, i, "price"), part.price, negative=self.negative_prices)
                if part.id in seen:
                    yield (key, i, "id"), f"id {part.id!r} is used twice; give each its own"
                seen.add(part.id)

    def _part_faults(self) -> Iterator[Fault]:
        priced = [*self._tables()]
        if not priced and self.tiers is None and self.area is None:
            yield (), "says no price; give `price`, `monthly`, `tiers` or `area`"
        if self.tiers is not None and priced:
            yield ("tiers",), "are prices of their own; leave out `price` and `monthly`, or the tiers"
        if self.tiers is not None and self.excess is not None:
            yield ("excess",), "is a multiple of one basic price, and tiers have several; leave out one of them"
        elif self.excess is not None and (not priced or any(Band.NONE not in p for _, p in priced)):
            yield ("excess",), "is a multiple of the basic price; give one `price`, not prices by band"
        if self.time_of_use is not None and not any(Band.NONE not in p for _, p in priced):
            yield ("time_of_use",), "is given, but no price is by band"


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a class of consumers in a region pays for a unit of a medium, oldest version first."""

    id: str
    name: Text
    medium: Medium
    unit: str
    region: str
    consumer_class: str
    versions: tuple[Version, ...]

    def __post_init__(self) -> None:
        check_id("tariff", self.id)
        refuse([*self._unit_faults(), *self._version_faults()])

    def version_on(self, day: date) -> Version | None:
        """The version that holds on a local day, None where none does."""
        return next((v for v in self.versions if v.holds_on(day)), None)

    def _unit_faults(self) -> Iterator[Fault]:
        units = UNITS.get(self.medium, ())
        if not units:
            yield ("medium",), f"{self.medium} has no price; it may be {', '.join(UNITS)}"
        elif self.unit not in units:
            yield ("unit",), f"must be {' or '.join(units)} for {self.medium}"
        if self.medium is not Medium.ELECTRICITY:
            for i, version in enumerate(self.versions):
                for name in ("basic_charge", "power_factor"):
                    if getattr(version, name) is not None:
                        yield ("versions", i, name), f"is of electricity, not of {self.medium}"

    def _version_faults(self) -> Iterator[Fault]:
        if not self.versions:
            yield ("versions",), "must hold at least one version"
        for i, (before, after) in enumerate(pairwise(self.versions), start=1):
            if after.valid_from <= before.valid_from:
                yield ("versions", i, "valid_from"), f"must be after {before.valid_from}: the oldest version is first"
            elif before.valid_to is None or before.valid_to >= after.valid_from:
                end = after.valid_from - timedelta(days=1)
                yield (
                    ("versions", i - 1, "valid_to"),
                    f"overlaps the next version; must be {end} or before",
                )
