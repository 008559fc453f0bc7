"""Kills by chance, replayable: `JIENENG_CHAOS_SEED` gives the seed that a run has printed."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.installation import BrokerKind, Installation, Layout, installed
from tests.chaos.numbers import Verdict
from tests.journeys.campus import until

# Kills of one run; given by `make chaos` and by CI, which also run what takes too long for `make test`.
KILLS = int(os.environ.get("JIENENG_CHAOS_KILLS") or 0)
at_length = pytest.mark.skipif(not KILLS, reason="takes minutes: `make chaos` runs it")

_PAUSE_S = (0.2, 1.0)
# How many of the kills wait until readings are stored again after the last one; the others come while parts start.
_WHILE_STORING = 0.5
# How many kills take another part along at the same instant.
_TOGETHER = 0.1


def seed() -> int:
    """The seed that is asked for, or a new one; printed, so that a failure can be had again."""
    found = int(os.environ.get("JIENENG_CHAOS_SEED") or secrets.randbelow(1_000_000))
    print(f"JIENENG_CHAOS_SEED={found}")
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """How often each part was killed, how long that went on, and what became of the readings."""

    of: dict[str, int]
    took_s: float
    verdict: Verdict
    refused: dict[str, int]

    @property
    def kills(self) -> int:
        return sum(self.of.values())


def trial(folder: Path, broker: BrokerKind, kills: int, chance: random.Random) -> Found:
    """Let meters be read while parts are killed, let all come to rest, and compare."""
    with installed(folder, Layout(broker=broker)) as installation:
        began = time.monotonic()
        of = kill_by_chance(installation, kills, chance)
        took_s = time.monotonic() - began
        installation.settle()
        print(f"{sum(of.values())} kills {of} in {took_s:.0f} s")
        return Found(of, took_s, installation.verdict(), installation.refused())


def kill_by_chance(installation: Installation, kills: int, chance: random.Random) -> dict[str, int]:
    """Kill parts at random instants, start them again at once; how often each was, so many together at least."""
    of = Counter({part.name: 0 for part in installation.parts})
    while of.total() < kills:
        answers = installation.cable.answers
        time.sleep(chance.uniform(*_PAUSE_S))
        victims = chance.sample(installation.parts, 2 if chance.random() < _TOGETHER else 1)
        if chance.random() < _WHILE_STORING:
            until(partial(_stores_again, installation, answers), "an answer of the gateway", within_s=300)
        for victim in victims:
            assert victim.runs, f"{victim.name} ended by itself; see {victim.log}"
            installation.kill(victim)
            of[victim.name] += 1
        for victim in victims:
            victim.start()
    return dict(of)


def _stores_again(installation: Installation, answers: int) -> bool:
    return installation.cable.answers > answers
