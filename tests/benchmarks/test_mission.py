"""The object of the mission: a figure that is missing is null and says why; every part is where it is looked for."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

from benchmarks.mission import PARTS, Part, is_there, told

ANOMALIES = next(part for part in PARTS if part.module == "anomalies")


def test_peers_that_are_not_installed_are_null_with_the_reason_beside_the_own_figures() -> None:
    skipped: dict[str, str] = {}
    figures = told(ANOMALIES, {"electricity_roc": 0.86, "electricity_robust_z_roc": 0.61}, skipped)

    assert (figures["electricity_roc"], figures["electricity_roc_robust_z"]) == (0.86, 0.61)
    assert figures["electricity_roc_ecod"] is None
    assert "JIENENG_PEERS_PYTHON" in skipped["electricity_roc_ecod"]
    assert "electricity_roc" not in skipped


def test_data_that_is_not_there_skips_all_figures_of_a_part_in_the_parts_own_words() -> None:
    skipped: dict[str, str] = {}
    figures = told(ANOMALIES, {"skipped": "the hours are not there"}, skipped)

    assert set(figures.values()) == {None}
    assert skipped == dict.fromkeys(ANOMALIES.figures, "the hours are not there")


def test_a_part_that_is_not_written_yet_is_skipped() -> None:
    part, skipped = Part("nowhere", "run", {"figure": "figure"}), dict[str, str]()

    assert not is_there(part)
    assert told(part, None, skipped) == {"figure": None}
    assert skipped == {"figure": "there is no benchmark nowhere yet"}


def test_every_part_names_a_function_of_a_benchmark_and_no_figure_is_told_twice() -> None:
    assert all(callable(getattr(import_module(f"benchmarks.{p.module}"), p.function)) for p in PARTS if is_there(p))
    names = [name for part in PARTS for name in part.figures]
    assert len(names) == len(set(names))


def test_a_part_runs_in_a_process_of_its_own_and_prints_one_object() -> None:
    command = [sys.executable, "-m", "benchmarks.mission", "alerts.leak"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)

    # The ten minutes that the rule waits, and the reading that crossed.
    assert json.loads(done.stdout) == {"leak_to_message_s": 610.0}
