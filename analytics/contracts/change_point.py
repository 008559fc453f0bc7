"""Change-point models: energy of a day by its mean outdoor temperature, 1 to 5 parameters, chosen by BIC.

    energy = base + heating * max(0, heating_below - T) + cooling * max(0, T - cooling_above)

The shapes are those of ASHRAE Guideline 14: a mean (1P), a line (2P), one sloped side (3P), two that meet (4P), two
with a flat part between (5P). Slopes are never below zero but for the line: a building is
not heated more when it is warm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy.series import Floats

# Change points are looked for on this grid [degC], between these quantiles of the temperatures that there were.
STEP = 0.5
_WITHIN = (0.05, 0.95)
# A line is a slope whose change point lies beyond all weather [degC].
BEYOND = 60.0
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Curve:
    """Energy of a day by temperature; without a side its slope is 0 [energy; energy/K; degC]."""

    base: float
    heating: float = 0.0
    heating_below: float = 0.0
    cooling: float = 0.0
    cooling_above: float = 0.0
    parameters: int = 1

    def at(self, temperature: Floats) -> Floats:
        """(n,) energy of days of these temperatures."""
        below = np.maximum(0.0, self.heating_below - temperature)
        above = np.maximum(0.0, temperature - self.cooling_above)
        made: Floats = self.base + self.heating * below + self.cooling * above
        return made


@dataclass(frozen=True, slots=True)
class Fitted:
    """A curve, and the sum of the squares that it leaves."""

    curve: Curve
    rss: float


def best_of_each(temperature: Floats, energy: Floats) -> Iterator[Fitted]:
    """The curve of least squares of each shape that can be told from the data.

    temperature : (n,) mean of each day [degC]. energy : (n,) of the same days. All finite, n at least 1.
    """
    mean = float(energy.mean())
    spread = float(((energy - mean) ** 2).sum())
    yield Fitted(Curve(mean), spread)
    if len(energy) < 3 or float(np.ptp(temperature)) < STEP:
        return
    yield _line(temperature, energy, spread)
    grid = _grid(temperature)
    sides = _Sides(temperature, energy, grid, spread)
    yield from sides.one()
    yield from sides.two()


def best(temperature: Floats, energy: Floats) -> Fitted:
    """The shape of least BIC; of two alike the simpler."""
    found = list(best_of_each(temperature, energy))
    return min(found, key=lambda f: (bic(f.rss, len(energy), f.curve.parameters), f.curve.parameters))


def bic(rss: float, n: int, parameters: int) -> float:
    """Schwarz' criterion of a fit of n days: the less the better."""
    return float(n * np.log(max(rss, _LEAST) / n) + parameters * np.log(n))


def _grid(temperature: Floats) -> Floats:
    low, high = np.quantile(temperature, _WITHIN)
    made: Floats = np.arange(np.ceil(low / STEP), np.floor(high / STEP) + 1) * STEP
    return made


def _line(temperature: Floats, energy: Floats, spread: float) -> Fitted:
    t, y = temperature - temperature.mean(), energy - energy.mean()
    slope = float((t * y).sum() / (t * t).sum())
    left = spread - slope * float((t * y).sum())
    at_zero = float(energy.mean()) - slope * float(temperature.mean())
    if slope > 0:
        return Fitted(Curve(at_zero - slope * BEYOND, cooling=slope, cooling_above=-BEYOND, parameters=2), left)
    return Fitted(Curve(at_zero + slope * BEYOND, heating=-slope, heating_below=BEYOND, parameters=2), left)


class _Sides:
    """All change points of the grid at once: sums of squares and products, (m,) of one side, (m, m) of two."""

    def __init__(self, temperature: Floats, energy: Floats, grid: Floats, spread: float) -> None:
        below = np.maximum(0.0, grid[None, :] - temperature[:, None])
        above = np.maximum(0.0, temperature[:, None] - grid[None, :])
        self._grid, self._spread, self._mean = grid, spread, float(energy.mean())
        self._below_mean, self._above_mean = below.mean(axis=0), above.mean(axis=0)
        below, above, y = below - self._below_mean, above - self._above_mean, energy - self._mean
        self._bb, self._aa, self._ba = (below**2).sum(axis=0), (above**2).sum(axis=0), below.T @ above
        self._by, self._ay = below.T @ y, above.T @ y

    def one(self) -> Iterator[Fitted]:
        """3P: a side that is heated, and one that is cooled."""
        if len(self._grid) == 0:
            return
        for slope, squares, products, mean, side in (
            (self._by / self._bb, self._bb, self._by, self._below_mean, "heating"),
            (self._ay / self._aa, self._aa, self._ay, self._above_mean, "cooling"),
        ):
            left = np.where((squares > 0) & (slope > 0), self._spread - slope * products, np.inf)
            i = int(np.argmin(left))
            if np.isfinite(left[i]):
                base = self._mean - float(slope[i] * mean[i])
                at = {side: float(slope[i]), _point(side): float(self._grid[i])}
                yield Fitted(Curve(base, **at, parameters=3), float(left[i]))

    def two(self) -> Iterator[Fitted]:
        """4P: both sides meet; 5P: nothing happens between them."""
        if len(self._grid) == 0:
            return
        determinant = self._bb[:, None] * self._aa[None, :] - self._ba**2
        whole = determinant > 1e-9 * self._bb[:, None] * self._aa[None, :]
        safe = np.where(whole, determinant, 1.0)
        heating = (self._by[:, None] * self._aa[None, :] - self._ay[None, :] * self._ba) / safe
        cooling = (self._ay[None, :] * self._bb[:, None] - self._by[:, None] * self._ba) / safe
        left = self._spread - heating * self._by[:, None] - cooling * self._ay[None, :]
        fits = whole & (heating > 0) & (cooling > 0)
        apart = np.triu(np.ones(left.shape, bool), 1)
        for allowed, parameters in ((np.eye(len(left), dtype=bool), 4), (apart, 5)):
            yield from self._least(np.where(fits & allowed, left, np.inf), heating, cooling, parameters)

    def _least(
        self, left: npt.NDArray[np.float64], heating: Floats, cooling: Floats, parameters: int
    ) -> Iterator[Fitted]:
        i, j = np.unravel_index(int(np.argmin(left)), left.shape)
        if not np.isfinite(left[i, j]):
            return
        h, c = float(heating[i, j]), float(cooling[i, j])
        base = self._mean - h * float(self._below_mean[i]) - c * float(self._above_mean[j])
        curve = Curve(base, h, float(self._grid[i]), c, float(self._grid[j]), parameters)
        yield Fitted(curve, float(left[i, j]))


def _point(side: str) -> str:
    return "heating_below" if side == "heating" else "cooling_above"
