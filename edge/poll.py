"""Polling: one worker per line reads the meters that are due, one request at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from adapters.wire import Flag, MeterReadings, MeterState
from collectors.asked import Asked
from collectors.decoder import Decoded
from collectors.lines.line import Line
from edge.schedule import Patience, next_tick
from energy.errors import LineError
from energy.ports import Clock
from energy.readings import Quality, to_ms
from energy.sites import Meter

log = structlog.get_logger()

Sink = Callable[[MeterReadings], None]


@dataclass(slots=True)
class Station:
    """A meter on a line: how it is read, when it is due, and how it has answered."""

    meter: Meter
    plans: Sequence[Asked]
    due: datetime
    patience: Patience = field(init=False)
    state: MeterState = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience(self.meter.interval_s)
        self.state = MeterState("unread", to_ms(self.due))


class LineWorker:
    """Reads the stations of a line in the order in which they are due; a failing meter holds nobody up for long."""

    def __init__(
        self, line: Line, stations: Sequence[Station], clock: Clock, sink: Sink, changed: Callable[[], None]
    ) -> None:
        self._line = line
        self.stations = list(stations)
        self._clock = clock
        self._sink = sink
        self._changed = changed
        self.late_ticks = 0

    async def run(self) -> None:
        """Read for ever."""
        if not self.stations:
            return
        while True:
            station = min(self.stations, key=lambda s: s.due)
            await self._clock.sleep_until(station.due)
            await self._read(station)
            self._plan_next(station)

    async def _read(self, station: Station) -> None:
        try:
            for plan in station.plans:
                reply = await plan.ask(self._line)
                self._sink(to_wire(station.meter.id, reply.taken_at, plan.decode(reply.payload)))
        except LineError as error:
            self._failed(station, str(error))
        else:
            self._answered(station)

    def _plan_next(self, station: Station) -> None:
        if station.patience.failures == 1 and station.state.state != "silent":
            return  # one lost answer is asked for again at once
        interval = station.meter.interval_s
        now = self._clock.now()
        missed = (now - station.due) // timedelta(seconds=interval)
        if missed > 0 and not station.patience.failures:
            self.late_ticks += missed
        station.due = next_tick(now + timedelta(seconds=station.patience.pause_s()), interval)

    def _failed(self, station: Station, detail: str) -> None:
        station.patience.failed()
        # A lost answer is nothing to report; two in a row are.
        if station.patience.failures == 2:
            log.warning("meter.silent", meter=station.meter.id, detail=detail)
            station.state = MeterState("silent", to_ms(self._clock.now()), detail)
            self._changed()

    def _answered(self, station: Station) -> None:
        station.patience.answered()
        if station.state.state == "reporting":
            return
        now_ms = to_ms(self._clock.now())
        if station.state.state == "silent":
            log.info("meter.back", meter=station.meter.id, after_s=round((now_ms - station.state.since) / 1000, 1))
        station.state = MeterState("reporting", now_ms)
        self._changed()


def to_wire(meter: str, taken_at: datetime, decoded: Sequence[Decoded]) -> MeterReadings:
    """What a meter said, as it travels."""
    flags = {
        d.quantity: Flag("bad" if d.quality is Quality.BAD else "uncertain", d.reason.value)
        for d in decoded
        if d.quality is not Quality.GOOD
    }
    return MeterReadings(meter, to_ms(taken_at), {d.quantity: d.value for d in decoded}, flags)
