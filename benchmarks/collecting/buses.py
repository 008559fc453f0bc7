"""Simulated buses as processes of their own, and how ours is opened on them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.parts import jieneng, until
from collectors.lines.byte_line import ByteLine
from collectors.lines.opening import open_line
from collectors.lines.tcp_line import TcpLine

BAUD = 9600


@dataclass(frozen=True)
class Bus:
    """A bus that is being played."""

    terminal: Path
    log: Path
    baud: int = BAUD

    def served(self) -> list[dict[str, Any]]:
        """What was done to which request so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def bus(*options: str, units: str = "1", deeds: Sequence[str] = (), baud: int = BAUD) -> Iterator[Bus]:
    """A bus on a terminal whose registers tell whose they are, timed byte by byte."""
    with tempfile.TemporaryDirectory(prefix="jieneng-bench-") as name:
        made = Bus(Path(name) / "meters", Path(name) / "served.jsonl", baud)
        arguments = ["simulate", "bus", "--pty", str(made.terminal), "--baud", str(baud), "--units", units]
        arguments += ["--log", str(made.log), *options, *(f"--misbehave={deed}" for deed in deeds)]
        with jieneng(arguments, Path(name) / "bus.log") as running, undisturbed(running.pid):
            until(made.terminal.exists, "the bus")
            yield made


@contextmanager
def undisturbed(played: int) -> Iterator[None]:
    """What else the machine does slows no wire, nor who asks: both go before it, where that is allowed."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, played, -15)
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def ours(of: Bus, *, timeout_s: float = 1.0) -> ByteLine | TcpLine:
    """Our line to a bus."""
    return open_line(f"serial:{of.terminal}?baud={of.baud}", now=now, timeout_s=timeout_s)


def now() -> datetime:
    return datetime.now(UTC)
