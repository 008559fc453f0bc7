"""When to read: ticks aligned to the clock, and growing pauses for a meter that does not answer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.readings import EPOCH

_LONGEST_PAUSE_S = 60.0


def next_tick(now: datetime, interval_s: float) -> datetime:
    """The first multiple of the interval, counted from the epoch, that is later than now.

    >>> from datetime import UTC
    >>> next_tick(datetime(2026, 1, 1, 8, 0, 7, tzinfo=UTC), 5.0).second
    10
    """
    interval = timedelta(seconds=interval_s)
    return EPOCH + ((now - EPOCH) // interval + 1) * interval


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

    def pause_s(self) -> float:
        """Seconds until the next attempt is worth its time on the line; 0 for a meter that answers."""
        if self.failures < 2:
            return 0.0
        longest = max(_LONGEST_PAUSE_S, self.interval_s)
        grown = min(longest, self.interval_s * 2.0 ** (self.failures - 1))
        return grown * random.uniform(0.75, 1.0)  # noqa: S311 - no secret hangs on it
