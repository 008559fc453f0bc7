"""Loads over time whose counters are their exact integrals: power is the slope of energy at every instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from collectors.simulators.ripple import waves
from energy.series import Floats, Instants

HOUR_MS = 3_600_000
Window = tuple[int, int | None]
_FOR_EVER = np.iinfo(np.int64).max


class Load(Protocol):
    """What flows through a meter, a pure function of time; `t_ms` are instants since the epoch, of shape (n,)."""

    def rate(self, t_ms: Instants) -> Floats:
        """The flow at each instant, per hour: kW, m3/h; (n,)."""

    def total(self, t_ms: Instants) -> Floats:
        """The integral of `rate` up to each instant, over what the register held at first: kWh, m3; (n,)."""


class Course:
    """A load that is linear within intervals of equal length, and moves about that line by waves of whole periods.

    Parameters
    ----------
    origin_ms, step_ms : where the first interval begins, and how long each is.
    begins, ends : (n,) rate at the beginning and just before the end of each interval [unit/h], none negative.
    register : what the counter holds at the origin [unit].
    ripple : greatest height of the waves, as a share of the interval's lesser end; 0..1.
    seed : of the waves.

    Before the origin and after the last interval nothing flows.
    """

    def __init__(
        self,
        origin_ms: int,
        step_ms: int,
        begins: npt.NDArray[np.floating],
        ends: npt.NDArray[np.floating],
        *,
        register: float = 0.0,
        ripple: float = 0.0,
        seed: int = 0,
    ) -> None:
        if not 0 <= ripple <= 1:
            raise ValueError(f"ripple {ripple} is not within 0..1")
        self.origin_ms, self.step_ms = origin_ms, step_ms
        self.end_ms = origin_ms + step_ms * len(begins)
        self._begins, self._ends = begins, ends
        self._register, self._ripple, self._seed = register, ripple, seed
        steps = (begins.astype(np.float64) + ends) * (step_ms / HOUR_MS / 2)
        self._totals = np.concatenate(([0.0], np.cumsum(steps)))

    @classmethod
    def through(
        cls,
        origin_ms: int,
        step_ms: int,
        knots: npt.NDArray[np.floating],
        *,
        register: float = 0.0,
        ripple: float = 0.0,
        seed: int = 0,
    ) -> Course:
        """The course that has these rates, of shape (n + 1,), at the borders of its n intervals."""
        return cls(origin_ms, step_ms, knots[:-1], knots[1:], register=register, ripple=ripple, seed=seed)

    @property
    def instants(self) -> Instants:
        """The borders of the intervals, (n + 1,)."""
        return self.origin_ms + self.step_ms * np.arange(len(self._totals), dtype=np.int64)

    def rate(self, t_ms: Instants) -> Floats:
        k, x = self._place(t_ms)
        begins, ends = self._begins[k].astype(np.float64), self._ends[k].astype(np.float64)
        rate = begins + (ends - begins) * x
        if self._ripple:
            cycles, height = waves(self._seed, k, self.step_ms / 1000)
            depth = self._ripple * np.minimum(begins, ends)
            rate = rate + depth * np.sum(height * np.sin(2 * np.pi * cycles * x), axis=0)
        inside = (t_ms >= self.origin_ms) & (t_ms < self.end_ms)
        return np.where(inside, np.maximum(rate, 0.0), 0.0)

    def total(self, t_ms: Instants) -> Floats:
        k, x = self._place(t_ms)
        begins, ends = self._begins[k].astype(np.float64), self._ends[k].astype(np.float64)
        area = begins * x + (ends - begins) * (x * x / 2)
        if self._ripple:
            cycles, height = waves(self._seed, k, self.step_ms / 1000)
            turn = 2 * np.pi * cycles
            depth = self._ripple * np.minimum(begins, ends)
            area = area + depth * np.sum(height * (1 - np.cos(turn * x)) / turn, axis=0)
        within = self._totals[k] + area * (self.step_ms / HOUR_MS)
        # Rounding must not let the counter fall at a border.
        return self._register + np.clip(within, self._totals[k], self._totals[k + 1])

    def _place(self, t_ms: Instants) -> tuple[Instants, Floats]:
        """The interval of each instant, and how far into it the instant is, 0..1."""
        k = np.clip((t_ms - self.origin_ms) // self.step_ms, 0, len(self._begins) - 1)
        x = np.clip((t_ms - self.origin_ms - k * self.step_ms) / self.step_ms, 0.0, 1.0)
        return k, x


class Together:
    """Loads that flow through one meter."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._loads = tuple(loads)

    def rate(self, t_ms: Instants) -> Floats:
        return sum((load.rate(t_ms) for load in self._loads), np.zeros(len(t_ms)))

    def total(self, t_ms: Instants) -> Floats:
        return sum((load.total(t_ms) for load in self._loads), np.zeros(len(t_ms)))


class Steady:
    """The same rate at every instant; its counter is 0 at `origin_ms`."""

    def __init__(self, rate: float, origin_ms: int) -> None:
        self._rate, self._origin_ms = rate, origin_ms

    def rate(self, t_ms: Instants) -> Floats:
        return np.full(len(t_ms), self._rate)

    def total(self, t_ms: Instants) -> Floats:
        return np.asarray(self._rate * ((t_ms - self._origin_ms) / HOUR_MS))


class Times:
    """A load so many times over; below 0 it takes away from what it flows together with."""

    def __init__(self, load: Load, times: float) -> None:
        self._load, self._times = load, times

    def rate(self, t_ms: Instants) -> Floats:
        return self._times * self._load.rate(t_ms)

    def total(self, t_ms: Instants) -> Floats:
        return self._times * self._load.total(t_ms)


class Within:
    """A load that flows only within windows [from, to); what flowed stays in the counter for good."""

    def __init__(self, load: Load, windows: Sequence[Window]) -> None:
        self._load = load
        self._windows = [(start, _FOR_EVER if end is None else end) for start, end in windows]

    def rate(self, t_ms: Instants) -> Floats:
        flows = np.zeros(len(t_ms), dtype=bool)
        for start, end in self._windows:
            flows |= (t_ms >= start) & (t_ms < end)
        return np.where(flows, self._load.rate(t_ms), 0.0)

    def total(self, t_ms: Instants) -> Floats:
        total = np.zeros(len(t_ms))
        for start, end in self._windows:
            before = self._load.total(np.array([start], dtype=np.int64))
            total += self._load.total(np.clip(t_ms, start, end)) - before
        return total


class Converted:
    """Another measure of the same flow, at a factor that is constant within each step: gas at its actual state,
    water that carried a heat.

    `factors` gives the factor of each step by its number since the epoch, (n,) -> (n,); what the load's register held
    at the first border is converted by the first.
    """

    def __init__(self, load: Load, factors: Callable[[Instants], Floats], borders: Instants) -> None:
        self._load, self._factors, self._borders = load, factors, borders
        self._step_ms = int(borders[1] - borders[0])
        self._of_load = load.total(borders)
        steps = np.diff(self._of_load) * factors(borders[:-1] // self._step_ms)
        first = self._of_load[:1] * factors(borders[:1] // self._step_ms)
        self._totals = np.concatenate((first, first + np.cumsum(steps)))

    def rate(self, t_ms: Instants) -> Floats:
        return self._load.rate(t_ms) * self._factors(t_ms // self._step_ms)

    def total(self, t_ms: Instants) -> Floats:
        k = np.clip((t_ms - self._borders[0]) // self._step_ms, 0, len(self._totals) - 2)
        since = (self._load.total(t_ms) - self._of_load[k]) * self._factors(self._borders[k] // self._step_ms)
        return np.asarray(np.clip(self._totals[k] + since, self._totals[k], self._totals[k + 1]))
