"""An edge that cannot reach its broker keeps what it reads, and brings it when it can."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.clocks import scaled_address
from energy.readings import to_ms
from tests.chaos.installation import Layout, installed
from tests.chaos.killing import at_length

pytestmark = [at_length, pytest.mark.timeout(1200)]


def test_an_hour_without_uplink_is_stored_whole_afterwards(tmp_path: Path) -> None:
    """By a clock that runs 300 times as fast: meters read once a minute, an hour takes 12 s."""
    start, speed = datetime(2026, 3, 2, 8, tzinfo=UTC), 300.0
    clock = scaled_address(start, speed)
    began = 1000 * float(clock.partition("@")[2].partition("x")[0])

    def by_edge(at_ms: float) -> float:
        return to_ms(start) + (at_ms - began) * speed

    with installed(tmp_path, Layout(every="60s", edge_clock=clock, gateway_clock=clock)) as installation:
        installation.await_readings(100)
        installation.cable.cut()
        cut_at = by_edge(time.time() * 1000)
        while by_edge(time.time() * 1000) < cut_at + 3_600_000:
            time.sleep(0.1)
        waiting = installation.waiting
        installation.cable.mend()
        installation.settle()
        verdict = installation.verdict(by_edge)

    assert waiting > 10
    assert verdict.faults == {}
    assert verdict.unrecorded == 0


def test_an_uplink_that_comes_and_goes_loses_and_doubles_nothing(tmp_path: Path, chance: random.Random) -> None:
    with installed(tmp_path) as installation:
        for _ in range(40):
            time.sleep(chance.uniform(0.0, 1.0))
            installation.cable.cut()
            time.sleep(chance.uniform(0.0, 0.5))
            installation.cable.mend()
        connections = installation.cable.connections
        installation.settle()
        verdict = installation.verdict()

    assert connections > 3
    assert verdict.faults == {}
    assert verdict.unrecorded == 0
