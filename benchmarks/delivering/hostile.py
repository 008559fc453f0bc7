"""Hostile payloads through ingest: what is stored must be what a second, strict reading of the same payload says."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from adapters.deliveries_sqlite import SqliteDeliveries
from adapters.mapping_files import read_mapping
from adapters.quarantine_sqlite import SqliteQuarantine
from adapters.stores import open_store
from benchmarks.delivering.hostile_corpus import STATE_TOPIC, Seeds, Sent, hostile
from benchmarks.delivering.strict_reading import METERS, Broken, Row, Strict
from energy.ports import Message, ReadingStore
from energy.quantities import Medium
from energy.readings import LAST_MS, ReadingColumns, from_ms
from energy.sites import Meter, Text
from gateway.edges.service import Edges
from gateway.foreign.service import Foreign
from gateway.ingest.deliveries import Deliveries
from gateway.ingest.judge import Judge
from gateway.ingest.service import Ingest
from gateway.metrics import Metrics

MAPPINGS = Path(__file__).parents[2] / "config" / "mappings"
TAKEN = ("neuron", "telegraf", "thingsboard-gateway", "device-properties", "single-values", "sparkplug")
NOW_MS = 1_795_900_000_000
BATCH = 200


class StoppedClock:
    """Fulfils `Clock`; a millisecond passes with each batch."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def now(self) -> datetime:
        return from_ms(self.now_ms)

    def steady(self) -> float:
        return self.now_ms / 1000

    async def sleep_until(self, instant: datetime) -> None:
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Feeding:
    """Fulfils `Bus`: brings what it is fed, and knows what was acknowledged."""

    connected = True

    def __init__(self) -> None:
        self._fed: asyncio.Queue[list[Message] | None] = asyncio.Queue()
        self.acknowledged = self.published = 0
        self._done = asyncio.Event()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.published += 1

    async def messages(self) -> AsyncIterator[list[Message]]:
        while (messages := await self._fed.get()) is not None:
            yield messages

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        self.acknowledged += len(messages)
        self._done.set()

    async def feed(self, messages: list[Message]) -> None:
        """Bring them, and wait until they are acknowledged."""
        self._done.clear()
        self._fed.put_nowait(messages)
        await self._done.wait()

    def end(self) -> None:
        self._fed.put_nowait(None)


class Uncounted(AssertionError):
    """A payload that must be refused was not counted."""


def judge_of_all() -> Judge:
    """A judge that takes every form."""
    meters = [Meter(METERS[0], Text("", ""), Medium.ELECTRICITY), Meter(METERS[1], Text("", ""), Medium.WATER)]
    return Judge(meters, foreign=Foreign([read_mapping(MAPPINGS / f"{name}.yaml") for name in TAKEN]))


class Trial:
    """An ingest over the real store and quarantine, and beside it the strict reading of all that it is fed."""

    def __init__(self, store: ReadingStore, quarantine: SqliteQuarantine) -> None:
        self.store, self.quarantine, self.bus, self.clock = store, quarantine, Feeding(), StoppedClock()
        self.edges = Edges(self.clock)
        self.ingest = Ingest(
            self.bus,
            store,
            quarantine,
            judge_of_all(),
            self.edges,
            self.clock,
            Metrics(),
            lambda _: None,
            lambda: None,
            deliveries=Deliveries(SqliteDeliveries(":memory:"), self.clock, Metrics()),
            came=lambda _live, _waited: None,
        )
        self.strict = Strict()
        self.allowed: dict[tuple[str, str, int], set[tuple[float | None, int]]] = {}
        self.must: set[tuple[str, str, int]] = set()
        self.fed = self.broken = 0
        self.counts: dict[str, int] = {}
        self.found: list[Row] = []
        self.false: list[Row] = []

    async def feed(self, sent: Sequence[Sent]) -> None:
        """Bring messages; Uncounted where fewer were refused than say nothing."""
        self.clock.now_ms += 1
        broken = 0
        for one in sent:
            broken += self._read(one)
        before = sum((await self.quarantine.counts()).values())
        await self.bus.feed([Message(one.topic, one.payload) for one in sent])
        counted = sum((await self.quarantine.counts()).values()) - before
        if counted < broken:
            raise Uncounted(f"{broken} of {len(sent)} payloads say nothing, and {counted} refusals were counted")
        self.fed += len(sent)
        self.broken += broken

    def _read(self, one: Sent) -> bool:
        if one.topic == STATE_TOPIC:
            return False
        try:
            rows = self.strict.rows(one.topic, one.payload, self.clock.now_ms)
        except Broken:
            return True
        for row in rows:
            self.allowed.setdefault(row[:3], set()).add((row.value, row.quality))
            if one.good and not one.topic.startswith("spBv1.0/"):
                self.must.add(row[:3])
        return False

    async def end(self) -> None:
        """Look at what has come of it, while the store is open."""
        self.counts, self.found, self.false = (
            await self.quarantine.counts(),
            await self.stored(),
            await self.false_rows(),
        )

    async def false_rows(self) -> list[Row]:
        """What is stored, and was never said."""
        return [row for row in await self.stored() if not self._was_said(row)]

    async def missing(self) -> set[tuple[str, str, int]]:
        """Points and instants of good messages that nothing is stored of."""
        return self.must - {row[:3] for row in await self.stored()}

    async def stored(self) -> list[Row]:
        c: ReadingColumns = await self.store.readings(await self.store.points(), 0, LAST_MS)
        columns = (c.index.tolist(), c.taken_at_ms.tolist(), c.value.tolist(), c.quality.tolist())
        return [
            Row(c.points[index].meter, c.points[index].quantity, t_ms, None if math.isnan(value) else value, quality)
            for index, t_ms, value, quality in zip(*columns, strict=True)
        ]

    def _was_said(self, row: Row) -> bool:
        said = self.allowed.get(row[:3], set())
        if (row.value, row.quality) in said:
            return True
        return row.value is not None and any(
            quality == row.quality
            and value is not None
            and math.isclose(value, row.value, rel_tol=1e-14, abs_tol=5e-324)
            for value, quality in said
        )


async def tried(store: ReadingStore, quarantine: SqliteQuarantine, seeds: Sequence[Sequence[int]]) -> Trial:
    """Feed hostile messages, each made of a number, with good ones between them."""
    trial = Trial(store, quarantine)
    running = asyncio.create_task(trial.ingest.run())
    good = Seeds()
    try:
        for numbers in seeds:
            made = [*good.births()]
            for number in numbers:
                chance = random.Random(number)
                made.append(hostile(good, chance))
                if number % 10 == 0:
                    made.append(good.some(chance))
            feeding = asyncio.create_task(trial.feed(made))
            await asyncio.wait((feeding, running), return_when=asyncio.FIRST_COMPLETED)
            if running.done() and not feeding.done():
                feeding.cancel()
                await running
            await feeding
    finally:
        trial.bus.end()
        await asyncio.wait_for(running, 10)
    return trial


def drawn(payloads: int, salt: int) -> list[list[int]]:
    """Numbers as hypothesis draws them, in batches; a number makes a message, and the same salt the same numbers."""
    batches: list[list[int]] = []

    @seed(salt)
    @settings(
        max_examples=-(-payloads // BATCH),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False), st.integers(0, 2**64))
    def draw(chance: random.Random, more: int) -> None:
        inner = random.Random(more ^ chance.getrandbits(64) ^ len(batches))
        batches.append([inner.getrandbits(64) for _ in range(BATCH)])

    draw()
    rest = random.Random(salt)
    while len(batches) * BATCH < payloads:
        batches.append([rest.getrandbits(64) for _ in range(BATCH)])
    return batches


def run(payloads: int = 100_000, salt: int | None = None) -> dict[str, Any]:
    """How many payloads, of which nothing false was stored, and why they were refused.

    salt : what they are drawn from; another one at each run if none is given, and told.
    """
    before = structlog.get_config()
    # What becomes of strangers is told in the logs, thousands of times here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return asyncio.run(_run(payloads, random.getrandbits(32) if salt is None else salt))
    finally:
        structlog.configure(**before)


async def _run(payloads: int, salt: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        with closing(SqliteQuarantine(folder / "quarantine.sqlite")) as quarantine:
            async with open_store(f"duckdb:{folder / 'readings.duckdb'}") as store:
                trial = await tried(store, quarantine, drawn(payloads, salt))
                stored, false, missing = await trial.stored(), await trial.false_rows(), await trial.missing()
                counts = await quarantine.counts()
    return {
        "hostile_payloads": trial.fed,
        "hostile_stored": len(false),
        "hostile_good_missing": len(missing),
        "hostile_rows_said": len(stored),
        "hostile_wholly_broken": trial.broken,
        "hostile_unacknowledged": trial.fed - trial.bus.acknowledged,
        "hostile_by_cause": counts,
        "hostile_payloads_per_s": trial.fed / (time.perf_counter() - began),
        "hostile_salt": salt,
        "hostile_examples": [str(row) for row in false[:5]],
    }


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000), indent=2, ensure_ascii=False))
