"""Readings into the ledger: only what changed is made anew, and only rows that differ are written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import numpy as np

from analytics.consumption.counters import HELD_MS, Flags
from analytics.consumption.hours import context_from_ms, groups, hours_of
from analytics.consumption.limits import EXCURSION_MS, Whole
from energy.hours import HOUR_MS, UNPRICED, Doubt, Hours, Small
from energy.ports import LEDGER_PARTS, Basis, Ledger
from energy.quantities import Kind, quantity
from energy.series import MICRO, Floats
from gateway.ledger.curves import Curves
from gateway.ledger.reach import Depth, Reach, week_of, window_of
from gateway.ledger.terms import Terms, Worth

# Readings that are worked on at a time: what fits the caches of a small server.
_GROUP = 1_000_000
# Counters whose hours are priced anew at a time: a year of them is a million rows.
_PRICED_TOGETHER = 100
_EVER = 1 << 30
_FOREVER_MS = 1 << 60
# What all points were made under is compared again, since a command may have been killed that made some anew.
_LOOK_ANEW_S = 600.0
_BEGUN = Basis("", "")


@dataclass(frozen=True, slots=True)
class Built:
    """What was done: points made anew, readings looked at, rows that are different now."""

    points: int = 0
    readings: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class _Made:
    """Hours of points, from which hour on each was made anew, what is doubtful; and which of the reach were left."""

    points: Whole
    hours: Hours
    since: Whole
    doubts: Sequence[Doubt]
    left: Flags


_Readings = tuple[Small, Whole, Floats, Whole]


@dataclass(frozen=True, slots=True)
class _Stale:
    """Points that were made under other terms, ascending; those of them that were never made; those of which the price
    alone is another; and what all should be made under."""

    anew: Sequence[int] = ()
    fresh: frozenset[int] = frozenset()
    repriced: Sequence[int] = ()
    wanted: Mapping[int, Basis] = field(default_factory=dict)


class Builder:
    """Makes the ledger of a store. One at a time: `catch_up` waits for one that runs."""

    def __init__(self, ledger: Ledger, terms: Terms, curves: Curves) -> None:
        self._ledger, self.terms, self._curves = ledger, terms, curves
        self._running = asyncio.Lock()
        # As what all was worked in when the points were looked at last, and up to which mark.
        self._sound: tuple[object, ...] = ()
        self._upto = self._anew = 0

    async def catch_up(
        self, tell: Callable[[float], None] = lambda _share: None, parts: Collection[int] | None = None
    ) -> Built:
        """Work in all readings, events and tariffs that are new; `tell` is told how far it has come, 0 to 1.

        parts : of several processes the parts of the points that are ours (`LEDGER_PARTS`); None for all.
        """
        if parts is not None and not parts:
            return Built()
        async with self._running:
            marks = await self._ledger.marks(parts, shown=parts is not None)
            as_it_is, known = self._as_it_is(parts), self._sound
            if as_it_is == known and not len(marks.point):
                # Marks of other parts pass by, too: they go when all have let them.
                if parts is not None and marks.last != self._upto:
                    await self._settle(marks.last, {}, parts, as_it_is)
                return Built()
            self._sound = ()
            # Where nothing but readings can be new, nobody need look at each of all points.
            stale = _Stale() if as_it_is == known else await self._stale(parts)
            anew, fresh, repriced = stale.anew, stale.fresh, stale.repriced
            tails = np.array([self._is_tail(p, parts) for p in marks.point.tolist()], bool)
            tails &= ~np.isin(marks.point, anew)
            if fresh:
                # Whoever is killed from here on leaves rows of these: they are fresh no more.
                await self._ledger.settle(0, dict.fromkeys(fresh, _BEGUN), parts)
            built = Built()
            everything = np.array(anew, np.int64)
            work = await self._sized(everything, np.zeros_like(everything), 0, Depth.WHOLE)
            work += await self._tails(marks.point[tails], marks.from_ms[tails], Depth.SOUND)
            async for made in self._made(work, fresh, tell):
                built = Built(*(sum(pair) for pair in zip(astuple(built), astuple(made), strict=True)))
            for i in range(0, len(repriced), _PRICED_TOGETHER):
                rows = await self._reprice(repriced[i : i + _PRICED_TOGETHER])
                built = replace(built, rows=built.rows + rows)
            changed = {i: stale.wanted[i] for i in (*anew, *repriced)}
            if changed or len(marks.point) or parts is not None:
                await self._settle(marks.last, changed, parts, as_it_is)
            self._sound = as_it_is
            return replace(built, points=built.points + len(repriced))

    async def is_as_entered(self) -> bool:
        """Whether the hours of all points were made under the terms that hold, be it by another process."""
        bases = await self._ledger.bases()
        return all(bases.get(i) == self.terms.basis(self._ledger.points[i]) for i in _counters(self._ledger, None))

    async def _stale(self, parts: Collection[int] | None) -> _Stale:
        """What was made under other terms than those that hold."""
        bases = await self._ledger.bases()
        counters = _counters(self._ledger, parts)
        wanted = {i: self.terms.basis(self._ledger.points[i]) for i in counters}
        anew = [i for i in counters if i not in bases or bases[i].register != wanted[i].register]
        others = frozenset(counters).difference(anew)
        repriced = [i for i in sorted(others) if bases[i].price != wanted[i].price]
        return _Stale(anew, frozenset(i for i in anew if i not in bases), repriced, wanted)

    def _is_tail(self, point: int, parts: Collection[int] | None) -> bool:
        """Whether a point with new readings is a counter of ours."""
        is_ours = parts is None or point % LEDGER_PARTS in parts
        return is_ours and quantity(self._ledger.points[point].quantity).kind is Kind.COUNTER

    def look_anew(self) -> None:
        """Somebody else may have changed what points were made under."""
        self._anew += 1

    def _as_it_is(self, parts: Collection[int] | None) -> tuple[object, ...]:
        held = None if parts is None else frozenset(parts)
        return self._anew, time.monotonic() // _LOOK_ANEW_S, self.terms, len(self._ledger.points), held

    async def _settle(
        self, upto: int, bases: Mapping[int, Basis], parts: Collection[int] | None, as_it_was: tuple[object, ...]
    ) -> None:
        """What there is of these parts is worked in, up to a mark, as it was when the work began."""
        await self._ledger.settle(upto, bases, parts)
        self._upto, self._sound = upto, as_it_was

    async def rebuild(self, tell: Callable[[float], None] = lambda _share: None) -> Built:
        """Make everything anew, whatever is there."""
        await self._ledger.settle(0, dict.fromkeys(await self._ledger.bases(), _BEGUN))
        self.look_anew()
        return await self.catch_up(tell)

    async def under(self, terms: Terms, points: Sequence[int]) -> Hours:
        """All hours of points as they would be under other terms; nothing is written."""
        numbers = np.unique(np.asarray(points, np.int64))
        parts = []
        for reach in await self._sized(numbers, np.zeros_like(numbers), 0, Depth.WHOLE):
            readings = await self._read(reach)
            parts.append((await asyncio.to_thread(self._make, reach, *readings, terms)).hours)
        return Hours.joined(parts)

    # -- what is made together ------------------------------------------------------------------------------------

    async def _tails(self, point: Whole, from_ms: Whole, depth: Depth) -> list[Reach]:
        """Points that have changed since an instant each, in groups that are small enough to be worked on."""
        windows = window_of(from_ms, depth)
        return [
            reach
            for window in np.unique(windows).tolist()
            for reach in await self._sized(point[windows == window], from_ms[windows == window], window, depth)
        ]

    async def _sized(self, points: Whole, from_ms: Whole, window_ms: int, depth: Depth) -> list[Reach]:
        if len(points) == 0:
            return []
        number, n, first_ms, last_ms = await self._ledger.counts(points, window_ms)
        if len(number) == 0:
            return []
        order = np.argsort(points)
        changed = from_ms[order][np.searchsorted(points[order], number)]
        hours = (int(last_ms.max()) - int(first_ms.min())) // HOUR_MS + 1
        parts = groups(np.maximum(n, hours).tolist(), _GROUP)
        return [Reach(number[part], window_ms, changed[part], depth) for part in parts]

    async def _sure(self, point: int, from_ms: int) -> Reach:
        """A change of a point with as much of its past as matters, however far back that is."""
        before = await self._ledger.last_before(point, from_ms)
        anchor = None
        if before is not None:
            first = min(before, int(week_of(np.array(from_ms))))
            anchor = await self._ledger.last_before(point, (first - HELD_MS) // HOUR_MS * HOUR_MS + 1)
        window = 0 if anchor is None else int(context_from_ms(np.array(anchor)))
        return Reach(np.array([point]), window, np.array([from_ms]), Depth.SURE)

    async def _deeper(self, reach: Reach, left: Flags) -> list[Reach]:
        """The points of a reach that were left, with a longer look back."""
        point, from_ms = reach.points[left], reach.from_ms[left]
        if reach.depth is Depth.SOUND:
            return await self._tails(point, from_ms, Depth.DOUBTFUL)
        return [await self._sure(p, t) for p, t in zip(point.tolist(), from_ms.tolist(), strict=True)]

    # -- the work -------------------------------------------------------------------------------------------------

    async def _made(
        self, work: Sequence[Reach], fresh: frozenset[int], tell: Callable[[float], None]
    ) -> AsyncIterator[Built]:
        """Each group read, made and written, the next being read meanwhile."""
        queue, at = list(work), 0
        reading = asyncio.create_task(self._read(queue[0])) if queue else None
        while reading is not None:
            reach, readings = queue[at], await reading
            at += 1
            reading = asyncio.create_task(self._read(queue[at])) if at < len(queue) else None
            made = await asyncio.to_thread(self._make, reach, *readings)
            queue += await self._deeper(reach, made.left)
            if reading is None and at < len(queue):
                reading = asyncio.create_task(self._read(queue[at]))
            rows = await self._write(made, fresh)
            tell(at / len(queue))
            yield Built(len(made.points), len(readings[0]), rows)

    async def _read(self, reach: Reach) -> _Readings:
        # Steps that reach into the window are part of it, and so is what tells an excursion from a load.
        point, t_ms, value = await self._ledger.registers(reach.points, reach.window_ms - EXCURSION_MS)
        doubted = np.empty(0, np.int64)
        if reach.depth is Depth.SOUND and len(reach.points):
            since = int(week_of(reach.from_ms).min()) - HELD_MS
            found = await self._ledger.doubts(reach.points, since, _FOREVER_MS)
            doubted = np.unique(np.array([d.point for d in found], np.int64))
        return point, t_ms, value, doubted

    def _make(
        self, reach: Reach, point: Small, t_ms: Whole, value: Floats, doubted: Whole, terms: Terms | None = None
    ) -> _Made:
        terms = terms or self.terms
        position = reach.position(point)
        since, enough = reach.since(position, t_ms)
        left = ~enough | np.isin(reach.points, doubted)
        points = [self._ledger.points[int(p)] for p in reach.points]
        found = hours_of(
            position,
            t_ms,
            np.rint(value * MICRO).astype(np.int64),
            terms.registers(points),
            (np.where(left, _EVER, since), np.full(len(since), _EVER)),
            zone_offset_ms=terms.zone_offset_ms,
        )
        if reach.depth is Depth.SOUND:
            left |= ~found.plain
        hours = found.hours.take(~left[found.hours.point]) if left.any() else found.hours
        hours = replace(hours, cost=self._cost(hours, [terms.worth(p) for p in points]))
        numbered = replace(hours, point=reach.points[hours.point].astype(np.int32))
        doubts = [replace(d, point=int(reach.points[d.point])) for d in found.doubts if not left[d.point]]
        return _Made(reach.points[~left], numbered, since[~left], doubts, left)

    def _cost(self, hours: Hours, worth: Sequence[Worth | None]) -> Whole:
        """(n,) what hours of consumption cost by the tariff of each position [millionths of a yuan]."""
        cost = np.full(len(hours), UNPRICED, np.int64)
        by_tariff: dict[str, list[int]] = {}
        known = {w.id: w for w in worth if w is not None}
        for i, w in enumerate(worth):
            if w is not None:
                by_tariff.setdefault(w.id, []).append(i)
        for name, positions in by_tariff.items():
            rows = np.isin(hours.point, positions) if len(known) > 1 or len(positions) < len(worth) else slice(None)
            cost[rows] = known[name].cost(hours.take(rows))
        return cost

    async def _write(self, made: _Made, fresh: frozenset[int]) -> int:
        """Write what differs from what is there; how many rows that are."""
        if len(made.points) == 0:
            return 0
        stale, hours = Hours.none(), made.hours
        there = not fresh.issuperset(made.points.tolist())
        if there:
            stored = await self._ledger.hours(made.points, int(made.since.min()), _EVER)
            stored = stored.take(stored.hour >= made.since[np.searchsorted(made.points, stored.point)])
            stale, hours = difference(stored, made.hours)
        if len(stale) or len(hours):
            await self._curves.revise(stale, hours)
        if made.doubts or there:
            since_ms = dict(zip(made.points.tolist(), (made.since * HOUR_MS).tolist(), strict=True))
            await self._ledger.doubt(since_ms, made.doubts)
        return max(len(stale), len(hours))

    async def _reprice(self, numbers: Sequence[int]) -> int:
        """Price the hours of points anew, their amounts as they are; how many rows that changes."""
        stored = await self._ledger.hours(numbers, 0, _EVER)
        position = np.searchsorted(np.asarray(numbers), stored.point).astype(np.int32)
        worths = [self.terms.worth(self._ledger.points[n]) for n in numbers]
        cost = await asyncio.to_thread(self._cost, replace(stored, point=position), worths)
        stale, hours = difference(stored, replace(stored, cost=cost))
        if len(hours):
            await self._curves.revise(stale, hours)
        return len(hours)


def difference(stored: Hours, made: Hours) -> tuple[Hours, Hours]:
    """Rows that are there and should not be as they are, and those that should be there instead."""
    if len(stored) == 0:
        return stored, made
    keys, own = stored.key, made.key
    at = np.searchsorted(keys, own)
    there = at < len(keys)
    there[there] = keys[at[there]] == own[there]
    same = there.copy()
    for name, column in made.columns().items():
        same[there] &= column[there] == getattr(stored, name)[at[there]]
    if (twice := keys[1:] == keys[:-1]).any():
        # Rows that were written twice go both, and one comes.
        same &= ~np.isin(own, keys[1:][twice])
    kept = np.zeros(len(stored), bool)
    kept[at[same]] = True
    return stored.take(~kept), made.take(~same)


def _counters(ledger: Ledger, parts: Collection[int] | None) -> list[int]:
    """The numbers of the counters, in ascending order; of these parts alone, or of all."""
    found = [i for i, p in enumerate(ledger.points) if quantity(p.quantity).kind is Kind.COUNTER]
    return found if parts is None else [i for i in found if i % LEDGER_PARTS in parts]
