"""Batches of readings made fit for a store: sorted by point and instant, each instant once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from energy.readings import ReadingColumns


@dataclass(frozen=True, slots=True)
class Deduplicated:
    """A batch sorted by point and instant, of the rows of one instant the first; columns of equal length n."""

    point: npt.NDArray[np.int32]
    taken_at_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.point)

    @property
    def range_ms(self) -> tuple[int, int]:
        """The first and the last instant."""
        return int(self.taken_at_ms.min()), int(self.taken_at_ms.max())

    def rows(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "point": self.point,
            "taken_at_ms": self.taken_at_ms,
            "value": self.value,
            "quality": self.quality,
            "reason": self.reason,
        }


def deduplicate(columns: ReadingColumns, ids: npt.NDArray[np.int32]) -> Deduplicated:
    """Sort a batch and keep the first of each point and instant; `ids` numbers the batch's points."""
    point = ids[columns.index]
    t_ms = columns.taken_at_ms
    order = np.lexsort((t_ms, point)) if not _ascending(point, t_ms) else np.arange(len(point))
    point, t_ms, value = point[order], t_ms[order], columns.value[order]
    quality, reason = columns.quality[order], columns.reason[order]
    again = np.r_[False, (point[1:] == point[:-1]) & (t_ms[1:] == t_ms[:-1])]
    if again.any():
        # lexsort is stable: the first of a run is the one that came first.
        keep = ~again
        point, t_ms, value, quality, reason = (column[keep] for column in (point, t_ms, value, quality, reason))
    return Deduplicated(point, t_ms, value, quality, reason)


def _ascending(point: npt.NDArray[np.int32], t_ms: npt.NDArray[np.int64]) -> bool:
    step = np.diff(point)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(t_ms) > 0))))
