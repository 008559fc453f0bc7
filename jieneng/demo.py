"""The demo: a campus with a past, its meters alive, everything else as it will be in earnest."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from adapters.stores import open_store
from collectors.simulators.fleet import Fleet
from energy.ports import Clock
from energy.quantities import Kind, quantity
from energy.readings import ReadingColumns, to_ms
from energy.sites import Meter
from jieneng.importing import Progress

PAST = timedelta(days=400)
_STEP_MS = 15 * 60 * 1000


async def give_past(fleet: Fleet, store_address: str, clock: Clock, progress: Progress) -> int:
    """Store what each meter's registers have shown every 15 minutes of the past, once; how many values that were.

    Of each meter the headline and the counters: what a bureau brings along from its old system.
    """
    async with open_store(store_address) as store:
        if await store.points():
            return 0
        instants = _instants(clock.now())
        values = 0
        with progress:
            for i, meter in enumerate(fleet.site.meters):
                progress.at("the past of the campus", i / len(fleet.site.meters))
                values += (await store.write(_columns(fleet, meter, instants))).stored
            progress.at("putting days in order", 0.0)
            await store.maintain(to_ms(clock.now()))
            progress.at("the past of the campus", 1.0)
            progress.at("putting days in order", 1.0)
    return values


def _instants(now: datetime) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    until = to_ms(now) // _STEP_MS * _STEP_MS
    count = int(PAST / timedelta(milliseconds=_STEP_MS))
    return until - _STEP_MS * np.arange(count, -1, -1, dtype=np.int64)


def _columns(fleet: Fleet, meter: Meter, instants: np.ndarray[tuple[int], np.dtype[np.int64]]) -> ReadingColumns:
    names = [n for n in meter.quantities if n == meter.headline or quantity(n).kind is Kind.COUNTER]
    history = fleet.histories(meter.id, names, instants)
    points = [point for point in meter.points if point.quantity in names]
    n = len(instants)
    return ReadingColumns.of(
        points,
        np.repeat(np.arange(len(points), dtype=np.int32), n),
        np.tile(instants, len(points)),
        np.concatenate([history[point.quantity] for point in points]),
    )


def store_is_new(data: Path) -> bool:
    """Whether the demo has never run in this folder."""
    return not (data / "readings.duckdb").exists()
