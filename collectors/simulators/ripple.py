"""Chance that is a pure function of what and when: the same seed and instant give the same value, over restarts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from energy.series import Floats, Instants

# Periods [s] between which each term of the short-term movement is drawn, and its greatest share of the depth.
_PERIODS_S = np.array([[240.0, 600.0], [60.0, 150.0], [18.0, 50.0], [5.0, 12.0]])
_SHARES = np.array([[0.4], [0.25], [0.2], [0.15]])
_TERMS = np.arange(len(_SHARES))[:, np.newaxis]


def seed_of(*names: object) -> int:
    """A number that stands for these names in all that is drawn for them."""
    text = "\0".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def uniform(seed: int, index: npt.ArrayLike) -> Floats:
    """Numbers of [0, 1), drawn by splitmix64 for each index; the shape of `index`, one dimension at least."""
    x = np.atleast_1d(np.asarray(index)).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def waves(seed: int, interval: Instants, step_s: float) -> tuple[Floats, Floats]:
    """The waves that move a load within its intervals: whole periods, so that they come to nothing over each.

    Parameters
    ----------
    seed : of the load.
    interval : (n,) number of the interval.
    step_s : length of an interval [s].

    Returns
    -------
    cycles : (4, n) periods within the interval, whole numbers.
    height : (4, n) signed height of each wave; the four together stay within -1..1.
    """
    drawn = uniform(seed, 2 * (len(_TERMS) * interval + _TERMS))
    low, high = _PERIODS_S[:, :1], _PERIODS_S[:, 1:]
    cycles = np.maximum(1.0, np.rint(step_s / (low * (high / low) ** drawn)))
    height = 2 * uniform(seed, 2 * (len(_TERMS) * interval + _TERMS) + 1) - 1
    return cycles, _SHARES * height


def wander(seed: int, t_ms: Instants, periods_s: Sequence[float], heights: Sequence[float]) -> Floats:
    """A smooth movement about 0: one sine per period, its phase drawn from the seed.

    Parameters
    ----------
    t_ms : (n,) instants since the epoch [ms].
    periods_s, heights : period [s] and height of each sine.

    Returns
    -------
    (n,) in the unit of `heights`, never beyond their sum.
    """
    phase = 2 * np.pi * uniform(seed, np.arange(len(periods_s)))
    angle = 2 * np.pi * (t_ms[np.newaxis, :] / 1000.0) / np.array(periods_s)[:, np.newaxis] + phase[:, np.newaxis]
    return np.asarray(np.array(heights) @ np.sin(angle))
