"""What a reading costs a gateway that takes it in, from 1,000 to 40,480 meters.

Each size is a process of its own, since what others hold in memory is no cost of it; all take their turns in the same
minutes, and of many short rounds the cheapest counts: other work on the cores makes one dearer, never cheaper.
Institutions of 20 meters send a message a minute, 8 values of each meter. A message is judged, stored, marked for the
ledger, noted as come, and looked at by the watches of alarms.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from adapters.clocks import SystemClock
from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.stores import open_stores
from adapters.wire import READINGS, Batch, MeterReadings, encode, topic
from analytics.alarms.rule_file import rules_of
from benchmarks.parts import THREE_PHASE
from benchmarks.storing.servers import Kind, kinds, running
from energy.documents import Document
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import ReadingColumns, to_ms
from energy.senders import Senders
from energy.sites import Meter, Site, Text
from gateway.alerts.limit_watch import LimitWatch
from gateway.alerts.silence_watch import SilenceWatch
from gateway.edges.service import Edges
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge
from gateway.metrics import Metrics
from gateway.sites.service import Directory

SIZES = (1_000, 4_000, 16_000, 40_480)
STORES = ("duckdb", "victoria_postgresql")
PER_EDGE, TICK_MS = 20, 60_000
REGISTER = "active_energy_import"
# What it shows at the first tick, and by how much it rises in each [kWh].
FIRST_REGISTER, RISE_PER_TICK = 1000.0, 0.05
# So many messages are taken at a time, and so often in a round: as they come to a gateway that has time, and to one
# that catches up.
TAKEN = {"one": (1, 60), "fifty": (50, 3)}
ROUNDS = 24
RULES = Path(__file__).parent / "rules.yaml"


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Microseconds of processor time for a reading of 8 values, and by how much that grows with the meters.

    cost_per_reading_growth : of messages that are taken as they come, the most meters over the fewest, in the store
    where it grows most; `_in_bursts` of those that are taken fifty at a time.
    """
    missing = kinds()
    costs: dict[str, Any] = {}
    for store in STORES:
        if missing[store] is None:
            with running(store) as kind:
                costs[store] = _measured(kind, rounds)
    growth = {name: max(found[f"{name}_at_a_time"]["growth"] for found in costs.values()) for name in TAKEN}
    return {
        "cost_per_reading_growth": growth["one"],
        "cost_per_reading_growth_in_bursts": growth["fifty"],
        "cost_us_per_reading": costs,
    }


def _measured(kind: Kind, rounds: int) -> dict[str, Any]:
    with ExitStack() as stack:
        ways = [stack.enter_context(_Apart(kind, meters)) for meters in SIZES]
        found: dict[str, Any] = {}
        for name, (together, times) in TAKEN.items():
            took, served = np.zeros((rounds, len(SIZES))), np.zeros((rounds, len(SIZES)))
            for r in range(rounds):
                for i, way in enumerate(ways):
                    before = kind.server_cpu_s()
                    took[r, i] = way.take(together, times)
                    served[r, i] = (kind.server_cpu_s() - before) / (together * times * PER_EDGE)
            costs = 1e6 * np.min(took, axis=0)
            found[f"{name}_at_a_time"] = {
                "gateway": {str(n): round(float(costs[i]), 1) for i, n in enumerate(SIZES)},
                "servers": {str(n): round(1e6 * float(np.mean(served[:, i])), 1) for i, n in enumerate(SIZES)},
                "growth": round(float(costs[-1] / costs[0]), 3),
            }
        found["memory_mb"] = {str(n): round(way.memory_mb()) for n, way in zip(SIZES, ways, strict=True)}
    return found


class _Apart:
    """A way in of a size, in a process of its own."""

    def __init__(self, kind: Kind, meters: int) -> None:
        place = kind.new()
        command = [sys.executable, "-m", "benchmarks.storing.growth", str(meters), place.store, place.ledger or ""]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> _Apart:
        self._answer()
        return self

    def take(self, together: int, times: int) -> float:
        """Seconds of processor time for a reading, in a round."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([together, times]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def memory_mb(self) -> float:
        """What it holds in memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def _answer(self) -> float:
        assert self._process.stdout is not None
        return float(json.loads(self._process.stdout.readline()))

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0


# -- in the process of its own -----------------------------------------------------------------------------------------


def site_of(meters: int) -> Site:
    """So many meters of 8 quantities that edges of 20 meters read."""
    return Site(
        "bench",
        Text("城市", "City"),
        "Asia/Shanghai",
        meters=tuple(
            Meter(f"m{i:05d}", Text(str(i), str(i)), Medium.ELECTRICITY, quantities=THREE_PHASE) for i in range(meters)
        ),
    )


def messages(meters: int, since_ms: int) -> Iterator[Message]:
    """A message of each edge in each minute, for ever; registers rise."""
    register = THREE_PHASE.index(REGISTER)
    edges, random = -(-meters // PER_EDGE), np.random.default_rng(3)
    for number in count():
        tick, edge = divmod(number, edges)
        own = range(edge * PER_EDGE, min((edge + 1) * PER_EDGE, meters))
        drawn = random.random((len(own), len(THREE_PHASE))).round(3).tolist()
        for row in drawn:
            row[register] = FIRST_REGISTER + round(tick * RISE_PER_TICK, 3)
        # Meters on a line are read one after the other.
        at_ms = since_ms + tick * TICK_MS + edge % 977
        readings = [
            MeterReadings(f"m{i:05d}", at_ms + 400 * k, dict(zip(THREE_PHASE, drawn[k], strict=True)))
            for k, i in enumerate(own)
        ]
        batch = Batch(readings, boot="boot", sequence=tick + 1, outbox=f"outbox-{edge}")
        yield Message(topic(f"i{edge:04d}", READINGS), encode(batch))


class _Way:
    """What becomes of messages in a gateway, as `gateway.ingest` does it."""

    def __init__(self, site: Site, store: Any, delivered: SqliteDeliveries, clock: SystemClock) -> None:
        edges = {m.id: f"i{i // PER_EDGE:04d}" for i, m in enumerate(site.meters)}
        self._judge, self._store, self._clock = Judge(site.meters, Senders(edges)), store, clock
        self._deliveries = Deliveries(delivered, clock, Metrics(), site.zone)
        self._directory = Directory(site)
        self._limits, self._silence = LimitWatch(), SilenceWatch(Edges(clock))
        rules = rules_of(Document(RULES, RULES.read_text(encoding="utf-8"))).rules
        self._limits.learn(rules, site)
        self._silence.learn(rules, site)

    async def take(self, some: list[Message]) -> None:
        judged = await asyncio.to_thread(self._judge.judge, some, to_ms(self._clock.now()))
        written = await self._store.write(judged.columns)
        await self._deliveries.take(judged.batches)
        assert written.stored == len(judged.columns) and not judged.refusals, judged.refusals[:1]
        live, _ = judged.by_lane()
        self._heard(live)

    def _heard(self, columns: ReadingColumns) -> None:
        self._directory.hear(columns)
        self._silence.take(columns)
        self._limits.take(columns)


async def _serve(meters: int, store: str, ledger: str | None, answers: TextIO) -> None:
    clock, site = SystemClock(), site_of(meters)
    coming = messages(meters, to_ms(clock.now()) - 3 * 3_600_000)
    with tempfile.TemporaryDirectory() as folder, closing(SqliteDeliveries(Path(folder) / "d.sqlite")) as delivered:
        async with open_stores(store, ledger) as (opened, _):
            way = _Way(site, opened, delivered, clock)
            # Twice round: whatever is learnt once is learnt.
            first = [next(coming) for _ in range(2 * -(-meters // PER_EDGE))]
            for i in range(0, len(first), 100):
                await way.take(first[i : i + 100])
            print(0.0, file=answers, flush=True)
            for line in sys.stdin:
                together, times = json.loads(line)
                took = 0.0
                for _ in range(times):
                    # What is taken came a moment ago, as from a wire.
                    some = [next(coming) for _ in range(together)]
                    began = time.process_time()
                    await way.take(some)
                    took += time.process_time() - began
                print(took / (together * times * PER_EDGE), file=answers, flush=True)


if __name__ == "__main__":
    # What is logged must not stand among the answers.
    given, sys.stdout = sys.stdout, sys.stderr
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], sys.argv[3] or None, given))
