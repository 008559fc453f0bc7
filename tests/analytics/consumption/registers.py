"""Registers for tests of counters: in units and hours, as one says them, turned into millionths and instants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from analytics.consumption.counters import Steps, Verdict, steps
from analytics.consumption.life import Life, life_of
from analytics.consumption.limits import HOUR_MS, Limits, Whole, declared, learn
from energy.life import EventKind, MeterEvent
from energy.series import MICRO, Instants

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
ENERGY = "active_energy_import"
# A Monday midnight in UTC: weeks of limits begin on Thursdays, as the epoch did.
MONDAY_MS = 1_772_409_600_000

Read = tuple[Instants, Whole]


def micro(units: Iterable[float] | npt.NDArray[np.float64]) -> Whole:
    return np.rint(np.fromiter(units, np.float64) * MICRO).astype(np.int64)


def quarters(*totals: float, every_ms: int = QUARTER_MS, start_ms: int = 0) -> Read:
    """A register read at equal times."""
    return start_ms + np.arange(len(totals), dtype=np.int64) * every_ms, micro(totals)


def at_hours(pairs: dict[float, float]) -> Read:
    """A register as {hour: total}."""
    return np.array([round(hour * HOUR_MS) for hour in pairs], np.int64), micro(pairs.values())


def told(per_h: float = 100.0, resolution: float = 0.01) -> Limits:
    """The limit of a meter behind a supply of 100 kW, as the site file has it."""
    none = np.empty(0, np.int64)
    nothing = learn(none, none, none, none, 1)
    return declared(nothing, np.array([per_h]), np.array([resolution]), np.zeros(1))


def learnt(t_ms: Instants, register: Whole) -> Limits:
    """The limit that a register itself shows."""
    rise = np.diff(register)
    return learn(np.zeros(len(rise), np.int64), t_ms[1:], rise, np.diff(t_ms), 1)


def of_its_own(read: Read, modulus: float | None = None, life: Life | None = None) -> Steps:
    """Steps of a register of which nothing was told."""
    return steps(*read, learnt(*read), None if modulus is None else round(modulus * MICRO), life)


def happened(kind: EventKind, hour: float, until: float | None = None, **said: float) -> MeterEvent:
    """Something that happened to the meter, at and until an hour."""
    until_ms = None if until is None else round(until * HOUR_MS)
    return MeterEvent("main", kind, round(hour * HOUR_MS), until_ms, **said)  # type: ignore[arg-type]


def life(*events: MeterEvent) -> Life:
    return life_of(events, ENERGY, main=True)


def amounts(found: Steps) -> list[float]:
    return [a / MICRO for a in found.amount.tolist()]


def booked(found: Steps) -> float:
    return int(found.amount.sum()) / MICRO


def verdicts(found: Steps) -> list[Verdict]:
    return [Verdict(v) for v in found.verdict.tolist()]


def disputed_hours(found: Steps) -> list[tuple[float, float]]:
    """Where nothing is booked, as [from, to) in hours."""
    of = np.isin(found.verdict, (Verdict.DISPUTED, Verdict.UNKNOWN))
    return [
        (s / HOUR_MS, e / HOUR_MS) for s, e in zip(found.start_ms[of].tolist(), found.end_ms[of].tolist(), strict=True)
    ]


def days_and_nights(days: int, every_ms: int, *, first: float = 1000.0, by_day: float = 10.0) -> Read:
    """A register of a house that uses `by_day` kWh an hour from eight to six, and 1 kWh an hour at night."""
    count = days * 24 * HOUR_MS // every_ms
    hour = np.arange(count) * every_ms // HOUR_MS % 24
    use = np.where((hour >= 8) & (hour < 18), by_day, 1.0) * every_ms / HOUR_MS
    total = np.r_[first, first + np.cumsum(use)]
    return np.arange(count + 1, dtype=np.int64) * every_ms, micro(total)


def changed(read: Read, at: Sequence[int] | slice, value: float | None = None, by: float = 0.0) -> Read:
    """Another value at some positions, or another by so much."""
    t_ms, register = read[0], read[1].copy()
    register[at] = register[at] + round(by * MICRO) if value is None else round(value * MICRO)
    return t_ms, register


def without(read: Read, rows: slice) -> Read:
    """Without the readings of some rows."""
    keep = np.ones(len(read[0]), bool)
    keep[rows] = False
    return read[0][keep], read[1][keep]
