"""What the hours of a point are made under, beside its readings: its register, the life of its meter, its tariff."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from analytics.consumption.hours import Registers
from analytics.consumption.life import Life, life_of
from energy.hours import Hours, Whole
from energy.life import MeterEvent
from energy.ports import Basis
from energy.quantities import ORDINARY_PER_H, Medium, main_counter, quantity
from energy.readings import Point
from energy.sites import Meter, RegisterSettings, Site

# Made part of every basis: raised when the rules by which hours are made change, so that all of them are made anew.
RULES = 1
_UNTOLD = RegisterSettings()


class Worth(Protocol):
    """What consumption costs; `id` tells all that the cost depends on."""

    @property
    def id(self) -> str: ...

    @property
    def unit(self) -> str:
        """The unit that its prices are of."""

    def cost(self, hours: Hours) -> Whole:
        """(n,) what the hours cost [millionths of a yuan], UNPRICED where that is not known."""


@dataclass(frozen=True, slots=True)
class _OfPoint:
    basis: Basis
    register: RegisterSettings
    life: Life
    worth: Worth | None


class Terms:
    """The terms of every point; made once from the records, and made again when these change."""

    def __init__(
        self,
        site: Site,
        events: Iterable[MeterEvent] = (),
        worths: Mapping[str, Worth] | None = None,
        strangers: Iterable[Meter] = (),
    ) -> None:
        """`worths` are what the tariffs say, by their id; `strangers` are meters that are in no site."""
        self.site, self.zone = site, site.zone_info
        self.zone_offset_ms = _offset_ms(self.zone)
        self._meters = {m.id: m for m in (*strangers, *site.meters)}
        self._accounts = {a.id: a for a in site.accounts}
        self._worths = worths or {}
        self._events: dict[str, list[MeterEvent]] = defaultdict(list)
        for event in events:
            self._events[event.meter].append(event)
        self._known: dict[Point, _OfPoint] = {}

    def basis(self, point: Point) -> Basis:
        """What the hours of the point are made under, as digests."""
        return self._of(point).basis

    def registers(self, points: Sequence[Point]) -> Registers:
        """What is known of the counters, by position."""
        own = [self._of(p) for p in points]

        def told(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return np.array([np.nan if (v := getattr(o.register, name)) is None else v for o in own], np.float64)

        lives = {i: o.life for i, o in enumerate(own) if o.life}
        ordinary = np.array([ORDINARY_PER_H.get(p.quantity, 0.0) for p in points], np.float64)
        return Registers(told("limit_per_h"), told("modulus"), told("resolution"), ordinary, lives)

    def medium(self, meter_id: str) -> Medium | None:
        """What a meter measures; None where it is not known."""
        meter = self._meters.get(meter_id)
        return meter.medium if meter else None

    def worth(self, point: Point) -> Worth | None:
        """What flows through the point costs; None where no tariff is known, or another counter is billed."""
        return self._of(point).worth

    def _of(self, point: Point) -> _OfPoint:
        if point not in self._known:
            self._known[point] = self._made(point)
        return self._known[point]

    def _made(self, point: Point) -> _OfPoint:
        meter = self._meters.get(point.meter)
        register = meter.registers.get(point.quantity, _UNTOLD) if meter else _UNTOLD
        events = self._events.get(point.meter, [])
        main = main_counter(meter.medium, meter.quantities) if meter else None
        life = life_of(events, point.quantity, main=main is None or main == point.quantity)
        told = [RULES, self.zone_offset_ms, asdict(register), asdict(life)]
        worth = self._worth(meter) if meter and main == point.quantity else None
        if worth is not None and worth.unit != quantity(point.quantity).unit:
            # A price by another unit, such as gas by its heat, needs what the counter does not tell.
            worth = None
        return _OfPoint(Basis(_digest(told), worth.id if worth else ""), register, life, worth)

    def _worth(self, meter: Meter) -> Worth | None:
        """By the account of the meter, or of the meter above it."""
        above: Meter | None = meter
        while above is not None:
            account = self._accounts.get(above.account or "")
            if account is not None:
                return self._worths.get(account.tariff or "")
            above = self._meters.get(above.parent or "")
        return None


def _digest(told: object) -> str:
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:32]


def _offset_ms(zone: ZoneInfo) -> int:
    """Of local time without summer time: estimates need the time of day, not its law."""
    winter = datetime(2026, 1, 1, tzinfo=zone)
    offset = (winter.utcoffset() or timedelta(0)) - (winter.dst() or timedelta(0))
    return int(offset / timedelta(milliseconds=1))
