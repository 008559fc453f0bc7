"""Kills by chance, replayable: `JIENENG_CHAOS_SEED` gives the seed that a run has printed."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass

from tests.chaos.installation import Installation, Part

_PAUSE_S = (0.3, 1.5)
# How many of the kills do not ask whether the victim works again: it then may die while it starts.
_WHILE_STARTING = 0.15
# A gateway takes the longest to start, and so is ready to be killed the least often.
_WEIGHTS = {"gateway": 6, "edge": 3, "broker": 1}
# How many kills take another part along at the same instant.
_TOGETHER = 0.1


def seed() -> int:
    """The seed that is asked for, or a new one; printed, so that a failure can be had again."""
    found = int(os.environ.get("JIENENG_CHAOS_SEED") or secrets.randbelow(1_000_000))
    print(f"JIENENG_CHAOS_SEED={found}")
    return found


@dataclass(frozen=True, slots=True)
class Killed:
    """How often each part was killed, and how long it went on."""

    of: dict[str, int]
    took_s: float

    @property
    def kills(self) -> int:
        return sum(self.of.values())


def kill_by_chance(installation: Installation, kills: int, chance: random.Random) -> Killed:
    """Kill parts at random instants, start them again at once, until there were so many kills."""
    of: Counter[str] = Counter()
    began = time.monotonic()
    while of.total() < kills:
        time.sleep(chance.uniform(*_PAUSE_S))
        # Which of them work again just now is not of the seed's making.
        order = sorted(installation.parts, key=lambda part: chance.random() ** (1 / _WEIGHTS[part.name]), reverse=True)
        at_once, anybody = chance.random() < _TOGETHER, chance.random() < _WHILE_STARTING
        ready = order if anybody else [part for part in order if part.is_up()]
        for part in order:
            assert part.runs, f"{part.name} ended by itself; see {part.log}"
        victims = ready[: 2 if at_once else 1]
        for victim in victims:
            installation.kill(victim)
            of[victim.name] += 1
        for victim in victims:
            victim.start()
    return Killed(dict(of), time.monotonic() - began)


def unwell(part: Part) -> str:
    """The end of the log of a part, for whoever must look."""
    return "\n".join(part.log.read_text(errors="replace").splitlines()[-30:])
