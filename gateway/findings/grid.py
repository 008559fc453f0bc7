"""The ledger's hours as a grid of meters and local hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from energy.hours import HOUR_MS, Hours, Whole
from energy.ports import Ledger
from energy.quantities import main_counter
from energy.readings import Point, to_ms
from energy.series import MICRO
from energy.sites import Site
from energy.working_days import Mask, WorkingDays

_DAY = 24
# The share of an hour that must be measured, or read by hand, before its amount is compared with others.
_MEASURED = 0.9


@dataclass(frozen=True, slots=True)
class Grid:
    """Consumption of m points over whole local days [unit of the point]; NaN where it is missing, estimated or to come.

    first_hour : the first hour, counted since the epoch [h]; local time without summer time, `offset_h` ahead of UTC.
    amount : (m, n) the same in millionths, as the ledger has it. upto : the first hour that is to come.
    """

    points: tuple[Point, ...]
    use: npt.NDArray[np.float32]
    amount: Whole
    first_hour: int
    offset_h: int
    upto: int

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


async def grid_of(
    ledger: Ledger, points: Sequence[Point], now: datetime, offset_h: int, days: int, end: datetime | None = None
) -> Grid:
    """The last so many days, the one of `end` (or of now) included."""
    upto = int(to_ms(now) // HOUR_MS)
    last_day = (min(upto, int(to_ms(end) // HOUR_MS)) if end else upto) + offset_h
    end_hour = (last_day // _DAY + 1) * _DAY - offset_h
    first = end_hour - days * _DAY
    numbers = [n for p in points if (n := ledger.number(p)) is not None]
    hours = await ledger.hours(np.array(sorted(numbers), np.int64), first, min(end_hour, upto))
    shape = len(points), days * _DAY
    use, amount = np.full(shape, np.nan, np.float32), np.zeros(shape, np.int64)
    row_of = {n: i for i, p in enumerate(points) if (n := ledger.number(p)) is not None}
    rows = np.array([row_of[int(p)] for p in hours.point], np.int64)
    known = _known(hours)
    at = rows[known], hours.hour[known].astype(np.int64) - first
    use[at] = hours.amount[known] / MICRO
    amount[at] = hours.amount[known]
    return Grid(tuple(points), use, amount, first, offset_h, upto - first)


def _known(hours: Hours) -> Mask:
    return hours.measured_ms.astype(np.int64) + hours.manual_ms >= _MEASURED * HOUR_MS
