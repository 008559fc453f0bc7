"""Sites: what is measured where. Frozen values that refuse to be wrong; files are read in `adapters/site_files`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from energy.coherence import Fault, faults
from energy.errors import UnknownName
from energy.names import ID_PATTERN as ID_PATTERN
from energy.names import Text as Text
from energy.names import check_id as check_id
from energy.official_codes import check_place_code
from energy.organisations import Account, Fact, Membership, Organisation, Share
from energy.quantities import Kind, Medium, headline, quantity
from energy.readings import Point
from energy.validity import ALWAYS, Validity


@dataclass(frozen=True, slots=True)
class Place:
    """A campus, building, floor or zone; `parent` is the place that it is in, `code` the official one of a building.

    hidden : as of an organisation.
    """

    id: str
    name: Text
    kind: str
    parent: str | None = None
    valid: Validity = ALWAYS
    hidden: Validity | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        check_id("place", self.id)
        if self.code is not None:
            check_place_code(self.kind, self.code)


@dataclass(frozen=True, slots=True)
class LineSettings:
    """A line on which meters answer one at a time: a serial port, or a host and port.

    `edge` is the id of the edge that reads it; None where the site has one edge, which needs no name.
    """

    id: str
    address: str
    timeout_s: float = 1.0
    edge: str | None = None

    def __post_init__(self) -> None:
        check_id("line", self.id)
        if self.edge is not None:
            check_id("edge", self.edge)
        if not self.timeout_s > 0:
            raise ValueError(f"line {self.id}: timeout_s {self.timeout_s} is not above 0")


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """The register of a counter.

    limit_per_h : the most that can flow in an hour [unit of the quantity per h]; None where nobody has said.
    modulus : the total at which it begins again at zero [unit of the quantity]; None where it never does.
    resolution : its smallest step [unit of the quantity]; None where nobody has said.
    """

    limit_per_h: float | None = None
    modulus: float | None = None
    resolution: float | None = None

    def __post_init__(self) -> None:
        for name in ("limit_per_h", "modulus", "resolution"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} {value} is not above 0")


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter as it is installed.

    `ct` and `pt` are the ratios of the transformers in front of it; `reversed` says that it is wired backwards;
    `parent` is the meter of the same medium that measures all of this one too, None for a main meter;
    `rates` are the intervals of quantities that are read more often than every `interval_s` [s];
    `plausible` narrows, per quantity, what this meter could report; `registers` tells of its counters.
    `unit` is how Modbus calls it on its line, `address` the digits on its plate by which other protocols do;
    `organisation` uses all that it measures, unless it is shared; `item` is the code of what it feeds (分项), as given;
    `account` is the supplier's account that it is billed on; `hidden` as of an organisation;
    `sender` is who alone may send readings of a meter that is on no line, None where anybody may;
    `writable` are the settings of its profile that may be written, between which values: none unless it says so.
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
    organisation: str | None = None
    item: str | None = None
    account: str | None = None
    registers: Mapping[str, RegisterSettings] = field(default_factory=dict)
    removed_on: date | None = None
    hidden: Validity | None = None
    address: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    sender: str | None = None
    writable: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id("meter", self.id)
        if self.sender is not None:
            check_id("sender", self.sender)
        if self.address is not None and not (self.address.isascii() and self.address.isdigit()):
            raise ValueError(f"meter {self.id}: address {self.address!r} must be the digits on the meter, nothing else")
        if not 0 <= self.unit <= 255:
            raise ValueError(f"meter {self.id}: unit {self.unit} is not within 0..255")
        for name, value in (("interval_s", self.interval_s), ("ct", self.ct), ("pt", self.pt)):
            if not value > 0:
                raise ValueError(f"meter {self.id}: {name} {value} is not above 0")
        for name in (*self.quantities, *self.plausible):
            quantity(name)
        for name, interval_s in self.rates.items():
            if not 0 < interval_s < self.interval_s:
                of_meter = f"the {self.interval_s:g} s of the meter"
                raise ValueError(f"meter {self.id}: {name} at {interval_s:g} s is not above 0 and below {of_meter}")
        for name, (low, high) in self.plausible.items():
            if not low < high:
                raise ValueError(f"meter {self.id}: {name} can be neither above {low} nor below {high}")
        for name, (least, most) in self.writable.items():
            if not least <= most:
                raise ValueError(f"meter {self.id}: {name} can be neither above {least} nor below {most}")
        for name in self.registers:
            if quantity(name).kind is not Kind.COUNTER:
                raise ValueError(f"meter {self.id}: {name} is a gauge; registers are those of counters")

    @property
    def headline(self) -> str | None:
        return headline(self.medium, list(self.quantities))

    @property
    def groups(self) -> list[tuple[float, tuple[str, ...]]]:
        """What is read together, by its interval [s], the shortest first."""
        by_rate: dict[float, list[str]] = {}
        for name in self.quantities:
            by_rate.setdefault(self.rates.get(name, self.interval_s), []).append(name)
        return sorted((interval_s, tuple(names)) for interval_s, names in by_rate.items())

    def bounds(self, name: str) -> tuple[float, float]:
        """The least and the greatest value of a quantity that is plausible at this meter."""
        of_trade = quantity(name)
        return self.plausible.get(name, (of_trade.low, of_trade.high))

    @property
    def points(self) -> list[Point]:
        return [Point(self.id, name) for name in self.quantities]


@dataclass(frozen=True, slots=True)
class VirtualPoint:
    """A point that no meter measures: a formula over others, kept as text and never evaluated as code."""

    id: str
    name: Text
    medium: Medium
    quantity: str
    formula: str
    place: str | None = None
    organisation: str | None = None
    item: str | None = None
    valid: Validity = ALWAYS

    def __post_init__(self) -> None:
        check_id("virtual point", self.id)
        quantity(self.quantity)
        if not self.formula.strip():
            raise ValueError(f"virtual point {self.id} has no formula")


@dataclass(frozen=True, slots=True)
class Site:
    """A campus: its places, lines and meters, and who uses it, in the time zone that its days begin in."""

    id: str
    name: Text
    zone: str
    places: tuple[Place, ...] = ()
    lines: tuple[LineSettings, ...] = ()
    meters: tuple[Meter, ...] = ()
    organisations: tuple[Organisation, ...] = ()
    facts: tuple[Fact, ...] = ()
    shares: tuple[Share, ...] = ()
    virtual_points: tuple[VirtualPoint, ...] = ()
    accounts: tuple[Account, ...] = ()
    memberships: tuple[Membership, ...] = ()

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

    def of_account(self, account_id: str) -> list[Meter]:
        """The meters that are billed on an account."""
        return [meter for meter in self.meters if meter.account == account_id]

    def faults(self) -> list[Fault]:
        """What does not fit together, each as (where, sentence); `where` is the way to the key, as in a site file."""
        return faults(self)
