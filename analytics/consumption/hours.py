"""From the registers of many counters to their consumption by hour: what the ledger keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import Flags, Steps, Verdict, steps
from analytics.consumption.life import Life
from analytics.consumption.limits import WEEK_MS, Limits, Whole, declared, learn
from analytics.consumption.spread import HALF_MS, HalfHours, ManySteps, half_hours
from energy.hours import UNPRICED, Doubt, Hours
from energy.series import Floats, Instants


@dataclass(frozen=True, slots=True)
class Registers:
    """What is known of p counters beside their readings; NaN where nothing is told.

    limit_per_h : (p,) the most that can flow [unit/h].
    modulus : (p,) the total at which the register restarts from zero [unit].
    resolution : (p,) the smallest step of the register [unit].
    ordinary_per_h : (p,) what the smallest meter of the trade carries, 0 where nobody knows [unit/h].
    lives : by position, what happened to the meter.
    """

    limit_per_h: Floats
    modulus: Floats
    resolution: Floats
    ordinary_per_h: Floats
    lives: Mapping[int, Life] = field(default_factory=dict)

    @classmethod
    def unknown(cls, points: int) -> Self:
        """Nothing is told of any of them."""
        nothing = np.full(points, np.nan)
        return cls(nothing, nothing, nothing, np.zeros(points))


@dataclass(frozen=True, slots=True)
class Found:
    """Hours of p points; doubts; and `plain` (p,): which points have only steps that any limit learnt here allows."""

    hours: Hours
    doubts: list[Doubt]
    plain: Flags


def hours_of(
    point: npt.NDArray[np.int32],
    t_ms: Instants,
    register: Whole,
    registers: Registers,
    span: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    *,
    zone_offset_ms: int = 0,
) -> Found:
    """Consumption by hour from the readings of p counters.

    Parameters
    ----------
    point : (n,) position of the point of each reading, ascending.
    t_ms : (n,) instants, ascending within a point, none twice.
    register : (n,) what the counter showed [millionths]; bad readings are left out before.
    registers : what is known of each point.
    span : (p,), (p,) the hours [from, to) of each point that are wanted [hours since the epoch].
    zone_offset_ms : of local time, so that estimates know the time of day.

    Returns
    -------
    The hours, what is doubtful about the readings, and of which points nothing is.
    """
    points = len(registers.limit_per_h)
    pair = _Pairs.of(point, t_ms, register)
    limits = declared(
        learn(pair.point, pair.end, pair.rise, pair.took, points),
        registers.limit_per_h,
        registers.resolution,
        registers.ordinary_per_h,
    )
    plain = pair.plain(limits, registers.lives, points)
    many, doubts = _steps(pair, plain, (point, t_ms, register), registers, limits)
    first, count = _window(many, span)
    if count <= 0:
        return Found(Hours.none(), doubts, plain)
    spread_out = half_hours(many, first, count, zone_offset_ms=zone_offset_ms)
    return Found(_rows(spread_out, span), doubts, plain)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Neighbouring readings of one point: (k,) each."""

    point: npt.NDArray[np.int32]
    start: Instants
    end: Instants
    rise: Whole
    took: Whole

    @classmethod
    def of(cls, point: npt.NDArray[np.int32], t_ms: Instants, register: Whole) -> _Pairs:
        same = point[1:] == point[:-1]
        rows = slice(None) if same.all() else same
        rise, took = np.diff(register)[rows], np.diff(t_ms)[rows]
        if np.any(took <= 0):
            raise ValueError("readings must be in the order of time, none twice")
        return cls(point[1:][rows], t_ms[:-1][rows], t_ms[1:][rows], rise, took)

    def plain(self, limits: Limits, lives: Mapping[int, Life], points: int) -> Flags:
        """Which points have nothing but steps that are possible: (p,)."""
        plain = np.ones(points, bool)
        week = limits.week(self.end)
        # Where it is not twice as busy as ever, no limit that was learnt is passed: few steps need a closer look.
        weeks = limits.typical_per_ms.shape[1]
        usual = np.minimum(2 * limits.typical_per_ms, limits.per_ms).ravel()[self.point * np.int64(weeks) + week]
        with np.errstate(invalid="ignore"):
            busy = np.flatnonzero((self.rise < 0) | (self.rise > usual * self.took))
        most = limits.most(self.point[busy], week[busy], self.took[busy])
        beyond = busy[(self.rise[busy] < 0) | (self.rise[busy] > most)]
        plain[self.point[beyond]] = False
        plain[list(lives)] = False
        return plain


def _steps(
    pair: _Pairs,
    plain: Flags,
    readings: tuple[npt.NDArray[np.int32], Instants, Whole],
    registers: Registers,
    limits: Limits,
) -> tuple[ManySteps, list[Doubt]]:
    points = len(plain)
    whole = np.zeros(len(pair.point), np.uint8)
    if plain.all():
        return ManySteps(points, pair.point, pair.start, pair.end, pair.rise, whole), []
    own = plain[pair.point]
    at, parts, doubts = [pair.point[own]], [_of_pairs(pair, own)], []
    point, t_ms, register = readings
    for p in np.flatnonzero(~plain).tolist():
        rows = slice(*np.searchsorted(point, [p, p + 1]).tolist())
        modulus = registers.modulus[p]
        found = steps(
            t_ms[rows],
            register[rows],
            limits.of(p),
            None if np.isnan(modulus) else round(modulus * 1e6),
            registers.lives.get(p),
        )
        parts.append(found)
        at.append(np.full(len(found), p, np.int32))
        doubts += _doubts(p, found, register[rows], t_ms[rows])
    joined = np.concatenate(at)
    order = np.argsort(joined, kind="stable")
    columns = (
        np.concatenate([getattr(s, name) for s in parts])[order] for name in ("start_ms", "end_ms", "amount", "verdict")
    )
    return ManySteps(points, joined[order], *columns), doubts


def _of_pairs(pair: _Pairs, own: Flags) -> Steps:
    return Steps(pair.start[own], pair.end[own], pair.rise[own], np.zeros(int(own.sum()), np.uint8))


# What an event has told is not doubtful, even where it says that nobody knows.
_NOT_DOUBTFUL = (Verdict.MEASURED, Verdict.MANUAL, Verdict.UNKNOWN)


def _doubts(point: int, found: Steps, register: Whole, t_ms: Instants) -> list[Doubt]:
    made = [Doubt(point, "strayed", t, t) for t in found.strayed_ms.tolist()]
    for i in np.flatnonzero(~np.isin(found.verdict, _NOT_DOUBTFUL)).tolist():
        start, end = int(found.start_ms[i]), int(found.end_ms[i])
        match found.verdict[i]:
            case Verdict.HELD:
                kind = "held"
            case Verdict.ROLLED_OVER:
                kind = "rolled_over"
            case _:
                around = np.searchsorted(t_ms, [start, end])
                low, high = register[np.minimum(around, len(register) - 1)] if len(register) else (0, 0)
                kind = "fall" if high < low else "jump"
        made.append(Doubt(point, kind, start, end))
    return made


def _window(many: ManySteps, span: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> tuple[int, int]:
    """The half hours that hold all steps and reach back to what estimates look at."""
    if len(many.point) == 0:
        return 0, 0
    first = int(many.start_ms.min()) // HALF_MS // 2 * 2
    last = min(int(many.end_ms.max() - 1) // HALF_MS + 1, int(span[1].max()) * 2)
    return first, (last - first + 1) // 2 * 2


def _rows(found: HalfHours, span: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> Hours:
    halves = found.amount.shape[1]

    def hourly(grid: Whole) -> Whole:
        summed: Whole = grid[:, 0::2] + grid[:, 1::2]
        return summed

    times = [hourly(g) for g in (found.measured_ms, found.estimated_ms, found.manual_ms, found.disputed_ms)]
    hour = found.first // 2 + np.arange(halves // 2)
    known = (times[0] + times[1] + times[2] + times[3]) > 0
    known &= (hour >= span[0][:, None]) & (hour < span[1][:, None])
    row, column = np.nonzero(known)
    at = row * (halves // 2) + column
    return Hours(
        row.astype(np.int32),
        hour[column].astype(np.int32),
        hourly(found.amount).ravel()[at],
        np.ascontiguousarray(found.amount[:, 0::2]).ravel()[at],
        hourly(found.estimated).ravel()[at],
        np.full(len(at), UNPRICED),
        *(g.ravel()[at].astype(np.int32) for g in times),
    )


def context_from_ms(anchor_ms: Instants) -> Instants:
    """Where the readings begin that hours from each instant on depend on: the week before its week."""
    begins: Instants = (anchor_ms - 1) // WEEK_MS * WEEK_MS - WEEK_MS
    return begins


def groups(sizes: Sequence[int], most: int) -> list[slice]:
    """Consecutive items in groups of at most so much, or of one."""
    made: list[slice] = []
    begin = total = 0
    for i, size in enumerate(sizes):
        if i > begin and total + size > most:
            made.append(slice(begin, i))
            begin, total = i, 0
        total += size
    if begin < len(sizes):
        made.append(slice(begin, len(sizes)))
    return made
