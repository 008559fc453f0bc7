"""Files of readings into a store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.reading_files import PointCheck, ReadingFile, RefusedRow, check_point
from adapters.stores import open_stores
from energy.errors import UnknownName
from energy.ports import Clock, ReadingStore
from energy.readings import Point, to_ms
from energy.sites import Site


class Progress(AbstractContextManager["Progress"], Protocol):
    """Whom to tell how far it has come."""

    def at(self, what: str, share: float) -> None:
        """`what` has come so far, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a file."""

    path: Path
    rows: int
    stored: int
    repeated: int
    refused: list[RefusedRow]
    new_meters: list[str]
    after_now: int
    seconds: float


async def import_files(
    files: Sequence[Path], stores: tuple[str, str | None], site_file: Path | None, progress: Progress
) -> list[Imported]:
    """Import files one after another; what was good in each is stored, all else is told."""
    from adapters.clocks import SystemClock
    from jieneng.composition import load_installed

    check = within(load_installed(site_file).site) if site_file is not None else check_point
    clock = SystemClock()
    async with open_stores(*stores) as (store, _):
        with progress:
            results = [await _import(file, store, check, progress, clock) for file in files]
            progress.at("putting days in order", 0.0)
            await store.maintain(to_ms(clock.now()))
            progress.at("putting days in order", 1.0)
    return results


def within(site: Site) -> PointCheck:
    """A check that takes only the meters of a site, within their bounds."""

    def check(point: Point) -> tuple[float, float]:
        check_point(point)
        for meter in site.meters:
            if meter.id == point.meter:
                return meter.bounds(point.quantity)
        raise UnknownName(f"meter {point.meter!r} is not in site {site.id!r}")

    return check


async def _import(path: Path, store: ReadingStore, check: PointCheck, progress: Progress, clock: Clock) -> Imported:
    began = time.perf_counter()
    before = {point.meter for point in await store.points()}
    stored = repeated = 0
    conflicting: list[int] = []
    by_store: dict[int, str] = {}
    with ReadingFile(path, check) as file:
        await _stage(file, progress, path)
        for chunk in file.chunks():
            written = await store.write(chunk.columns)
            stored, repeated = stored + written.stored, repeated + written.repeated
            conflicting += chunk.row[written.conflicting].tolist()
            by_store |= {int(chunk.row[position]): why for position, why in written.refused}
            progress.at(f"{path.name}: storing", int(chunk.row[-1]) / file.rows if len(chunk.row) else 1.0)
        progress.at(f"{path.name}: storing", 1.0)
        refused = await asyncio.to_thread(lambda: list(file.refused(conflicting, by_store)))
        after_now = file.after(to_ms(clock.now()))
        rows = file.rows
    meters = {point.meter for point in await store.points()}
    seconds = time.perf_counter() - began
    return Imported(path, rows, stored, repeated, refused, sorted(meters - before), after_now, seconds)


async def _stage(file: ReadingFile, progress: Progress, path: Path) -> None:
    staging = asyncio.create_task(asyncio.to_thread(file.stage))
    while not staging.done():
        await asyncio.wait([staging], timeout=0.2)
        progress.at(f"{path.name}: reading", file.progress())
    await staging
    progress.at(f"{path.name}: reading", 1.0)
