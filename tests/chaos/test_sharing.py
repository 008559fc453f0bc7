"""Two processes that share what edges say are killed for long: nothing is lost, nothing is there twice."""

from __future__ import annotations

import random

import pytest

from tests.chaos.killing import KILLS, at_length
from tests.gateway.test_sharing import Parts, parts, under_kills, victoria

__all__ = ["parts", "victoria"]


@at_length
@pytest.mark.timeout(900 + 10 * KILLS)
async def test_nothing_is_lost_or_there_twice_however_often_processes_are_killed(
    parts: Parts, chance: random.Random
) -> None:
    await under_kills(parts, KILLS // 5, chance.randrange(1 << 30))
