"""How sure a forecast is: by how much forecasts of the same stage missed before (split conformal, pooled by medium)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from analytics.quotas.daily import Floats

# An interval of nine tenths needs so many misses on each side to be told apart from the worst that happened.
LEAST_MISSES = 39
_SMALLEST = 1e-3


class Horizon(StrEnum):
    """To the end of what is forecast."""

    MONTH = "month"
    YEAR = "year"


# How much of the period had gone by, at most, in shares: a stage ends where the next one begins.
STAGES: Mapping[Horizon, tuple[float, ...]] = {
    Horizon.MONTH: (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0),
    Horizon.YEAR: (0.13, 0.21, 0.3, 0.38, 0.46, 0.55, 0.63, 0.71, 0.8, 0.88, 0.96, 1.0),
}


def stage_of(horizon: Horizon, gone: float) -> int:
    """The stage of a share of the period that has gone by.

    >>> stage_of(Horizon.MONTH, 5 / 30)
    1
    """
    return int(np.searchsorted(STAGES[horizon], min(max(gone, 0.0), 1.0)))


@dataclass(frozen=True, slots=True)
class Misses:
    """What the rest of a period came to, by what was expected of it: logarithms, in order."""

    logs: Floats
    source: str = ""

    @classmethod
    def of(cls, ratios: Iterable[float], source: str = "") -> Misses:
        """Of ratios of what came to what was expected; those that are no number are left out."""
        given = np.array(list(ratios), dtype=np.float64)
        return cls(np.sort(np.log(np.maximum(given[np.isfinite(given)], _SMALLEST))), source)

    def interval(self, used: Floats, expected: Floats, share: float = 0.9) -> tuple[Floats, Floats]:
        """(m,) the least and the most of the whole period, in which it lies with a chance of `share`.

        used, expected : (m,) what was used, and what is expected of the rest.
        """
        low, high = np.exp(self._quantile((1 - share) / 2)), np.exp(self._quantile((1 + share) / 2))
        return used + expected * low, used + expected * high

    def chance_above(self, used: Floats, expected: Floats, quota: Floats) -> Floats:
        """(m,) the chance that the whole period comes to more than a quota; never 0 or 1 while something is to come.

        NaN where nothing is expected to be known.
        """
        left = quota - used
        ratio = np.where(expected > 0, left / np.where(expected > 0, expected, 1.0), np.where(left < 0, 0.0, np.inf))
        above = len(self.logs) - np.searchsorted(
            self.logs, np.log(np.maximum(np.nan_to_num(ratio, posinf=1e300), _SMALLEST / 2)), side="right"
        )
        chance = (above + 0.5) / (len(self.logs) + 1)
        chance = np.where(left < 0, 1.0, chance)
        return np.where(np.isfinite(expected) & np.isfinite(quota), chance, np.nan)

    def _quantile(self, share: float) -> float:
        """The order statistic that keeps the promise for the next one, not for those seen (n + 1 in place of n)."""
        n = len(self.logs)
        if n == 0:
            raise ValueError("no misses are known: there is nothing to tell an interval by")
        rank = np.ceil((n + 1) * share) - 1 if share > 0.5 else np.floor((n + 1) * share) - 1
        return float(self.logs[int(np.clip(rank, 0, n - 1))])


@dataclass(slots=True)
class Calibration:
    """Misses by medium, horizon and stage."""

    misses: dict[tuple[str, Horizon, int], Misses] = field(default_factory=dict)

    def at(self, medium: str, horizon: Horizon, gone: float) -> Misses | None:
        """The misses of a stage; None where too few are known to promise anything."""
        found = self.misses.get((medium, horizon, stage_of(horizon, gone)))
        return found if found is not None and len(found.logs) >= LEAST_MISSES else None
