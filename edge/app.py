"""The edge as a whole: lines, workers, outbox, publisher and the state it reports."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_bounds import Bounds
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import (
    SITE,
    STATE,
    STORED,
    WANTED,
    EdgeState,
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
from edge.figures import Uplink
from edge.handed import Handed, Running, last_good, nothing
from edge.publish import Publisher
from edge.record import LINGER_S, Recorder
from edge.report import Report
from edge.telling import Asked, told_on
from edge.timings import Timings
from edge.workers import Means, Workers
from energy.errors import StoreError
from energy.ports import MachineClock, Message
from energy.sites import Site

log = structlog.get_logger()

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
    health : host and port where it tells how it is; None: nowhere.
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
    health: tuple[str, int] | None = None


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
        report = Report(settings.edge, boot, bus, outbox, recorder, clock)
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
                behind_s = partial(_behind_s, workers)
                asked = Asked(settings.edge, report.state, partial(_uplink, bus, publisher), behind_s)
                await stack.enter_async_context(told_on(settings.health, asked))
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


def _uplink(bus: MqttBus, publisher: Publisher) -> Uplink:
    lost_for_s = None if bus.lost_since is None else time.monotonic() - bus.lost_since
    return Uplink(lost_for_s, bus.refused, publisher.unanswered, publisher.unanswered_s)


def _behind_s(workers: Workers) -> dict[str, float]:
    return {line: worker.behind_s for line, worker in workers.by_line.items()}


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


async def _after_each_connection(connections: asyncio.Event, publisher: Publisher, report: Report) -> None:
    while True:
        await connections.wait()
        connections.clear()
        publisher.connected()
        report.changed.set()
