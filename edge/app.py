"""The edge as a whole: lines, workers, outbox, publisher and the state it reports."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import structlog

from adapters.learnt_files import LearntFiles
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import SITE, STATE, STORED, EdgeState, decode_stored, edge_and_leaf, encode, topic
from collectors.makes import Make
from edge.applying import Applying
from edge.handed import Handed, Running, last_good, nothing
from edge.publish import LINGER_S, Publisher, Recorder
from edge.workers import Means, Workers
from energy.errors import BusError
from energy.ports import Clock, Message
from energy.readings import to_ms
from energy.sites import Site

log = structlog.get_logger()

_STATE_EVERY_S = 10.0
_FAREWELL_S = 2.0


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What an edge runs on. `profiles` holds the profile of every meter of the site, by its id.

    site : that of the local file, named `version`; None where there is none, and the gateway hands one over.
    handed : how site files are taken from the gateway; None where the local one holds whatever comes.
    learnt : the folder in which is kept what meters were found to refuse; None keeps it in memory.
    """

    edge: str
    site: Site | None
    profiles: Mapping[str, Make]
    bus: str
    outbox: Path
    version: str = "local"
    handed: Handed | None = None
    outbox_bytes: int = 2_000_000_000
    linger_s: float = LINGER_S
    learnt: Path | None = None


async def run_edge(settings: EdgeSettings, clock: Clock) -> None:
    """Read the meters of the site and publish their readings until cancelled."""
    gone = Message(topic(settings.edge, STATE), encode(EdgeState("offline")), retained=True)
    boot = secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        outbox = stack.enter_context(closing(SqliteOutbox(settings.outbox, limit_bytes=settings.outbox_bytes)))
        recorder = Recorder(outbox, clock, linger_s=settings.linger_s)
        connections = asyncio.Event()
        bus = await stack.enter_async_context(
            open_bus(
                settings.bus,
                f"jieneng-edge-{settings.edge}",
                subscribe=[topic(settings.edge, STORED), topic(settings.edge, SITE)],
                will=gone,
                connected=connections.set,
            )
        )
        publisher = Publisher(outbox, bus, settings.edge, boot, recorder.kept)
        report = _Report(settings.edge, boot, bus, outbox, clock)
        first = await asyncio.to_thread(_first, settings)
        log.info("edge.started", edge=settings.edge, site=first.name, meters=len(first.installed.site.meters))
        try:
            async with asyncio.TaskGroup() as tasks:
                files = None if settings.learnt is None else LearntFiles(settings.learnt)
                means = Means(clock, recorder.take, report.changed.set, files, tasks.create_task)
                workers = Workers(means, nothing(settings.edge).installed)
                stack.push_async_callback(workers.close)
                applying = Applying(settings.edge, settings.handed, first, workers, clock, report.changed.set)
                report.workers, report.applying = workers, applying
                tasks.create_task(applying.run())
                tasks.create_task(recorder.run())
                tasks.create_task(publisher.run())
                tasks.create_task(report.run())
                tasks.create_task(_listen(bus, publisher, applying.offer))
                tasks.create_task(_after_each_connection(connections, publisher, report))
        finally:
            await recorder.flush()
            # A broker that does not answer must not keep the process: its will tells the same.
            with suppress(TimeoutError):
                await asyncio.wait_for(report.say("offline"), _FAREWELL_S)


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


async def _listen(bus: MqttBus, publisher: Publisher, offer: Callable[[bytes], None]) -> None:
    async for messages in bus.messages():
        for message in messages:
            if edge_and_leaf(message.topic)[1] == SITE:
                offer(message.payload)
                continue
            try:
                answer = decode_stored(message.payload)
            except msgspec.DecodeError as error:
                log.warning("answer.broken", cause=str(error))
                continue
            await publisher.stored(answer.boot, answer.sequences)
        await bus.acknowledge(messages)


async def _after_each_connection(connections: asyncio.Event, publisher: Publisher, report: _Report) -> None:
    while True:
        await connections.wait()
        connections.clear()
        publisher.connected()
        report.changed.set()


class _Report:
    """The state of this edge, published when it changes and every few seconds."""

    def __init__(self, edge: str, boot: str, bus: MqttBus, outbox: SqliteOutbox, clock: Clock) -> None:
        self._edge, self._boot, self._bus, self._outbox = edge, boot, bus, outbox
        self._since = to_ms(clock.now())
        self.changed = asyncio.Event()
        self.workers: Workers | None = None
        self.applying: Applying | None = None

    async def run(self) -> None:
        while True:
            await self.say("online")
            try:
                await asyncio.wait_for(self.changed.wait(), _STATE_EVERY_S)
                # Meters that change together are told together.
                await asyncio.sleep(0.5)
            except TimeoutError:
                pass
            self.changed.clear()

    async def say(self, state: str) -> None:
        if not self._bus.connected:
            return
        workers = self.workers.by_line if self.workers is not None else {}
        told = EdgeState(
            state="online" if state == "online" else "offline",
            since=self._since,
            boot=self._boot,
            version=version("jieneng"),
            outbox_batches=self._outbox.batches,
            outbox_bytes=self._outbox.size_bytes,
            outbox_dropped=self._outbox.dropped,
            outbox_full=self._outbox.full,
            site=self.applying.state if self.applying is not None else None,
            late_ticks=self.workers.late_ticks if self.workers is not None else None,
            meters={s.meter.id: s.state for worker in workers.values() for s in worker.stations},
            lines={line: worker.state for line, worker in workers.items()},
        )
        try:
            await self._bus.publish(topic(self._edge, STATE), encode(told), retain=True)
        except BusError as error:
            log.debug("state.unpublished", cause=str(error))
