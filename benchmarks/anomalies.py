"""Anomalies: faults put into real consumption, and what is seen of them, beside robust z, isolation forest and ECOD.

The estate, the faults and the split are frozen (benchmarks/faults, docs/anomalies.md). Figures are of buildings that
nothing was tuned on; an hour is scored with what was known then. And how long profiles and scores of a city take.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np

from analytics.anomalies.channels import State, step
from analytics.anomalies.events import stretches
from analytics.anomalies.profiles import Profile, usual
from analytics.anomalies.replay import replay, thresholds
from benchmarks.faults.estate import DATA, Estate, calendar, estates
from benchmarks.faults.inject import FaultKind
from benchmarks.faults.judge import Found, Judged
from benchmarks.faults.peers import robust_z, scores_of

CITY_METERS = 40_480
_CHUNK = 2_024
# As far as the same weeks of the year before, and what they are compared with.
_PAST_DAYS = 420


def run() -> dict[str, Any]:
    if not DATA.is_dir():
        return _not_there()
    figures: dict[str, Any] = {}
    for medium in ("electricity", "gas"):
        figures |= _judged(medium)
    figures["event_recall"] = figures["electricity_event_recall"]
    figures["false_events_per_meter_month"] = figures["electricity_false_events_per_meter_month"]
    apart = subprocess.run([sys.executable, "-m", "benchmarks.anomalies"], stdout=subprocess.PIPE, check=True)
    figures |= json.loads(apart.stdout)
    return figures


def electricity() -> dict[str, Any]:
    """Faults of electricity alone, own scores and the peers'."""
    return _judged("electricity") if DATA.is_dir() else _not_there()


def _not_there() -> dict[str, Any]:
    return {"skipped": f"{DATA} is not there"}


def _judged(medium: str) -> dict[str, Any]:
    by_method: dict[str, Judged] = defaultdict(Judged)
    seconds: dict[str, float] = defaultdict(float)
    for whole in estates(medium):
        estate = whole.of(held_out=True)
        worked = calendar().is_worked(np.arange(estate.use.shape[1] // 24) + estate.first_day)
        began = time.perf_counter()
        # All meters go by together, as they do at a site; those that are held out are judged.
        scores_of_all = replay(whole.use, worked, learnt=whole.judged).score
        score = scores_of_all[whole.held_out]
        seconds["own"] += (time.perf_counter() - began) * len(score) / len(whole.use)
        # How hard the buildings are that were tuned on, beside those that are judged.
        tuned = whole.of(held_out=False)
        by_method["tuned_on"].scored(tuned, scores_of_all[~whole.held_out])
        by_method["tuned_on_robust_z"].scored(tuned, robust_z(tuned.use, tuned.judged))
        by_method["own"].scored(estate, score)
        by_method["own"].told(estate, _events(estate, score))
        by_method["robust_z"].scored(estate, robust_z(estate.use, estate.judged))
        for name, (scores, took) in (scores_of(estate.use, worked, estate.judged) or {}).items():
            ahead = np.zeros((len(scores), estate.judged), np.float32)
            by_method[name].scored(estate, np.concatenate([ahead, scores], axis=1))
            seconds[name] += took
    return _figures(medium, by_method, seconds)


def _events(estate: Estate, score: np.ndarray[Any, np.dtype[np.float32]]) -> list[Found]:
    """The events of each meter, by the threshold that its own year of history gives."""
    limits = thresholds(score[:, : estate.judged])
    return [
        [
            (s.start + estate.judged, s.end + estate.judged)
            for s in stretches(score[i, estate.judged :], float(limits[i]))
        ]
        for i in range(len(limits))
    ]


def _figures(medium: str, by_method: dict[str, Judged], seconds: dict[str, float]) -> dict[str, Any]:
    own = by_method["own"]
    found: dict[str, Any] = {f"{medium}_meter_years": own.meters}
    for name, judged in by_method.items():
        prefix = medium if name == "own" else f"{medium}_{name}"
        found[f"{prefix}_roc"], found[f"{prefix}_pr"] = judged.areas()
        if name in seconds:
            found[f"{prefix}_s_per_meter_year"] = seconds[name] / own.meters
    found[f"{medium}_roc_with_drift"], found[f"{medium}_pr_with_drift"] = own.areas(with_drift=True)
    found[f"{medium}_event_recall"] = own.recall()
    found[f"{medium}_false_events_per_meter_month"] = own.false_per_month()
    found[f"{medium}_time_in_false_events"] = own.false_hours / own.quiet_hours
    return found | {f"{medium}_recall_{kind.name.lower()}": own.recall_of(kind) for kind in FaultKind}


def city() -> dict[str, float]:
    """The nightly profiles of a city, and its scores of an hour; readings are made up, the ledger is not read."""
    random = np.random.default_rng(1)
    worked = np.arange(_PAST_DAYS) % 7 < 5
    made: tuple[list[Profile], list[Profile]] = ([], [])
    profiles_s = 0.0
    for _ in range(0, CITY_METERS, _CHUNK):
        cube = random.random((_CHUNK, 24, _PAST_DAYS), np.float32)
        began = time.perf_counter()
        for kept, one in zip(made, usual(cube, worked, _PAST_DAYS), strict=True):
            kept.append(one)
        profiles_s += time.perf_counter() - began
    own, of_worked = (
        Profile(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("expected", "spread", "days")))
        for parts in made
    )
    state, use = State.fresh(CITY_METERS), random.random(CITY_METERS, np.float32)
    began = time.perf_counter()
    step(state, use, 10, own, of_worked.expected)
    scoring_s = time.perf_counter() - began
    return {"baselines_s": profiles_s, "scoring_s": scoring_s, "peak_rss_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    json.dump(city(), sys.stdout)
