"""The edge as a whole: lines, workers, outbox, publisher and the state it reports."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_sqlite import Bounds, SqliteOutbox
from adapters.wire import (
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
from collectors.asked import Plan
from collectors.lines.address import parse_address
from collectors.lines.line import Line
from collectors.lines.opening import open_line
from collectors.makes import AddressedMake, Make, compile_addressed
from collectors.meter_profile import Profile
from collectors.planner import RequestCost
from edge.asking import Asking
from edge.clock import EdgeClock
from edge.clock_memory import ClockMemory
from edge.clock_release import Waiting
from edge.clock_stamps import Stamps
from edge.meter_clocks import clock_of
from edge.poll import LineWorker, Station
from edge.publish import Publisher
from edge.record import LINGER_S, Recorder
from edge.schedule import Round
from energy.errors import BusError, StoreError
from energy.ports import MachineClock, Message
from energy.readings import to_ms
from energy.sites import LineSettings, Meter, Site

log = structlog.get_logger()

_STATE_EVERY_S = 10.0
_FAREWELL_S = 2.0
_EXPIRE_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What an edge runs on. `profiles` holds the profile of every meter of the site, by its id.

    learnt : the folder in which is kept what meters were found to refuse; None keeps it in memory.
    history_bytes_per_s : what history may take of the uplink; None for as much as is answered promptly.
    """

    edge: str
    site: Site
    profiles: Mapping[str, Make]
    bus: str
    outbox: Path
    bounds: Bounds = field(default_factory=Bounds)
    history_bytes_per_s: int | None = None
    linger_s: float = LINGER_S
    learnt: Path | None = None


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
                subscribe=[topic(settings.edge, STORED), topic(settings.edge, WANTED)],
                will=gone,
                connected=connections.set,
            )
        )
        publisher = Publisher(
            outbox, bus, settings.edge, boot, recorder.kept, history_bytes_per_s=settings.history_bytes_per_s
        )
        report = _Report(settings.edge, boot, bus, outbox, recorder, clock)
        workers = await _workers(settings, clock, stamps, recorder, report.changed, stack)
        report.workers = workers
        log.info("edge.started", edge=settings.edge, meters=len(settings.site.meters), lines=len(workers))
        try:
            async with asyncio.TaskGroup() as tasks:
                for worker in workers.values():
                    tasks.create_task(worker.run())
                tasks.create_task(clock.run(report.changed.set))
                tasks.create_task(recorder.run())
                tasks.create_task(waiting.run(publisher.released))
                tasks.create_task(publisher.run())
                tasks.create_task(report.run())
                tasks.create_task(_listen(bus, publisher))
                tasks.create_task(_after_each_connection(connections, publisher, report))
                tasks.create_task(_expire(outbox, clock))
        finally:
            await recorder.flush()
            # A broker that does not answer must not keep the process: its will tells the same.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await report.say("offline")


def wires(site: Site) -> list[list[LineSettings]]:
    """The lines of a site, those of one port together: there is one worker for them, since there is one wire."""
    found: dict[str, list[LineSettings]] = defaultdict(list)
    for line in site.lines:
        found[parse_address(line.address).wire].append(line)
    return list(found.values())


async def _workers(
    settings: EdgeSettings,
    clock: EdgeClock,
    stamps: Stamps,
    recorder: Recorder,
    changed: asyncio.Event,
    stack: AsyncExitStack,
) -> dict[str, LineWorker]:
    """A worker for each wire, by the id of the line that names it first."""
    workers: dict[str, LineWorker] = {}
    files = None if settings.learnt is None else LearntFiles(settings.learnt)
    for lines in wires(settings.site):
        first, ids = lines[0], {line.id for line in lines}
        timeout_s = max(line.timeout_s for line in lines)
        opened = await stack.enter_async_context(open_line(first.address, now=clock.now, timeout_s=timeout_s))
        stations = [
            _station(meter, settings.profiles[meter.profile], files, opened, clock, settings.site.zone)
            for meter in settings.site.meters
            if meter.line in ids and meter.profile is not None
        ]
        if stations:
            characters = getattr(parse_address(first.address), "characters", None)
            workers[first.id] = LineWorker(
                opened,
                stations,
                clock,
                recorder.take,
                changed.set,
                characters=characters,
                paused=lambda: recorder.paused,
                stamps=stamps,
            )
    return workers


def _station(meter: Meter, make: Make, files: LearntFiles | None, line: Line, clock: EdgeClock, zone: str) -> Station:
    """A meter with what is read of it at each of its rates."""
    groups = meter.groups or [(meter.interval_s, ())]
    if not isinstance(make, Profile):
        rounds = [_addressed(meter, make, names, interval_s, clock) for interval_s, names in groups]
        return Station(meter, (), rounds[0].due, rounds, clock=clock_of(meter, make, zone))
    asking = Asking(meter, make, files)
    rounds = [_round(asking, names, interval_s, line, clock) for interval_s, names in groups]
    return Station(meter, (), rounds[0].due, rounds, asking)


def _round(asking: Asking, names: Sequence[str], interval_s: float, line: Line, clock: EdgeClock) -> Round:
    def compiled(cost: RequestCost) -> Sequence[Plan]:
        return asking.plans(names, cost, clock.wall_ms())

    return Round(interval_s, compiled(line.cost), clock.next_tick(clock.now(), interval_s), compiled, line.cost, names)


def _addressed(meter: Meter, make: AddressedMake, names: Sequence[str], interval_s: float, clock: EdgeClock) -> Round:
    # What is asked by address is the same at any cost, and remembers what the meter refused.
    plans = compile_addressed(replace(meter, quantities=tuple(names), rates={}), make, clock.now)
    return Round(interval_s, plans, clock.next_tick(clock.now(), interval_s))


async def _listen(bus: MqttBus, publisher: Publisher) -> None:
    async for messages in bus.messages():
        for message in messages:
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
        self.workers: Mapping[str, LineWorker] = {}

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
            late_ticks=sum(w.late_ticks for w in self.workers.values()),
            meters={s.meter.id: self._dated(s) for w in self.workers.values() for s in w.stations},
            lines={line: worker.state for line, worker in self.workers.items()},
        )
        try:
            await self._bus.publish(topic(self._edge, STATE), encode(told), retain=True)
        except BusError as error:
            log.debug("state.unpublished", cause=str(error))
