"""The tables of docs/scaling.md, drawn from what was measured: `python -m benchmarks.storing.tables docs/scaling.md`.

A table stands between `<!-- NAME -->` and `<!-- end -->`; what else the page says is left as it is.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scaling import CASES, MEASURED, Case, needed

_NAMES = {
    "duckdb": "DuckDB, ledger in the same file",
    "duckdb_postgresql": "DuckDB, ledger on PostgreSQL",
    "victoria_postgresql": "VictoriaMetrics and PostgreSQL",
    "influx_postgresql": "InfluxDB 2 and PostgreSQL",
}
_NEEDS = {
    "installations": "installations",
    "readings_per_s": "readings per second",
    "messages_per_s": "messages per second",
    "ingest_cores": "cores at work: ingest",
    "jobs_cores": "cores at work: ledger",
    "server_cores": "cores at work: VictoriaMetrics and PostgreSQL",
    "broker_cores": "cores at work: broker",
    "ingest_processes": "ingest processes",
    "jobs_processes": "jobs processes",
    "victoria_nodes": "VictoriaMetrics nodes",
    "network_mbit_per_s": "into the broker, Mbit/s",
    "readings_tb_per_year": "readings, TB a year",
    "ledger_tb_per_year": "ledger, TB a year",
    "tick_stored_s": "all meters at one moment are stored after, s",
    "memory_mb_of_a_process": "memory of a process, MB",
}


def stores(measured: dict[str, Any]) -> str:
    """Each kind of store, one row."""
    heads = {
        "ingest_rows_per_s": "rows/s in",
        "ingest_cpu_us_per_row": "µs of the gateway per row",
        "ingest_server_cpu_us_per_row": "µs of the servers per row",
        "bytes_per_reading": "bytes per row",
        "city_month_ms": "month of the city, ms",
        "latest_ms": "latest of all points, ms",
        "opened_ms": "latest known again after a start, ms",
        "ledger_bytes_per_hour": "bytes per hour of a counter",
    }
    rows = [
        [_NAMES[name], *(_figure(own[key]) if own else "–" for key in heads)]
        for name, own in measured["stores"].items()
    ]
    return _table(["", *heads.values()], rows)


def cost(measured: dict[str, Any]) -> str:
    """Microseconds of the gateway for a reading of 8 values, by size."""
    rows: list[list[str]] = []
    sizes: list[str] = []
    for name, found in measured["cost_us_per_reading"].items():
        for how, label in (("one", "as they come"), ("fifty", "fifty at a time")):
            own = found[f"{how}_at_a_time"]
            rows.append([f"{_NAMES[name]}, {label}", *map(_figure, own["gateway"].values()), f"{own['growth']:.2f}"])
        rows.append([f"{_NAMES[name]}, memory in MB", *map(_figure, found["memory_mb"].values()), ""])
        sizes = [f"{int(n):,} meters" for n in found["memory_mb"]]
    return _table(["", *sizes, "last over first"], rows)


def slice_(measured: dict[str, Any]) -> str:
    """A fiftieth of a province: cores of each part."""
    own = measured["slice"]
    heads = ["cores", "idle", *(f"{rate:,.0f} readings/s" for rate in own["readings_per_s"][1:]), "foretold"]
    rows = [[part, *(f"{c:.3f}" for c in own["cores"][part]), f"{own['foretold'][part]:.3f}"] for part in own["cores"]]
    return _table(heads, rows)


def path(measured: dict[str, Any]) -> str:
    """What each case needs."""
    found = {case.name: {"installations": case.installations} | needed(case, measured) for case in CASES}
    rows = [[label, *(_figure(own[key]) for own in found.values())] for key, label in _NEEDS.items()]
    return _table(["", *map(_titled, CASES)], rows)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {"stores": stores, "cost": cost, "slice": slice_, "path": path}


def drawn(page: str, measured: dict[str, Any]) -> str:
    """The page with its tables as they are measured now."""
    for name, table in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda found, of=table: f"{found[1]}\n{of(measured)}\n\n{found[2]}", page)  # type: ignore[misc]
    return page


def _titled(case: Case) -> str:
    often = f"{case.interval_s // 60} min"
    return f"{case.name}: {case.meters:,} meters, {often}"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main(page: Path) -> None:
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    page.write_text(drawn(page.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
