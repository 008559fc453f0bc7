"""A reading that was taken is in the store exactly once, whatever died in between.

Taken is what the edge has put on its disk. An answer that a meter gave in the last moment of an edge's life, at most
those of the tenth of a second in which readings gather before they are written, was not taken: such answers are counted
apart, and none of them may lie before one that was.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.conftest import KILLS, at_length
from tests.chaos.installation import BrokerKind, Layout, installed
from tests.chaos.killing import kill_by_chance
from tests.real_parts import program

# So many where a run is not asked for.
_FEW = 15


def _trial(folder: Path, broker: BrokerKind, kills: int, chance: random.Random) -> None:
    with installed(folder, Layout(broker=broker)) as installation:
        killed = kill_by_chance(installation, kills, chance)
        installation.settle()
        verdict = installation.verdict()
        refused = installation.refused()
        print(f"{killed.kills} kills {killed.of} in {killed.took_s:.0f} s: {verdict.figures}, refused {refused}")

    assert killed.kills >= kills
    assert verdict.stored > kills
    assert (verdict.lost, verdict.double, verdict.false, verdict.holes) == ([], [], [], [])
    assert set(refused) <= {"duplicate"}


@pytest.mark.timeout(300 + 10 * (KILLS or _FEW))
def test_what_an_edge_took_is_stored_once_whoever_was_killed(tmp_path: Path, chance: random.Random) -> None:
    program("mosquitto", "/usr/sbin/mosquitto")

    _trial(tmp_path, "mosquitto", KILLS or _FEW, chance)


@at_length
@pytest.mark.timeout(300 + 10 * (KILLS or _FEW))
def test_the_same_holds_over_the_embedded_broker(tmp_path: Path, chance: random.Random) -> None:
    _trial(tmp_path, "embedded", (KILLS or _FEW) // 5, chance)
