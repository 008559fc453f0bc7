"""Batches of readings made fit for a store: sorted by point and instant, each instant once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from energy.readings import Point, ReadingColumns

# Points and instants, each a value.
Keys = npt.NDArray[np.complex128]


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
    def key(self) -> Keys:
        """(n,) point and instant as one value, ascending."""
        return key_of(self.point, self.taken_at_ms)

    def places(self, point: npt.NDArray[np.int32], taken_at_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """(m,) where points and instants, all of them rows of this batch, stand in it."""
        return np.searchsorted(self.key, key_of(point, taken_at_ms))

    @classmethod
    def joined(cls, batches: Iterable[Deduplicated]) -> Deduplicated:
        """One or more batches, of which each is of points of its own, as one."""
        parts = list(batches)
        whole = cls(**{f.name: np.concatenate([getattr(b, f.name) for b in parts]) for f in fields(cls)})
        return whole.take(np.lexsort((whole.taken_at_ms, whole.point)))

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Deduplicated:
        """Those rows."""
        return Deduplicated(
            self.point[rows], self.taken_at_ms[rows], self.value[rows], self.quality[rows], self.reason[rows]
        )

    def of(self, points: npt.NDArray[np.int32], from_ms: int, to_ms: int) -> Deduplicated:
        """The rows of points, given in ascending order, over [from, to)."""
        within = (self.taken_at_ms >= from_ms) & (self.taken_at_ms < to_ms)
        if len(points) == 0 or not within.any():
            return self.take(np.zeros(len(self), bool))
        at = np.minimum(np.searchsorted(points, self.point), len(points) - 1)
        return self.take(within & (points[at] == self.point))

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


class Newest:
    """The newest reading of each point by its number; `t` is -1 where there is none."""

    def __init__(self, n: int) -> None:
        self._t = np.full(n, -1, np.int64)
        self._v = np.full(n, np.nan)
        self._q = np.zeros(n, np.uint8)
        self._r = np.zeros(n, np.uint8)

    def grow(self, n: int) -> None:
        more = n - len(self._t)
        if more > 0:
            self._t = np.r_[self._t, np.full(more, -1, np.int64)]
            self._v = np.r_[self._v, np.full(more, np.nan)]
            self._q = np.r_[self._q, np.zeros(more, np.uint8)]
            self._r = np.r_[self._r, np.zeros(more, np.uint8)]

    def advance(self, batch: Deduplicated) -> None:
        """Take the last row of each point where it is newer; the batch is sorted by point and instant."""
        if len(batch) == 0:
            return
        last = np.flatnonzero(np.r_[batch.point[1:] != batch.point[:-1], True])
        newer = last[batch.taken_at_ms[last] > self._t[batch.point[last]]]
        to = batch.point[newer]
        self._t[to], self._v[to] = batch.taken_at_ms[newer], batch.value[newer]
        self._q[to], self._r[to] = batch.quality[newer], batch.reason[newer]

    def load(self, found: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was found, where it is newer."""
        newer = found["t"] > self._t[found["point"]]
        to = found["point"][newer]
        self._t[to], self._v[to] = found["t"][newer], found["v"][newer]
        self._q[to], self._r[to] = found["q"][newer], found["r"][newer]

    def instants(self) -> npt.NDArray[np.int64]:
        """(n,) the newest instant of each point, -1 where there is none."""
        return self._t

    def before(self, t_ms: int) -> list[int]:
        """The points of which nothing as late is known."""
        return [int(i) for i in np.flatnonzero(self._t < t_ms)]

    def columns(self, points: Sequence[Point], numbers: npt.NDArray[np.int32]) -> ReadingColumns:
        """Those of the points, whose numbers are given, that have a reading."""
        read = np.flatnonzero(self._t[numbers] >= 0).astype(np.int32)
        of = numbers[read]
        return ReadingColumns(points, read, self._t[of], self._v[of], self._q[of], self._r[of])


def deduplicate(columns: ReadingColumns, point: npt.NDArray[np.int32]) -> Deduplicated:
    """Sort a batch and keep the first of each point and instant; (n,) `point` is the number of each row's."""
    t_ms = columns.taken_at_ms
    order = np.lexsort((t_ms, point)) if not ascending(point, t_ms) else np.arange(len(point))
    point, t_ms, value = point[order], t_ms[order], columns.value[order]
    quality, reason = columns.quality[order], columns.reason[order]
    again = np.r_[False, (point[1:] == point[:-1]) & (t_ms[1:] == t_ms[:-1])]
    if again.any():
        # lexsort is stable: the first of a run is the one that came first.
        keep = ~again
        point, t_ms, value, quality, reason = (column[keep] for column in (point, t_ms, value, quality, reason))
    return Deduplicated(point, t_ms, value, quality, reason)


def key_of(point: npt.NDArray[np.int32], taken_at_ms: npt.NDArray[np.int64]) -> Keys:
    """(n,) each point and instant as one value, that sorts by point, then by instant.

    Both do not fit into 64 bits up to the year 9999; a complex number has a double for each, and holds them exactly.
    """
    key = np.empty(len(point), np.complex128)
    key.real, key.imag = point, taken_at_ms
    return key


def ascending(point: npt.NDArray[np.int32], t_ms: npt.NDArray[np.int64]) -> bool:
    """Whether rows stand by point and instant, each instant once."""
    step = np.diff(point)
    return bool(np.all((step > 0) | ((step == 0) & (np.diff(t_ms) > 0))))
