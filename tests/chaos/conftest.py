"""What these trials share."""

from __future__ import annotations

import random

import pytest

from tests.chaos.killing import seed


@pytest.fixture
def chance() -> random.Random:
    """By chance, and replayable by the seed that is printed."""
    return random.Random(seed())
