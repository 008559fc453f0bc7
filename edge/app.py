"""The edge as a whole: lines, workers, outbox, publisher and the state it reports."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_sqlite import Bounds, SqliteOutbox
from adapters.wire import (
    SITE,
    STATE,
    STORED,
    WANTED,
    EdgeState,
    MeterState,
    decode_stored,
    decode_wanted,
    edge_and_leaf,
    encode,
    topic,
)
from collectors.makes import Make
from edge.applying import Applying
from edge.clock import EdgeClock
from edge.clock_memory import ClockMemory
from edge.clock_release import Waiting
from edge.clock_stamps import Stamps
from edge.control import Control
from edge.handed import Handed, Running, last_good, nothing
from edge.poll import Station
from edge.publish import Publisher
from edge.record import LINGER_S, Recorder
from edge.timings import Timings
from edge.workers import Means, Workers
from energy.errors import BusError, StoreError
from energy.ports import MachineClock, Message
from energy.readings import to_ms
from energy.sites import Site

log = structlog.get_logger()

_STATE_EVERY_S = 10.0
_FAREWELL_S = 2.0
_EXPIRE_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What an edge runs on. `profiles` holds the profile of every meter of the site, by its id.

    site : that of the local file, named `version`; None where there is none, and the gateway hands one over.
    handed : how site files are taken from the gateway; None where the local one holds whatever comes.
    learnt : the folder in which is kept what meters were found to refuse; None keeps it in memory.
    history_bytes_per_s : what history may take of the uplink; None for as much as is answered promptly.
    data : the folder in which it can be told to write, and notes what was written; None: it cannot.
    """

    edge: str
    site: Site | None
    profiles: Mapping[str, Make]
    bus: str
    outbox: Path
    version: str = "local"
    handed: Handed | None = None
    bounds: Bounds = field(default_factory=Bounds)
    history_bytes_per_s: int | None = None
    linger_s: float = LINGER_S
    learnt: Path | None = None
    data: Path | None = None


async def run_edge(settings: EdgeSettings, machine: MachineClock) -> None:
    """Read the meters of the site and publish their readings until cancelled."""
    clock = EdgeClock(machine, ClockMemory(settings.outbox.with_suffix(".clock.json")))
    gone = Message(topic(settings.edge, STATE), encode(EdgeState("offline")), retained=True)
    boot = secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        outbox = stack.enter_context(closing(SqliteOutbox(settings.outbox, bounds=settings.bounds)))
        stamps = Stamps(clock)
        waiting = Waiting(outbox, clock, stamps, lambda: recorder.waiting)
        recorder = Recorder(outbox, machine, linger_s=settings.linger_s, clock_mark=waiting.mark)
        connections = asyncio.Event()
        bus = await stack.enter_async_context(
            open_bus(
                settings.bus,
                f"jieneng-edge-{settings.edge}",
                subscribe=[topic(settings.edge, leaf) for leaf in (STORED, WANTED, SITE)],
                will=gone,
                connected=connections.set,
            )
        )
        publisher = Publisher(
            outbox, bus, settings.edge, boot, recorder.kept, history_bytes_per_s=settings.history_bytes_per_s
        )
        report = _Report(settings.edge, boot, bus, outbox, recorder, clock)
        timings = (
            None if settings.data is None else Timings(LearntFiles(settings.data / "timings" / settings.edge), clock)
        )
        first = await asyncio.to_thread(_first, settings)
        log.info("edge.started", edge=settings.edge, site=first.name, meters=len(first.installed.site.meters))
        try:
            async with asyncio.TaskGroup() as tasks:
                files = None if settings.learnt is None else LearntFiles(settings.learnt)
                means = Means(
                    clock,
                    stamps,
                    recorder.take,
                    lambda: recorder.paused,
                    report.changed.set,
                    files,
                    tasks.create_task,
                    timings,
                )
                workers = Workers(means, nothing(settings.edge).installed)
                stack.push_async_callback(workers.close)
                applying = Applying(settings.edge, settings.handed, first, workers, clock, report.changed.set)
                report.workers, report.applying = workers, applying
                tasks.create_task(applying.run())
                tasks.create_task(clock.run(report.changed.set))
                tasks.create_task(recorder.run())
                tasks.create_task(waiting.run(publisher.released))
                tasks.create_task(publisher.run())
                tasks.create_task(report.run())
                if timings is not None:
                    tasks.create_task(timings.run())
                if settings.data is not None:
                    tasks.create_task(Control(settings.data, settings.edge, workers.by_line, clock).run())
                tasks.create_task(_listen(bus, publisher, applying.offer))
                tasks.create_task(_after_each_connection(connections, publisher, report))
                tasks.create_task(_expire(outbox, clock))
        finally:
            await recorder.flush()
            # A broker that does not answer must not keep the process: its will tells the same.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await report.say("offline")


@dataclass(frozen=True, slots=True)
class _Installed:
    """A site that was found right, and the makes of its meters."""

    site: Site
    profiles: Mapping[str, Make]


def _first(settings: EdgeSettings) -> Running:
    """What the gateway handed over last, else the local file, else nothing."""
    kept = None if settings.handed is None else last_good(settings.edge, settings.handed)
    if kept is not None:
        if settings.site is not None:
            log.info("site.local_unused", running=kept.name, meaning="the gateway has handed over a site file")
        return kept
    if settings.site is None:
        return nothing(settings.edge)
    return Running(settings.version, _Installed(settings.site, settings.profiles))


async def _listen(bus: MqttBus, publisher: Publisher, offer: Callable[[bytes], None] = lambda _: None) -> None:
    async for messages in bus.messages():
        for message in messages:
            if edge_and_leaf(message.topic)[1] == SITE:
                offer(message.payload)
                continue
            try:
                if edge_and_leaf(message.topic)[1] == WANTED:
                    await publisher.wanted(decode_wanted(message.payload))
                else:
                    await publisher.stored(decode_stored(message.payload))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.warning("answer.broken", cause=str(error))
            except StoreError as error:
                log.error("outbox.unread", cause=str(error))
        await bus.acknowledge(messages)


async def _expire(outbox: SqliteOutbox, clock: EdgeClock) -> None:
    """Drop what is too old, once an hour; never by a clock of which it is not known whether it is set."""
    while True:
        await clock.sleep(_EXPIRE_EVERY_S)
        with suppress(StoreError):
            if clock.setting is not False and not await asyncio.to_thread(outbox.clocks):
                await asyncio.to_thread(outbox.expire, clock.wall_ms())


async def _after_each_connection(connections: asyncio.Event, publisher: Publisher, report: _Report) -> None:
    while True:
        await connections.wait()
        connections.clear()
        publisher.connected()
        report.changed.set()


class _Report:
    """The state of this edge, published when it changes and every few seconds."""

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

    async def say(self, state: str) -> None:
        if not self._bus.connected:
            return
        workers = self.workers.by_line if self.workers is not None else {}
        told = EdgeState(
            state="online" if state == "online" else "offline",
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
        try:
            await self._bus.publish(topic(self._edge, STATE), encode(told), retain=True)
        except BusError as error:
            log.debug("state.unpublished", cause=str(error))
