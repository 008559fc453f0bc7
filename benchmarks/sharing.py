"""Two processes that share what edges say: the processor time of each reading, against one process alone at it.

Two are given twice the edges that one is given: more processes are there for more edges.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import numpy as np
import yaml

from adapters.mqtt_bus import MqttBus, open_bus
from adapters.wire import READINGS, STORED, decode_stored, edge_and_leaf, topic
from benchmarks.parts import THREE_PHASE, cpu_s, free_port, jieneng, mosquitto, until_healthy
from energy.readings import to_ms
from energy.senders import SHARES
from tests.databases import on_postgresql
from tests.postgresql import PostgresServer, postgres_server
from tests.victoria import VictoriaServer, victoria_server

# Of each process.
EDGES = 32
METERS_OF_EDGE = 20
WARM, MESSAGES, TURNS = 20, 240, 7
# So many messages of an edge may be unanswered, as of a real one that catches up.
_WINDOW = 16
_IDLE_S = 6.0
# The first of the two that share nothing is also the one that is alone, and has twice as many turns.
_ALL = WARM + TURNS * MESSAGES, WARM + 2 * TURNS * MESSAGES


def run() -> dict[str, Any]:
    """One process and two stand beside each other and are given work in turns, the same amount each; the median of the
    ratios of the turns. So what else the machine does is in both, as nearly as it can be. Two that share nothing are at
    work beside each other then: what they cost more than one is the machine's doing, not that of sharing."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name, ExitStack() as stack:
        postgres, victoria = stack.enter_context(postgres_server()), stack.enter_context(victoria_server())
        kinds = [stack.enter_context(_several(Path(name), postgres, victoria, workers)) for workers in (1, 2, 1)]
        turns = asyncio.run(_in_turns(kinds))
        for n, several in enumerate(kinds):
            _must_be_stored(several.ports, _ALL[n == 0])
    ratios = [two.cpu_us / one.cpu_us for one, two, _ in turns]
    return {
        "two_workers_cost_ratio": statistics.median(ratios),
        "two_workers_cost_ratios": ", ".join(f"{ratio:.3f}" for ratio in ratios),
        "two_workers_cost_ratio_without_idling": statistics.median(
            _at_work_us(two, kinds[1]) / _at_work_us(one, kinds[0]) for one, two, _ in turns
        ),
        "two_workers_cost_ratio_of_all_turns": sum(two.cpu_us for _, two, _ in turns)
        / sum(one.cpu_us for one, _, _ in turns),
        "two_workers_cost_ratio_to_two_apart": statistics.median(two.cpu_us / apart.cpu_us for _, two, apart in turns),
        "idling_cpu_share_of_a_process": statistics.median(several.idling / several.workers for several in kinds),
        "one_worker_cpu_us_per_reading": statistics.median(one.cpu_us for one, _, _ in turns),
        "two_workers_cpu_us_per_reading": statistics.median(two.cpu_us for _, two, _ in turns),
        "two_apart_cpu_us_per_reading": statistics.median(apart.cpu_us for _, _, apart in turns),
        "one_worker_readings_per_s": statistics.median(one.per_s for one, _, _ in turns),
        "two_workers_readings_per_s": statistics.median(two.per_s for _, two, _ in turns),
        "load_before": round(os.getloadavg()[2], 1),
    }


@dataclass(slots=True)
class Several:
    """So many processes over a broker, a database and a store of their own; `idling` is what all of them take while
    nothing comes [cores]."""

    broker: int
    ports: list[int]
    pids: list[int]
    idling: float = 0.0

    @property
    def workers(self) -> int:
        return len(self.pids)

    def cpu_s(self) -> float:
        return sum(map(cpu_s, self.pids))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a turn: processor time of the processes together per reading of a meter [µs], with what they take while
    nothing comes; and readings in a second."""

    cpu_us: float
    per_s: float


@contextmanager
def _several(folder: Path, postgres: PostgresServer, victoria: VictoriaServer, workers: int) -> Iterator[Several]:
    """So many processes that have shared the senders out."""
    series = victoria.new_name()
    folder = folder / series
    folder.mkdir()
    database, site, broker = on_postgresql(postgres)(), _site(folder), free_port()
    made = Several(broker, [free_port() for _ in range(workers)], [])
    with ExitStack() as stack:
        stack.enter_context(mosquitto(folder / "broker", broker))
        for n, port in enumerate(made.ports):
            arguments = [
                "gateway", "--roles", "ingest", "--name", f"{series}-{n}", "--accounts", "off", "--site", str(site),
                "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}",
                "--bus", f"mqtt://127.0.0.1:{broker}", "--ledger", database, "--records", database,
                "--store", f"victoria+http://127.0.0.1:{victoria.port}?name={series}",
            ]  # fmt: skip
            made.pids.append(stack.enter_context(jieneng(arguments, folder / f"worker-{n}.log")).pid)
            until_healthy(port)
        _until_shared(folder, workers)
        yield made


def _at_work_us(cost: Cost, several: Several) -> float:
    """Without what they take while nothing comes: where others keep them from work, it is much of a reading."""
    return cost.cpu_us - several.idling / cost.per_s * 1e6


def _until_shared(folder: Path, workers: int) -> None:
    """Until all shares are held, and by all the processes."""
    deadline = time.monotonic() + 60
    while True:
        held = [_held(folder / f"worker-{n}.log") for n in range(workers)]
        if all(held) and sum(held) == SHARES:
            return
        assert time.monotonic() < deadline, f"shares are held {held}"
        time.sleep(0.2)


def _held(log: Path) -> int:
    """So many shares a process says that it has."""
    said = [msgspec.json.decode(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return next((int(one["held"]) for one in reversed(said) if one.get("kind") == "ingest" and "held" in one), 0)


def _site(folder: Path) -> Path:
    meters = [
        {"id": f"meter-{edge}-{i}", "name": {"zh": "表", "en": "Meter"}, "medium": "electricity"}
        for edge in range(2 * EDGES)
        for i in range(METERS_OF_EDGE)
    ]
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump({"site": "bench", "name": {"zh": "测", "en": "Bench"}, "meters": meters}))
    return file


# -- the edges ---------------------------------------------------------------------------------------------------------


class _Edges:
    """All edges over one connection, each with so many unanswered messages."""

    def __init__(self, bus: MqttBus, edges: int) -> None:
        self._bus = bus
        self._free = [asyncio.Semaphore(_WINDOW) for _ in range(edges)]
        self._answered = [0] * edges
        self._all = asyncio.Event()
        self._upto = 0
        self._first_ms = to_ms(datetime.now(UTC)) - max(_ALL) * 60_000

    def make(self, messages: int) -> list[list[bytes]]:
        """So many more messages of every edge."""
        more = range(self._upto, self._upto + messages)
        self._upto += messages
        random = np.random.default_rng(self._upto)
        return [[_message(edge, n, self._first_ms, random) for n in more] for edge in range(len(self._free))]

    async def send(self, payloads: Sequence[Sequence[bytes]]) -> None:
        """Until all of it is answered."""
        self._all.clear()
        async with asyncio.TaskGroup() as group:
            for edge, own in enumerate(payloads):
                group.create_task(self._send(edge, own))
        await self._all.wait()

    async def _send(self, edge: int, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            await self._free[edge].acquire()
            await self._bus.publish(topic(f"edge-{edge}", READINGS), payload)

    async def listen(self) -> None:
        async for messages in self._bus.messages():
            for message in messages:
                edge = int(edge_and_leaf(message.topic)[0].removeprefix("edge-"))
                count = len(decode_stored(message.payload).sequences)
                self._answered[edge] += count
                for _ in range(count):
                    self._free[edge].release()
            await self._bus.acknowledge(messages)
            if min(self._answered) >= self._upto:
                self._all.set()


async def _in_turns(kinds: Sequence[Several]) -> list[tuple[Cost, Cost, Cost]]:
    """What each turn cost one process, two that share, and two apart, after all are warm; who begins changes."""
    async with AsyncExitStack() as stack:
        edges = [await stack.enter_async_context(_edges(several)) for several in kinds]
        for of_several in edges:
            await of_several.send(of_several.make(WARM))
        await _look_at_idling(kinds)
        turns: list[tuple[Cost, Cost, Cost]] = []
        for turn in range(TURNS):
            costs: dict[int, Cost] = {}
            for n in sorted(range(2), reverse=turn % 2 == 1):
                costs[n] = await _turn(kinds[n], edges[n])
            one, other = await asyncio.gather(*(_turn(kinds[n], edges[n]) for n in (0, 2)))
            apart = Cost((one.cpu_us + other.cpu_us) / 2, one.per_s + other.per_s)
            turns.append((costs[0], costs[1], apart))
    return turns


@asynccontextmanager
async def _edges(several: Several) -> AsyncIterator[_Edges]:
    address = f"mqtt://127.0.0.1:{several.broker}"
    listens = asyncio.Event()
    async with open_bus(address, "bench-edges", subscribe=[topic("+", STORED)], connected=listens.set) as bus:
        await listens.wait()
        await asyncio.sleep(0.5)
        edges = _Edges(bus, EDGES * several.workers)
        listening = asyncio.create_task(edges.listen())
        try:
            yield edges
        finally:
            listening.cancel()


async def _look_at_idling(kinds: Sequence[Several]) -> None:
    before, began = [several.cpu_s() for several in kinds], time.perf_counter()
    await asyncio.sleep(_IDLE_S)
    seconds = time.perf_counter() - began
    for several, took in zip(kinds, before, strict=True):
        several.idling = (several.cpu_s() - took) / seconds


async def _turn(several: Several, edges: _Edges) -> Cost:
    payloads = edges.make(MESSAGES)
    before, began = several.cpu_s(), time.perf_counter()
    await edges.send(payloads)
    took, seconds = several.cpu_s() - before, time.perf_counter() - began
    readings = EDGES * several.workers * MESSAGES * METERS_OF_EDGE
    return Cost(took / readings * 1e6, readings / seconds)


def _message(edge: int, n: int, first_ms: int, random: np.random.Generator) -> bytes:
    of_meters = random.random((METERS_OF_EDGE, len(THREE_PHASE))).round(3).tolist()
    readings = [
        {
            "meter": f"meter-{edge}-{i}",
            "taken_at": first_ms + n * 60_000,
            "values": dict(zip(THREE_PHASE, values, strict=True)),
        }
        for i, values in enumerate(of_meters)
    ]
    named = {"boot": f"boot-{edge}", "outbox": f"outbox-{edge}", "sequence": n + 1, "held_from": 1}
    return msgspec.json.encode({**named, "readings": readings})


def _must_be_stored(ports: Sequence[int], messages: int) -> None:
    """All of so many messages of every edge, once."""
    stored = 0.0
    for port in ports:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        stored += sum(float(line.split()[1]) for line in lines if line.startswith("jieneng_values_stored_total"))
    wanted = EDGES * len(ports) * messages * METERS_OF_EDGE * len(THREE_PHASE)
    assert stored == wanted, f"{stored:.0f} of {wanted} stored"
