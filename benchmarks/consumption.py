"""From registers to hourly consumption: the pure functions, over what a peer was measured with.

Sixty meters read every minute for 30 days, 2.59 million readings, with an outage, a spike and an exchange each.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from analytics.consumption.counters import HOUR_MS, Exchange, Register, steps
from analytics.consumption.spread import spread, usual_week
from energy.series import Floats, Instants

METERS, DAYS = 60, 30
MINUTE_MS = 60_000
START_MS = 1_767_196_800_000


def run() -> dict[str, Any]:
    sizes = {"30d": DAYS, "365d": 365}
    rates: dict[str, float] = {}
    for name, days in sizes.items():
        meters = METERS if days == DAYS else 6
        played = [_meter(i, days) for i in range(meters)]
        began = time.perf_counter()
        totals = [_hourly(t_ms, total, exchange, days) for t_ms, total, exchange in played]
        seconds = time.perf_counter() - began
        rates[name] = sum(len(t_ms) for t_ms, _, _ in played) / seconds
        assert all(abs(found - _truth(i, days)) < 0.1 for i, found in enumerate(totals))
    return {
        "readings_per_s": rates["30d"],
        "readings_per_s_365d": rates["365d"],
        "growth_ratio": rates["365d"] / rates["30d"],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _flow(i: int, days: int) -> Floats:
    minute = np.arange(days * 1440)
    shape: Floats = (2 + np.sin(minute / 229.0 + i)) * (0.4 + 0.01 * i)
    return shape


def _truth(i: int, days: int) -> float:
    return float(_flow(i, days).sum())


def _meter(i: int, days: int) -> tuple[Instants, Floats, Exchange]:
    total = np.concatenate([[1000.0], 1000.0 + np.cumsum(_flow(i, days))]).round(2)
    t_ms = START_MS + MINUTE_MS * np.arange(len(total), dtype=np.int64)
    third = len(total) // 3
    exchange = Exchange(int(t_ms[third]), float(total[third]), 0.0)
    total[third:] -= total[third]
    total[2 * third] += 1000.0
    kept = np.ones(len(total), dtype=bool)
    kept[third // 2 : third // 2 + 360] = False
    return t_ms[kept], total[kept], exchange


def _hourly(t_ms: Instants, total: Floats, exchange: Exchange, days: int) -> float:
    found = steps(t_ms, total, Register(limit_per_h=600.0, resolution=0.01), [exchange])
    edges = START_MS + HOUR_MS * np.arange(days * 24 + 1, dtype=np.int64)
    usual = usual_week(found, int(edges[0]), int(edges[-1]), gap_ms=HOUR_MS)
    return float(np.nansum(spread(found, edges, gap_ms=HOUR_MS, usual=usual).amount))
