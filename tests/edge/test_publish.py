"""From the outbox to the gateway's answer, over a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.broker_nats import embedded_broker
from adapters.clocks import SystemClock
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_sqlite import BATCH_READINGS, SqliteOutbox
from adapters.wire import READINGS, STORED, WANTED, Batch, MeterReadings, Stored, decode_batch, encode, topic
from edge import app, publish, record
from edge.publish import Publisher
from edge.record import Recorder
from energy.errors import StoreError
from tests.real_parts import free_port


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    made = SqliteOutbox(tmp_path / "outbox.sqlite")
    yield made
    made.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with embedded_broker(tmp_path / "broker", port):
        yield f"mqtt://127.0.0.1:{port}"


async def until(ready: Callable[[], bool], what: str) -> None:
    for _ in range(1000):
        if ready():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(what)


def reading(t_ms: int) -> MeterReadings:
    return MeterReadings("main", t_ms, {"active_power": float(t_ms)})


async def keep(outbox: SqliteOutbox, count: int) -> None:
    recorder = Recorder(outbox, SystemClock())
    for i in range(count):
        recorder.take(reading(i))
        await recorder.flush()


class Listening:
    """A gateway that stores nothing yet: it takes batches, and answers when told to."""

    def __init__(self, bus: MqttBus) -> None:
        self.bus = bus
        self.batches: list[tuple[str, int]] = []
        self.taken: list[Batch] = []
        self.told: list[Batch] = []

    async def run(self) -> None:
        async for messages in self.bus.messages():
            for message in messages:
                batch = decode_batch(message.payload)
                if batch.sequence is None:
                    self.told.append(batch)
                    continue
                self.batches.append((batch.boot or "", batch.sequence))
                self.taken.append(batch)
            await self.bus.acknowledge(messages)

    async def answer(self, boot: str, *sequences: int) -> None:
        await self.bus.publish(topic("north", STORED), encode(Stored(boot, list(sequences))))


@pytest.fixture
async def gateway(broker: str) -> AsyncIterator[Listening]:
    async with open_bus(broker, "gateway", subscribe=[topic("+", READINGS)], keep_session=True) as bus:
        await until(lambda: bus.connected, "connected")
        await asyncio.sleep(0.2)
        listening = Listening(bus)
        task = asyncio.create_task(listening.run())
        yield listening
        task.cancel()


@pytest.fixture
async def edge(broker: str, outbox: SqliteOutbox) -> AsyncIterator[Callable[[str], Awaitable[Publisher]]]:
    tasks: list[asyncio.Task[None]] = []

    async def started(boot: str) -> Publisher:
        bus = await entered()
        publisher = Publisher(outbox, bus, "north", boot, asyncio.Event())
        await until(lambda: bus.connected, "connected")
        await asyncio.sleep(0.2)
        tasks.append(asyncio.create_task(app._listen(bus, publisher)))
        tasks.append(asyncio.create_task(publisher.run()))
        publisher.connected()
        return publisher

    async def entered() -> MqttBus:
        opened = open_bus(broker, "edge-north", subscribe=[topic("north", STORED), topic("north", WANTED)])
        closing.append(opened)
        return await opened.__aenter__()

    closing: list[object] = []
    yield started
    for task in tasks:
        task.cancel()
    for opened in closing:
        await opened.__aexit__(None, None, None)  # type: ignore[attr-defined]


Started = Callable[[str], Awaitable[Publisher]]


async def test_a_batch_is_forgotten_when_it_is_stored_and_not_before(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 3)
    await edge("b1")
    await until(lambda: len(gateway.batches) == 3, "three batches")
    await asyncio.sleep(0.3)
    assert outbox.batches == 3

    await gateway.answer("b1", 1, 3)
    await until(lambda: outbox.batches == 1, "two forgotten")
    assert [kept.sequence for kept in outbox.after(0, 10)] == [2]


async def test_an_answer_to_an_earlier_boot_makes_nothing_forgotten(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 2)
    await edge("b2")
    await until(lambda: len(gateway.batches) == 2, "two batches")
    await gateway.answer("b1", 1, 2)
    await asyncio.sleep(0.3)

    assert outbox.batches == 2


async def test_an_answer_that_is_none_is_left_aside(outbox: SqliteOutbox, gateway: Listening, edge: Started) -> None:
    await keep(outbox, 1)
    await edge("b1")
    await until(lambda: len(gateway.batches) == 1, "a batch")
    await gateway.bus.publish(topic("north", STORED), b'{"boot": 7')
    await gateway.answer("b1", 1)

    await until(lambda: outbox.batches == 0, "forgotten")


async def test_what_nobody_answers_is_sent_again(
    outbox: SqliteOutbox, gateway: Listening, edge: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RESEND_AFTER_S", 0.5)
    await keep(outbox, 1)
    await edge("b1")

    await until(lambda: gateway.batches.count(("b1", 1)) >= 2, "sent twice")


async def test_more_batches_than_the_window_all_arrive_in_order(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 3 * publish.WINDOW)
    await edge("b1")
    answered = 0
    while answered < 3 * publish.WINDOW:
        await until(lambda n=answered: len(gateway.batches) > n, "more batches")  # type: ignore[misc]
        fresh = [sequence for _, sequence in gateway.batches[answered:]]
        answered += len(fresh)
        await gateway.answer("b1", *fresh)
    await until(lambda: outbox.batches == 0, "all forgotten")

    assert gateway.batches == [("b1", i + 1) for i in range(3 * publish.WINDOW)]


async def test_readings_that_the_disk_refuses_are_kept_and_tried_again(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(outbox, SystemClock())
    real, refusals = outbox.put, [StoreError("disk full")] * 2

    def full(put_at_ms: int, payload: bytes, *, clock: str | None = None) -> int:
        if refusals:
            raise refusals.pop()
        return real(put_at_ms, payload, clock=clock)

    monkeypatch.setattr(outbox, "put", full)
    monkeypatch.setattr(record, "RETRY_S", 0.01)
    recorder.take(reading(1))
    for _ in range(3):
        await recorder.flush()

    (kept,) = outbox.after(0, 10)
    assert [r.taken_at for r in msgspec.json.decode(kept.payload, type=Batch).readings] == [1]


async def test_readings_of_one_moment_share_a_batch(outbox: SqliteOutbox) -> None:
    recorder = Recorder(outbox, SystemClock())
    for i in range(BATCH_READINGS + 1):
        recorder.take(reading(i))
    await recorder.flush()

    assert outbox.batches == 2
