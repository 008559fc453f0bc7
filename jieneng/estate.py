"""A real estate played by simulated meters: a site made from recordings, and the loads that were recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from adapters.recordings import Recording, read_recordings
from collectors.simulators.recorded import Recording as RecordedPlant
from collectors.simulators.recorded import recorded_course
from collectors.simulators.ripple import seed_of
from energy.quantities import Medium
from energy.readings import to_ms
from energy.series import Floats, Instants

FIRST_PORT = 15101
METERS_PER_LINE = 10
# Gas is recorded in kWh and metered in m3: 38 MJ/m3, a usual calorific value of natural gas.
KWH_PER_M3 = 38 / 3.6
# Weeks are whole and the season is the same: recordings are moved by multiples of this.
_YEAR_MS = 364 * 86_400_000
_READ = {
    "schneider/iem3155": ["active_power", "active_energy_import", "voltage_l1", "current_l1", "frequency"],
    "eastron/sdm630": ["active_power", "active_energy_import", "voltage_l1", "current_l1", "power_factor"],
    "fuxin/gas-corrector": ["flow_rate_standard", "volume_standard", "temperature", "pressure"],
}


class Estate:
    """Recordings moved by whole weeks to the time they are played at.

    Counters begin at zero with the year of `now`, or with `play_from`; after `play_to` nothing flows.
    """

    def __init__(
        self, folder: Path, now: datetime, *, play_from: datetime | None = None, play_to: datetime | None = None
    ) -> None:
        self._recordings = {meter_id(r): r for r in read_recordings(folder)}
        last = max(int(r.hours_ms[-1]) for r in self._recordings.values())
        self.shift_ms = _YEAR_MS * max(0, -((last - to_ms(now)) // _YEAR_MS))
        year = now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        self._first_ms = to_ms(play_from or year) - self.shift_ms
        self._last_ms = to_ms(play_to) - self.shift_ms if play_to else last + 1

    @property
    def recordings(self) -> Iterable[Recording]:
        return self._recordings.values()

    def plant(self) -> RecordedPlant:
        """The loads, for a fleet to play."""
        return RecordedPlant({m: recorded_course(*self.played(m), seed=seed_of("estate", m)) for m in self._recordings})

    def played(self, meter: str) -> tuple[Instants, Floats]:
        """What a meter plays: begins of hours (n,) as moved, and consumption of each (n,) [kWh, gas in m3]."""
        recording = self._recordings[meter]
        chosen = (recording.hours_ms >= self._first_ms) & (recording.hours_ms < self._last_ms)
        per_hour = np.nan_to_num(recording.kwh[chosen])
        if recording.medium is Medium.GAS:
            per_hour = per_hour / KWH_PER_M3
        return recording.hours_ms[chosen] + self.shift_ms, per_hour


def meter_id(recording: Recording) -> str:
    """The id of the meter that plays a recording."""
    return f"{recording.building}-{recording.medium}"


def estate_words(
    recordings: Iterable[Recording], *, every: str = "60s", first_port: int = FIRST_PORT
) -> dict[str, Any]:
    """The site file of an estate, as data: a place per building, a line per ten meters."""
    found = sorted(recordings, key=meter_id)
    lines = -(-len(found) // METERS_PER_LINE)
    buildings = sorted({r.building for r in found})
    return {
        "site": "estate",
        "name": {"zh": "真实园区", "en": "Real estate"},
        "zone": "Europe/London",
        "places": [{"id": b, "name": {"zh": f"{b} 楼", "en": f"Building {b}"}} for b in buildings],
        "lines": [{"id": f"line-{i + 1}", "address": f"tcp://127.0.0.1:{first_port + i}"} for i in range(lines)],
        "meters": [_meter(r, i, every) for i, r in enumerate(found)],
    }


def _meter(recording: Recording, i: int, every: str) -> dict[str, Any]:
    gas = recording.medium is Medium.GAS
    profile = "fuxin/gas-corrector" if gas else ("schneider/iem3155", "eastron/sdm630")[i % 2]
    names = ("燃气", "gas") if gas else ("电", "electricity")
    return {
        "id": meter_id(recording),
        "name": {"zh": f"{recording.building} {names[0]}", "en": f"{recording.building} {names[1]}"},
        "medium": str(recording.medium),
        "place": recording.building,
        "line": f"line-{i // METERS_PER_LINE + 1}",
        "unit": i % METERS_PER_LINE + 1,
        "profile": profile,
        "every": every,
        "read": _READ[profile],
    }


def write_estate_site(words: dict[str, Any], path: Path) -> None:
    """Write the site file, for an edge and a gateway to run on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(words, allow_unicode=True, sort_keys=False, width=120)
    path.write_text(f"# Made by `jieneng simulate --data`: the meters that it plays.\n{text}", encoding="utf-8")
