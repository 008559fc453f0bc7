"""The demo: a campus with a past, its meters alive, everything else as it will be in earnest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from adapters.stores import open_store
from collectors.simulators.fleet import Fleet
from energy.ports import Clock
from energy.quantities import Kind, quantity
from energy.readings import ReadingColumns, to_ms
from energy.series import Instants
from energy.sites import Meter, Site
from gateway.alerts.opening import open_alerts
from gateway.records.database import open_records
from gateway.tariffs.documents import documents_of
from gateway.tariffs.service import Tariffs
from jieneng.importing import Progress

PAST = timedelta(days=400)
STEP = timedelta(minutes=15)
# The last hours are as the edge would have read them.
RECENT = timedelta(hours=2)
_MS = timedelta(milliseconds=1)


async def give_past(fleet: Fleet, store_address: str, clock: Clock, progress: Progress) -> int:
    """Store what each meter's registers have shown every 15 minutes of the past, once; how many values that were.

    Of each meter the headline and the counters: what a bureau brings along from its old system.
    """
    async with open_store(store_address) as store:
        if await store.points():
            return 0
        now_ms = to_ms(clock.now())
        values = 0
        with progress:
            for i, meter in enumerate(fleet.site.meters):
                progress.at("the past of the campus", i / len(fleet.site.meters))
                values += (await store.write(_columns(fleet, meter, _instants(now_ms, meter)))).stored
            progress.at("putting days in order", 0.0)
            await store.maintain(to_ms(clock.now()))
            progress.at("the past of the campus", 1.0)
            progress.at("putting days in order", 1.0)
    return values


def _instants(now_ms: int, meter: Meter) -> Instants:
    """Quarter hours of the past, then the meter's own ticks up to now."""
    recent_ms = now_ms - RECENT // _MS
    past = np.arange(now_ms - PAST // _MS, recent_ms, STEP // _MS, dtype=np.int64) // (STEP // _MS) * (STEP // _MS)
    interval_ms = int(meter.interval_s * 1000)
    recent = np.arange(recent_ms // interval_ms + 1, now_ms // interval_ms + 1, dtype=np.int64) * interval_ms
    return np.concatenate([past, recent])


def _columns(fleet: Fleet, meter: Meter, instants: Instants) -> ReadingColumns:
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


async def give_tariffs(records_address: str, files: Sequence[Path], clock: Clock) -> int:
    """Enter the tariffs that are shipped as examples, where there are none; how many those are."""
    async with open_records(records_address) as records:
        tariffs = Tariffs(records, clock)
        if await tariffs.kept():
            return 0
        documents = {k: text for file in files for k, text in documents_of(file).items()}
        await tariffs.apply(documents, await tariffs.differences(documents), "demo", "the examples that are shipped")
    return len(documents)


async def give_alarms(records_address: str, site: Site, rules: str, roster: str, clock: Clock) -> bool:
    """Enter the rules and the roster that are shipped as examples, where there are none; whether there were none."""
    async with open_records(records_address) as records:
        alerts = open_alerts(records, clock, lambda: site, bytes(32))
        if (await alerts.rules.newest()).number or (await alerts.duty.roster()).kept.number:
            return False
        why = "the examples that are shipped"
        await alerts.rules.save(rules, "demo", why)
        await alerts.duty.save(roster, "demo", why)
    return True


def store_is_new(data: Path) -> bool:
    """Whether the demo has never run in this folder."""
    return not (data / "readings.duckdb").exists()
