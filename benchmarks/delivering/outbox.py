"""The outbox: SQLite beside a log of segments, on the same disk, one after the other in turns."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Batch, MeterReadings, encode
from benchmarks.delivering.segment_log import SegmentLog

# Memory would not sync.
_DISK = "/var/tmp"
PUTS, BULK, ROUNDS = 400, 20_000, 3
METERS, MINUTES_A_DAY, DAYS = 32, 1440, 60
# What an electricity meter is usually read for, and all that a meter with a long map has.
USUAL: tuple[str, ...] = (
    "active_power",
    "active_energy_import",
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "current_l1",
    "current_l2",
)
USUAL += ("current_l3", "power_factor", "reactive_power", "frequency", "reactive_energy_import")


class _Outbox(Protocol):
    def put(self, put_at_ms: int, payload: bytes) -> int: ...
    def forget(self, sequences: list[int]) -> None: ...
    def close(self) -> None: ...


def run() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    kinds: dict[str, Callable[[Path], _Outbox]] = {
        "sqlite": lambda folder: SqliteOutbox(folder / "outbox.sqlite"),
        "log": lambda folder: SegmentLog(folder),
    }
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-", dir=_DISK) as name:
        rounds: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        for i in range(ROUNDS):
            for kind, opened in kinds.items():
                rounds[kind].append(_measured(Path(name) / f"{kind}-{i}", opened))
        for kind, found in rounds.items():
            figures |= {f"{kind}_{k}": statistics.median(r[k] for r in found) for k in found[0]}
        figures["fsync_ms"] = _fsync_ms(Path(name))
        figures |= {f"{kind}_torn_tails_whole": _torn(Path(name) / f"torn-{kind}", kinds[kind]) for kind in kinds}
    one = len(payload(0, 1))
    figures["bytes_of_60_days"] = figures["sqlite_file_bytes_per_reading"] * METERS * MINUTES_A_DAY * DAYS
    return figures | {"payload_bytes_of_a_reading": one}


def payload(n: int, readings: int) -> bytes:
    """A batch of readings of 12 values, of a meter with a name of usual length."""
    values: dict[str, float | None] = {name: round(1000.0 + n + i * 7.31, 2) for i, name in enumerate(USUAL)}
    return encode(
        Batch([MeterReadings(f"library-floor-{r:02d}", 1_795_140_000_000 + n, values) for r in range(readings)])
    )


def _measured(folder: Path, opened: Callable[[Path], _Outbox]) -> dict[str, float]:
    outbox = opened(folder)
    small, large = [payload(n, 1) for n in range(PUTS)], [payload(n, 500) for n in range(20)]
    found = {"puts_per_s": PUTS / _seconds(lambda: [outbox.put(0, one) for one in small])}
    found["readings_per_s_in_large_batches"] = 500 * 20 / _seconds(lambda: [outbox.put(0, one) for one in large])
    sequences = list(range(1, PUTS + 1))
    chunks = [sequences[i : i + 16] for i in range(0, PUTS, 16)]
    began = time.perf_counter()
    for chunk in chunks:
        outbox.forget(chunk)
    found["forget_us"] = 1e6 * (time.perf_counter() - began) / PUTS
    outbox.close()
    bulk = opened(folder / "bulk")
    _fill(bulk)
    bulk.close()
    found["file_bytes_per_reading"] = _size(folder / "bulk") / BULK
    reopened: list[_Outbox] = []
    found["reopen_s_of_20000"] = _seconds(lambda: reopened.append(opened(folder / "bulk")))
    reopened[0].close()
    return found


def _fill(outbox: _Outbox) -> None:
    """Many batches of one reading each, as a line at one minute makes them; not synced one by one, which is known."""
    if isinstance(outbox, SqliteOutbox):
        outbox._opened().execute("PRAGMA synchronous=OFF")
    with patch("os.fdatasync"):
        for n in range(BULK):
            outbox.put(0, payload(n, 1))


def _torn(folder: Path, opened: Callable[[Path], _Outbox]) -> float:
    """Of fifty tails torn at any byte, the share after which all before the tear is there and one more can be put."""
    outbox = opened(folder / "made")
    for n in range(50):
        outbox.put(0, payload(n, 1))
    files = [path for path in (folder / "made").iterdir() if path.suffix in (".log",) or path.name.endswith("-wal")]
    tail = max(files, key=lambda path: path.stat().st_size)
    size, whole = tail.stat().st_size, 0
    for i in range(50):
        copy = folder / f"torn-{i}"
        shutil.copytree(folder / "made", copy, ignore=shutil.ignore_patterns("*-shm"))
        os.truncate(copy / tail.name, size - 1 - i * size // 60)
        torn = opened(copy)
        kept = torn.batches if isinstance(torn, SqliteOutbox) else len(torn.index)  # type: ignore[attr-defined]
        whole += torn.put(0, b"{}") == kept + 1
        torn.close()
    outbox.close()
    return whole / 50


def _fsync_ms(folder: Path) -> float:
    took = []
    with (folder / "probe").open("wb") as file:
        for _ in range(100):
            file.write(bytes(4096))
            file.flush()
            took.append(_seconds(lambda: os.fdatasync(file.fileno())))
    return 1000 * statistics.median(took)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
