"""From what was measured to a city, a province and the nation: arithmetic, which counts nothing that was not measured.

What is measured stands in `storing/measured.json`, which `make bench-stores` writes; what is assumed, and by whom it is
said, in `Assumed`. Nothing is started here: the same two give the same figures.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "storing" / "measured.json"
_STORE = "victoria_postgresql"
_YEAR_H = 8_760


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is not measured here.

    values, counters : of a meter; eight are the instantaneous values and registers of a three-phase meter.
    readings_per_message : the meters of an institution, which one edge sends together.
    used : the share of a core that is planned for; the rest is for bursts, restarts and questions.
    copies : of each sample, where a node may be lost (`-replicationFactor=2`).
    series_per_value : series that a value needs, if meters tell floats of 32 bits (docs/stores.md); at worst.
    node_series, node_samples_per_s : what one node of VictoriaMetrics is said to handle, of which half is planned for
        ("Capacity planning" in its documentation: 50 million active series, 1.5 million samples a second, half of CPU
        and RAM spare, a fifth of the disk).
    disk_spare : the share of a disk that is left free.
    """

    values: int = 8
    counters: int = 1
    readings_per_message: int = 20
    used: float = 0.5
    copies: int = 2
    series_per_value: int = 3
    node_series: float = 50e6 / 2
    node_samples_per_s: float = 1.5e6 / 2
    disk_spare: float = 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """Meters that are read every so often, in so many installations that know nothing of each other."""

    name: str
    meters: int
    interval_s: int
    installations: int = 1


# Every quarter of an hour is what GB/T 38692-2020 asks for; 20 meters for each of the 1.586 million institutions that
# the country counted in 2020 are 32 million, and one installation for each of its 31 provinces.
CASES = (
    Case("campus", 1_000, 60),
    Case("city", 40_480, 900),
    Case("city, each minute", 40_480, 60),
    Case("province", 700_000, 900),
    Case("nation", 32_000_000, 900, 31),
)


def run() -> dict[str, Any]:
    """What each case needs."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {"assumed": asdict(Assumed()), **{case.name: needed(case, measured) for case in CASES}}


def needed(case: Case, measured: dict[str, Any], assumed: Assumed | None = None) -> dict[str, Any]:
    """What a case needs in all its installations together; processes and nodes are whole in each of them."""
    a = assumed or Assumed()
    meters = case.meters / case.installations
    per_s = meters / case.interval_s
    costs, slice_, store = _costs(measured), measured["slice"], measured["stores"][_STORE]
    messages = per_s / a.readings_per_message
    ingest, jobs = per_s * costs["ingest"] / 1e6, per_s * costs["jobs"] / 1e6
    workers = max(1, math.ceil(ingest / a.used))
    series = meters * a.values * a.series_per_value
    nodes = max(series / a.node_series, series / case.interval_s / a.node_samples_per_s)
    readings_tb = per_s * a.values * store["bytes_per_reading"] * _YEAR_H * 3600 / 1e12
    ledger_tb = meters * a.counters * _YEAR_H * store["ledger_bytes_per_hour"] / 1e12
    whole = {
        "readings_per_s": per_s,
        "messages_per_s": messages,
        "ingest_cores": ingest,
        "ingest_processes": workers,
        "jobs_cores": jobs,
        "jobs_processes": max(1, math.ceil(jobs / a.used)),
        "broker_cores": messages * costs["broker"] / 1e6,
        "server_cores": per_s * costs["servers"] / 1e6,
        "network_mbit_per_s": messages * slice_["message_bytes"] * 8 / 1e6,
        "readings_tb_per_year": readings_tb / (1 - a.disk_spare) * a.copies,
        "ledger_tb_per_year": ledger_tb / (1 - a.disk_spare),
        "victoria_nodes": max(1, math.ceil(nodes)),
    }
    # What does not add up over installations: how long one of them takes for a tick of all its meters at once.
    burst_s = meters * costs["burst"] / 1e6 / workers
    return {
        **{name: round(value * case.installations, 3) for name, value in whole.items()},
        "tick_stored_s": round(burst_s, 1),
        "memory_mb_of_a_process": round(_memory_mb(meters, measured)),
    }


def _costs(measured: dict[str, Any]) -> dict[str, float]:
    """Microseconds of processor time: of a reading, and for the broker of a message."""
    grown, slice_ = measured["cost_us_per_reading"][_STORE], measured["slice"]
    most = max(grown["one_at_a_time"]["gateway"], key=int)
    ingest = grown["one_at_a_time"]["gateway"][most]
    return {
        "ingest": ingest,
        "burst": grown["fifty_at_a_time"]["gateway"][most],
        # What a whole gateway takes beyond the way in is the ledger, and what it asks of the store for it.
        "jobs": max(0.0, slice_["us_per_reading"]["gateway"] - ingest),
        "servers": slice_["us_per_reading"]["stores"],
        "broker": slice_["us_per_reading"]["broker"] * 20,
    }


def _memory_mb(meters: float, measured: dict[str, Any]) -> float:
    """Of a process that takes in all meters, by the least and the greatest that was measured."""
    held = {int(n): mb for n, mb in measured["cost_us_per_reading"][_STORE]["memory_mb"].items()}
    low, high = min(held), max(held)
    return float(held[low] + (meters - low) * (held[high] - held[low]) / (high - low))
