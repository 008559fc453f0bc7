"""Weather that is a pure function of time: the year, the day and the fronts that pass in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.simulators.ripple import seed_of, wander
from energy.series import Floats, Instants

DAY_MS = 86_400_000
# Asia/Shanghai has kept UTC+8 without summer time since 1991.
ZONE_MS = 8 * 3_600_000
_YEAR_MS = 365.2425 * DAY_MS
_FRONT_DAYS, _FRONT_K = (2.9, 4.7, 8.3, 15.1), (1.2, 1.8, 1.6, 1.2)
_LATITUDE = np.radians(34.3)


@dataclass(frozen=True, slots=True)
class Weather:
    """The air outside: `mean` over the year [°C], swings of the year and of the day about it [K]."""

    seed: int
    mean: float = 14.3
    year_swing: float = 13.6
    day_swing: float = 4.2

    def outside(self, t_ms: Instants) -> Floats:
        """Temperature of the air [°C] at each instant, (n,); coldest in mid-January, warmest at 15:00 local time."""
        local = t_ms + ZONE_MS
        year = np.cos(2 * np.pi * ((local % _YEAR_MS) / _YEAR_MS - 17 / 365))
        day = np.cos(2 * np.pi * ((local % DAY_MS) / DAY_MS - 15 / 24))
        fronts = wander(seed_of(self.seed, "fronts"), t_ms, [d * 86400 for d in _FRONT_DAYS], _FRONT_K)
        return np.asarray(self.mean - self.year_swing * year + self.day_swing * day + fronts)


def cooling_demand(outside: Floats) -> Floats:
    """How much of the installed cooling the air asks for, 0..1, from its temperature [°C]."""
    return np.clip((outside - 23.0) / 13.0, 0.0, 1.0)


def heating_demand(outside: Floats, season: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """How much of the installed heating the air asks for, 0..1, from its temperature [°C]; 0 outside the season."""
    return np.where(season, np.clip((18.0 - outside) / 26.0, 0.08, 1.0), 0.0)


def heating_season(t_ms: Instants) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the central heating runs: from 15 November to 15 March, both days included."""
    days = (t_ms + ZONE_MS) // DAY_MS
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month, day = months.astype(np.int64) % 12 + 1, (dates - months).astype(np.int64) + 1
    return np.asarray((month == 12) | (month <= 2) | ((month == 11) & (day >= 15)) | ((month == 3) & (day <= 15)))


def darkness(t_ms: Instants) -> Floats:
    """How dark it is outside, 0..1, by the height of the sun; lamps burn fully from the end of civil dusk on."""
    local = t_ms + ZONE_MS
    declination = -np.radians(23.44) * np.cos(2 * np.pi * ((local % _YEAR_MS) / _YEAR_MS + 10 / 365))
    hour_angle = 2 * np.pi * ((local % DAY_MS) / DAY_MS - 0.5)
    height = np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.clip(0.5 - height / 0.2, 0.0, 1.0))


def overhead(outside: Floats) -> Floats:
    """What a data room draws beside its machines, as a share of them (PUE - 1): free cooling in winter, chillers later.

    From 0.22 at 5 °C and below to 0.55 at 35 °C.
    """
    return 0.22 + 0.33 * np.clip((outside - 5.0) / 30.0, 0.0, 1.0) ** 1.4
