"""How far back a change reaches: which readings must be looked at, and from which hour on the ledger is made anew.

Hours hang on the step that they lie in, on a standstill of two days at most before it, and on limits learnt from its
week and the week before. Where nothing about a meter is doubtful, its limits decide nothing, and a look at these two
weeks shows that it is still so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import HELD_MS
from analytics.consumption.hours import context_from_ms
from analytics.consumption.limits import WEEK_MS, Whole
from energy.hours import HOUR_MS

# Where the last reading before a change is further away, more is looked at.
_NEAR_MS = 3 * HOUR_MS


class Depth(IntEnum):
    """How much is looked at: the sound meter's two weeks; all that a doubtful week hangs on; all that there can be."""

    SOUND = 0
    DOUBTFUL = 1
    SURE = 2
    WHOLE = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """Points that are made together out of the readings since `window_ms`.

    points : (p,) their numbers, ascending.
    from_ms : (p,) the first instant at which each has changed; of a whole reach of no meaning.
    """

    points: Whole
    window_ms: int
    from_ms: Whole
    depth: Depth

    def position(self, point: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """(n,) which of the points each reading is of."""
        first, last = int(self.points[0]), int(self.points[-1])
        if last - first + 1 == len(self.points):
            return point - np.int32(first)
        return np.searchsorted(self.points, point).astype(np.int32)

    def since(self, position: npt.NDArray[np.int32], t_ms: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
        """From which hour on each point is made anew (p,); and whether enough readings are there for that (p,)."""
        if self.depth is Depth.WHOLE:
            return np.zeros(len(self.points), np.int64), np.ones(len(self.points), bool)
        rows = np.searchsorted(position, np.arange(len(self.points) + 1, dtype=np.int32))
        before, known = _last(rows, t_ms, self.from_ms)
        first = np.minimum(np.where(known, before, self.from_ms), self._decided_from())
        since = (first - HELD_MS) // HOUR_MS
        anchor, anchored = _last(rows, t_ms, since * HOUR_MS + 1)
        enough = known & anchored & (context_from_ms(anchor) >= self.window_ms)
        return since, enough | (self.depth is Depth.SURE)

    def _decided_from(self) -> Whole:
        """Since when the limits that have changed decide about hours."""
        return self.from_ms if self.depth is Depth.SOUND else week_of(self.from_ms)


def week_of(t_ms: Whole) -> Whole:
    """The beginning of the week in which a step that ends then is judged."""
    begins: Whole = (t_ms - 1) // WEEK_MS * WEEK_MS
    return begins


def window_of(from_ms: Whole, depth: Depth) -> Whole:
    """From where readings should be enough for a change, as a rule."""
    first = from_ms if depth is Depth.SOUND else week_of(from_ms)
    return context_from_ms(first - HELD_MS - _NEAR_MS)


def _last(rows: Whole, t_ms: Whole, before_ms: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
    """The last instant before another, of each of p points; and whether there is one.

    rows : (p + 1,) where the readings of each point begin, and the last ones end. before_ms : (p,).

    All points are halved at once: instants of any year need no room beside the number of a point.
    """
    if len(t_ms) == 0:
        return np.zeros(len(before_ms), np.int64), np.zeros(len(before_ms), bool)
    low, high = rows[:-1], rows[1:]
    while np.any(low < high):
        middle = (low + high) // 2
        earlier = (low < high) & (t_ms[np.minimum(middle, len(t_ms) - 1)] < before_ms)
        low, high = np.where(earlier, middle + 1, low), np.where(earlier, high, np.minimum(middle, high))
    found = low > rows[:-1]
    return np.where(found, t_ms[np.maximum(low - 1, 0)], 0), found
