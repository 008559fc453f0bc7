"""The meters' own clocks: looked at now and then, compared with the edge's, never set.

A meter that switches tariffs or closes its months by a wrong clock books rightly read energy under the wrong name;
nobody sees that in its readings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from collectors.dlt645.clock import Shown, read_clock
from collectors.dlt645.make import ItemMake
from collectors.lines.line import Line, Refused
from collectors.makes import Make
from edge.clock import EdgeClock
from energy.errors import LineError
from energy.readings import EPOCH
from energy.sites import Meter

log = structlog.get_logger()

EVERY = timedelta(hours=1)
# A meter that says that it has no such data is asked again after so long: it may be exchanged.
_SELDOM = timedelta(days=1)
# A clock that shows whole seconds is half a second further, on average.
_HALF_A_SECOND = timedelta(milliseconds=500)


@dataclass(slots=True)
class MeterClock:
    """The clock of a meter, which shows the local time of a zone; when it is looked at next, in steady time."""

    read: Callable[[Line], Awaitable[Shown]]
    zone: ZoneInfo
    due: datetime = EPOCH

    async def drift_ms(self, line: Line, clock: EdgeClock) -> int | None:
        """By how much it is ahead of the edge's, to half a second; None where it does not say."""
        steps = clock.steps
        self.due = clock.now() + EVERY
        try:
            shown = await self.read(line)
        except Refused:
            self.due = clock.now() + _SELDOM
            return None
        except LineError as error:
            log.debug("meter.clock_unread", cause=str(error))
            return None
        if steps != clock.steps:
            return None
        told = shown.local.replace(tzinfo=self.zone).astimezone(UTC) + _HALF_A_SECOND
        return round((told - clock.wall(shown.taken_at)) / timedelta(milliseconds=1))


def clock_of(meter: Meter, make: Make, zone: str) -> MeterClock | None:
    """The clock of a meter, where its protocol has one that can be read: DL/T 645 so far."""
    if not isinstance(make, ItemMake) or meter.address is None:
        return None
    return MeterClock(partial(read_clock, address=meter.address), ZoneInfo(zone))
