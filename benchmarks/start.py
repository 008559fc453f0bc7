"""The start of a process: processor time and memory until a command is done, or a process answers how it is.

The interpreter alone is measured in the same turns, for what the machine does then is in both.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.parts import cpu_s, free_ports, jieneng, until_healthy
from gateway.records.database import open_records

TURNS = 5
SITE = Path(__file__).parents[1] / "config" / "demo.yaml"


class Start(NamedTuple):
    """Processor time [s], and the memory that was resident at most [MB]."""

    cpu_s: float
    memory_mb: float


def run() -> dict[str, Any]:
    """Medians of several turns, in each of which everything is started once; the records are migrated before."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        folder = Path(name)
        asyncio.run(_migrated(folder))
        kinds: dict[str, Callable[[], Start]] = {
            "python": lambda: _done([sys.executable, "-c", "pass"]),
            "help": lambda: _done(_ours("--help")),
            "gateway_help": lambda: _done(_ours("gateway", "--help")),
            "audit_list": lambda: _done(_ours("audit", "list", "--data", name)),
            "accounts_list": lambda: _done(_ours("accounts", "list", "--data", name)),
            "ledger_build": lambda: _done(_ours("ledger", "build", "--data", name)),
            "edge": lambda: _edge(folder),
            "gateway": lambda: _gateway(folder),
        }
        turns = [{kind: start() for kind, start in kinds.items()} for _ in range(TURNS)]
    figures: dict[str, Any] = {}
    for kind in kinds:
        figures[f"{kind}_cpu_s"] = median(turn[kind].cpu_s for turn in turns)
        figures[f"{kind}_memory_mb"] = median(turn[kind].memory_mb for turn in turns)
        if kind != "python":
            figures[f"{kind}_times_python"] = median(turn[kind].cpu_s / turn["python"].cpu_s for turn in turns)
    return figures


async def _migrated(folder: Path) -> None:
    async with open_records(f"sqlite:{folder / 'records.sqlite'}", folder):
        pass


def _ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "jieneng", *arguments]


# A child is told to have had as much memory as who began it: a small one begins it.
_WAIT = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def _done(command: Sequence[str]) -> Start:
    """A command until it is done."""
    told = subprocess.run([sys.executable, "-c", _WAIT, *command], stdout=subprocess.PIPE, text=True, check=True)
    cpu, memory = map(float, told.stdout.split())
    return Start(cpu, memory)


def _edge(folder: Path) -> Start:
    broker, health = range(port := free_ports(2), port + 2)
    return _answering(["edge", *_common(folder, broker), "--listen-health", str(health)], health, folder)


def _gateway(folder: Path) -> Start:
    broker, http = range(port := free_ports(2), port + 2)
    given = ["gateway", *_common(folder, broker), "--accounts", "off", "--listen", f"127.0.0.1:{http}"]
    return _answering(given, http, folder)


def _common(folder: Path, broker: int) -> list[str]:
    """Nobody listens there: what comes of a connection is no part of the start."""
    return ["--site", str(SITE), "--data", str(folder), "--bus", f"mqtt://127.0.0.1:{broker}"]


def _answering(arguments: Sequence[str], port: int, folder: Path) -> Start:
    """A process until it answers how it is."""
    with jieneng(arguments, folder / "log") as process:
        until_healthy(port)
        told = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        return Start(cpu_s(process.pid), int(told["VmHWM"].split()[0]) / 1024)
