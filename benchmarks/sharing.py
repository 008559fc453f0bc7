"""Two processes that share what edges say: the processor time of each reading, against one process alone at it.

Two are given twice the edges that one is given: more processes are there for more edges.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
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
WARM, MESSAGES = 10, 100
# So many messages of an edge may be unanswered, as of a real one that catches up.
_WINDOW = 16
_ROUNDS = 3
_IDLE_S = 6.0


def run() -> dict[str, Any]:
    """Rounds of one and of two processes in turn, over the same servers; the median of the ratios of the rounds."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name, ExitStack() as stack:
        servers = Servers(
            Path(name), stack.enter_context(postgres_server()), stack.enter_context(victoria_server()), free_port()
        )
        stack.enter_context(mosquitto(servers.folder / "broker", servers.broker))
        rounds = [(_round(servers, 1), _round(servers, 2)) for _ in range(_ROUNDS)]
    return {
        "two_workers_cost_ratio": statistics.median(two.cpu_us / one.cpu_us for one, two in rounds),
        "two_workers_cost_ratios": ", ".join(f"{two.cpu_us / one.cpu_us:.3f}" for one, two in rounds),
        "idling_cpu_share_of_a_process": statistics.median(one.idling for one, _ in rounds),
        "one_worker_cpu_us_per_reading": statistics.median(one.cpu_us for one, _ in rounds),
        "two_workers_cpu_us_per_reading": statistics.median(two.cpu_us for _, two in rounds),
        "one_worker_readings_per_s": statistics.median(one.per_s for one, _ in rounds),
        "two_workers_readings_per_s": statistics.median(two.per_s for _, two in rounds),
    }


@dataclass(frozen=True, slots=True)
class Servers:
    """What the processes share."""

    folder: Path
    postgres: PostgresServer
    victoria: VictoriaServer
    broker: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a round: processor time of the processes together per reading of a meter [µs], what one takes while nothing
    comes [of a core], which is in it, and readings in a second."""

    cpu_us: float
    idling: float
    per_s: float


def _round(servers: Servers, workers: int) -> Cost:
    """A fresh database and store; so many processes; what every edge has, answered."""
    series = servers.victoria.new_name()
    folder = servers.folder / series
    folder.mkdir()
    database, site = on_postgresql(servers.postgres)(), _site(folder)
    with ExitStack() as stack:
        ports = [free_port() for _ in range(workers)]
        pids = []
        for n, port in enumerate(ports):
            arguments = [
                "gateway", "--roles", "ingest", "--name", f"{series}-{n}", "--accounts", "off", "--site", str(site),
                "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}",
                "--bus", f"mqtt://127.0.0.1:{servers.broker}", "--ledger", database, "--records", database,
                "--store", f"victoria+http://127.0.0.1:{servers.victoria.port}?name={series}",
            ]  # fmt: skip
            pids.append(stack.enter_context(jieneng(arguments, folder / f"worker-{n}.log")).pid)
            until_healthy(port)
        _until_shared(folder, workers)
        return asyncio.run(_load(servers, ports, pids))


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

    def __init__(self, bus: MqttBus, payloads: Sequence[Sequence[bytes]]) -> None:
        self._bus, self._payloads = bus, payloads
        self._free = [asyncio.Semaphore(_WINDOW) for _ in payloads]
        self._answered = [0] * len(payloads)
        self._all = asyncio.Event()
        self._upto = 0

    async def send(self, first: int, last: int) -> None:
        """These messages of every edge; until all of them are answered."""
        self._upto = last
        self._all.clear()
        async with asyncio.TaskGroup() as group:
            for edge in range(len(self._payloads)):
                group.create_task(self._send(edge, first, last))
        await self._all.wait()

    async def _send(self, edge: int, first: int, last: int) -> None:
        for n in range(first, last):
            await self._free[edge].acquire()
            await self._bus.publish(topic(f"edge-{edge}", READINGS), self._payloads[edge][n])

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


async def _load(servers: Servers, ports: Sequence[int], pids: Sequence[int]) -> Cost:
    payloads = list(_payloads(EDGES * len(pids)))
    address = f"mqtt://127.0.0.1:{servers.broker}"
    async with open_bus(address, "bench-edges", subscribe=[topic("+", STORED)]) as bus:
        while not bus.connected:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        edges = _Edges(bus, payloads)
        listening = asyncio.create_task(edges.listen())
        try:
            await edges.send(0, WARM)
            before, began = sum(map(cpu_s, pids)), time.perf_counter()
            await asyncio.sleep(_IDLE_S)
            idling = (sum(map(cpu_s, pids)) - before) / (time.perf_counter() - began)
            before, began = sum(map(cpu_s, pids)), time.perf_counter()
            await edges.send(WARM, WARM + MESSAGES)
            took, seconds = sum(map(cpu_s, pids)) - before, time.perf_counter() - began
        finally:
            listening.cancel()
    await asyncio.to_thread(_must_be_stored, ports)
    readings = len(payloads) * MESSAGES * METERS_OF_EDGE
    return Cost(took / readings * 1e6, idling / len(pids), readings / seconds)


def _payloads(edges: int) -> Iterator[list[bytes]]:
    random = np.random.default_rng(1)
    first = to_ms_now() - (WARM + MESSAGES) * 60_000
    for edge in range(edges):
        rows = random.random((WARM + MESSAGES, METERS_OF_EDGE, len(THREE_PHASE))).round(3).tolist()
        yield [
            msgspec.json.encode(
                {
                    "boot": f"boot-{edge}",
                    "outbox": f"outbox-{edge}",
                    "sequence": n + 1,
                    "held_from": 1,
                    "readings": [
                        {
                            "meter": f"meter-{edge}-{i}",
                            "taken_at": first + n * 60_000,
                            "values": dict(zip(THREE_PHASE, values, strict=True)),
                        }
                        for i, values in enumerate(of_meters)
                    ],
                }
            )
            for n, of_meters in enumerate(rows)
        ]


def to_ms_now() -> int:
    return to_ms(datetime.now(UTC))


def _must_be_stored(ports: Sequence[int]) -> None:
    """All of it, once."""
    stored = 0.0
    for port in ports:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        stored += sum(float(line.split()[1]) for line in lines if line.startswith("jieneng_values_stored_total"))
    wanted = EDGES * len(ports) * (WARM + MESSAGES) * METERS_OF_EDGE * len(THREE_PHASE)
    assert stored == wanted, f"{stored:.0f} of {wanted} stored"
