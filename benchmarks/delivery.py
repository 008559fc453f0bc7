"""Delivery: what is lost and doubled while parts are killed, how fast readings are committed and replayed, what hostile
payloads bring into the store."""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.chaos.killing import trial

# What else is measured: by which module, and the figures that it must give.
_PARTS = {
    "benchmarks.delivering.committed": ("committed_readings_per_s",),
    "benchmarks.delivering.replay": ("replay_over_live",),
    "benchmarks.delivering.hostile": ("hostile_payloads", "hostile_stored"),
}


def run(kills: int = 1000) -> dict[str, Any]:
    """All figures of delivery; None where a part of the measurement is not installed."""
    figures = killed(kills)
    for module, names in _PARTS.items():
        found = import_module(module).run() if find_spec(module) else dict.fromkeys(names)
        assert set(names) <= set(found), f"{module} gives no {', '.join(set(names) - set(found))}"
        figures |= found
    return figures


def killed(kills: int, seed: int | None = None) -> dict[str, Any]:
    """Edge, broker (Mosquitto) and gateway are killed by chance while meters are read; every reading is compared."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    # A trial tells how it went; of what is printed here one object is made.
    with tempfile.TemporaryDirectory() as name, redirect_stdout(sys.stderr):
        found = trial(Path(name), "mosquitto", kills, random.Random(seed))
    verdict = found.verdict
    return {
        "kills": found.kills,
        "lost": len(verdict.lost),
        "double": len(verdict.double),
        "false": len(verdict.false),
        "holes": len(verdict.holes),
        "readings_served": verdict.served,
        "readings_taken": verdict.taken,
        "readings_stored": verdict.stored,
        "readings_unrecorded": verdict.unrecorded,
        "readings_repeated": found.refused.get("duplicate", 0),
        "kills_of": found.of,
        "kills_took_s": found.took_s,
        "seed": seed,
    }
