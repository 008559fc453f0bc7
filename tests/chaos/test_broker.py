"""What the broker keeps is nobody's only copy."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.chaos.installation import BrokerKind, Layout, installed
from tests.chaos.killing import at_length
from tests.real_parts import program

pytestmark = [at_length, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
def test_a_broker_whose_disk_is_lost_takes_no_reading_with_it(
    tmp_path: Path, broker: BrokerKind, chance: random.Random
) -> None:
    """It is killed with the gateway away, so that only its disk holds what the edge has handed over."""
    program("mosquitto", "/usr/sbin/mosquitto")
    with installed(tmp_path, Layout(broker=broker)) as installation:
        for _ in range(4):
            installation.await_readings(40)
            installation.kill(installation.gateway)
            # The broker takes, and says so to the edge; it is the gateway that does not.
            time.sleep(chance.uniform(0.5, 2.5))
            installation.kill(installation.broker)
            installation.lose_broker_data()
            installation.broker.start()
            installation.up(installation.broker)
            installation.gateway.start()
            installation.up(installation.gateway)
        installation.settle()
        verdict = installation.verdict()

    assert verdict.faults == {}
    assert verdict.unrecorded == 0
