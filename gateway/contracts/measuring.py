"""What the counters of a contract measured by day, out of the ledger, with the registers that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from analytics.contracts.inputs import Estimated, MeterDays, Register
from analytics.contracts.sufficiency import day_range
from analytics.contracts.words import BoundaryWords, ContractWords
from energy.errors import EnergyError
from energy.hours import HOUR_MS, UNPRICED, Hours, Whole
from energy.life import EventKind
from energy.ports import ReadingStore
from energy.quantities import quantity
from energy.readings import Point, Quality, ReadingColumns, to_ms
from energy.sites import Meter
from gateway.ledger.books import Books
from gateway.life.service import KeptEvent, Lives

# How far from a border the reading next to it is looked for.
_NEAR_MS = 26 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Measuring:
    """Reads what statements and baselines go by."""

    books: Books
    store: ReadingStore
    lives: Lives

    async def of(self, contract: ContractWords, first: date, end: date) -> list[MeterDays]:
        """The boundary of a contract over the days of [first, end), in the order of the contract."""
        days = _Days.of(first, end, self.books.kept.site.zone)
        own = list(dict.fromkeys(b.point for b in contract.boundary))
        measured = await self._measured(own, days)
        registers = await self._registers(own, days)
        bases = await self._bases(own)
        return [
            self._meter(b, contract, days, measured[b.point], registers[b.point], bases[b.point])
            for b in contract.boundary
        ]

    async def daily(self, points: Sequence[tuple[Point, int]], first: date, end: date) -> list[int | None]:
        """What flowed through counters with their signs on each day [millionths]; None where not all is known."""
        days = _Days.of(first, end, self.books.kept.site.zone)
        measured = await self._measured([p for p, _ in points], days)
        columns = [(sign, measured[p].amount) for p, sign in points]
        return [_sum([(s, of[i]) for s, of in columns]) for i in range(len(days.days))]

    async def _measured(self, points: Sequence[Point], days: _Days) -> dict[Point, _Measured]:
        ledger = self.books.ledger
        numbers = {p: n for p in points if (n := ledger.number(p)) is not None}
        low, high = int(days.edges[0]), int(days.edges[-1])
        hours = await ledger.hours(sorted(numbers.values()), low, high) if numbers else Hours.none()
        found = {}
        for point in points:
            own = hours.take(hours.point == numbers.get(point, -1))
            found[point] = _Measured.of(own, days)
        return found

    async def _bases(self, points: Sequence[Point]) -> dict[Point, str]:
        """What the hours of each were made under: digests of its register and of its price."""
        known = await self.books.ledger.bases()
        found = {p: known.get(n) for p in points if (n := self.books.ledger.number(p)) is not None}
        return {p: "" if (b := found.get(p)) is None else f"{b.register}/{b.price}" for p in points}

    def _meter(
        self,
        bounded: BoundaryWords,
        contract: ContractWords,
        days: _Days,
        measured: _Measured,
        registers: list[Register],
        basis: str,
    ) -> MeterDays:
        meter = next((m for m in self.books.kept.site.meters if m.id == bounded.point.meter), None)
        first = max(days.days[0], bounded.from_ or contract.from_)
        last = min(days.days[-1], bounded.to or contract.to)
        return MeterDays(
            str(bounded.point),
            meter.name.zh if meter is not None else bounded.point.meter,
            quantity(bounded.point.quantity).unit,
            bounded.sign,
            first,
            max(first, last + timedelta(days=1)),
            measured.amount,
            measured.cost,
            registers,
            measured.estimated,
            measured.shares,
            basis,
            _ratio(meter),
        )

    # -- registers ------------------------------------------------------------------------------------------------

    async def _registers(self, points: Sequence[Point], days: _Days) -> dict[Point, list[Register]]:
        start, end = int(days.edges[0]) * HOUR_MS, int(days.edges[-1]) * HOUR_MS
        events = await self.lives.events({p.meter for p in points})
        first, last = await self._near(points, start), await self._near(points, end)
        found = {}
        for point in points:
            own = [k for k in events if k.event.meter == point.meter and k.event.quantity in (None, point.quantity)]
            found[point] = [*_lives(own, start, end, first[point], last[point])]
        return found

    async def _near(self, points: Sequence[Point], border_ms: int) -> dict[Point, _Border]:
        """The readings at a border, or those next to it."""
        read = await self.store.readings(points, border_ms - _NEAR_MS, border_ms + _NEAR_MS)
        return {point: _Border.of(read, point, border_ms) for point in points}


def _ratio(meter: Meter | None) -> str:
    return "1" if meter is None else _plain(meter.ct * meter.pt)


def _plain(value: float) -> str:
    """A float as its shortest decimal."""
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")


def _sum(parts: Sequence[tuple[int, int | None]]) -> int | None:
    total = 0
    for sign, amount in parts:
        if amount is None:
            return None
        total += sign * amount
    return total


@dataclass(frozen=True, slots=True)
class _Days:
    """Local days; edges : (n + 1,) of them [hours since the epoch]."""

    days: list[date]
    edges: Whole

    @classmethod
    def of(cls, first: date, end: date, zone: str) -> _Days:
        days = day_range(first, end)
        instants = [to_ms(datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone))) for d in [*days, end]]
        if any(ms % HOUR_MS for ms in instants):
            raise EnergyError(f"in {zone} days begin within an hour; contracts are settled by whole hours")
        return cls(days, np.array(instants, np.int64) // HOUR_MS)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A counter by day, see `MeterDays`."""

    amount: list[int | None]
    cost: list[int | None]
    estimated: list[Estimated]
    shares: dict[str, int]

    @classmethod
    def of(cls, hours: Hours, days: _Days) -> _Measured:
        day = np.searchsorted(days.edges, hours.hour, side="right") - 1
        length = np.diff(days.edges) * HOUR_MS

        def summed(column: Whole) -> Whole:
            made = np.zeros(len(length), np.int64)
            np.add.at(made, day, column)
            return made

        names = ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms")
        times = {name: summed(getattr(hours, name).astype(np.int64)) for name in names}
        known = times["measured_ms"] + times["estimated_ms"] + times["manual_ms"] >= length
        priced = summed((hours.cost == UNPRICED).astype(np.int64)) == 0
        amount, cost = summed(hours.amount), summed(np.where(hours.cost == UNPRICED, 0, hours.cost))
        shares = {name: int(of.sum()) for name, of in times.items()}
        shares["missing_ms"] = int(length.sum()) - sum(shares.values())
        return cls(
            [a if k else None for a, k in zip(amount.tolist(), known.tolist(), strict=True)],
            [c if k else None for c, k in zip(cost.tolist(), (known & priced).tolist(), strict=True)],
            list(_estimated(hours)),
            shares,
        )


def _estimated(hours: Hours) -> Iterator[Estimated]:
    """Runs of hours in which something is spread over a gap."""
    rows = np.flatnonzero(hours.estimated_ms > 0)
    if len(rows) == 0:
        return
    for run in np.split(rows, np.flatnonzero(np.diff(hours.hour[rows]) > 1) + 1):
        low, high = int(hours.hour[run[0]]), int(hours.hour[run[-1]]) + 1
        yield Estimated(low * HOUR_MS, high * HOUR_MS, int(hours.estimated[run].sum()))


@dataclass(frozen=True, slots=True)
class _Border:
    """What was read at an instant, or next to it: (instant, register)."""

    at: tuple[int, float] | None
    before: tuple[int, float] | None
    after: tuple[int, float] | None

    @classmethod
    def of(cls, read: ReadingColumns, point: Point, border_ms: int) -> _Border:
        if point not in read.points:
            return cls(None, None, None)
        own = (read.index == list(read.points).index(point)) & (read.quality != Quality.BAD)
        t_ms, value = read.taken_at_ms[own], read.value[own]

        def one(rows: Whole) -> tuple[int, float] | None:
            return None if len(rows) == 0 else (int(t_ms[rows[0]]), float(value[rows[0]]))

        at, before = np.flatnonzero(t_ms == border_ms), np.flatnonzero(t_ms < border_ms)[::-1]
        return cls(one(at), one(before), one(np.flatnonzero(t_ms > border_ms)))

    def told(self, what: str, ratio: str) -> Iterator[Register]:
        """The register at the border, or those before and after it."""
        if self.at is not None:
            yield Register(what, self.at[0], _plain(self.at[1]), ratio)
            return
        for name, found in (("before", self.before), ("after", self.after)):
            if found is not None:
                yield Register(name, found[0], _plain(found[1]), ratio)


def _lives(events: Sequence[KeptEvent], start: int, end: int, first: _Border, last: _Border) -> Iterator[Register]:
    """The registers at both borders, and those of exchanges between them."""
    ratio = "1"
    for kept in events:
        if kept.event.at_ms <= start and kept.event.ratio is not None:
            ratio = _plain(kept.event.ratio)
    yield from first.told("start", ratio)
    for kept in events:
        event = kept.event
        if not start < event.at_ms < end or event.kind not in _CHANGES:
            continue
        if event.final_register is not None and event.initial_register is not None:
            yield Register("final", event.at_ms, _plain(event.final_register), ratio, kept.id)
            ratio = _plain(event.ratio) if event.ratio is not None else ratio
            yield Register("initial", event.at_ms, _plain(event.initial_register), ratio, kept.id)
        else:
            ratio = _plain(event.ratio) if event.ratio is not None else ratio
            yield Register(str(event.kind), event.at_ms, "", ratio, kept.id)
    yield from last.told("end", ratio)


_CHANGES = (EventKind.EXCHANGED, EventKind.RATIO_CHANGED, EventKind.FAULTY, EventKind.INSTALLED, EventKind.REMOVED)
