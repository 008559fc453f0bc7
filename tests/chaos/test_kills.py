"""A reading that was taken is in the store exactly once, whatever died in between.

Taken is what the edge has put on its disk. An answer that a meter gave in the last moment of an edge's life, at most
those of the tenth of a second in which readings gather before they are written, was not taken: such answers are counted
apart, and none of them may lie before one that was.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.killing import KILLS, at_length, trial
from tests.real_parts import program

# So many where a run is not asked for.
_FEW = 12


@pytest.mark.timeout(900 + 10 * (KILLS or _FEW))
def test_what_an_edge_took_is_stored_once_whoever_was_killed(tmp_path: Path, chance: random.Random) -> None:
    program("mosquitto", "/usr/sbin/mosquitto")

    found = trial(tmp_path, "mosquitto", KILLS or _FEW, chance)

    assert found.verdict.faults == {}
    assert found.verdict.stored > found.kills >= (KILLS or _FEW)
    assert set(found.refused) <= {"duplicate"}


@at_length
@pytest.mark.timeout(900 + 10 * (KILLS or _FEW))
def test_the_same_holds_over_the_embedded_broker(tmp_path: Path, chance: random.Random) -> None:
    found = trial(tmp_path, "embedded", KILLS // 5, chance)

    assert found.verdict.faults == {}
    assert found.verdict.stored > found.kills >= KILLS // 5
    assert set(found.refused) <= {"duplicate"}
