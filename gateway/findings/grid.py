"""The ledger's hours as a grid of meters and local hours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from energy.hours import HOUR_MS, Small, Whole
from energy.ports import Ledger
from energy.quantities import main_counter
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.sites import Site
from energy.working_days import Mask, WorkingDays

_DAY = 24
# The share of an hour that must be measured, or read by hand, before its amount is compared with others.
_KNOWN_MS = 9 * HOUR_MS // 10
# What is over has ended when so many hours were measured after it: within them it would have been the same event.
QUIET_H = 24
# So much is read at a time: of 500 points 0.8 M rows.
_READ_DAYS = 64


@dataclass(frozen=True, slots=True)
class Grid:
    """Consumption of m points over whole local days [unit of the point]; NaN where it is missing, estimated or to come.

    first_hour : the first hour, counted since the epoch [h]; local time without summer time, `offset_h` ahead of UTC.
    amount : (m, n) the same in millionths, as the ledger has it. upto : the first hour that is to come.
    since : (m,) the hour from which on all of a point was read.
    """

    points: tuple[Point, ...]
    use: npt.NDArray[np.float32]
    amount: Whole
    first_hour: int
    offset_h: int
    upto: int
    since: npt.NDArray[np.int64]

    @property
    def days(self) -> int:
        return int(self.use.shape[1]) // _DAY

    def worked(self, calendar: WorkingDays) -> Mask:
        """(d,) whether a day is worked."""
        return calendar.is_worked((self.first_hour + self.offset_h) // _DAY + np.arange(self.days))

    def ms(self, hour: int) -> int:
        """The instant at which an hour of the grid begins."""
        return (self.first_hour + hour) * HOUR_MS

    def hour(self, t_ms: int) -> int:
        """The hour of the grid in which an instant lies."""
        return int(t_ms // HOUR_MS) - self.first_hour


def counters(site: Site, ledger: Ledger) -> list[Point]:
    """The main counter of each meter that the ledger knows."""
    named = [(m.id, main_counter(m.medium, m.quantities)) for m in site.meters]
    points = [Point(meter, name) for meter, name in named if name is not None]
    return [p for p in points if ledger.number(p) is not None]


def quiet_until(grid: Grid, days: int) -> dict[Point, int]:
    """By point, the last instant after which a day of hours was measured [ms]; without those not so well known.

    days : how many of the last ones are looked at.
    """
    first = max(grid.upto - days * _DAY, 0)
    known = np.isfinite(grid.use[:, first : grid.upto])
    after = known[:, ::-1].cumsum(axis=1, dtype=np.int16) >= QUIET_H
    hours = grid.upto - 1 - after.argmax(axis=1)
    return {grid.points[row]: grid.ms(int(hours[row])) for row in np.flatnonzero(after.any(axis=1)).tolist()}


async def grid_of(
    ledger: Ledger,
    points: Sequence[Point],
    now: datetime,
    offset_h: int,
    days: int,
    end: datetime | None = None,
    unread: range = range(0),
) -> Grid:
    """The last so many days, the one of `end` (or of now) included; without reading some days of them."""
    upto = int(to_ms(now) // HOUR_MS)
    last_day = (min(upto, int(to_ms(end) // HOUR_MS)) if end else upto) + offset_h
    end_hour = (last_day // _DAY + 1) * _DAY - offset_h
    first = end_hour - days * _DAY
    shape = len(points), days * _DAY
    since = np.full(len(points), unread.stop * _DAY, np.int64)
    grid = Grid(
        tuple(points),
        np.full(shape, np.nan, np.float32),
        np.zeros(shape, np.int64),
        first,
        offset_h,
        upto - first,
        since,
    )
    if unread:
        await _read(ledger, grid, range(len(points)), 0, unread.start * _DAY)
    await _read(ledger, grid, range(len(points)), unread.stop * _DAY, min(days * _DAY, upto - first))
    return grid


async def read_all(ledger: Ledger, grid: Grid, rows: Sequence[int], unread: range) -> None:
    """Read of some rows of a grid the days that were left out."""
    await _read(ledger, grid, rows, unread.start * _DAY, unread.stop * _DAY)
    grid.since[list(rows)] = 0


async def _read(ledger: Ledger, grid: Grid, rows: Sequence[int], from_hour: int, to_hour: int) -> None:
    """Put into some rows of a grid what the ledger has of some of its hours; a few weeks at a time."""
    number_of = {n: row for row in rows if (n := ledger.number(grid.points[row])) is not None}
    if not number_of:
        return
    numbers = np.array(sorted(number_of), np.int64)
    row_of = np.array([number_of[n] for n in numbers.tolist()], np.int64)
    for low in range(from_hour, to_hour, _READ_DAYS * _DAY):
        high = min(low + _READ_DAYS * _DAY, to_hour)
        found = await ledger.amounts(numbers, grid.first_hour + low, grid.first_hour + high, _KNOWN_MS)
        await asyncio.to_thread(_put, grid, numbers, row_of, found)


def _put(grid: Grid, numbers: Whole, row_of: Whole, found: tuple[Small, Small, Whole]) -> None:
    point, hour, amount = found
    at = row_of[np.searchsorted(numbers, point)], hour - grid.first_hour
    grid.use[at] = amount / MICRO
    grid.amount[at] = amount
