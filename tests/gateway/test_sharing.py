"""Several processes take readings: one at a time answers for a sender, and nothing is lost when one dies."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from adapters.deliveries_postgres import open_postgres_deliveries
from adapters.mqtt_bus import MqttBus, open_bus
from adapters.quarantine_postgres import open_postgres_quarantine
from adapters.stores import open_store
from adapters.wire import HANDED, READINGS, STATE, STORED, WANTED, between, decode_stored, edge_and_leaf, topic
from adapters.wire_between import decode_handed
from energy.errors import BusError
from energy.ports import Message, Written
from energy.readings import LAST_MS, Point, ReadingColumns
from energy.senders import share_of
from gateway.foreign.service import Foreign
from gateway.ingest.sharing import KIND
from tests.adapters.brokers import mosquitto
from tests.adapters.test_mqtt_bus import ROOT
from tests.gateway.foreign.mapped import written
from tests.gateway.ingest_worker import Worker, meter_of, worker
from tests.postgresql import PostgresServer
from tests.real_parts import free_port
from tests.victoria import VictoriaServer, victoria_server

EDGES = 12
T_MS = 1_795_132_800_000
_PATIENCE_S = 240.0


@dataclass(slots=True)
class Parts:
    """Where everything is."""

    bus: str
    victoria: VictoriaServer
    name: str
    ledger: str
    folder: Path

    def store(self, of: str) -> str:
        return self.victoria.address(self.folder / of, self.name)

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """A process of its own that takes readings."""
        arguments = [name, self.bus, self.store(name), self.ledger, str(EDGES)]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.gateway.ingest_worker", *arguments], cwd=ROOT, stdout=log, stderr=log
            )

    @asynccontextmanager
    async def worker(self, name: str, foreign: Foreign | None = None) -> AsyncIterator[Worker]:
        """The same in this process, once it is connected."""
        store = self.store(name)
        async with worker(name, self.bus, store, self.ledger, EDGES, look_s=0.05, foreign=foreign) as made:
            await until(lambda: made.bus.connected, "connected")
            yield made


@pytest.fixture(scope="module")
def victoria() -> Iterator[VictoriaServer]:
    with victoria_server() as server:
        yield server


@pytest.fixture
def parts(tmp_path: Path, victoria: VictoriaServer, postgres: PostgresServer) -> Iterator[Parts]:
    port = free_port()
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker", port):
        ledger = postgres.address(postgres.copy("template1"))
        yield Parts(f"mqtt://127.0.0.1:{port}", victoria, victoria.new_name(), ledger, tmp_path)


async def until(true: Callable[[], bool], what: str) -> None:
    for _ in range(int(_PATIENCE_S * 50)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(what)


@dataclass(slots=True)
class Fleet:
    """Edges that send what they have until it is answered."""

    bus: MqttBus
    again_s: float = 2.0
    unanswered: dict[tuple[str, int], tuple[bytes, float]] = field(default_factory=dict)
    answers: list[tuple[str, int]] = field(default_factory=list)

    async def send(self, edge: str, sequence: int, value: float | None = None, t_ms: int | None = None) -> None:
        at = T_MS + 1000 * sequence if t_ms is None else t_ms
        values = {"active_power": float(sequence if value is None else value), "voltage_l1": 230.0}
        readings = [{"meter": meter_of(edge), "taken_at": at, "values": values}]
        batch = {"boot": edge, "outbox": edge, "sequence": sequence, "held_from": 1, "readings": readings}
        payload = msgspec.json.encode(batch)
        self.unanswered[edge, sequence] = payload, time.monotonic()
        await self._publish(edge, payload)

    async def _publish(self, edge: str, payload: bytes) -> None:
        with suppress(BusError):
            await self.bus.publish(topic(edge, READINGS), payload)

    async def listen(self) -> None:
        async for messages in self.bus.messages():
            for message in messages:
                edge, leaf = edge_and_leaf(message.topic)
                if leaf == STORED:
                    for sequence in decode_stored(message.payload).sequences:
                        self.answers.append((edge, sequence))
                        self.unanswered.pop((edge, sequence), None)
            await self.bus.acknowledge(messages)

    async def resend(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            now = time.monotonic()
            for (edge, sequence), (payload, at) in list(self.unanswered.items()):
                if now - at > self.again_s:
                    self.unanswered[edge, sequence] = payload, now
                    await self._publish(edge, payload)

    async def answered(self) -> None:
        await until(lambda: not self.unanswered, f"answers to {sorted(self.unanswered)[:5]}")


@asynccontextmanager
async def fleet(address: str) -> AsyncIterator[Fleet]:
    there = asyncio.Event()
    subscribe = [topic("+", STORED), topic("+", WANTED)]
    async with open_bus(address, "edges", subscribe=subscribe, connected=there.set) as bus:
        made = Fleet(bus)
        tasks = [asyncio.create_task(made.listen()), asyncio.create_task(made.resend())]
        try:
            await there.wait()
            yield made
        finally:
            for task in tasks:
                task.cancel()


def edge(n: int) -> str:
    return f"edge-{n}"


@asynccontextmanager
async def two(parts: Parts) -> AsyncIterator[tuple[Worker, Worker]]:
    """Two that share, each with a part of the senders."""
    async with parts.worker("one") as one, parts.worker("two") as other:
        shares = {share_of(edge(n)) for n in range(EDGES)}

        def shared() -> bool:
            held = [{s for s in shares if made.claims.held(KIND, s)} for made in (one, other)]
            return all(held) and held[0] | held[1] == shares and held[0].isdisjoint(held[1])

        await until(shared, "shared")
        yield one, other


async def test_every_reading_is_stored_and_answered_once_by_the_one_who_answers_for_its_sender(parts: Parts) -> None:
    async with two(parts) as workers, fleet(parts.bus) as edges:
        for sequence in range(1, 6):
            for n in range(EDGES):
                await edges.send(edge(n), sequence)
        await edges.answered()

        assert sorted(edges.answers) == sorted((edge(n), s) for n in range(EDGES) for s in range(1, 6))
        told = [
            {columns.points[i].meter for columns in made.pushed for i in columns.index.tolist()} for made in workers
        ]
        assert told[0].isdisjoint(told[1])
        assert told[0] | told[1] == {meter_of(edge(n)) for n in range(EDGES)}
        for made in workers:
            for n in range(EDGES):
                assert (meter_of(edge(n)) in told[workers.index(made)]) == made.claims.held(KIND, share_of(edge(n)))


def owned(made: Worker) -> list[str]:
    """The edges that a process answers for."""
    return [edge(n) for n in range(EDGES) if made.claims.held(KIND, share_of(edge(n)))]


async def test_what_is_another_ones_is_handed_on_also_while_this_process_is_storing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(parts) as (one, other), fleet(parts.bus) as edges:
        edges.again_s = 1e9
        stores, go_on, write = asyncio.Event(), asyncio.Event(), one.store.write

        async def writes_slowly(columns: ReadingColumns) -> Written:
            stores.set()
            await go_on.wait()
            return await write(columns)

        monkeypatch.setattr(one.store, "write", writes_slowly)
        await edges.send(owned(one)[0], 1)
        await stores.wait()
        for sequence in range(1, 5):
            for name in owned(other):
                await edges.send(name, sequence)
        await until(lambda: set(edges.unanswered) == {(owned(one)[0], 1)}, "answers of the other process")

        go_on.set()
        await edges.answered()


async def test_what_came_together_of_other_ones_senders_is_handed_on_in_one_message(parts: Parts) -> None:
    watched = [between("two", HANDED), "echo"]
    async with two(parts) as (one, other), open_bus(parts.bus, "watching", subscribe=watched) as bus:
        await until(lambda: bus.connected, "connected")
        await bus.publish("echo", b"subscribed")
        coming = bus.messages()
        assert [m.topic for m in await anext(coming)] == ["echo"]

        messages = [Message(topic(name, READINGS), b"%d" % n) for n in range(4) for name in owned(other)]
        assert one.ingest.shared is not None
        await one.ingest.shared.take(messages)

        [handed] = await anext(coming)
        assert [(m.topic, m.payload) for m in decode_handed(handed.payload)] == [(m.topic, m.payload) for m in messages]


async def test_the_first_value_of_an_instant_stays_though_its_sender_went_to_another_process(parts: Parts) -> None:
    async with fleet(parts.bus) as edges:
        async with parts.worker("one"):
            for n in range(EDGES):
                await edges.send(edge(n), 1, value=1.0)
            await edges.answered()
        async with parts.worker("two") as other:
            for n in range(EDGES):
                await edges.send(edge(n), 2, value=2.0, t_ms=T_MS + 1000)
            await edges.answered()

            point = Point(meter_of(edge(0)), "active_power")
            found = await other.store.readings([point], 0, LAST_MS)
            assert found.value.tolist() == [1.0]
            assert (await other.intake.quarantine.counts())["conflicting value"] == EDGES


async def test_what_is_missing_of_a_sender_is_asked_for_by_who_answers_for_it_next(parts: Parts) -> None:
    async with fleet(parts.bus) as edges:
        async with parts.worker("one"):
            await edges.send(edge(0), 1)
            await edges.answered()
        async with parts.worker("two") as other:
            await edges.send(edge(0), 4)
            await edges.answered()

            [kept] = await other.intake.deliveries.outboxes()
            assert kept.ranges == [(1, 1), (4, 4)]


async def test_gateways_of_others_are_heard_by_one_process_and_nothing_is_lost_while_that_changes(
    parts: Parts, tmp_path: Path
) -> None:
    def mapping() -> Foreign:
        return Foreign([written(tmp_path, f"meter: {{from: '{{sn}}', names: {{box: {meter_of('others')}}}}}")])

    async with open_bus(parts.bus, "device") as device:
        await until(lambda: device.connected, "connected")

        async def say(n: int) -> None:
            await device.publish("own/box", msgspec.json.encode({"ts": T_MS + n, "data": {"P": float(n)}}))

        async with parts.worker("one", mapping()) as one, parts.worker("two", mapping()) as other:
            await until(lambda: one.claims.held("foreign") or other.claims.held("foreign"), "turn")
            await asyncio.sleep(0.5)
            for n in range(5):
                await say(n)
            point = Point(meter_of("others"), "active_power")
            await until_stored((one, other), point, 5)
            assert sum(any(len(columns) for columns in made.pushed) for made in (one, other)) == 1
        for n in range(5, 10):
            await say(n)
        async with parts.worker("three", mapping()) as third:
            await until_stored((third,), point, 10)
            assert (await third.store.readings([point], 0, LAST_MS)).value.tolist() == [float(n) for n in range(10)]


async def until_stored(workers: Sequence[Worker], point: Point, n: int) -> None:
    for _ in range(int(_PATIENCE_S * 50)):
        if max([len(await made.store.readings([point], 0, LAST_MS)) for made in workers]) == n:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{n} readings of {point}; refused: {await workers[0].intake.quarantine.newest(3)}")


async def test_what_waits_at_the_broker_for_a_gateway_that_was_alone_is_taken_by_several(parts: Parts) -> None:
    alone = [topic("+", READINGS), topic("+", STATE)]
    async with open_bus(parts.bus, "jieneng-gateway", subscribe=[*alone, "echo"], keep_session=True) as bus:
        await until(lambda: bus.connected, "connected")
        await bus.publish("echo", b"subscribed")
        async for messages in bus.messages():
            await bus.acknowledge(messages)
            break
    async with fleet(parts.bus) as edges:
        edges.again_s = 1e9
        for n in range(EDGES):
            await edges.send(edge(n), 1)
        async with two(parts):
            await edges.answered()


@contextmanager
def killed_in_the_end(parts: Parts, *names: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    processes = {name: parts.process(name) for name in names}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


async def kill_and_restart(parts: Parts, processes: dict[str, subprocess.Popen[bytes]], name: str) -> None:
    processes[name].kill()
    await asyncio.to_thread(processes[name].wait)
    processes[name] = parts.process(name)


async def under_kills(parts: Parts, kills: int, seed: int) -> None:
    """Edges send while the processes that take it are killed; in the end everything is there, once."""
    chance = random.Random(seed)
    with killed_in_the_end(parts, "one", "two") as processes:
        async with fleet(parts.bus) as edges:
            over = asyncio.Event()
            sending = asyncio.create_task(send_until(over, edges))
            await until(lambda: len(edges.answers) > EDGES, "answers")
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.5, 3.0))
                await kill_and_restart(parts, processes, chance.choice(sorted(processes)))
            over.set()
            rounds = await sending
            await edges.answered()
        parts.victoria.show_all()
        await must_hold_all(parts, rounds)


async def send_until(over: asyncio.Event, edges: Fleet) -> int:
    """How often each edge has sent."""
    rounds = 0
    while not over.is_set():
        rounds += 1
        for n in range(EDGES):
            await edges.send(edge(n), rounds)
        await asyncio.sleep(0.05)
    return rounds


async def must_hold_all(parts: Parts, batches: int) -> None:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(parts.store("looking")))
        points = [Point(meter_of(edge(n)), "active_power") for n in range(EDGES)]
        found = await store.readings(points, 0, LAST_MS)
        assert found.value.tolist() == [float(s) for _ in range(EDGES) for s in range(1, batches + 1)]
        delivered = await stack.enter_async_context(open_postgres_deliveries(parts.ledger))
        assert {h.edge: h.ranges for h in await delivered.outboxes()} == {edge(n): [(1, batches)] for n in range(EDGES)}
        quarantine = await stack.enter_async_context(open_postgres_quarantine(parts.ledger))
        assert set(await quarantine.counts()) <= {"duplicate"}


async def test_nothing_is_lost_or_there_twice_when_processes_are_killed(parts: Parts) -> None:
    await under_kills(parts, kills=3, seed=8)
