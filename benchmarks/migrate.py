"""`jieneng migrate`: from files to VictoriaMetrics and PostgreSQL, killed once in the middle, and back into files.

A site of 500 meters, each with a counter and a power, read every quarter of an hour; 10 million readings with `--full`.
Everything is moved: readings, records, and the ledger, which is made anew. At the end every instant and every value is
compared with what was written at first, to the last bit, and the sums of all counters in whole millionths.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from adapters.stores import open_store
from benchmarks.storing.servers import Kind, kinds, running
from energy.readings import LAST_MS, Point, ReadingColumns
from jieneng.settings import load_settings

METERS, QUARTER_MS, START_MS = 500, 900_000, 1_767_196_800_000  # 2026-01-01T00:00:00+08:00
COUNTER, POWER = "active_energy_import", "active_power"
READINGS, FULL = 500_000, 10_000_000
ROOT = Path(__file__).parents[1]


def run(full: bool = False) -> dict[str, Any]:
    """Seconds of both ways, and whether all is as it was; None where the servers are not installed."""
    missing = kinds()["victoria_postgresql"]
    if missing is not None:
        return {"readings": None, "skipped": missing}
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name, running("victoria_postgresql") as kind:
        return _moved(Path(name), kind, FULL if full else READINGS)


def _moved(folder: Path, kind: Kind, readings: int) -> dict[str, Any]:
    place = kind.new()
    files = _settings(folder, "files")
    servers = _settings(folder, "servers", store=place.store, ledger=place.ledger, records=place.ledger)
    back = _settings(
        folder, "back", store=f"duckdb:{folder}/back.duckdb", records=f"sqlite:{folder}/back/records.sqlite"
    )
    _site(folder, files)
    written = asyncio.run(_write(files, readings))
    before = asyncio.run(_said(files))
    assert before["readings"] == written
    part_s, share = _killed(folder, files, servers)
    rest_s, cpu_s = _migrated(files, servers)
    place.settled()
    there = asyncio.run(_said(servers))
    back_s, back_cpu_s = _migrated(servers, back)
    again = asyncio.run(_said(back))
    return {
        "readings": written,
        "equal": before == there == again,
        "sum_micro": before["sum_micro"],
        "sum_micro_there": there["sum_micro"],
        "sum_micro_back": again["sum_micro"],
        "killed_at_share": share,
        "to_servers_s": part_s + rest_s,
        "resumed_s": rest_s,
        "resumed_cpu_s": cpu_s,
        "to_files_s": back_s,
        "to_files_cpu_s": back_cpu_s,
        "readings_per_s_to_servers": written / (part_s + rest_s),
        "readings_per_s_to_files": written / back_s,
        "load": round(os.getloadavg()[0], 1),
    }


def _settings(folder: Path, name: str, **words: str | None) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"data": "var", **words}))
    return file


def _site(folder: Path, files: Path) -> None:
    meters = [
        {
            "id": f"m{i:03d}",
            "name": {"zh": f"表{i}", "en": f"Meter {i}"},
            "medium": "electricity",
            "place": "house",
            "read": [COUNTER, POWER],
        }
        for i in range(METERS)
    ]
    places = [{"id": "house", "name": {"zh": "楼", "en": "House"}, "kind": "office"}]
    site = {"site": "bench", "name": {"zh": "测", "en": "Bench"}, "places": places, "meters": meters}
    (folder / "site.yaml").write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    command = _command("site", "import", folder / "site.yaml", "--yes", "--config", files)
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def _points() -> list[Point]:
    return [Point(f"m{i:03d}", q) for i in range(METERS) for q in (COUNTER, POWER)]


async def _write(settings: Path, readings: int) -> int:
    """Counters by the hundredth, powers as floats of 32 bits are told, one in a hundred of them doubtful."""
    steps, random, points = readings // (2 * METERS), np.random.default_rng(7), _points()
    instants = START_MS + QUARTER_MS * np.arange(steps)
    stored = 0
    async with open_store(load_settings(settings).store_address) as store:
        for meter in range(0, 2 * METERS, 100):
            some = points[meter : meter + 100]
            use = random.uniform(0, 3, (100, steps))
            use[::2] = np.cumsum(use[::2], axis=1).round(2)
            use[1::2] = use[1::2].astype(np.float32)
            quality = (random.uniform(size=use.size) < 0.01).astype(np.uint8)
            index = np.repeat(np.arange(100, dtype=np.int32), steps)
            columns = ReadingColumns.of(some, index, np.tile(instants, 100), use.ravel(), quality)
            stored += (await store.write(columns)).stored
        await store.maintain(START_MS + steps * QUARTER_MS + 2 * 86_400_000)
    return stored


async def _said(settings: Path) -> dict[str, Any]:
    """How many readings there are, their counters' sum [millionths], and a digest of all that they say."""
    digest, sum_micro, n = hashlib.sha256(), 0, 0
    async with open_store(load_settings(settings).store_address) as store:
        points = _points()
        for i in range(0, len(points), 50):
            found = await store.readings(points[i : i + 50], 0, LAST_MS + 1)
            n += len(found)
            of_counters = np.array([p.quantity == COUNTER for p in found.points])[found.index]
            sum_micro += sum(np.rint(found.value[of_counters] * 1e6).astype(np.int64).tolist())
            for column in (found.index, found.taken_at_ms, found.value, found.quality, found.reason):
                digest.update(column.tobytes())
    return {"readings": n, "sum_micro": sum_micro, "sha256": digest.hexdigest()}


def _killed(folder: Path, old: Path, new: Path) -> tuple[float, float]:
    """Seconds until it was killed, and what share of the points was moved by then."""
    progress = folder / "var" / "migrate.json"
    began = time.perf_counter()
    moving = subprocess.Popen(_command("migrate", "--from", old, "--to", new), cwd=ROOT)
    while not (progress.exists() and json.loads(progress.read_text())["moved"]["points"] >= METERS):
        assert moving.poll() is None, "it was over before it could be killed"
        time.sleep(0.02)
    moving.send_signal(signal.SIGKILL)
    moving.wait()
    seconds = time.perf_counter() - began
    return seconds, json.loads(progress.read_text())["moved"]["points"] / (2 * METERS)


def _migrated(old: Path, new: Path) -> tuple[float, float]:
    """Seconds, by the clock and of the processors."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(_command("migrate", "--from", old, "--to", new), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu_s = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - began, cpu_s


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "jieneng", *map(str, arguments)]
