"""From the bus to the store, over a real broker."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.broker_nats import embedded_broker
from adapters.clocks import SystemClock
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.wire import READINGS, STATE, STORED, WANTED, decode_stored, decode_wanted, edge_and_leaf, topic
from energy.errors import StoreError
from energy.ports import Written
from energy.quantities import Medium
from energy.readings import ReadingColumns
from energy.sites import Meter, Text
from gateway.edges.service import Edges
from gateway.ingest import service
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge
from gateway.ingest.service import Ingest
from gateway.metrics import Metrics
from tests.adapters.readings_memory import MemoryReadings
from tests.real_parts import free_port
from tests.waiting import until

T_MS = 1_767_225_600_000


class FailingAtFirst(MemoryReadings):
    """A store whose disk is full for a while."""

    failures = 0
    # Values that it will never take.
    unwanted: frozenset[float] = frozenset()

    async def write(self, columns: ReadingColumns) -> Written:
        if self.failures:
            self.failures -= 1
            raise StoreError("no space left on device")
        if self.unwanted:
            refused = [i for i, value in enumerate(columns.value.tolist()) if value in self.unwanted]
            kept = np.delete(np.arange(len(columns)), refused)
            fields = (getattr(columns, n)[kept] for n in ("index", "taken_at_ms", "value", "quality", "reason"))
            written = await super().write(ReadingColumns(columns.points, *fields))
            return replace(written, refused=[(i, "older than what is kept") for i in refused])
        return await super().write(columns)


class Running:
    """An ingest over a broker, and an edge that publishes to it."""

    def __init__(self, edge: MqttBus, store: FailingAtFirst, quarantine: SqliteQuarantine, intake: Ingest) -> None:
        self.edge, self.store, self.quarantine, self.intake = edge, store, quarantine, intake
        self.pushed: list[ReadingColumns] = []
        self.answers: list[tuple[str, list[int]]] = []
        self.outboxes: list[str | None] = []
        self.asked: list[tuple[str, list[tuple[int, int]]]] = []
        self.stored: list[float] = []

    async def publish(self, payload: Any, leaf: str = READINGS) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self.edge.publish(topic("north", leaf), body)

    async def listen(self) -> None:
        async for messages in self.edge.messages():
            for message in messages:
                if edge_and_leaf(message.topic)[1] == WANTED:
                    wanted = decode_wanted(message.payload)
                    self.asked.append((wanted.outbox, wanted.ranges))
                    continue
                answer = decode_stored(message.payload)
                self.answers.append((answer.boot, answer.sequences))
                self.outboxes.append(answer.outbox)
            await self.edge.acknowledge(messages)

    async def answered(self, *sequences: int) -> None:
        await until(lambda: {s for _, told in self.answers for s in told} >= set(sequences), f"answer to {sequences}")


def batch(sequence: int, value: float = 1.0, t_ms: int = T_MS, meter: str = "main") -> dict[str, Any]:
    readings = [{"meter": meter, "taken_at": t_ms, "values": {"active_power": value}}]
    return {"boot": "b1", "sequence": sequence, "readings": readings}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with embedded_broker(tmp_path / "broker", port):
        yield f"mqtt://127.0.0.1:{port}"


@pytest.fixture
async def running(broker: str) -> AsyncIterator[Running]:
    clock, store, quarantine = SystemClock(), FailingAtFirst(), SqliteQuarantine(":memory:")
    judge = Judge([Meter("main", Text("总表", "Main"), Medium.ELECTRICITY)])
    async with (
        open_bus(broker, "gateway", subscribe=[topic("+", READINGS), topic("+", STATE)], keep_session=True) as bus,
        open_bus(broker, "edge", subscribe=[topic("north", STORED), topic("north", WANTED)]) as edge,
    ):
        pushed: list[ReadingColumns] = []
        stored: list[float] = []
        metrics = Metrics()
        deliveries = Deliveries(SqliteDeliveries(":memory:"), clock, metrics)
        intake = Ingest(
            bus,
            store,
            quarantine,
            judge,
            Edges(clock),
            clock,
            metrics,
            lambda columns: stored.extend(columns.value.tolist()),
            lambda: None,
            deliveries=deliveries,
            came=lambda live, waited: pushed.append(live),
        )
        made = Running(edge, store, quarantine, intake)
        made.pushed, made.stored = pushed, stored
        await until(lambda: bus.connected and edge.connected, "connected")
        await asyncio.sleep(0.2)
        tasks = [asyncio.create_task(intake.run()), asyncio.create_task(made.listen())]
        yield made
        for task in tasks:
            task.cancel()


async def test_what_is_stored_is_answered_and_pushed(running: Running) -> None:
    await running.publish(batch(1, value=7.5))
    await running.answered(1)

    assert (await running.store.latest()).value.tolist() == [7.5]
    assert [columns.value.tolist() for columns in running.pushed] == [[7.5]]
    assert await running.quarantine.counts() == {}


async def test_a_batch_that_comes_again_is_answered_again_and_stored_once(running: Running) -> None:
    await running.publish(batch(1))
    await running.answered(1)
    await running.publish(batch(1))
    await until(lambda: len(running.answers) == 2, "second answer")

    assert await running.quarantine.counts() == {"duplicate": 1}


async def test_another_value_for_a_stored_instant_is_kept_in_quarantine(running: Running) -> None:
    await running.publish(batch(1, value=1.0))
    await running.answered(1)
    await running.publish(batch(2, value=2.0))
    await running.answered(2)

    assert (await running.store.latest()).value.tolist() == [1.0]
    (refused,) = await running.quarantine.newest(10)
    assert (refused.reason, refused.value, refused.edge) == ("conflicting value", 2.0, "north")
    # Nobody is told of a value that is not stored.
    assert [value for columns in running.pushed for value in columns.value.tolist()] == [1.0]
    assert running.stored == [1.0]


async def test_what_the_store_will_never_take_goes_into_quarantine_and_the_rest_of_its_batch_is_stored(
    running: Running,
) -> None:
    running.store.unwanted = frozenset([2.0])
    readings = [batch(1, value=v, t_ms=T_MS + i)["readings"][0] for i, v in enumerate([1.0, 2.0, 3.0])]
    await running.publish({"boot": "b1", "sequence": 1, "readings": readings})
    await running.answered(1)

    assert (await running.store.latest()).value.tolist() == [3.0]
    (refused,) = await running.quarantine.newest(10)
    assert (refused.reason, refused.detail) == ("refused by the store", "older than what is kept")
    assert (refused.value, refused.meter, refused.taken_at_ms) == (2.0, "main", T_MS + 1)


async def test_a_batch_of_which_all_is_refused_is_answered_too(running: Running) -> None:
    await running.publish(batch(1, meter="nobody"))
    await running.answered(1)

    assert await running.quarantine.counts() == {"unknown meter": 1}


async def test_nothing_is_answered_while_the_store_refuses_and_nothing_is_lost(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_RETRY_S", 0.05)
    running.store.failures = 5
    await running.publish(batch(1))
    await until(lambda: running.intake.trouble is not None, "trouble is told")
    assert running.answers == []

    await running.answered(1)
    assert running.intake.trouble is None
    assert (await running.store.latest()).value.tolist() == [1.0]


async def test_a_quarantine_that_cannot_be_written_is_trouble_and_not_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_RETRY_S", 0.05)
    real, failures = running.quarantine._insert, [sqlite3.OperationalError("database or disk is full")] * 3

    def full(refusals: Any) -> None:
        if failures:
            raise failures.pop()
        real(refusals)

    monkeypatch.setattr(running.quarantine, "_insert", full)
    await running.publish(batch(1, meter="nobody"))
    await until(lambda: running.intake.trouble is not None, "trouble is told")
    await running.answered(1)

    assert running.intake.trouble is None
    assert await running.quarantine.counts() == {"unknown meter": 1}


async def test_broken_messages_of_every_kind_are_counted_and_the_next_good_one_is_stored(running: Running) -> None:
    await running.publish(b"\x00\xff")
    await running.publish(b'{"readings": 7}')
    await running.publish(b"nonsense", leaf=STATE)
    await running.publish(batch(1))
    await running.answered(1)

    assert await running.quarantine.counts() == {"broken payload": 3}


async def test_history_is_stored_and_not_drawn_as_live(running: Running) -> None:
    await running.publish(batch(1, t_ms=T_MS) | {"history": True})
    await running.publish(batch(2, value=2.0, t_ms=T_MS + 1000))
    await running.answered(1, 2)

    assert [value for columns in running.pushed for value in columns.value.tolist()] == [2.0]
    assert sorted(running.stored) == [1.0, 2.0]


async def test_what_is_missing_is_asked_for_and_the_answer_names_the_outbox(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ASK_EVERY_S", 0.05)
    await running.publish(batch(5) | {"outbox": "a", "held_from": 5})
    await running.answered(5)
    asking = asyncio.create_task(running.intake.ask())
    await until(lambda: ("a", [(1, 4)]) in running.asked, "asked")
    asking.cancel()

    # First of all the gateway greets.
    assert running.asked[0] == ("a", [])
    assert running.outboxes == ["a"]
