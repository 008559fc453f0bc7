"""A fiftieth of what a province sends, through real processes: Mosquitto, a gateway, VictoriaMetrics, PostgreSQL.

700,000 meters every quarter of an hour are 778 readings a second; a fiftieth of it are 1,000 meters once a minute, and
then twice. Idle, once, twice: what the first two make expected of the third is compared with what it took. Work is
counted until the ledger holds all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import numpy as np
import yaml

from adapters.clocks import SystemClock
from adapters.mqtt_bus import open_bus
from adapters.stores import open_stores
from benchmarks.parts import THREE_PHASE, cpu_s, free_port, jieneng, mosquitto, until_healthy
from benchmarks.storing.growth import FIRST_REGISTER, PER_EDGE, REGISTER, RISE_PER_TICK, TICK_MS, messages
from benchmarks.storing.servers import Kind, kinds, running
from energy.ports import Message
from energy.readings import Point, ReadingColumns, to_ms

METERS, MINUTE_S = 1_000, 60.0
_CALM_S = 60.0
_DAY_MS, PAST_DAYS = 86_400_000, 20
_PAST_ROWS = PAST_DAYS * 96
PARTS = ("gateway", "broker", "stores")


@dataclass(frozen=True, slots=True)
class _There:
    broker: int
    port: int
    pids: tuple[int, int]
    kind: Kind

    def cpu_s(self) -> dict[str, float]:
        return dict(zip(PARTS, (*map(cpu_s, self.pids), self.kind.server_cpu_s()), strict=True))

    def stored_values(self) -> int:
        return self.figure("jieneng_values_stored_total")

    def figure(self, name: str) -> int:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return int(next(float(line.split()[1]) for line in lines if line.startswith(name)))


def run(meters: int = METERS) -> dict[str, Any]:
    """Cores that each part takes idle, at the first rate, and at the second, which was foretold."""
    why = kinds()["victoria_postgresql"]
    if why is not None:
        return {"slice": None, "skipped": why}
    with TemporaryDirectory(prefix="jieneng-bench-") as name, running("victoria_postgresql") as kind:
        folder, place = Path(name), kind.new()
        broker, port = free_port(), free_port()
        command = ["gateway", "--accounts", "off", "--site", str(_site(folder, meters)), "--data", str(folder / "var")]
        command += ["--listen", f"127.0.0.1:{port}", "--bus", f"mqtt://127.0.0.1:{broker}"]
        command += ["--store", place.store, "--ledger", str(place.ledger)]
        begin_ms = to_ms(SystemClock().now()) - 3_600_000
        asyncio.run(_past(place.store, place.ledger, meters, begin_ms))
        with mosquitto(folder / "broker", broker) as taking, jieneng(command, folder / "log") as gateway:
            until_healthy(port, within_s=300)
            there = _There(broker, port, (gateway.pid, taking.pid), kind)
            return {"slice": asyncio.run(_measured(there, meters, begin_ms))}


async def _past(store_at: str, ledger_at: str | None, meters: int, until_ms: int) -> None:
    """Two weeks of registers every quarter of an hour, which the ledger looks at again with each reading."""
    points = [Point(f"m{i:05d}", REGISTER) for i in range(meters)]
    step_ms = PAST_DAYS * _DAY_MS // _PAST_ROWS
    back = np.arange(_PAST_ROWS, 0, -1)
    register = FIRST_REGISTER - RISE_PER_TICK * back * step_ms / TICK_MS
    async with open_stores(store_at, ledger_at) as (store, _):
        for i in range(0, _PAST_ROWS, 96):
            day = slice(i, i + 96)
            index = np.repeat(np.arange(len(points), dtype=np.int32), len(back[day]))
            t_ms = np.tile(until_ms - back[day] * step_ms, len(points))
            await store.write(ReadingColumns.of(points, index, t_ms, np.tile(register[day].round(3), len(points))))


def _site(folder: Path, meters: int) -> Path:
    words = [
        {"id": f"m{i:05d}", "name": {"zh": f"表{i}", "en": f"Meter {i}"}, "medium": "electricity"}
        for i in range(meters)
    ]
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump({"site": "bench", "name": {"zh": "省", "en": "Slice"}, "meters": words}))
    return file


async def _measured(there: _There, meters: int, begin_ms: int) -> dict[str, Any]:
    coming = messages(meters, begin_ms)
    of_a_tick = -(-meters // PER_EDGE)
    async with open_bus(f"mqtt://127.0.0.1:{there.broker}", "bench-edges", subscribe=[]) as bus:
        await asyncio.sleep(2.0)
        # Whatever is learnt once, and the ledger's first look at each counter, is over before it is measured.
        await _sent(there, bus, coming, of_a_tick, MINUTE_S)
        await _settled(there)
        # Neither do findings, quotas and whatever else is looked at once after a start belong to a reading.
        await asyncio.sleep(_CALM_S)
        idle = await _took(there, _nothing(), dict.fromkeys(PARTS, 0.0))
        payload = 0
        found: dict[str, dict[str, float]] = {}
        for name, ticks in (("once", 1), ("twice", 2)):
            before = there.stored_values()
            found[name] = await _took(there, _sent(there, bus, coming, ticks * of_a_tick, MINUTE_S), idle)
            assert there.stored_values() - before == ticks * meters * len(THREE_PHASE)
            payload = len(next(coming).payload)
    foretold = {part: max(0.0, 2 * found["once"][part] - idle[part]) for part in PARTS}
    return {
        "meters": meters,
        "readings_per_s": [0, meters / MINUTE_S, 2 * meters / MINUTE_S],
        "cores": {part: [round(one[part], 4) for one in (idle, found["once"], found["twice"])] for part in PARTS},
        "foretold": {part: round(foretold[part], 4) for part in PARTS},
        "measured_over_foretold": round(sum(found["twice"].values()) / sum(foretold.values()), 3),
        "us_per_reading": {
            part: round(1e6 * max(0.0, found["twice"][part] - idle[part]) / (2 * meters / MINUTE_S), 1)
            for part in PARTS
        },
        "message_bytes": payload,
    }


async def _took(there: _There, doing: Any, idle: dict[str, float]) -> dict[str, float]:
    """Cores that each part would have on average, if what is done were all done within its minute."""
    before, began = there.cpu_s(), time.perf_counter()
    await doing
    await asyncio.sleep(max(0.0, began + MINUTE_S - time.perf_counter()))
    await _settled(there)
    longer, after = time.perf_counter() - began - MINUTE_S, there.cpu_s()
    # A process is told its time by the hundredth of a second: what is less may seem to be less than nothing.
    return {part: max(0.0, after[part] - before[part] - longer * idle[part]) / MINUTE_S for part in PARTS}


async def _settled(there: _There) -> None:
    """Until the ledger holds all that is stored."""
    while there.figure("jieneng_ledger_points_waiting"):
        await asyncio.sleep(1.0)


async def _nothing() -> None:
    """What a gateway does that nobody sends anything."""


async def _sent(there: _There, bus: Any, coming: Iterator[Message], count: int, within_s: float) -> None:
    """Messages at an even pace, all stored when it returns."""
    before, began = there.stored_values(), time.perf_counter()
    for i in range(count):
        await asyncio.sleep(max(0.0, began + i * within_s / count - time.perf_counter()))
        message = next(coming)
        await bus.publish(message.topic, message.payload)
    while there.stored_values() - before < count * PER_EDGE * len(THREE_PHASE):
        await asyncio.sleep(0.5)
        assert time.perf_counter() - began < 10 * within_s, "not all was stored"
