"""What these trials share."""

from __future__ import annotations

import os
import random

import pytest

from tests.chaos.killing import seed

# Kills of one run; given by `make chaos` and by CI, which also run what takes too long for `make test`.
KILLS = int(os.environ.get("JIENENG_CHAOS_KILLS") or 0)

at_length = pytest.mark.skipif(not KILLS, reason="takes minutes: `make chaos` runs it")


@pytest.fixture
def chance() -> random.Random:
    """By chance, and replayable by the seed that is printed."""
    return random.Random(seed())
