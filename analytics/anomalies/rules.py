"""Facts of the data, told before any statistics: hours that are missing, stuck, negative, or of a wrong unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.anomalies.events import Stretch
from analytics.anomalies.profiles import days_to_learn_from

Hours = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# So many hours without a value are a finding; fewer are a gap like any other.
MISSING_H = 6
# A wrong factor shows in every hour: so many in a row of which nearly all are off by about the same power of ten.
SCALE_H = 3
_POWERS = (1000.0, 100.0, 10.0, 0.1, 0.01, 0.001)
_NEAR = 1.6
# Within this factor of what is expected nothing is off by a power of ten.
FAR = 10 / _NEAR
# Ten times next to nothing is no wrong factor: what is read must lie above the usual busy hour of the meter, or what is
# expected must be a good part of it.
_BUSY, _GOOD_PART = 0.95, 0.2
# The share of the hours before in which a meter has read the like; more, and the factor is right.
_SEEN_BEFORE = 0.05
_DAY = 24
# An amount that is the same in each of so many hours beyond what is usual of the meter; standing still is longer.
STUCK_H = 6
_STILL_H = 48
# A steady load of fewer steps of its register than this may well be the same number of them for days.
_BY_CHANCE = 20


def missing(use: Hours, upto: int) -> list[Stretch]:
    """Where the first `upto` hours of (n,) have no value for long; hours before the first value are none of it."""
    known = np.flatnonzero(np.isfinite(use[:upto]))
    if not len(known):
        return []
    gone = ~np.isfinite(use[:upto])
    gone[: known[0]] = False
    return _runs(gone, MISSING_H)


def negative(use: Hours) -> list[Stretch]:
    """Where a counter of what is used goes backwards."""
    return _runs(np.nan_to_num(use) < 0, 1)


def stuck(use: Hours, usual_run: float, expected: Hours, seen: Hours | None = None) -> list[Stretch]:
    """Where the amount of an hour stays exactly the same for longer than it ever does.

    usual_run : for how long it may [h]. expected : (n,) what is usual; nothing used where nothing is expected is no
    finding, and where it is, it takes two days to be one. seen : amounts that tell the steps of the register; those of
    `use` if None.
    """
    seen = use if seen is None else seen
    same = np.zeros(len(use), np.bool_)
    same[1:] = use[1:] == use[:-1]
    # The first of equal hours belongs to them; where another amount begins, another run does.
    found = [Stretch(s.start - 1, s.end, 0.0) for s in _runs(same, int(usual_run) + STUCK_H - 1)]
    return [s for s in found if _is_fact(float(use[s.start]), s, expected, seen)]


def _is_fact(amount: float, at: Stretch, expected: Hours, seen: Hours) -> bool:
    if amount:
        return _is_odd(amount, seen)
    return at.end - at.start >= _STILL_H and _is_expected(expected, at)


def _is_odd(amount: float, seen: Hours) -> bool:
    """Whether an amount that stays the same is too many steps of the register to be the same by chance."""
    amounts = np.unique(seen[np.isfinite(seen)])
    apart = np.diff(amounts)
    # What is nearer than that is the same amount, as single precision has it.
    apart = apart[apart > 1e-5 * np.abs(amounts[1:])]
    return not len(apart) or bool(abs(amount) >= _BY_CHANCE * apart.min())


def _is_expected(expected: Hours, at: Stretch) -> bool:
    of = expected[at.start : at.end]
    return bool(np.isfinite(of).any() and np.nanmedian(of) > 0)


def wrong_scale(use: Hours, expected: Hours) -> list[tuple[Stretch, float]]:
    """Where what is read is about 10, 100 or 1,000 times what is expected, or that part of it; with the factor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = use / expected
    found: list[tuple[Stretch, float]] = []
    busy = float(np.nanquantile(expected, _BUSY)) if np.isfinite(expected).any() else np.nan
    for power in _POWERS:
        weighty = use > busy if power > 1 else expected > _GOOD_PART * busy
        near = (ratio > power / _NEAR) & (ratio < power * _NEAR)
        found += [(s, power) for s in _runs(near, SCALE_H) if weighty[s.start : s.end].sum() >= SCALE_H]
    return sorted(found, key=lambda one: one[0].start)


def was_so_before(use: Hours, at: Stretch, *, more: bool) -> bool:
    """Whether a meter has read about as much (`more`) now and then on the days that tell what is usual, or as little at
    these hours of the day.

    Plant that is switched on and off with the season, or left on at night, does that; a wrong factor does not.
    """
    by_day = use[: len(use) // _DAY * _DAY].reshape(-1, _DAY)
    past = np.concatenate([by_day[days] for days in days_to_learn_from(at.start // _DAY)])
    now = use[at.start : at.end]
    if more:
        return _is_common(past > np.median(now) / _NEAR, past)
    of_day = past[:, np.arange(at.start, at.end) % _DAY]
    return _is_common(of_day < now * _NEAR, of_day)


def _is_common(alike: npt.NDArray[np.bool_], past: Hours) -> bool:
    return bool(alike.sum() > _SEEN_BEFORE * max(int(np.isfinite(past).sum()), 1))


def _runs(mask: Mask, least: int) -> list[Stretch]:
    """Stretches of True of at least so many hours."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return [Stretch(int(a), int(b), 0.0) for a, b in edges.reshape(-1, 2) if b - a >= least]
