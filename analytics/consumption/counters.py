"""From the register of a counter to the steps between its readings.

A step is booked only where the meter itself vouches for it. What cannot be known is disputed: it has no amount, and
says so, until an event in the life of the meter explains it. Registers are whole millionths of their unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from analytics.consumption.life import Boundary, Life
from analytics.consumption.limits import EXCURSION_MS, HOUR_MS, Limits, Whole
from energy.series import MICRO, Instants

# A register that stood still so long at most and then tells all at once was held back on its way.
HELD_MS = 48 * HOUR_MS

Flags = npt.NDArray[np.bool_]


class Verdict(IntEnum):
    """What is known of a step; stored, so the numbers never change their meaning."""

    MEASURED = 0
    ROLLED_OVER = 1
    DISPUTED = 2
    HELD = 3
    MANUAL = 4
    # An event says that what flowed is not known: a fault, an exchange without its registers.
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of one counter, oldest first, none overlapping; columns of equal length n.

    start_ms, end_ms : (n,) instants; a step begins where the one before ends, unless something is missing between.
    amount : (n,) what flowed in it [millionths]; 0 where it is disputed.
    verdict : (n,) codes of `Verdict`.
    strayed_ms : (k,) instants of readings that were read wrong and do not count.
    """

    start_ms: Instants
    end_ms: Instants
    amount: Whole
    verdict: npt.NDArray[np.uint8]
    strayed_ms: Instants = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.amount)


@dataclass(slots=True)
class _Knots:
    """Readings of one life of a register that may count: instants, registers, which were read by hand."""

    t: Instants
    m: Whole
    manual: Flags

    def take(self, rows: npt.NDArray[np.generic] | slice) -> _Knots:
        return _Knots(self.t[rows], self.m[rows], self.manual[rows])

    def __len__(self) -> int:
        return len(self.t)


def steps(
    t_ms: Instants, register: Whole, limits: Limits, modulus: int | None = None, life: Life | None = None
) -> Steps:
    """What flowed between the readings of a counter.

    Parameters
    ----------
    t_ms : (n,) instants of the readings, ascending, none twice.
    register : (n,) what the counter showed [millionths]; bad readings are left out before.
    limits : the most that can flow, of this one point.
    modulus : the total at which the register restarts from zero [millionths]; None where it is not known: then a
        roll-over is only believed from a full decade or 2^32 of a register to near its zero.
    life : what else is known of the meter.

    Returns
    -------
    A reading that strays and comes back within six hours does not count. A fall is a roll-over where the modulus
    explains it within the limit. Any other fall, and any rise beyond the limit that standing still before does not
    explain, is disputed. The same readings give the same steps, however they came.
    """
    if np.any(np.diff(t_ms) <= 0):
        raise ValueError("readings must be in the order of time, none twice")
    life = life or Life()
    knots = _with_manual(_Knots(t_ms, register, np.zeros(len(t_ms), bool)), life)
    judge = _Judge(limits, modulus)
    parts: list[Steps] = []
    ratio = 1.0
    opened_by: Boundary | None = None
    last_end: int | None = None
    boundaries: list[Boundary | None] = [*life.boundaries, None]
    for closed_by in boundaries:
        from_ms = opened_by.at_ms if opened_by else None
        own = _within(knots, from_ms, closed_by.at_ms if closed_by else None)
        kept, strayed = judge.without_strays(own)
        opening, closing = _ends(judge, knots, kept, opened_by, closed_by)
        line = _framed(kept, opening, closing)
        if opened_by is not None and not opened_by.explained and last_end is not None and len(line):
            parts += _unknown(last_end, int(line.t[0]))
        found = judge.judged(line)
        parts.append(_times(found, ratio, strayed))
        last_end = int(line.t[-1]) if len(line) else last_end
        opened_by = closed_by
        if closed_by is not None and closed_by.ratio is not None:
            ratio = closed_by.ratio
    return _joined(parts)


def _with_manual(knots: _Knots, life: Life) -> _Knots:
    """The readings and those taken by hand, less those of a faulty meter; where both exist the meter's own stands."""
    good = np.ones(len(knots), bool)
    for from_ms, to_ms in life.faulty:
        good &= ~((knots.t >= from_ms) & (knots.t < to_ms))
    knots = knots.take(good)
    by_hand = {t: m for t, m in life.manual if t not in set(knots.t.tolist())} if life.manual else {}
    if not by_hand:
        return knots
    t = np.r_[knots.t, np.array(list(by_hand), np.int64)]
    order = np.argsort(t, kind="stable")
    m = np.r_[knots.m, np.array(list(by_hand.values()), np.int64)]
    return _Knots(t, m, np.r_[knots.manual, np.ones(len(by_hand), bool)]).take(order)


def _within(knots: _Knots, from_ms: int | None, to_ms: int | None) -> _Knots:
    first = 0 if from_ms is None else int(np.searchsorted(knots.t, from_ms))
    last = len(knots) if to_ms is None else int(np.searchsorted(knots.t, to_ms))
    return knots.take(slice(first, last))


def _ends(
    judge: _Judge, all_knots: _Knots, kept: _Knots, opened_by: Boundary | None, closed_by: Boundary | None
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """The registers at the beginning and at the end of a life, where they are told or can be read off its course."""

    def at(boundary: Boundary | None, told: int | None) -> tuple[int, int] | None:
        if boundary is None:
            return None
        if told is not None:
            return boundary.at_ms, told
        if boundary.continues:
            course, _ = judge.without_strays(all_knots)
            if len(course) and course.t[0] <= boundary.at_ms <= course.t[-1]:
                read = np.interp(boundary.at_ms - course.t[0], course.t - course.t[0], course.m - course.m[0])
                return boundary.at_ms, int(course.m[0]) + round(float(read))
        return None

    return at(opened_by, opened_by.initial if opened_by else None), at(
        closed_by, closed_by.final if closed_by else None
    )


def _framed(kept: _Knots, opening: tuple[int, int] | None, closing: tuple[int, int] | None) -> _Knots:
    t, m, manual = kept.t, kept.m, kept.manual
    if opening is not None:
        # A reading at that very instant may still be one of the old register.
        later = t > opening[0]
        by_hand = bool(manual[~later].any())
        t, m, manual = np.r_[opening[0], t[later]], np.r_[opening[1], m[later]], np.r_[by_hand, manual[later]]
    if closing is not None:
        t, m, manual = np.r_[t, closing[0]], np.r_[m, closing[1]], np.r_[manual, False]
    return _Knots(t.astype(np.int64), m.astype(np.int64), manual.astype(bool))


def _unknown(from_ms: int, to_ms: int) -> list[Steps]:
    if to_ms <= from_ms:
        return []
    one = np.array([Verdict.UNKNOWN], np.uint8)
    return [Steps(np.array([from_ms]), np.array([to_ms]), np.zeros(1, np.int64), one)]


def _times(found: Steps, ratio: float, strayed_ms: Instants) -> Steps:
    amount = found.amount if ratio == 1.0 else np.rint(found.amount * ratio).astype(np.int64)
    return Steps(found.start_ms, found.end_ms, amount, found.verdict, strayed_ms)


def _joined(parts: list[Steps]) -> Steps:
    def column(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Steps(*(column(name) for name in ("start_ms", "end_ms", "amount", "verdict", "strayed_ms")))  # type: ignore[arg-type]


class _Judge:
    """Judges the readings of one counter."""

    def __init__(self, limits: Limits, modulus: int | None) -> None:
        self._limits, self._modulus = limits, modulus

    def most(self, start_ms: Instants, end_ms: Instants) -> npt.NDArray[np.float64]:
        """The most that can have flowed between instants [millionths]."""
        return self._limits.most(0, self._limits.week(end_ms), end_ms - start_ms)

    def possible(self, before: tuple[int, int], after: tuple[int, int]) -> bool:
        """Whether a register can go from one (instant, register) to another without rolling over."""
        rise = after[1] - before[1]
        return bool(0 <= rise <= self.most(np.array([before[0]]), np.array([after[0]]))[0])

    def rolled_over(self, before: tuple[int, int], after: tuple[int, int]) -> int | None:
        """What flowed, if the register rolled over between; None where that does not explain it."""
        most = float(self.most(np.array([before[0]]), np.array([after[0]]))[0])
        if not np.isfinite(most):
            return None
        moduli = [self._modulus] if self._modulus else _likely_moduli(before[1])
        for modulus in moduli:
            wrapped = after[1] + modulus - before[1]
            near = self._modulus is not None or wrapped <= modulus / 100
            if before[1] < modulus and after[1] >= 0 and 0 <= wrapped <= most and near:
                return int(wrapped)
        return None

    def without_strays(self, knots: _Knots) -> tuple[_Knots, Instants]:
        """The readings less those that were read wrong, and the instants of these."""
        falls = np.flatnonzero(np.diff(knots.m) < 0)
        if len(falls) == 0:
            return knots, np.empty(0, np.int64)
        good = np.ones(len(knots), bool)
        for fall in falls.tolist():
            if good[fall] and good[fall + 1]:
                self._resolve(knots, good, fall)
        return knots.take(good), knots.t[~good]

    def _resolve(self, knots: _Knots, good: Flags, high: int) -> None:
        """A register fell after reading `high`: mark the fewer of those before that strayed up, or after, down."""
        low = high + 1
        before, after = (int(knots.t[high]), int(knots.m[high])), (int(knots.t[low]), int(knots.m[low]))
        up, down = self._strayed_up(knots, good, high), self._strayed_down(knots, good, high)
        # A full register that shows zero rolled over, unless it is back at where it was.
        rolled_over = self._modulus and down is None and self.rolled_over(before, after) is not None
        if rolled_over and self._reached(knots, good, high):
            return
        if up is not None and (down is None or len(up) <= len(down)):
            good[up] = False
        elif down is not None:
            good[down] = False

    def _reached(self, knots: _Knots, good: Flags, at: int) -> bool:
        """Whether the reading itself was possible after the one before it."""
        earlier = np.flatnonzero(good[:at])[-1:]
        if len(earlier) == 0:
            return True
        i = int(earlier[0])
        before, after = (int(knots.t[i]), int(knots.m[i])), (int(knots.t[at]), int(knots.m[at]))
        return self.possible(before, after) or self.rolled_over(before, after) is not None

    def _strayed_up(self, knots: _Knots, good: Flags, high: int) -> npt.NDArray[np.int64] | None:
        low = high + 1
        first = int(np.searchsorted(knots.t, knots.t[low] - EXCURSION_MS))
        window = np.arange(first, low)[good[first:low]]
        fitting = window[knots.m[window] <= knots.m[low]]
        if len(fitting) == 0:
            return None
        base = int(fitting[-1])
        if not self.possible((int(knots.t[base]), int(knots.m[base])), (int(knots.t[low]), int(knots.m[low]))):
            return None
        return window[window > base]

    def _strayed_down(self, knots: _Knots, good: Flags, high: int) -> npt.NDArray[np.int64] | None:
        last = int(np.searchsorted(knots.t, knots.t[high] + EXCURSION_MS, side="right"))
        window = np.arange(high + 1, last)
        fitting = window[knots.m[window] >= knots.m[high]]
        if len(fitting) == 0:
            return None
        back = int(fitting[0])
        # What strayed leaps on its way back as on its way there; a register that merely grows has begun anew.
        grew = knots.m[back] - knots.m[back - 1] <= knots.m[back - 1] - knots.m[high + 1]
        if grew or not self.possible(
            (int(knots.t[high]), int(knots.m[high])), (int(knots.t[back]), int(knots.m[back]))
        ):
            return None
        return window[window < back]

    def judged(self, line: _Knots) -> Steps:
        """The steps between readings that count."""
        line, held = self._without_standstill(line)
        start, end, rise = line.t[:-1], line.t[1:], np.diff(line.m)
        verdict = np.full(len(rise), Verdict.DISPUTED, np.uint8)
        verdict[(rise >= 0) & (rise <= self.most(start, end))] = Verdict.MEASURED
        verdict[held[1:]] = Verdict.HELD
        for i in np.flatnonzero((rise < 0) & (verdict == Verdict.DISPUTED)).tolist():
            wrapped = self.rolled_over((int(start[i]), int(line.m[i])), (int(end[i]), int(line.m[i + 1])))
            if wrapped is not None:
                rise[i], verdict[i] = wrapped, Verdict.ROLLED_OVER
        by_hand = (line.manual[:-1] | line.manual[1:]) & (verdict != Verdict.DISPUTED)
        verdict[by_hand] = Verdict.MANUAL
        return Steps(start, end, np.where(verdict == Verdict.DISPUTED, 0, rise), verdict)

    def _without_standstill(self, line: _Knots) -> tuple[_Knots, Flags]:
        """Without readings at which a register stood still that then told all at once; and which one told."""
        rise = np.diff(line.m)
        held = np.zeros(len(line), bool)
        keep = np.ones(len(line), bool)
        for i in np.flatnonzero(rise > self.most(line.t[:-1], line.t[1:])).tolist():
            earliest = int(np.searchsorted(line.t, line.t[i] - HELD_MS))
            moved = np.flatnonzero(line.m[earliest : i + 1] != line.m[i])
            first = earliest + (int(moved[-1]) + 1 if len(moved) else 0)
            week = self._limits.week(line.t[i + 1 : i + 2])
            usual = float(self._limits.typical_per_ms[0, week][0]) * float(line.t[i + 1] - line.t[first])
            if i - first >= 2 and rise[i] <= usual:
                keep[first + 1 : i + 1] = False
                held[i + 1] = True
        return line.take(keep), held[keep]


def _likely_moduli(register: int) -> list[int]:
    """Where a register of unknown make may restart: the next full decade from 10^4 units, or 2^32 of its digits."""
    decade = 10_000 * MICRO
    while decade <= register:
        decade *= 10
    binary = [2**32 * MICRO // digits for digits in (1, 10, 100, 1000)]
    return sorted({decade, *(b for b in binary if b > register)})
