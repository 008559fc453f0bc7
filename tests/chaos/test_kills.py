"""A reading that was taken is in the store exactly once, whatever died in between."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.installation import BrokerKind, Layout, installed
from tests.chaos.killing import kill_by_chance, seed
from tests.real_parts import program

KILLS = int(os.environ.get("JIENENG_CHAOS_KILLS") or 20)


@pytest.mark.timeout(120 + 10 * KILLS)
@pytest.mark.parametrize("broker", ["mosquitto"])
def test_what_an_edge_took_is_stored_once_whoever_was_killed(tmp_path: Path, broker: BrokerKind) -> None:
    program("mosquitto", "/usr/sbin/mosquitto")
    chance = random.Random(seed())
    with installed(tmp_path, Layout(broker=broker)) as installation:
        killed = kill_by_chance(installation, KILLS, chance)
        installation.up()
        installation.settle()
        verdict = installation.verdict()
        print(killed, verdict.figures, installation.refused())

    assert killed.kills >= KILLS
    assert (verdict.lost, verdict.double, verdict.false, verdict.holes) == ([], [], [], [])
