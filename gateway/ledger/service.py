"""Consumption of points and nodes, out of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analytics.consumption.allocation import part
from analytics.consumption.formula import Formula, evaluate, flattened, parse
from energy.belonging import lowers, uppers
from energy.bills import SupplierBill
from energy.errors import EnergyError, UnknownName
from energy.hours import HOUR_MS, UNPRICED, Doubt, Hours, Sums, Whole
from energy.life import EventKind, MeterEvent
from energy.periods import Span, period
from energy.ports import Ledger
from energy.quantities import Kind, Medium, quantity
from energy.readings import Point, from_ms, to_ms
from energy.sites import Meter, Site, VirtualPoint
from gateway.ledger.billed import Billed, billed_quantity
from gateway.ledger.curves import Curves
from gateway.ledger.periods import HALF_MS, Figures, edges_of, joined, of_periods
from gateway.ledger.scope import Component, Move, Node, NodeKind, Scope, cuts, organisations_of
from gateway.ledger.terms import Terms

_MOST_PERIODS = 9_000


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: periods over [start, end), or all of it as one where `by` is None."""

    start: datetime
    end: datetime
    by: Span | None
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise EnergyError(f"from {self.start.isoformat()} must be before to {self.end.isoformat()}")
        if self.by is None:
            return
        hours = {Span.HOUR: 1, Span.DAY: 23, Span.WEEK: 167, Span.MONTH: 671, Span.YEAR: 8759}[self.by]
        if (self.end - self.start) / timedelta(hours=hours) > _MOST_PERIODS:
            raise EnergyError(f"that would be more than {_MOST_PERIODS} periods; ask a shorter time, or longer periods")

    @property
    def edges(self) -> Whole:
        """(m + 1,) of the periods [half hours since the epoch]."""
        return edges_of(self.by, self.start, self.end, self.zone)

    @property
    def whole(self) -> Range:
        """The same as one period."""
        return replace(self, by=None)

    @property
    def last_day(self) -> date:
        """The last day that is touched; the instant of the end is no longer asked for."""
        return (self.end - timedelta(milliseconds=1)).astimezone(self.zone).date()

    def a_year_before(self) -> Range:
        """The same days a year before; of the 29th of February the 28th."""
        start, end = _year_before(self.start, self.zone), _year_before(self.end, self.zone)
        if self.end.astimezone(self.zone).strftime("%m-%d") == "02-29":
            # There is no such day to end on: as long a time, so that what ended with the 28th does so again.
            end = start + (self.end - self.start)
        return replace(self, start=start, end=end)

    def just_before(self) -> Range:
        """The period before: the month before a month, the same days of it before one that is not over; else as long a
        time as this one."""
        for span in (Span.DAY, Span.WEEK, Span.MONTH, Span.YEAR):
            own = period(span, self.start, self.zone)
            running = span in (Span.MONTH, Span.YEAR) and self.end < own.end
            if own.start == self.start and (running or self.end == own.end):
                previous = period(span, self.start - timedelta(hours=1), self.zone)
                end = previous.start + (self.end - self.start) if running else previous.end
                return replace(self, start=previous.start, end=min(end, previous.end))
        return replace(self, start=self.start - (self.end - self.start), end=self.start)


def _year_before(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    try:
        shifted = local.replace(year=local.year - 1)
    except ValueError:
        shifted = local.replace(year=local.year - 1, day=28)
    return shifted.astimezone(UTC)


class Consumption:
    """Answers what flowed where."""

    def __init__(
        self,
        ledger: Ledger,
        curves: Curves,
        site: Site,
        events: Sequence[MeterEvent] = (),
        bills: Sequence[SupplierBill] = (),
    ) -> None:
        self.ledger, self._curves, self.site = ledger, curves, site
        self._billed = Billed(site, bills)
        zone = site.zone_info
        self._moves = [
            Move(e.meter, e.place, from_ms(e.at_ms).astimezone(zone).date())
            for e in events
            if e.kind is EventKind.MOVED and e.place is not None
        ]
        self._cuts = cuts(site, self._moves)
        self._virtual = {v.id: v for v in site.virtual_points}
        self._scopes: dict[int, Scope] = {}
        self._compositions: dict[tuple[int, Node], Mapping[Medium, _Composed]] = {}
        self._priced: dict[tuple[int, Node], Mapping[Medium, Sequence[str]]] = {}
        self._priced_under: Terms | None = None

    @property
    def moves(self) -> Sequence[Move]:
        """Which meters were moved to another place, and when."""
        return self._moves

    # -- points ---------------------------------------------------------------------------------------------------

    async def of_point(self, point: Point, asked: Range) -> Figures:
        """What flowed through a counter, or through a virtual point; KindError for a gauge."""
        quantity(point.quantity).must_be(Kind.COUNTER)
        edges = asked.edges
        virtual = self._virtual.get(point.meter)
        if virtual is not None:
            return await self._of_virtual(virtual, edges)
        sums = await self._sums([Component(point)], edges)
        return of_periods(sums, edges, 1)

    def knows(self, point: Point) -> bool:
        """Whether the point is measured, reckoned, or has ever been."""
        return self.ledger.number(point) is not None or point.meter in self._virtual

    async def _of_virtual(self, virtual: VirtualPoint, edges: Whole) -> Figures:
        formula = self._formula(virtual)
        low, high = _hours_of(edges)
        hourly = np.arange(low, high + 1) * 2
        own = {name: await self._sums([Component(self._operand(name, virtual))], hourly) for name in formula.operands}
        return of_periods(_evaluated(formula, own, low, high), edges, len(formula.operands))

    def _formula(self, virtual: VirtualPoint) -> Formula:
        return flattened({v.id: parse(v.formula) for v in self._virtual.values()}, virtual.id)

    def _operand(self, name: str, virtual: VirtualPoint) -> Point:
        return Point.parse(name) if ":" in name else Point(name, virtual.quantity)

    async def together(self, components: Sequence[Component], asked: Range) -> Figures:
        """What flowed through several counters together."""
        edges = asked.edges
        return of_periods(await self._sums(components, edges), edges, len(components))

    # -- nodes ----------------------------------------------------------------------------------------------------

    def scope(self, day: date) -> Scope:
        """The trees as they are on a day."""
        era = sum(cut <= day for cut in self._cuts)
        if era not in self._scopes:
            self._scopes[era] = Scope(self.site, self._cuts[era - 1] if era else date(1970, 1, 1), self._moves)
        return self._scopes[era]

    async def of_node(self, node: Node, asked: Range, medium: Medium | None = None) -> dict[Medium, Counted]:
        """What flowed through a node, by medium; each with how many counters it is made of at the end."""
        edges = asked.edges
        eras = self._eras(edges)
        composed = [(low, high, self._composed(node, day)) for low, high, day in eras]
        media = {m for _, _, found in composed for m in found if medium in (None, m)}
        billed = self._billed_to(node, asked.last_day)
        media |= {m for m in billed if medium in (None, m)}
        return {m: await self._of_medium(m, composed, billed.get(m, []), edges) for m in sorted(media)}

    def meters_of(self, node: Node, day: date) -> frozenset[str]:
        """All meters of a node on a day, those below its mains too."""
        return self.scope(day).meters(node)

    def priced_by(self, node: Node, day: date, terms: Terms) -> Mapping[Medium, Sequence[str]]:
        """By which tariffs the counters of a node are priced, by medium; looked for once as long as the terms hold."""
        if self._priced_under is not terms:
            self._priced.clear()
            self._priced_under = terms
        name = sum(cut <= day for cut in self._cuts), node
        if name not in self._priced:
            found = self.scope(day).components(node)
            self._priced[name] = {
                m: sorted({worth.id for c in own if (worth := terms.worth(c.point)) is not None})
                for m, own in found.items()
            }
        return self._priced[name]

    def _billed_to(self, node: Node, day: date) -> Mapping[Medium, list[str]]:
        """The accounts of an organisation, and of all below it on a day, that have no meters, and bills."""
        if node.kind is not NodeKind.ORGANISATION:
            return {}
        return self._billed.of(organisations_of(node.id, self.site, lowers(uppers(self.site, day))))

    async def _of_medium(
        self,
        medium: Medium,
        composed: Sequence[tuple[int, int, Mapping[Medium, _Composed]]],
        billed: Sequence[str],
        edges: Whole,
    ) -> Counted:
        found_in_bills = self._billed.sums(billed, *_hours_of(edges))
        parts: list[Sums] = [found_in_bills] if found_in_bills is not None else []
        weight = np.full(len(edges) - 1, float(len(billed)))
        for low, high, found in composed:
            own = found.get(medium)
            if own is not None:
                inner = np.clip(edges, low * 2, high * 2)
                parts.append(await self._added_up(own, np.unique(inner)))
                weight += np.diff(inner) / np.diff(edges) * own.count
        sums = joined(parts) if parts else Sums.none()
        figures = of_periods(sums, edges, 1)
        scale = np.maximum(weight, 1e-9)
        shared = {n: getattr(figures, n) / scale for n in ("measured", "estimated_time", "manual", "disputed")}
        last = composed[-1][2].get(medium)
        name = next((f[medium].quantity for _, _, f in composed if medium in f), billed_quantity(medium))
        return Counted(replace(figures, **shared), (last.count if last else 0) + len(billed), name)

    def _eras(self, edges: Whole) -> list[tuple[int, int, date]]:
        """[from, to) [hours since the epoch] in which nothing changes who uses what, and a day in each."""
        low, high = _hours_of(edges)
        zone = self.site.zone_info
        cut = [to_ms(datetime(d.year, d.month, d.day, tzinfo=zone)) // HOUR_MS for d in self._cuts]
        inner = sorted({c for c in cut if low < c < high})
        bounds = [low, *inner, high]
        # Where days begin at half past, the hour in which one does is its first.
        begins = [from_ms((b + 1) * HOUR_MS - 1).astimezone(zone).date() for b in bounds[:-1]]
        return list(zip(bounds[:-1], bounds[1:], begins, strict=True))

    async def of_organisations(
        self, asked: Range, names: Collection[str] | None = None
    ) -> dict[str, dict[Medium, Figures]]:
        """What each of these organisations used, or each there is, those below it not counted in, over all that is
        asked as one period."""
        edges = asked.whole.edges
        found: dict[str, dict[Medium, Figures]] = {}
        for low, high, day in self._eras(edges):
            used = self.scope(day).by_organisation()
            groups = _by_medium(used if names is None else {name: used[name] for name in names if name in used})
            totals = await self._totals(list(groups.values()), (low, high), edges)
            for (name, medium), figures in zip(groups, totals, strict=True):
                mine = found.setdefault(name, {})
                mine[medium] = _added(mine[medium], figures) if medium in mine else figures
        return found

    async def of_groups(self, groups: Sequence[Sequence[Component]], asked: Range) -> list[Figures]:
        """What flowed through each group of counters, over all that is asked as one period."""
        edges = asked.whole.edges
        return await self._totals(groups, _hours_of(edges), edges)

    async def _totals(
        self, groups: Sequence[Sequence[Component]], hours: tuple[int, int], edges: Whole
    ) -> list[Figures]:
        """One look at the ledger for all of them; where the edges cut hours, one for each."""
        if np.any(edges % 2):
            return [of_periods(await self._sums(own, edges), edges, len(own)) for own in groups]
        numbers = self._numbers([c for own in groups for c in own if c.whole])
        by_point = await self.ledger.totals(numbers, *hours) if numbers else Sums.none()
        at = {int(n): i for i, n in enumerate(by_point.of)}
        return [await self._total(own, by_point, at, hours, edges) for own in groups]

    async def _total(
        self, components: Sequence[Component], by_point: Sums, at: dict[int, int], hours: tuple[int, int], edges: Whole
    ) -> Figures:
        """The sum of counters out of sums that are there already; those that are shared are taken hour by hour."""
        rows = {
            s: [at[n] for n in self._numbers([c for c in components if c.whole and c.sign == s]) if n in at]
            for s in (1, -1)
        }
        shared = [c for c in components if not c.whole]
        apart = await self._sums(shared, np.array(hours) * 2) if shared else Sums.none()

        def total(name: str, *, signed: bool) -> int:
            column = getattr(by_point, name)
            less = -1 if signed else 1
            return int(column[rows[1]].sum()) + less * int(column[rows[-1]].sum()) + int(getattr(apart, name).sum())

        length = float((edges[-1] - edges[0]) * HALF_MS * max(1, len(components)))
        amounts = (np.array([total(n, signed=True)]) for n in ("amount", "estimated", "cost", "unpriced"))
        times = (
            np.array([total(n, signed=False) / length])
            for n in ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms")
        )
        return Figures(*amounts, *times)

    # -- sums -----------------------------------------------------------------------------------------------------

    def _composed(self, node: Node, day: date) -> Mapping[Medium, _Composed]:
        """What makes up a node on a day, by medium, reckoned once."""
        name = sum(cut <= day for cut in self._cuts), node
        if name not in self._compositions:
            found = self.scope(day).components(node)
            self._compositions[name] = {m: self._compose(own) for m, own in found.items()}
        return self._compositions[name]

    def _compose(self, components: Sequence[Component]) -> _Composed:
        whole = [c for c in components if c.whole]
        plus, minus = (np.array(self._numbers([c for c in whole if c.sign == s]), np.int64) for s in (1, -1))
        shared = [c for c in components if not c.whole]
        return _Composed(plus, minus, shared, len(components), components[0].point.quantity if components else "")

    async def _sums(self, components: Sequence[Component], edges: Whole) -> Sums:
        """What flowed through all of them, by hour; days that lie whole within one period may be one row each."""
        return await self._added_up(self._compose(components), edges)

    async def _added_up(self, composed: _Composed, edges: Whole) -> Sums:
        low, high = _hours_of(edges)
        parts: list[Sums] = []
        for numbers, sign in ((composed.plus, 1), (composed.minus, -1)):
            if len(numbers):
                parts.append(_signed(await self._curves.within(numbers, edges), sign))
        for component in composed.shared:
            number = self.ledger.number(component.point)
            if number is not None:
                hours = await self.ledger.hours([number], low, high)
                parts.append(_signed(_shared(hours, component), component.sign))
        return joined(parts) if parts else Sums.none()

    def _numbers(self, components: Sequence[Component]) -> list[int]:
        return [n for c in components if (n := self.ledger.number(c.point)) is not None]

    # -- doubts ---------------------------------------------------------------------------------------------------

    async def doubts(self, points: Sequence[Point], asked: Range) -> list[tuple[Point, Doubt]]:
        """What the registers of the points did that no meter does."""
        numbers = [n for p in points if (n := self.ledger.number(p)) is not None]
        found = await self.ledger.doubts(numbers, to_ms(asked.start), to_ms(asked.end)) if numbers else []
        return [(self.ledger.points[d.point], d) for d in found]

    def points_of(self, node: Node, day: date) -> list[Point]:
        """The counters that make up a node on a day."""
        return [c.point for found in self.scope(day).components(node).values() for c in found]

    def must_know(self, point: Point) -> None:
        """KindError for a gauge; UnknownName for a point that was never measured and is in no site."""
        quantity(point.quantity).must_be(Kind.COUNTER)
        if not self.knows(point) and not any(m.id == point.meter for m in self.site.meters):
            raise UnknownName(f"point {point} is not known: no reading of it was ever stored")


@dataclass(frozen=True, slots=True)
class _Composed:
    """Counters that count for a node (`plus`) and against it (`minus`) wholly, and those that count by a share."""

    plus: Whole
    minus: Whole
    shared: list[Component]
    count: int
    quantity: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Figures, of how many counters, of which quantity."""

    figures: Figures
    counters: int
    quantity: str


def _by_medium(used: Mapping[str, Sequence[tuple[Meter, Component]]]) -> dict[tuple[str, Medium], list[Component]]:
    groups: dict[tuple[str, Medium], list[Component]] = {}
    for name, own in used.items():
        for meter, component in own:
            groups.setdefault((name, meter.medium), []).append(component)
    return groups


def _added(one: Figures, other: Figures) -> Figures:
    return Figures(*(getattr(one, f.name) + getattr(other, f.name) for f in fields(Figures)))


def _hours_of(edges: Whole) -> tuple[int, int]:
    return int(edges[0]) // 2, -(-int(edges[-1]) // 2)


def _signed(sums: Sums, sign: int) -> Sums:
    if sign == 1:
        return sums
    turned = {n: -getattr(sums, n) for n in ("amount", "first_half", "estimated", "cost", "unpriced")}
    return replace(sums, **turned)


def _shared(hours: Hours, component: Component) -> Sums:
    """A counter's hours, as far as the share goes; the parts of all shares add up to the whole."""

    def own(whole: Whole) -> Whole:
        return part(whole, component.low, component.high)

    priced = hours.cost != UNPRICED
    first, amount = own(hours.first_half), own(hours.first_half) + own(hours.amount - hours.first_half)
    times = {n: getattr(hours, n).astype(np.int64) for n in ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms")}
    return Sums(
        of=hours.hour.astype(np.int64),
        amount=amount,
        first_half=first,
        estimated=own(hours.estimated),
        cost=own(np.where(priced, hours.cost, 0)),
        unpriced=np.where(priced, 0, amount),
        rows=np.ones(len(hours), np.int64),
        **times,
    )


def _evaluated(formula: Formula, own: dict[str, Sums], low: int, high: int) -> Sums:
    """A formula hour by hour; a child that is missing leaves its time missing."""
    hours = np.arange(low, high, dtype=np.int64)

    def column(sums: Sums, name: str) -> Whole:
        grid = np.zeros(len(hours), np.int64)
        grid[sums.of - low] = getattr(sums, name)
        return grid

    def reckoned(name: str) -> Whole:
        known = {
            k: (column(s, name), column(s, "measured_ms") + column(s, "estimated_ms") + column(s, "manual_ms") > 0)
            for k, s in own.items()
        }
        return evaluate(formula, known).amount

    first = reckoned("first_half")
    amount = reckoned("amount")
    times = [
        sum((column(s, n) for s in own.values()), np.zeros(len(hours), np.int64))
        for n in ("measured_ms", "estimated_ms", "manual_ms", "disputed_ms", "rows")
    ]
    zero = np.zeros_like(hours)
    return Sums(hours, amount, first, np.abs(reckoned("estimated")), zero, amount, *times)
