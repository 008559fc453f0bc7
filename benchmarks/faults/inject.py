"""Faults put into real consumption: eight kinds, drawn from a seed. Frozen: see docs/anomalies.md before touching it.

What is drawn depends on the seed, the medium, the building and the year alone, never on the other meters. The order
of the kinds and of the draws is part of the benchmark. New kinds are added behind the others, under a new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

import numpy as np
import numpy.typing as npt

VERSION = 1
SEED = 20_261_121
_DAY = 24
# Hours that are kept free before and behind a fault, so that each stands alone.
_APART = 24
_TRIES = 200

Hourly = npt.NDArray[np.float32]
Random = np.random.Generator


class FaultKind(IntEnum):
    """What is wrong; 0 is nothing."""

    SPIKE = 1
    DROP = 2
    STUCK = 3
    NIGHT_WASTE = 4
    WEEKEND_RUNNING = 5
    LEAK = 6
    DRIFT = 7
    SCALE = 8


# The longest first, since they need the most room; with how many of each there are in a year.
_PLAN = (
    (FaultKind.DRIFT, 1),
    (FaultKind.LEAK, 1),
    (FaultKind.NIGHT_WASTE, 1),
    (FaultKind.WEEKEND_RUNNING, 1),
    (FaultKind.STUCK, 1),
    (FaultKind.SCALE, 1),
    (FaultKind.DROP, 2),
    (FaultKind.SPIKE, 3),
)
_SCALES = (0.1, 0.5, 2.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault: [start, end) in hours of the series."""

    kind: FaultKind
    start: int
    end: int


def inject(
    use: Hourly, start: int, weekday: npt.NDArray[np.int64], name: str
) -> tuple[Hourly, npt.NDArray[np.int8], list[Injected]]:
    """A copy of a meter's consumption with faults in it.

    Parameters
    ----------
    use : (n,) consumption of each hour, whole local days; NaN where missing. Only hours from `start` on are touched.
    weekday : (n / 24,) of each day, Monday is 0.
    name : what the draws depend on beside the seed.

    Returns
    -------
    The consumption, (n,); the kind of fault of each hour that was changed, 0 elsewhere, (n,); the faults by time.
    """
    random = np.random.default_rng([SEED, VERSION, crc32(name.encode())])
    made, labels = use.copy(), np.zeros(len(use), np.int8)
    taken = np.zeros(len(use), np.bool_)
    taken[:start] = True
    found: list[Injected] = []
    mean = float(np.nanmean(use[:start]))
    for kind, times in _PLAN:
        for _ in range(times):
            place = _place(kind, random, taken, use, weekday)
            if place is None:
                continue
            first, end = place
            changed = _changed(kind, random, made, first, end, mean, weekday)
            labels[first:end][changed] = kind
            taken[max(first - _APART, 0) : end + _APART] = True
            found.append(Injected(kind, first, end))
    return made, labels, sorted(found, key=lambda f: f.start)


def _length(kind: FaultKind, random: Random) -> int:
    """How many hours a fault takes."""
    low, high = {
        FaultKind.SPIKE: (1, 4),
        FaultKind.DROP: (3, 24),
        FaultKind.STUCK: (24, 120),
        FaultKind.NIGHT_WASTE: (3, 14),
        FaultKind.WEEKEND_RUNNING: (1, 3),
        FaultKind.LEAK: (72, 504),
        FaultKind.DRIFT: (720, 1440),
        FaultKind.SCALE: (6, 96),
    }[kind]
    drawn = int(random.integers(low, high + 1))
    if kind is FaultKind.NIGHT_WASTE:
        return drawn * _DAY
    return ((drawn - 1) * 7 + 2) * _DAY if kind is FaultKind.WEEKEND_RUNNING else drawn


def _place(
    kind: FaultKind, random: Random, taken: npt.NDArray[np.bool_], use: Hourly, weekday: npt.NDArray[np.int64]
) -> tuple[int, int] | None:
    """Where there is room for a fault among hours that are mostly measured; None where none is found."""
    length = _length(kind, random)
    for _ in range(_TRIES):
        first = int(random.integers(0, len(use) - length))
        if kind is FaultKind.NIGHT_WASTE:
            first = first // _DAY * _DAY + 22
        if kind is FaultKind.WEEKEND_RUNNING:
            day = first // _DAY
            first = (day + (5 - int(weekday[day])) % 7) * _DAY
        end = first + length
        if end > len(use) or taken[first:end].any() or np.isfinite(use[first:end]).mean() < 0.9:
            continue
        if not np.isfinite(use[first - 1]):
            continue
        return first, end
    return None


def _changed(
    kind: FaultKind,
    random: Random,
    use: Hourly,
    first: int,
    end: int,
    mean: float,
    weekday: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Put the fault in, and tell which of its hours it changed."""
    part, hours = use[first:end], np.arange(first, end)
    there = np.isfinite(part)
    match kind:
        case FaultKind.SPIKE:
            part *= random.uniform(2.5, 8.0)
        case FaultKind.DROP:
            part *= random.uniform(0.0, 0.3)
        case FaultKind.STUCK:
            part[there] = use[first - 1]
        case FaultKind.NIGHT_WASTE:
            there &= (hours % _DAY >= 22) | (hours % _DAY < 6)
            high = np.nanquantile(use[first - 14 * _DAY : first], 0.9)
            part[there] += random.uniform(0.3, 0.8) * np.maximum(high - part[there], 0)
        case FaultKind.WEEKEND_RUNNING:
            there &= weekday[hours // _DAY] >= 5
            share = random.uniform(0.8, 1.0)
            # Saturday as the Thursday before, Sunday as that week's Thursday too: three and two days back and one more.
            back = np.where(weekday[hours // _DAY] == 5, 2, 3) * _DAY
            like = use[hours - back] * share
            there &= np.isfinite(like)
            part[there] = like[there]
        case FaultKind.LEAK:
            part += random.uniform(0.15, 0.5) * mean
        case FaultKind.DRIFT:
            reach = random.uniform(0.15, 0.4) * random.choice((-1.0, 1.0))
            part *= 1 + reach * np.linspace(0, 1, end - first)
        case FaultKind.SCALE:
            part *= random.choice(_SCALES)
    return there
