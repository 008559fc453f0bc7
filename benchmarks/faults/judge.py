"""What a method found of the faults that were put in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analytics.anomalies.measures import pr_auc, roc_auc
from benchmarks.faults.estate import Estate
from benchmarks.faults.inject import FaultKind

# An event that begins within these hours behind a fault is its tail, no false one.
_TAIL_H = 24
_MONTHS = 12
Scores = npt.NDArray[np.float32]
Found = Sequence[tuple[int, int]]


@dataclass(slots=True)
class Judged:
    """Scores and events of a medium, of all pairs of years; drift is left out of the scores, and told apart."""

    scores: list[npt.NDArray[np.float32]] = field(default_factory=list)
    kinds: list[npt.NDArray[np.int8]] = field(default_factory=list)
    there: Counter[FaultKind] = field(default_factory=Counter)
    found: Counter[FaultKind] = field(default_factory=Counter)
    false: int = 0
    false_hours: int = 0
    quiet_hours: int = 0
    meters: int = 0

    def scored(self, estate: Estate, score: Scores) -> None:
        """The scores of the hours that are judged, (m, n)."""
        judged = slice(estate.judged, None)
        measured = np.isfinite(estate.use[:, judged])
        self.scores.append(np.nan_to_num(score[:, judged], nan=0.0)[measured])
        self.kinds.append(estate.labels[:, judged][measured])

    def told(self, estate: Estate, events: Sequence[Found]) -> None:
        """The events of each meter, [start, end) each."""
        self.meters += len(events)
        for faults, found in zip(estate.faults, events, strict=True):
            for fault in faults:
                self.there[fault.kind] += 1
                self.found[fault.kind] += any(a < fault.end and b > fault.start for a, b in found)
            self.false += sum(
                b > estate.judged and not any(a < f.end + _TAIL_H and b > f.start for f in faults) for a, b in found
            )
        quiet = estate.labels[:, estate.judged :] == 0
        told = np.zeros_like(quiet)
        for i, found in enumerate(events):
            for a, b in found:
                told[i, max(a - estate.judged, 0) : b - estate.judged] = True
        self.false_hours += int((told & quiet).sum())
        self.quiet_hours += int(quiet.sum())

    def areas(self, *, with_drift: bool = False) -> tuple[float, float]:
        """Areas under the curves: ROC and precision over recall."""
        scores, kinds = np.concatenate(self.scores), np.concatenate(self.kinds)
        kept = np.ones(len(kinds), np.bool_) if with_drift else kinds != FaultKind.DRIFT
        return roc_auc(scores[kept], kinds[kept] > 0), pr_auc(scores[kept], kinds[kept] > 0)

    def recall(self) -> float:
        """Share of the faults that an event overlaps, drift apart."""
        there, found = (sum(n for k, n in c.items() if k is not FaultKind.DRIFT) for c in (self.there, self.found))
        return found / there

    def recall_of(self, kind: FaultKind) -> float:
        return self.found[kind] / self.there[kind]

    def false_per_month(self) -> float:
        """False events per meter and month."""
        return self.false / (self.meters * _MONTHS)
