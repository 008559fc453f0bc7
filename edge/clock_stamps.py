"""The instant that a reading is given, and what is told of it: its time is made once here, and is never moved silently.

- A time under a clock that is not set is marked `clock not set`, and the batch names that clock, so that the time can
  be corrected when the clock is set.
- A time is marked `clock stepped` where the wall clock stepped between question and answer, where it repeats what it
  showed before, and where it leapt forwards and nobody has vouched for it.
- So the good readings of a meter bear instants in the order in which they were taken; the others say that they may not.
- No two readings of the same values of a meter bear the same instant: the second is given the next free millisecond.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.wire import Flag, MeterReadings
from edge.clock import EdgeClock
from energy.readings import Reason, to_ms

# So many instants of a meter are remembered: more than an hour of one reading a second.
_REMEMBERED = 4096


@dataclass(slots=True)
class _Given:
    """The instants that readings of the same values of a meter have been given of late."""

    instants: array[int] = field(default_factory=lambda: array("q"))
    highest: int = 0

    def free(self, t_ms: int) -> int:
        """The first millisecond from this one on that none of them bears."""
        while t_ms <= self.highest and t_ms in self.instants:
            t_ms += 1
        self.highest = max(self.highest, t_ms)
        self.instants.append(t_ms)
        if len(self.instants) >= _REMEMBERED:
            del self.instants[: _REMEMBERED // 2]
        return t_ms


class Stamps:
    """Gives readings their instants by the clock of an edge."""

    def __init__(self, clock: EdgeClock) -> None:
        self._clock = clock
        # Batches that were held back are dated in another thread.
        self._lock = threading.Lock()
        self._given: dict[tuple[str, tuple[str, ...]], _Given] = {}

    def stamp(self, readings: MeterReadings, asked: datetime, taken: datetime) -> MeterReadings:
        """Readings asked for and taken at steady instants, with their time by the wall clock."""
        if self._clock.observe():
            self._clock.look()
        t_ms = to_ms(self._clock.wall(taken))
        reason = self._reason(asked, t_ms)
        t_ms = self.free(readings, t_ms)
        flags = readings.flags if reason is Reason.NONE else _flagged(readings, reason)
        return MeterReadings(readings.meter, t_ms, readings.values, flags)

    def free(self, readings: MeterReadings, t_ms: int) -> int:
        """The first millisecond from this one on that no other reading of the same values bears; it bears it now."""
        with self._lock:
            return self._given.setdefault((readings.meter, tuple(readings.values)), _Given()).free(t_ms)

    def _reason(self, asked: datetime, t_ms: int) -> Reason:
        clock = self._clock
        # Also while the clock is not set: it may turn out to be right, and then comes twice all the same.
        if clock.repeats(t_ms) or clock.is_in_doubt or asked < clock.stepped_at:
            return Reason.CLOCK_STEPPED
        return Reason.CLOCK_NOT_SET if clock.setting is False else Reason.NONE


def _flagged(readings: MeterReadings, reason: Reason) -> dict[str, Flag]:
    """All values uncertain. That the clock is not set may be put right later, and leaves other doubts as they are."""
    flag = Flag("uncertain", reason.value)
    kept: Mapping[str, Flag] = (
        readings.flags
        if reason is Reason.CLOCK_NOT_SET
        else {name: f for name, f in readings.flags.items() if f.quality == "bad"}
    )
    return {name: kept.get(name, flag) for name in readings.values}
