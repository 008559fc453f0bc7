"""Books over a store in memory, and readings for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from adapters.stores import open_stores
from analytics.carbon.factor_file import read_factors
from energy.life import MeterEvent
from energy.periods import Span
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Site, Text
from gateway.ledger.books import Books, Kept
from gateway.ledger.periods import Figures
from gateway.ledger.service import Range

START = datetime.fromisoformat("2026-03-02T00:00:00+08:00")
QUARTER = timedelta(minutes=15)
MAIN = Point("main", "active_energy_import")
NOBODY = Site("here", Text("本地", "here"), "Asia/Shanghai")
FACTORS = read_factors(Path("config/factors.yaml"))

Rows = dict[datetime, float]


@asynccontextmanager
async def books(
    site: Site = NOBODY, events: Sequence[MeterEvent] = (), *, ledger_at: str | None = None, **kept: Any
) -> AsyncIterator[tuple[Books, Any]]:
    async with open_stores("memory:", ledger_at) as (store, ledger):
        yield Books(ledger, Kept(site, events, **kept), FACTORS), store


def quarters(count: int, use: float | Iterable[float] = 2.5, *, first: float = 1000.0, start: datetime = START) -> Rows:
    """A register read every quarter hour."""
    each = np.full(count, use) if isinstance(use, float) else np.fromiter(use, float, count)
    return {start + i * QUARTER: float(v) for i, v in enumerate(np.r_[first, first + np.cumsum(each)].round(3))}


def columns(rows: Rows, point: Point = MAIN) -> ReadingColumns:
    t_ms = np.array([to_ms(at) for at in rows], np.int64)
    return ReadingColumns.of([point], np.zeros(len(rows), np.int32), t_ms, np.array(list(rows.values())))


def over(hours: float, by: Span = Span.HOUR, start: datetime = START) -> Range:
    return Range(start, start + timedelta(hours=hours), by, NOBODY.zone_info)


def kwh(figures: Figures) -> list[float | None]:
    return [a / 1e6 if known else None for a, known in zip(figures.amount.tolist(), figures.known, strict=True)]
