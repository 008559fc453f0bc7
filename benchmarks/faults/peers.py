"""What others find in the same hours: isolation forest (scikit-learn) and ECOD (PyOD), a model for each meter.

Run as a program of its own, by a Python that has them (the extra `bench`): `python -m benchmarks.faults.peers FILE.npz`
reads the arrays `history` and `judged`, (m, n, k) features of hours, and writes scores beside them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.faults.inject import Hourly

PYTHON = "JIENENG_PEERS_PYTHON"
Features = npt.NDArray[np.float32]


def robust_z(use: Hourly, judged: int) -> Hourly:
    """How far an hour is from the median of the year before, in robust deviations of it."""
    history = use[:, :judged]
    middle = np.nanmedian(history, axis=1, keepdims=True)
    spread = 1.4826 * np.nanmedian(np.abs(history - middle), axis=1, keepdims=True)
    return np.asarray(np.abs(use - middle) / np.maximum(spread, 1e-6), dtype=np.float32)


def features(use: Hourly, worked: npt.NDArray[np.bool_]) -> Features:
    """(m, n, 6) what a peer is told of an hour: the amount, hour and kind of day, the amounts a day and a week before,
    and the mean of the last day. What is missing is the meter's median."""
    m, n = use.shape
    filled = np.where(np.isfinite(use), use, np.nanmedian(use, axis=1, keepdims=True))
    sums = np.cumsum(np.pad(filled, ((0, 0), (24, 0)), mode="edge"), axis=1)
    hour, of_day = np.broadcast_to(np.arange(n) % 24, (m, n)), np.broadcast_to(np.repeat(worked, 24), (m, n))
    lags = [np.pad(filled, ((0, 0), (lag, 0)), mode="edge")[:, :n] for lag in (24, 168)]
    return np.stack([filled, hour, of_day, *lags, (sums[:, 24:] - sums[:, :-24]) / 24], axis=2).astype(np.float32)


def scores_of(use: Hourly, worked: npt.NDArray[np.bool_], judged: int) -> dict[str, tuple[Hourly, float]] | None:
    """Scores of the hours that are judged by peer, and how long each took; None where they are not installed."""
    told = features(use, worked)
    python = os.environ.get(PYTHON, sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peers.npz"
        np.savez(file, history=told[:, :judged], judged=told[:, judged:])
        done = subprocess.run([python, "-m", "benchmarks.faults.peers", str(file)], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            return None
        found = np.load(file.with_suffix(".scores.npz"))
        return {name: (found[name], float(found[f"{name}_s"])) for name in ("isolation_forest", "ecod")}


def main(file: Path) -> None:
    from pyod.models.ecod import ECOD  # type: ignore[import-not-found, unused-ignore]
    from sklearn.ensemble import IsolationForest  # type: ignore[import-not-found, unused-ignore]

    told = np.load(file)
    history, judged = told["history"], told["judged"]
    made: dict[str, Any] = {}
    began = time.perf_counter()
    forests = [IsolationForest(random_state=0).fit(of_meter) for of_meter in history]
    made["isolation_forest"] = np.stack([-f.score_samples(x) for f, x in zip(forests, judged, strict=True)])
    made["isolation_forest_s"] = time.perf_counter() - began
    began = time.perf_counter()
    made["ecod"] = np.stack([ECOD().fit(h).decision_function(x) for h, x in zip(history, judged, strict=True)])
    made["ecod_s"] = time.perf_counter() - began
    np.savez(file.with_suffix(".scores.npz"), **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
