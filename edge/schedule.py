"""When to read: ticks aligned to the clock, the earliest deadline first, growing pauses for a meter that is silent."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from collectors.asked import Plan
from collectors.planner import RequestCost
from energy.readings import EPOCH

_LONGEST_PAUSE_S = 60.0
_NONE = timedelta(0)
# Over how many readings the time of a round is followed.
_FOLLOW = 8


def next_tick(now: datetime, interval_s: float, ahead: timedelta = _NONE) -> datetime:
    """The first multiple of the interval, counted from the epoch, that is later than now.

    ahead : by how much the clock that ticks are aligned to is ahead of the one that instants are told by.

    >>> from datetime import UTC
    >>> next_tick(datetime(2026, 1, 1, 8, 0, 7, tzinfo=UTC), 5.0).second
    10
    """
    interval = timedelta(seconds=interval_s)
    return EPOCH - ahead + ((now + ahead - EPOCH) // interval + 1) * interval


class Standing(Enum):
    """How a meter stands: it answers, has missed one answer, or more."""

    HEALTHY = auto()
    SUSPECT = auto()
    SILENT = auto()


@dataclass(slots=True)
class Patience:
    """How long to leave a silent meter alone: twice as long after each failure, a minute at most, with some chance.

    The chance keeps meters that fell silent together from being probed together.
    """

    interval_s: float
    failures: int = 0

    def failed(self) -> None:
        self.failures += 1

    def answered(self) -> None:
        self.failures = 0

    @property
    def standing(self) -> Standing:
        return (Standing.HEALTHY, Standing.SUSPECT, Standing.SILENT)[min(self.failures, 2)]

    def pause_s(self) -> float:
        """Seconds until the next attempt is worth its time on the line; 0 for a meter that answers."""
        if self.standing is not Standing.SILENT:
            return 0.0
        longest = max(_LONGEST_PAUSE_S, self.interval_s)
        grown = min(longest, self.interval_s * 2.0 ** (self.failures - 1))
        return grown * random.uniform(0.75, 1.0)  # noqa: S311 - no secret hangs on it


Compile = Callable[[RequestCost], Sequence[Plan]]


@dataclass(slots=True)
class Round:
    """What of a meter is read together: its requests, how often, and when next.

    compile : makes the requests anew for another cost of the line; None where they stay as they are. quantities : what
    is wanted; all that the meter has if empty.
    """

    interval_s: float
    plans: Sequence[Plan]
    due: datetime
    compile: Compile | None = None
    cost: RequestCost | None = None
    quantities: Sequence[str] = ()
    took_s: float = field(default=0.0, init=False)
    read_at: datetime = field(default=EPOCH, init=False)
    _count: int = field(default=0, init=False)

    @property
    def deadline(self) -> datetime:
        """When it is due again, and so must have been read."""
        return self.due + timedelta(seconds=self.interval_s)

    def took(self, seconds: float) -> None:
        """Follow how long a whole round takes on the line."""
        self._count += 1
        self.took_s += (seconds - self.took_s) / min(self._count, _FOLLOW)

    def done(self, now: datetime, ahead: timedelta = _NONE) -> int:
        """Be due at the next tick; how many ticks were missed."""
        self.read_at = now
        missed = (now - self.due) // timedelta(seconds=self.interval_s)
        self.due = next_tick(now, self.interval_s, ahead)
        return max(0, missed)

    def align(self, now: datetime, ahead: timedelta) -> None:
        """The wall clock was set: be due at its next tick, unless it is due already."""
        if self.due > now:
            self.due = next_tick(now, self.interval_s, ahead)

    def anew(self) -> None:
        """Plan anew: what the meter refuses may be known better than before."""
        if self.compile is not None and self.cost is not None:
            self.plans = self.compile(self.cost)

    def suit(self, cost: RequestCost) -> None:
        """Plan anew where the line turned out to cost otherwise than was planned for: the gap worth bridging moved."""
        if self.compile is None or self.cost is None or _alike(self.cost, cost):
            return
        self.plans, self.cost = self.compile(cost), cost


def _alike(one: RequestCost, other: RequestCost) -> bool:
    """Whether nearly the same gap is worth reading through; no request is longer than 125 registers."""
    gaps = [min(125.0, cost.fixed_s / cost.per_register_s) for cost in (one, other)]
    return max(gaps) <= 1.25 * min(gaps)
