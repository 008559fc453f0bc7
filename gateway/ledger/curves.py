"""Hourly sums of nodes of many counters, kept in memory and revised with the ledger.

A year of a city is 354 million rows: too many to add up while somebody waits. What is added up once is kept, and each
revision of the ledger changes the hours that it touches, exactly: all sums are of integers.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from energy.hours import UNPRICED, Hours, Sums, Whole
from energy.ports import Ledger

# Fewer counters are added up anew each time: that takes milliseconds.
_MANY = 400
_KEPT = 64
_COLUMNS = tuple(f.name for f in fields(Sums) if f.name not in ("of", "rows"))


@dataclass(slots=True)
class _Kept:
    """The sums of some counters from hour `first` on: (column, hour); `rows` (hour,) counts what each is the sum of."""

    member: npt.NDArray[np.bool_]
    first: int
    sums: Whole
    rows: Whole

    @property
    def end(self) -> int:
        return self.first + len(self.rows)

    def change(self, hours: Hours, sign: int) -> None:
        if len(hours) == 0:
            return
        own = self.member[np.minimum(hours.point, len(self.member) - 1)] & (hours.point < len(self.member))
        own &= (hours.hour >= self.first) & (hours.hour < self.end)
        changed = hours.take(own)
        at = changed.hour - self.first
        priced = changed.cost != UNPRICED
        made = {"cost": np.where(priced, changed.cost, 0), "unpriced": np.where(priced, 0, changed.amount)}
        for i, name in enumerate(_COLUMNS):
            column = made[name] if name in made else getattr(changed, name).astype(np.int64)
            np.add.at(self.sums[i], at, sign * column)
        np.add.at(self.rows, at, sign)


class Curves:
    """Answers `Ledger.curve`; of many counters out of memory, the longest unasked forgotten first."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        # Held while the ledger is revised, and while sums are read that are to be kept.
        self._steady = asyncio.Lock()

    async def of(self, numbers: Whole, low: int, high: int) -> Sums:
        """What flowed through all of these together in each hour of [low, high) that any of them has a row of."""
        if len(numbers) < _MANY:
            return await self._ledger.curve(numbers, low, high)
        kept = await self._sums(numbers, low, high)
        part = slice(low - kept.first, high - kept.first)
        there = kept.rows[part] > 0
        hours = np.arange(low, high, dtype=np.int64)[there]
        columns = {name: column[part][there] for name, column in zip(_COLUMNS, kept.sums, strict=True)}
        return Sums(of=hours, rows=kept.rows[part][there], **columns)

    async def revise(self, stale: Hours, fresh: Hours) -> None:
        """Revise the ledger, and the sums with it."""
        async with self._steady:
            await self._ledger.revise((stale.point, stale.hour), fresh)
            for kept in self._kept.values():
                kept.change(stale, -1)
                kept.change(fresh, 1)

    async def _sums(self, points: Whole, low: int, high: int) -> _Kept:
        name = points.tobytes()
        kept = self._kept.get(name)
        if kept is None or not (kept.first <= low and high <= kept.end):
            async with self._steady:
                kept = await self._read(points, kept, low, high)
                self._kept[name] = kept
        self._kept.move_to_end(name)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return kept

    async def _read(self, points: Whole, kept: _Kept | None, low: int, high: int) -> _Kept:
        """What is kept, reaching further: only hours that are not there yet are read."""
        first, end = (min(low, kept.first), max(high, kept.end)) if kept else (low, high)
        member = np.zeros(int(points.max()) + 1, bool)
        member[points] = True
        wider = _Kept(member, first, np.zeros((len(_COLUMNS), end - first), np.int64), np.zeros(end - first, np.int64))
        if kept is not None:
            own = slice(kept.first - first, kept.end - first)
            wider.sums[:, own], wider.rows[own] = kept.sums, kept.rows
        missing = [(first, kept.first), (kept.end, end)] if kept else [(first, end)]
        for since, until in missing:
            if since < until:
                found = await self._ledger.curve(points, since, until)
                for i, name in enumerate(_COLUMNS):
                    wider.sums[i, found.of - first] = getattr(found, name)
                wider.rows[found.of - first] = found.rows
        return wider
