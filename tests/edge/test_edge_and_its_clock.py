"""A whole edge over a real broker and a real line, on a machine whose clock a file sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from adapters.broker_nats import embedded_broker
from adapters.clocks import open_clock
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.site_files import read_site
from adapters.wire import (
    READINGS,
    STATE,
    STORED,
    Batch,
    EdgeState,
    MeterReadings,
    Stored,
    decode_batch,
    decode_state,
    edge_and_leaf,
    encode,
    topic,
)
from collectors.makes import load_make
from collectors.simulators.course import HOUR_MS
from collectors.simulators.fleet import Fleet
from collectors.simulators.recorded import Recording, recorded_course
from edge.app import EdgeSettings, run_edge
from energy.readings import to_ms
from energy.sites import Site
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.by_the_clock

SITE = """\
site: campus
name: {zh: 园区, en: Campus}
lines:
  - {id: hall, address: "tcp://127.0.0.1:PORT"}
meters:
  - {id: main, name: {zh: 表, en: Main}, medium: electricity, line: hall, unit: 1, profile: eastron/sdm630,
     read: [active_power], every: 0.5s}
"""


@dataclass
class Gateway:
    """Stores nothing, answers everything, and remembers what came."""

    bus: MqttBus
    batches: list[Batch] = field(default_factory=list)
    state: EdgeState | None = None

    async def listen(self) -> None:
        async for messages in self.bus.messages():
            for message in messages:
                if edge_and_leaf(message.topic)[1] == STATE:
                    self.state = decode_state(message.payload)
                    continue
                batch = decode_batch(message.payload)
                self.batches.append(batch)
                if batch.boot is not None and batch.sequence is not None:
                    answer = Stored(batch.boot, [batch.sequence], batch.outbox)
                    await self.bus.publish(topic("north", STORED), encode(answer))
            await self.bus.acknowledge(messages)

    @property
    def readings(self) -> list[MeterReadings]:
        return [r for batch in self.batches for r in batch.readings]

    def by_reason(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.readings:
            reason = next((f.reason for f in one.flags.values()), "")
            found[reason] = found.get(reason, 0) + 1
        return found


@dataclass
class Machine:
    """Where the edge runs."""

    folder: Path
    site: Site
    bus: str
    gateway: Gateway
    edge: asyncio.Task[None] | None = None

    def set_clock(self, words: str) -> None:
        (self.folder / "new").write_text(words)
        (self.folder / "new").replace(self.folder / "shift")

    async def start(self) -> None:
        profiles = {m.profile: load_make(m.profile) for m in self.site.meters if m.profile is not None}
        settings = EdgeSettings("north", self.site, profiles, self.bus, self.folder / "north.sqlite")
        self.edge = asyncio.create_task(run_edge(settings, open_clock(f"shifted:{self.folder / 'shift'}")))

    async def stop(self) -> None:
        if self.edge is not None:
            self.edge.cancel()
            with suppress(asyncio.CancelledError):
                await self.edge

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not ready():
                assert self.edge is None or not self.edge.done()
                await asyncio.sleep(0.02)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    port = free_port()
    now_ms = to_ms(datetime.now(UTC))
    file = tmp_path / "site.yaml"
    file.write_text(SITE.replace("PORT", str(free_port())), encoding="utf-8")
    site, _ = read_site(file)
    hours = np.array([now_ms // HOUR_MS * HOUR_MS + i * HOUR_MS for i in range(-2, 4)], dtype=np.int64)
    plant = Recording({m.id: recorded_course(hours, np.full(6, 12.0), register=100.0) for m in site.meters})
    with embedded_broker(tmp_path / "broker", port):
        bus = f"mqtt://127.0.0.1:{port}"
        async with (
            Fleet(site, plant, now=lambda: datetime.now(UTC)),
            open_bus(bus, "gateway", subscribe=[topic("+", READINGS), topic("+", STATE)]) as listening,
        ):
            made = Machine(tmp_path, site, bus, Gateway(listening))
            gateway = asyncio.create_task(made.gateway.listen())
            try:
                yield made
            finally:
                await made.stop()
                gateway.cancel()


async def test_a_board_that_wakes_in_1970_sends_what_it_read_once_its_clock_is_set_also_after_a_restart(
    machine: Machine,
) -> None:
    machine.set_clock("-1795000000 unsynchronized")
    began_ms = to_ms(datetime.now(UTC))
    await machine.start()
    gateway = machine.gateway
    await machine.until(lambda: gateway.state is not None and gateway.state.outbox_batches != 0)
    await asyncio.sleep(1.5)
    await machine.stop()
    await machine.start()
    await asyncio.sleep(1.5)
    assert gateway.readings == []
    assert gateway.state is not None
    assert gateway.state.clock is not None
    assert gateway.state.clock.synchronized is False

    machine.set_clock("0 synchronized")
    await machine.until(lambda: gateway.by_reason().get("", 0) >= 3)

    await machine.until(lambda: gateway.state is not None and (gateway.state.since or 0) >= began_ms)
    assert gateway.state.meters["main"].since >= began_ms
    corrected = [b for b in gateway.batches if b.corrected_ms is not None]
    moved = [r for b in corrected for r in b.readings]
    assert len(moved) >= 4
    assert set(gateway.by_reason()) - {"clock stepped"} == {"time corrected", ""}
    assert all(abs((b.corrected_ms or 0) - 1_795_000_000_000) < 50 for b in corrected)
    assert all(b.history for b in corrected)
    instants = sorted(int(r.taken_at) for r in gateway.readings)
    assert began_ms <= instants[0]
    assert instants[-1] <= to_ms(datetime.now(UTC))
    # Half a second apart, but for the time between the two processes, and where the ticks were those of another clock.
    assert len(set(instants)) == len(instants)
    assert max(b - a for a, b in pairwise(instants)) < 3000


async def test_an_hours_step_is_told_once_and_polling_goes_on_at_the_same_pace(machine: Machine) -> None:
    machine.set_clock("0")
    await machine.start()
    gateway = machine.gateway
    await machine.until(lambda: len(gateway.readings) >= 3)
    before, at = len(gateway.readings), datetime.now(UTC)
    machine.set_clock("-3600")
    await machine.until(lambda: gateway.by_reason().get("clock stepped", 0) >= 4)
    took_s = (datetime.now(UTC) - at) / timedelta(seconds=1)

    assert (len(gateway.readings) - before) <= 2 * took_s + 2
    assert took_s < 10
    await machine.until(lambda: gateway.state is not None and bool(gateway.state.clock and gateway.state.clock.step_ms))
    assert gateway.state is not None
    assert gateway.state.clock is not None
    assert round((gateway.state.clock.step_ms or 0) / 1000) == -3600
