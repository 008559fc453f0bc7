"""Whatever happens to messages on their way, a reading is stored once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.cable import Mischief
from tests.chaos.installation import Layout, installed
from tests.chaos.killing import at_length

pytestmark = [at_length, pytest.mark.timeout(1200)]


def test_messages_that_come_twice_late_or_in_another_order_are_stored_once(
    tmp_path: Path, chance: random.Random
) -> None:
    """Both ways: the batches of the edge, and the answers of the gateway; one in ten of either never arrives."""
    with installed(tmp_path, Layout(every="100ms")) as installation:
        mischief = Mischief(chance, twice=0.3, kept_back=0.3, later=0.3, swallowed=0.1)
        installation.cable.mischief = mischief
        installation.await_readings(3000)
        installation.cable.mischief = None
        installation.settle()
        verdict = installation.verdict()
        refused = installation.refused()

    assert min(mischief.done.values()) > 3
    assert refused["duplicate"] > 50 and set(refused) == {"duplicate"}
    assert verdict.faults == {}
    assert verdict.unrecorded == 0
