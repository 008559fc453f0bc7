"""PUBACK is not enough: a broker that has taken everything and loses its disk loses nothing of ours."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from adapters.clocks import SystemClock
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.mqtt_bus import open_bus
from adapters.outbox_sqlite import SqliteOutbox
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.wire import READINGS, STATE, STORED, WANTED, MeterReadings, topic
from edge import app
from edge.publish import Publisher
from edge.record import Recorder
from energy.quantities import Medium
from energy.sites import Meter, Text
from gateway.edges.service import Edges
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge
from gateway.ingest.service import Ingest
from gateway.metrics import Metrics
from tests.adapters.brokers import STARTS, Broker
from tests.adapters.readings_memory import MemoryReadings
from tests.real_parts import free_port
from tests.waiting import PATIENCE_S, until

T_MS = 1_767_225_600_000
BATCHES = 40
FROM_EDGES = [topic("+", READINGS), topic("+", STATE)]


@pytest.fixture(params=sorted(STARTS))
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Broker, Path]]:
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Broker(STARTS[request.param], folder, free_port())
    made.start()
    yield made, folder
    made.stop()


async def run_gateway(address: str, store: MemoryReadings, stack: AsyncExitStack) -> asyncio.Task[None]:
    clock, metrics = SystemClock(), Metrics()
    bus = await stack.enter_async_context(open_bus(address, "gateway", subscribe=FROM_EDGES, keep_session=True))
    intake = Ingest(
        bus,
        store,
        SqliteQuarantine(":memory:"),
        Judge([Meter("main", Text("总表", "Main"), Medium.ELECTRICITY)]),
        Edges(clock),
        clock,
        metrics,
        lambda columns: None,
        lambda: None,
        deliveries=Deliveries(SqliteDeliveries(":memory:"), clock, metrics),
        came=lambda live, waited: None,
    )
    await until(lambda: bus.connected, "connected")
    await asyncio.sleep(0.3)
    return asyncio.create_task(intake.run())


async def test_batches_that_the_broker_took_and_lost_are_stored_all_the_same(
    broker: tuple[Broker, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, folder = broker
    store, published, there = MemoryReadings(), 0, asyncio.Event()
    # The broker keeps for the gateway what comes while it is away.
    async with open_bus(running.address, "gateway", subscribe=FROM_EDGES, keep_session=True) as bus:
        await until(lambda: bus.connected, "connected")
        await asyncio.sleep(0.3)
    async with AsyncExitStack() as stack:
        outbox = stack.enter_context(closing(SqliteOutbox(tmp_path / "outbox.sqlite")))
        recorder = Recorder(outbox, SystemClock())
        for i in range(BATCHES):
            recorder.take(MeterReadings("main", T_MS + i * 1000, {"active_power": float(i)}))
            await recorder.flush()
        answers = [topic("north", STORED), topic("north", WANTED)]
        bus = await stack.enter_async_context(open_bus(running.address, "edge", subscribe=answers, connected=there.set))
        publish = bus.publish

        async def counted(of: str, payload: bytes, *, retain: bool = False) -> None:
            nonlocal published
            await publish(of, payload, retain=retain)
            published += 1

        monkeypatch.setattr(bus, "publish", counted)
        publisher = Publisher(outbox, bus, "north", "b1", asyncio.Event())
        await asyncio.wait_for(there.wait(), PATIENCE_S)
        await asyncio.sleep(0.3)
        tasks = [asyncio.create_task(publisher.run()), asyncio.create_task(app._listen(bus, publisher, lambda _: None))]
        publisher.connected()
        await until(lambda: published >= BATCHES, "the broker has acknowledged every batch")
        assert outbox.batches == BATCHES

        there.clear()
        running.kill()
        shutil.rmtree(folder)
        folder.mkdir()
        running.start()
        await asyncio.wait_for(there.wait(), PATIENCE_S)
        tasks.append(await run_gateway(running.address, store, stack))
        publisher.connected()
        await until(lambda: outbox.batches == 0, "all answered")
        for task in tasks:
            task.cancel()

    stored = await store.readings(await store.points(), 0, 2**53)
    assert np.array_equal(np.sort(stored.value), np.arange(BATCHES, dtype=float))
