"""docs/scaling.md shows what was measured, and its arithmetic is what it says."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.scaling import MEASURED, Assumed, Case, needed
from benchmarks.storing.tables import TABLES, drawn

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_tables_are_those_of_the_last_measurement() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert all(f"<!-- {name} -->" in page for name in TABLES)
    assert drawn(page, json.loads(MEASURED.read_text(encoding="utf-8"))) == page


def test_needs_follow_from_what_was_measured() -> None:
    path_in = {"gateway": {"1000": 400, "40000": 500}, "servers": {}, "growth": 1.25}
    burst = {"gateway": {"1000": 90, "40000": 100}, "servers": {}, "growth": 1.11}
    of_store = {"one_at_a_time": path_in, "fifty_at_a_time": burst, "memory_mb": {"1000": 100, "40000": 490}}
    measured = {
        "stores": {"victoria_postgresql": {"bytes_per_reading": 2.0, "ledger_bytes_per_hour": 100.0}},
        "cost_us_per_reading": {"victoria_postgresql": of_store},
        "slice": {"us_per_reading": {"gateway": 1500, "stores": 800, "broker": 5}, "message_bytes": 5000},
    }

    needs = needed(Case("two provinces", 2_000_000, 1000, 2), measured, Assumed(used=0.5, copies=2))

    # Each 1,000 readings and 50 messages a second: half a core for ingest, one for the ledger, one and two processes.
    assert (needs["readings_per_s"], needs["messages_per_s"]) == (2000, 100)
    assert (needs["ingest_cores"], needs["jobs_cores"], needs["server_cores"]) == (1.0, 2.0, 1.6)
    assert (needs["ingest_processes"], needs["jobs_processes"]) == (2, 4)
    assert (needs["broker_cores"], needs["network_mbit_per_s"]) == (0.01, 4.0)
    # 24 million series in each; 8,000 values a second of 2 bytes, twice, on disks filled to four fifths.
    assert needs["victoria_nodes"] == 2
    assert needs["readings_tb_per_year"] == round(2 * 8_000 * 2 * 8760 * 3600 / 1e12 * 2 / 0.8, 3)
    assert needs["ledger_tb_per_year"] == round(2_000_000 * 8760 * 100 / 1e12 / 0.8, 3)
    # A million readings at 100 us on one process; 100 MB and 10 kB a meter.
    assert needs["tick_stored_s"] == 100.0
    assert needs["memory_mb_of_a_process"] == 10_090
