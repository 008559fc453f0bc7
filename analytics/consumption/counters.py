"""From the register of a counter to the steps between its readings.

A step is booked only where the meter itself vouches for it. What cannot be known is disputed: it has no amount, and
says so, until an event in the life of the meter explains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from energy.series import Floats, Instants

HOUR_MS = 3_600_000
# A register that strayed and came back within this time was read wrong; one that stays away is another register.
EXCURSION_MS = 6 * HOUR_MS


class Verdict(IntEnum):
    """What is known of a step; stored, so the numbers never change their meaning."""

    MEASURED = 0
    ROLLED_OVER = 1
    DISPUTED = 2


@dataclass(frozen=True, slots=True)
class Register:
    """What is known of a register.

    modulus : the total at which it restarts from zero [unit], None for one that never does.
    limit_per_h : the most that can flow through the meter in an hour [unit/h].
    resolution : the smallest step of the register [unit].
    """

    limit_per_h: float = np.inf
    modulus: float | None = None
    resolution: float = 0.0

    def __post_init__(self) -> None:
        if not self.limit_per_h > 0:
            raise ValueError(f"limit_per_h {self.limit_per_h} is not above 0")
        if self.modulus is not None and not self.modulus > 0:
            raise ValueError(f"modulus {self.modulus} is not above 0")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A meter was exchanged: the old one showed `final` when it was taken off, the new one `initial` when it began."""

    at_ms: int
    final: float
    initial: float


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps between the readings that count, oldest first; columns of equal length n.

    start_ms, end_ms : (n,) instants; a step begins where the one before ends.
    amount : (n,) what flowed in it [unit]; NaN where it is disputed.
    verdict : (n,) codes of `Verdict`.
    strayed : (k,) positions, in the readings given, of those that were read wrong and do not count.
    """

    start_ms: Instants
    end_ms: Instants
    amount: Floats
    verdict: npt.NDArray[np.uint8]
    strayed: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.amount)


def steps(t_ms: Instants, total: Floats, register: Register, exchanges: Sequence[Exchange] = ()) -> Steps:
    """What flowed between consecutive readings of a counter.

    Parameters
    ----------
    t_ms : (n,) instants of the readings, ascending, none twice [ms since the epoch].
    total : (n,) register at each [unit]; no NaN: bad readings are left out before.
    register : its limits.
    exchanges : the exchanges that are known of, in any order. A reading at the very instant is of the new meter.

    Returns
    -------
    A step between each pair of readings that count. A reading that strays and comes back (a spike, a zero) does not
    count. A fall is a roll-over where the modulus explains it within the limit; any other fall, and any rise beyond the
    limit, is disputed. The same readings give the same steps, however they came.
    """
    if np.any(np.diff(t_ms) <= 0):
        raise ValueError("readings must be in the order of time, none twice")
    total = np.asarray(total, dtype=np.float64)
    good = np.ones(len(t_ms), dtype=bool)
    for part in _lives(t_ms, exchanges):
        good[part] = ~_strayed(t_ms[part], total[part], register)
    known_t, known_v, life = _with_exchanges(t_ms, total, good, exchanges)
    same_life = life[1:] == life[:-1]
    start, end = known_t[:-1][same_life], known_t[1:][same_life]
    amount, verdict = _judged(start, end, known_v[:-1][same_life], known_v[1:][same_life], register)
    return Steps(start, end, amount, verdict, np.flatnonzero(~good))


def limit_from_history(t_ms: Instants, total: Floats) -> float:
    """A limit for a meter of which nothing better is known, by its own readings [unit/h]; inf where they rise nowhere.

    Fifty times the median of the rates at which it rose, or ten times the rate that nine of ten stay below, whichever
    is more: far above any load that belongs to the meter, far below a spike or a foreign register.
    """
    rise, hours = np.diff(total), np.diff(t_ms) / HOUR_MS
    rates = rise[rise > 0] / hours[rise > 0]
    if len(rates) == 0:
        return float("inf")
    return float(max(50 * np.median(rates), 10 * np.quantile(rates, 0.9)))


def _lives(t_ms: Instants, exchanges: Sequence[Exchange]) -> list[slice]:
    """The readings of each meter that has hung there."""
    edges = [0, *np.searchsorted(t_ms, sorted(e.at_ms for e in exchanges)).tolist(), len(t_ms)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _with_exchanges(
    t_ms: Instants, total: Floats, good: npt.NDArray[np.bool_], exchanges: Sequence[Exchange]
) -> tuple[Instants, Floats, npt.NDArray[np.int64]]:
    """The readings that count, the final and initial registers among them, and in which life of the meter each is."""
    at = np.array(sorted(e.at_ms for e in exchanges), dtype=np.int64)
    in_order = sorted(exchanges, key=lambda e: e.at_ms)
    life = np.searchsorted(at, t_ms[good], side="right")
    n = len(at)
    all_t = np.concatenate([t_ms[good], at, at])
    all_v = np.concatenate([total[good], [e.final for e in in_order], [e.initial for e in in_order]])
    all_life = np.concatenate([life, np.arange(n), np.arange(1, n + 1)])
    order = np.lexsort((all_t, all_life))
    return all_t[order], all_v[order], all_life[order]


def _judged(
    start: Instants, end: Instants, before: Floats, after: Floats, register: Register
) -> tuple[Floats, npt.NDArray[np.uint8]]:
    hours = (end - start) / HOUR_MS
    most = register.limit_per_h * hours + register.resolution
    # A final register may be read at the instant of the last reading: no time, and so nothing but the resolution.
    most = np.where(hours > 0, most, register.resolution)
    rise = after - before
    verdict = np.full(len(rise), Verdict.DISPUTED, dtype=np.uint8)
    verdict[(rise >= 0) & (rise <= most)] = Verdict.MEASURED
    amount = rise.copy()
    if register.modulus is not None:
        wrapped = rise + register.modulus
        rolled = (rise < 0) & (wrapped >= 0) & (wrapped <= most) & np.isfinite(most)
        verdict[rolled] = Verdict.ROLLED_OVER
        amount[rolled] = wrapped[rolled]
    amount[verdict == Verdict.DISPUTED] = np.nan
    return amount, verdict


def _strayed(t_ms: Instants, total: Floats, register: Register) -> npt.NDArray[np.bool_]:
    """Which readings were read wrong: a run that leaves what the register can show, and from which it comes back.

    Only where something is wrong at all does this look at single readings.
    """
    strayed = np.zeros(len(t_ms), dtype=bool)
    if len(t_ms) < 3:
        return strayed
    _, verdict = _judged(t_ms[:-1], t_ms[1:], total[:-1], total[1:], register)
    last = -1
    for broken in np.flatnonzero(verdict == Verdict.DISPUTED).tolist():
        if broken <= last:
            continue
        back = _comes_back(t_ms, total, broken, register)
        if back is not None:
            strayed[broken + 1 : back] = True
            last = back - 1
    return strayed


def _comes_back(t_ms: Instants, total: Floats, before: int, register: Register) -> int | None:
    """The first reading after `before` + 1 that continues `before`, soon enough; None where there is none.

    Coming back means more than being possible again: a limit times a long time makes anything possible. What strayed
    must leave on the way back as it left on the way there.
    """
    until = int(np.searchsorted(t_ms, t_ms[before] + EXCURSION_MS, side="right"))
    for i in range(before + 2, until):
        pair = np.array([before, i])
        _, onward = _judged(t_ms[pair[:1]], t_ms[pair[1:]], total[pair[:1]], total[pair[1:]], register)
        _, step = _judged(t_ms[i - 1 : i], t_ms[i : i + 1], total[i - 1 : i], total[i : i + 1], register)
        away_up = total[before + 1] > total[before]
        returned = total[i] < total[i - 1] if away_up else total[i] > total[i - 1]
        if onward[0] == Verdict.MEASURED and returned and (step[0] == Verdict.DISPUTED or not away_up):
            return i
    return None
