"""How the edge is: published when it changes and every few seconds, and told to whoever asks here."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Literal

import msgspec
import structlog

from adapters.mqtt_bus import MqttBus
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import STATE, EdgeState, MeterState, encode, topic
from edge.applying import Applying
from edge.clock import EdgeClock
from edge.poll import Station
from edge.record import Recorder
from edge.workers import Workers
from energy.errors import BusError
from energy.readings import to_ms

log = structlog.get_logger()

_STATE_EVERY_S = 10.0

There = Literal["online", "offline"]


class Report:
    """The state of this edge; `changed` makes it told soon."""

    def __init__(
        self, edge: str, boot: str, bus: MqttBus, outbox: SqliteOutbox, recorder: Recorder, clock: EdgeClock
    ) -> None:
        self._edge, self._boot, self._bus, self._outbox, self._recorder = edge, boot, bus, outbox, recorder
        self._clock = clock
        self._began = clock.now()
        self.changed = asyncio.Event()
        self.workers: Workers | None = None
        self.applying: Applying | None = None

    async def run(self) -> None:
        while True:
            await self.say("online")
            try:
                async with asyncio.timeout(_STATE_EVERY_S):
                    await self.changed.wait()
                # Meters that change together are told together.
                await asyncio.sleep(0.5)
            except TimeoutError:
                pass
            self.changed.clear()

    def _dated(self, station: Station) -> MeterState:
        """The state of a meter with its time by the wall clock as it is now: it may have been set since."""
        return msgspec.structs.replace(station.state, since=to_ms(self._clock.wall(station.changed_at)))

    def state(self, there: There = "online") -> EdgeState:
        workers = self.workers.by_line if self.workers is not None else {}
        return EdgeState(
            state=there,
            since=to_ms(self._clock.wall(self._began)),
            boot=self._boot,
            version=version("jieneng"),
            outbox_batches=self._outbox.batches,
            outbox_bytes=self._outbox.size_bytes,
            outbox_dropped=self._outbox.dropped,
            outbox_full=self._outbox.full,
            outbox_thinned=self._outbox.thinned,
            outbox_damaged=self._outbox.damaged,
            outbox_failing=self._outbox.failing,
            outbox_waiting=self._recorder.waiting,
            reading_stopped=self._recorder.paused,
            oldest_at=self._outbox.oldest_at,
            told_at=self._clock.wall_ms(),
            clock=self._clock.state,
            site=self.applying.state if self.applying is not None else None,
            late_ticks=self.workers.late_ticks if self.workers is not None else None,
            meters={s.meter.id: self._dated(s) for worker in workers.values() for s in worker.stations},
            lines={line: worker.state for line, worker in workers.items()},
        )

    async def say(self, there: There) -> None:
        if not self._bus.connected:
            return
        try:
            await self._bus.publish(topic(self._edge, STATE), encode(self.state(there)), retain=True)
        except BusError as error:
            log.debug("state.unpublished", cause=str(error))
