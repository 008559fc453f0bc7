"""From the outbox to the gateway's answer, over a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from adapters.broker_nats import embedded_broker
from adapters.clocks import SystemClock
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.outbox_bounds import BATCH_READINGS, Bounds
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import READINGS, STORED, WANTED, Batch, MeterReadings, Stored, Wanted, decode_batch, encode, topic
from edge import app, publish, record, window
from edge.publish import Publisher
from edge.record import Recorder
from edge.window import HistoryWindow
from energy.errors import StoreError
from energy.ports import Message
from tests.real_parts import free_port
from tests.waiting import until

pytestmark = pytest.mark.by_the_clock


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
        tasks.append(asyncio.create_task(app._listen(bus, publisher, lambda _: None)))
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


async def put_live(outbox: SqliteOutbox, publisher: Publisher, t_ms: int) -> None:
    recorder = Recorder(outbox, SystemClock())
    recorder.take(reading(t_ms))
    await recorder.flush()
    publisher._kept.set()


async def test_live_batches_go_before_history_that_waits_and_history_is_marked(
    outbox: SqliteOutbox, gateway: Listening, edge: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A window of one batch: history is always waiting for an answer.
    monkeypatch.setattr(publish, "HistoryWindow", lambda: HistoryWindow(limit_bytes=1))
    monkeypatch.setattr(window, "LEAST_BYTES", 1)
    await keep(outbox, 50)
    publisher = await edge("b1")
    await until(lambda: len(gateway.taken) == 1, "the first of history")
    await put_live(outbox, publisher, 10_000)
    await until(lambda: len(gateway.taken) == 2, "the live one")

    first, live = gateway.taken
    assert (first.sequence, first.history, first.held_from) == (1, True, 1)
    assert (live.sequence, live.history, live.outbox) == (51, False, outbox.id)
    await gateway.answer("b1", 1)
    await until(lambda: len(gateway.taken) > 2, "the next of history")
    assert [batch.sequence for batch in gateway.taken[2:3]] == [2]


async def test_an_answer_that_names_the_outbox_holds_whatever_the_boot(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 2)
    await edge("b2")
    await until(lambda: len(gateway.batches) == 2, "two batches")
    await gateway.bus.publish(topic("north", STORED), encode(Stored("b1", [1], outbox.id)))
    await gateway.bus.publish(topic("north", STORED), encode(Stored("b2", [2], "another")))
    await until(lambda: outbox.batches == 1, "the first forgotten")
    await asyncio.sleep(0.2)

    assert [kept.sequence for kept in outbox.after(0, 10)] == [2]


async def test_what_the_gateway_misses_is_sent_again_and_what_is_gone_is_told(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 4)
    outbox.lose(7, 1, 2, "disk")
    await edge("b1")
    await until(lambda: len(gateway.batches) == 4, "four batches")
    await gateway.answer("b1", 1, 2, 3)
    await until(lambda: outbox.batches == 1, "forgotten")
    before = len(gateway.batches)
    await gateway.bus.publish(topic("north", WANTED), encode(Wanted(outbox.id, [(3, 5)])))
    await until(lambda: len(gateway.told) == 1, "what never comes is told")

    assert [(one.first, one.last, one.cause, one.readings) for one in gateway.told[0].lost] == [
        (5, 5, "disk", 7),
        (3, 3, "stored", None),
    ]
    assert gateway.told[0].outbox == outbox.id
    # The fourth is on its way and answered in time: it is not sent twice for having been asked for.
    assert len(gateway.batches) == before


async def test_of_an_outbox_that_is_no_longer_there_all_that_is_asked_for_is_told_as_replaced(
    outbox: SqliteOutbox, gateway: Listening, edge: Started
) -> None:
    await keep(outbox, 1)
    await edge("b1")
    await gateway.bus.publish(topic("north", WANTED), encode(Wanted("an earlier one", [(3, 5)])))
    await until(lambda: len(gateway.told) == 1, "told")

    (lost,) = gateway.told[0].lost
    assert (gateway.told[0].outbox, lost.first, lost.last, lost.cause) == ("an earlier one", 3, 5, "replaced")


async def test_a_batch_whose_answer_was_lost_is_sent_again_alone(
    outbox: SqliteOutbox, gateway: Listening, edge: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RESEND_AFTER_S", 0.6)
    await keep(outbox, 5)
    publisher = await edge("b1")
    await until(lambda: len(gateway.batches) == 5, "five batches")
    await gateway.answer("b1", 1, 2, 4, 5)
    for t_ms in range(20):
        # Meanwhile others come and are answered.
        await put_live(outbox, publisher, 10_000 + t_ms)
        await asyncio.sleep(0.08)
        await gateway.answer("b1", *[s for _, s in gateway.batches if s > 5])

    assert gateway.batches.count(("b1", 3)) >= 2
    assert max(gateway.batches.count(("b1", s)) for s in (1, 2, 4, 5)) == 1


async def test_a_gateway_that_does_not_answer_is_asked_with_one_batch_until_it_does(
    outbox: SqliteOutbox, gateway: Listening, edge: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RESEND_AFTER_S", 0.3)
    monkeypatch.setattr(publish, "_LONGEST_PAUSE_S", 0.3)
    await keep(outbox, 20)
    publisher = await edge("b1")
    await until(lambda: gateway.batches.count(("b1", 1)) >= 4, "probes")
    assert {gateway.batches.count(("b1", s)) for s in range(2, 21)} == {1}

    await put_live(outbox, publisher, 10_000)
    await gateway.bus.publish(topic("north", WANTED), encode(Wanted(outbox.id, [])))
    await until(lambda: ("b1", 21) in gateway.batches, "all of it again, since somebody is there")


async def test_an_outbox_that_is_made_anew_while_it_runs_is_sent_under_its_new_numbering(
    outbox: SqliteOutbox, gateway: Listening, edge: Started, tmp_path: Path
) -> None:
    await keep(outbox, 3)
    before = outbox.id
    await edge("b1")
    await until(lambda: len(gateway.taken) == 3, "three batches")
    outbox._replace("for the test")
    await until(lambda: len(gateway.taken) >= 6, "the same three")

    fresh = [batch for batch in gateway.taken if batch.outbox != before]
    assert [batch.sequence for batch in fresh][:3] == [1, 2, 3]
    await gateway.bus.publish(topic("north", STORED), encode(Stored("b1", [1, 2, 3], before)))
    await asyncio.sleep(0.2)
    assert outbox.batches == 3


async def test_readings_that_wait_for_the_disk_are_bounded_and_those_that_go_are_told(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(outbox, SystemClock(), most_pending=10)
    for t_ms in range(1, 16):
        recorder.take(reading(t_ms))
    assert (recorder.waiting, recorder.paused) == (10, False)
    await recorder.flush()
    held, (lost,) = outbox.account(1, 10)

    assert held == [1]
    assert (lost.readings, lost.from_ms, lost.to_ms, lost.cause) == (5, 1, 5, "disk")


async def test_an_edge_that_may_drop_nothing_pauses_when_memory_is_full(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "outbox.sqlite", bounds=Bounds(1_000_000, when_full="stop"))
    recorder = Recorder(outbox, SystemClock(), most_pending=3)
    for t_ms in range(3):
        assert not recorder.paused
        recorder.take(reading(t_ms))
    assert recorder.paused
    await recorder.flush()
    assert not recorder.paused
    outbox.close()


class SlowUplink:
    """A bus whose broker takes each message after a while."""

    connected = True

    def __init__(self) -> None:
        self.sent: list[int] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.sent.append(decode_batch(payload).sequence or 0)
        await asyncio.sleep(1.2)

    def messages(self) -> AsyncIterator[list[Message]]:
        raise NotImplementedError

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        raise NotImplementedError


async def test_a_batch_that_is_long_on_its_way_to_the_broker_is_not_sent_again(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "RESEND_AFTER_S", 0.3)
    await keep(outbox, 3)
    uplink = SlowUplink()
    publisher = Publisher(outbox, uplink, "north", "b1", asyncio.Event())
    task = asyncio.create_task(publisher.run())
    publisher.connected()
    await asyncio.sleep(1.0)
    assert uplink.sent == [1, 2, 3]
    # It has them now; that nobody answers is another thing.
    await until(lambda: len(uplink.sent) > 3, "asked again")
    task.cancel()
    assert uplink.sent[3] == 1
