"""The mission in one object: a leak, faults, a month foretold, a contract, a city's month, a page; beside the peers.

Each part runs in a process of its own, one after the other, so that memory and caches are its own. A figure whose data,
peer or part is not there is null, and `skipped` says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_PEERS = "needs scikit-learn and PyOD: the extra `bench`, or a Python that has them, named by JIENENG_PEERS_PYTHON"
_HOURS = "needs the recorded hours of an estate (docs/benchmarks.md)"


@dataclass(frozen=True, slots=True)
class Part:
    """A function of a benchmark, and which of its figures are told under which names; what it needs for all of them."""

    module: str
    function: str
    figures: Mapping[str, str]
    needs: str = ""

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function}"


PARTS = (
    Part("alerts", "leak", {"leak_to_message_s": "leak_to_message_s"}),
    Part(
        "anomalies",
        "electricity",
        {
            "electricity_roc": "electricity_roc",
            "electricity_pr": "electricity_pr",
            "electricity_event_recall": "electricity_event_recall",
            "false_events_per_meter_month": "electricity_false_events_per_meter_month",
            "electricity_roc_robust_z": "electricity_robust_z_roc",
            "electricity_pr_robust_z": "electricity_robust_z_pr",
            "electricity_roc_isolation_forest": "electricity_isolation_forest_roc",
            "electricity_pr_isolation_forest": "electricity_isolation_forest_pr",
            "electricity_roc_ecod": "electricity_ecod_roc",
            "electricity_pr_ecod": "electricity_ecod_pr",
        },
        _PEERS,
    ),
    Part(
        "quotas",
        "months_of_electricity",
        {
            "month_error_day5": "month_error_day5",
            "month_error_day5_linear": "month_error_linear_day5",
            "month_error_day5_a_year_before": "month_error_naive_day5",
        },
    ),
    Part(
        "contracts",
        "run",
        {
            "settlement_s": "settlement_s",
            "verify_s": "verify_s",
            "baseline_cv_daily": "electricity_cv_daily",
            "baseline_cv_daily_hour_of_week": "electricity_cv_daily_hour_of_week",
            "baseline_cv_daily_degree_days": "electricity_cv_daily_monthly_hdd",
            "baseline_interval_coverage": "electricity_interval_coverage",
            "baseline_interval_coverage_guideline_14": "electricity_interval_coverage_guideline_14",
        },
        _HOURS,
    ),
    Part("statistics", "run", {"city_month_s": "city_close_s"}),
    Part("overview", "run", {"node_page_ms": "node_page_ms"}),
)


def run() -> dict[str, Any]:
    """All figures of the mission, under the load that the machine had when it began."""
    load = round(os.getloadavg()[0], 2)
    skipped: dict[str, str] = {}
    figures: dict[str, Any] = {}
    for part in PARTS:
        figures |= told(part, _apart(part) if is_there(part) else None, skipped)
    return {**figures, "cores": os.cpu_count(), "load_at_start": load, "skipped": skipped}


def is_there(part: Part) -> bool:
    return find_spec(f"benchmarks.{part.module}") is not None


def told(part: Part, found: Mapping[str, Any] | None, skipped: dict[str, str]) -> dict[str, Any]:
    """The figures of a part under their names; null where it has none, with the reason in `skipped`."""
    why = f"there is no benchmark {part.module} yet" if found is None else found.get("skipped") or part.needs
    found = found or {}
    skipped |= {name: str(why) for name, own in part.figures.items() if found.get(own) is None}
    return {name: found.get(own) for name, own in part.figures.items()}


def _apart(part: Part) -> dict[str, Any]:
    """What a part finds in a process of its own; what it fails with ends this one too."""
    command = [sys.executable, "-m", "benchmarks.mission", part.name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(name: str) -> None:
    [part] = [one for one in PARTS if one.name == name]
    json.dump(getattr(import_module(f"benchmarks.{part.module}"), part.function)(), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
