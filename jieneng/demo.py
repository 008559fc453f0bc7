"""The demo: a campus with a past, its meters alive, everything else as it will be in earnest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from adapters.clocks import SystemClock
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
from jieneng.campus import open_campus
from jieneng.importing import Progress
from jieneng.settings import Settings
from jieneng.shipped import calendar, shipped
from jieneng.story.telling import StoryFile, begin, let_it_have_happened, tell
from jieneng.story.words import StoryWords, read_story

# At least two years; the first of them is whole, so that years can be compared.
PAST_DAYS = 730
# Quarter hours for the newest 400 days, as curves and demands want them; hours before, which all sums are made of.
FINE = timedelta(days=400)
STEP, COARSE_STEP = timedelta(minutes=15), timedelta(hours=1)
# The last hours are as the edge would have read them.
RECENT = timedelta(hours=2)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Demo:
    """What was prepared: the meters that will be played, where their faults are kept, and the story."""

    fleet: Fleet
    faults_file: Path
    story: StoryWords


async def prepare(settings: Settings, progress: Callable[[], Progress]) -> Demo:
    """Make what the demo begins with, where it is not there yet."""
    clock, simulated = SystemClock(), settings.data / "simulated"
    demo = _demo(simulated / "faults.json", clock)
    tariffs = sorted(shipped("tariffs").glob("*.yaml"))
    await give_tariffs(settings.records_address, tariffs, clock)
    rules, roster = (shipped(f"demo-{name}.yaml").read_text(encoding="utf-8") for name in ("alerts", "duty"))
    await give_alarms(settings.records_address, demo.fleet.site, rules, roster, clock)
    until_ms: int | None = None
    store, file = settings.data / "readings.duckdb", StoryFile(simulated / "story.json")
    if not store.exists():
        days = begin(file, demo.fleet, calendar(), clock)
        let_it_have_happened(demo.story, days, demo.fleet)
        until_ms = await give_past(demo.fleet, store, days.begins(PAST_DAYS), clock, progress())
    # A folder of another kind of past has no story.
    if file.day is not None and not file.is_told:
        days = begin(file, demo.fleet, calendar(), clock)
        await tell(demo.story, days, demo.fleet, settings, clock, progress())
        file.keep(days.today, told=True)
    if until_ms is not None:
        await give_meanwhile(demo.fleet, store, until_ms, clock)
    return demo


def _demo(faults_file: Path, clock: Clock) -> Demo:
    fleet = open_campus(None, None, faults_file, clock)
    return Demo(fleet, faults_file, read_story(shipped("demo-story.yaml"), fleet.site, fleet.faults.faults))


async def give_past(fleet: Fleet, store: Path, first: date, clock: Clock, progress: Progress) -> int:
    """Store what each meter's registers have shown from a day on; up to which instant that was.

    Of each meter the headline and the counters: what a bureau brings along from its old system. The file is there when
    all of it is: a start that died leaves none.
    """
    making = store.with_name(f"{store.name}.making")
    for left in (making, making.with_name(f"{making.name}.wal")):
        await asyncio.to_thread(left.unlink, missing_ok=True)
    now_ms = to_ms(clock.now())
    first_ms = to_ms(datetime(first.year, first.month, first.day, tzinfo=fleet.site.zone_info))
    async with open_store(f"duckdb:{making}") as opened:
        with progress:
            for i, meter in enumerate(fleet.site.meters):
                progress.at("the past of the campus", i / len(fleet.site.meters))
                await opened.write(_columns(fleet, meter, _instants(first_ms, now_ms, meter)))
            progress.at("the past of the campus", 1.0)
            progress.at("putting days in order", 0.0)
            await opened.maintain(now_ms)
            progress.at("putting days in order", 1.0)
    await asyncio.to_thread(making.replace, store)
    return now_ms


async def give_meanwhile(fleet: Fleet, store: Path, since_ms: int, clock: Clock) -> None:
    """Store what the meters have shown since, so that curves have no gap where the story was told."""
    now_ms = to_ms(clock.now())
    async with open_store(f"duckdb:{store}") as opened:
        for meter in fleet.site.meters:
            instants = _ticks(since_ms + 1, now_ms + 1, int(meter.interval_s * 1000))
            if len(instants):
                await opened.write(_columns(fleet, meter, instants))


def _instants(first_ms: int, now_ms: int, meter: Meter) -> Instants:
    """Hours, then quarter hours of the past, then the meter's own ticks up to now."""
    recent_ms = now_ms - RECENT // _MS
    fine_ms = max(first_ms, now_ms - FINE // _MS)
    interval_ms = int(meter.interval_s * 1000)
    return np.concatenate(
        [
            _ticks(first_ms, fine_ms, COARSE_STEP // _MS),
            _ticks(fine_ms, recent_ms, STEP // _MS),
            _ticks(recent_ms, now_ms + 1, interval_ms),
        ]
    )


def _ticks(start_ms: int, end_ms: int, step_ms: int) -> Instants:
    """The multiples of a step in [start, end)."""
    return np.arange(-(-start_ms // step_ms), -(-end_ms // step_ms), dtype=np.int64) * step_ms


def _columns(fleet: Fleet, meter: Meter, instants: Instants) -> ReadingColumns:
    names = [n for n in meter.quantities if n == meter.headline or quantity(n).kind is Kind.COUNTER]
    instants = instants[fleet.answers(meter.id, instants)]
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
    """Enter the rules and the roster of the demo, each where there is none; whether either was entered."""
    async with open_records(records_address) as records:
        alerts = open_alerts(records, clock, lambda: site, bytes(32))
        why = "the examples that are shipped"
        if without_rules := not (await alerts.rules.newest()).number:
            await alerts.rules.save(rules, "demo", why)
        if without_roster := not (await alerts.duty.roster()).kept.number:
            await alerts.duty.save(roster, "demo", why)
    return without_rules or without_roster
