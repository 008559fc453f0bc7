"""Stores beside each other: readings in, bytes, the newest, the month of a city; and how the cost of a reading grows.

Each kind of store that this machine can start, in one run: readings in a file of DuckDB, in VictoriaMetrics, or in the
InfluxDB that JIENENG_TEST_INFLUX_URL names; the ledger in that file or in PostgreSQL with `fsync`. `--full` takes a
whole city of 40,480 meters. Then what a reading costs a gateway from 1,000 to 40,480 meters, what it costs two workers
over one, and a fiftieth of a province through real processes.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.storing import growth
from benchmarks.storing import slice as of_a_province
from benchmarks.storing.one_store import FULL, Size, measured
from benchmarks.storing.servers import kinds, running

SHARING = "benchmarks.sharing"


def run(full: bool = False) -> dict[str, Any]:
    """All figures; what cannot be measured here is null, and `skipped` says why."""
    skipped: dict[str, str] = {}
    stores: dict[str, Any] = {}
    size = FULL if full else Size()
    for name, why in kinds().items():
        stores[name] = None
        if why is not None:
            skipped[name] = why
            continue
        with running(name) as kind:
            stores[name] = measured(kind, size)
    return {
        "stores": stores,
        **_two_workers(skipped),
        **growth.run(),
        **of_a_province.run(),
        "city_meters": size.city,
        "rows": size.meters * 8 * size.days * 96,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "skipped": skipped,
    }


def _two_workers(skipped: dict[str, str]) -> dict[str, Any]:
    """What a reading costs two workers that share a subscription, over what it costs one."""
    if find_spec(SHARING) is None:
        skipped["two_workers_cost_ratio"] = "there is no benchmark sharing yet"
        return {"two_workers_cost_ratio": None}
    found: dict[str, Any] = import_module(SHARING).run()
    return {"two_workers_cost_ratio": None, **found}
