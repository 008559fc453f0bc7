"""Registers of the last weeks in memory: what the ledger looks at again with each reading of a meter.

A new reading may change hours that hang on two weeks before it. A server of series would tell all of these anew each
time, which is by far the dearest of all that a reading goes through. What was read once stays as it was, but from where
a write or a mark says that something is new: from there on it is read again, and what is older is remembered.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from energy.hours import Small, Whole
from energy.series import Floats

# Numbers of points, instants and values of readings, by point and instant.
Registers = tuple[Small, Whole, Floats]

# Two weeks of some 22,000 counters every quarter of an hour.
REMEMBERED_MB = 384

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
# What is asked next begins somewhat before what was looked at.
_MARGIN_MS = _DAY_MS
# Instants are kept as distances, in 32 bits; what reaches further back is asked for each time.
_FURTHEST_MS = 45 * _DAY_MS
# A change that is so much older than the newest reading is late: then all of the point is read anew.
_LATE_MS = 6 * _HOUR_MS
# All of a point is read anew after so long at the latest, not of all points at once [s].
_BELIEVED_S, _SPREAD = 6 * 3600.0, 64
_READ_TOGETHER = 250
# Of a reading: its distance and its value.
_ROW_BYTES = 4 + 8
_FOREVER = 1 << 60


@dataclass(slots=True)
class _Kept:
    """Readings of a point since an instant: their distances from it [ms], and values; and until when to believe it."""

    since_ms: int
    after_ms: npt.NDArray[np.uint32]
    value: Floats
    believed_until: float

    def __len__(self) -> int:
        return len(self.value)

    @property
    def last_ms(self) -> int:
        return self.since_ms + int(self.after_ms[-1]) if len(self) else self.since_ms

    def from_(self, from_ms: int) -> int:
        """The position of the first reading at an instant or later."""
        return int(np.searchsorted(self.after_ms, max(from_ms - self.since_ms, 0)))


class RecentRegisters:
    """Remembers what `read` told of points since an instant, as far as it fits `most_mb` megabytes.

    `read` gives what there is of some points since then, by point and instant. Who asks must have told by `changed` of
    all that is new to him before.
    """

    def __init__(
        self,
        read: Callable[[Sequence[int], int], Awaitable[Registers]],
        most_mb: int = REMEMBERED_MB,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._clock = read, clock
        self._most_rows = most_mb * 1_000_000 // _ROW_BYTES
        self._kept: dict[int, _Kept] = {}
        self._rows = self._forgotten = 0
        # From where on something is new of a point; also while it is being read.
        self._new_from: dict[int, int] = {}

    def changed(self, points: Iterable[int], from_ms: Iterable[int]) -> None:
        """There are new readings of points, none of them before these instants."""
        for point, since in zip(points, from_ms, strict=True):
            self._new_from[point] = min(since, self._new_from.get(point, _FOREVER))

    def forget(self) -> None:
        """Remember nothing."""
        self._kept.clear()
        self._new_from.clear()
        self._rows, self._forgotten = 0, self._forgotten + 1

    async def look(self, points: Whole, from_ms: int) -> Whole:
        """Remember these points since somewhat before an instant; those of which that is so, ascending."""
        now = self._clock()
        near = frozenset(self._near(points, from_ms, now))
        far = [p for p in points.tolist() if p not in near]
        for i in range(0, len(far), _READ_TOGETHER):
            if self._rows < self._most_rows:
                await self._read_whole(far[i : i + _READ_TOGETHER], from_ms - _MARGIN_MS, now)
        if self._rows >= self._most_rows:
            for point in [p for p, kept in self._kept.items() if kept.believed_until < now]:
                self._drop(point)
        return await self.remembered(points, from_ms)

    async def remembered(self, points: Whole, from_ms: int) -> Whole:
        """Those of the points of which all since an instant is remembered, with what is new, ascending."""
        await self._read_tails([p for p in self._near(points, from_ms, self._clock()) if p in self._new_from])
        held = [p for p in self._near(points, from_ms, self._clock()) if p not in self._new_from]
        return np.array(held, points.dtype)

    def spans(self, points: Whole, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        """Of remembered points that have readings since then: number, how many, first and last instant."""
        told = []
        for point in points.tolist():
            kept = self._kept[point]
            at = kept.from_(from_ms)
            if at < len(kept):
                told.append((point, len(kept) - at, kept.since_ms + int(kept.after_ms[at]), kept.last_ms))
        number, n, first, last = np.array(told, np.int64).reshape(-1, 4).T
        return number, n, first, last

    def registers(self, points: Whole, from_ms: int) -> Registers:
        """Readings of remembered points since then, by point and instant."""
        parts = [(kept := self._kept[p], kept.from_(from_ms)) for p in points.tolist()]
        lengths = [len(kept) - at for kept, at in parts]
        t_ms = [kept.since_ms + kept.after_ms[at:].astype(np.int64) for kept, at in parts]
        none = np.empty(0)
        return (
            np.repeat(points.astype(np.int32), lengths),
            np.concatenate([*t_ms, none.astype(np.int64)]),
            np.concatenate([*(kept.value[at:] for kept, at in parts), none]),
        )

    # -- reading ---------------------------------------------------------------------------------------------------

    def _near(self, points: Whole, from_ms: int, now: float) -> Sequence[int]:
        return [p for p in points.tolist() if self._is_near(p, from_ms, now)]

    def _is_near(self, point: int, from_ms: int, now: float) -> bool:
        """Whether a point is remembered since then, and what is new of it is not far in the past."""
        kept = self._kept.get(point)
        if kept is None or kept.since_ms > from_ms or kept.believed_until < now:
            return False
        return self._new_from.get(point, _FOREVER) > kept.last_ms - _LATE_MS

    async def _read_tails(self, points: Sequence[int]) -> None:
        if not points:
            return
        low = min(self._new_from[p] for p in points)
        for point, t_ms, value in await self._told(points, low):
            kept = self._kept[point]
            before, own = kept.from_(low), int(np.searchsorted(t_ms, kept.since_ms))
            self._keep(
                point,
                kept.since_ms,
                np.concatenate([kept.since_ms + kept.after_ms[:before].astype(np.int64), t_ms[own:]]),
                np.concatenate([kept.value[:before], value[own:]]),
                kept.believed_until,
            )

    async def _read_whole(self, points: Sequence[int], since_ms: int, now: float) -> None:
        for point, t_ms, value in await self._told(points, since_ms):
            self._keep(point, since_ms, t_ms, value, now + _BELIEVED_S * (1 + point % _SPREAD / _SPREAD) / 2)

    async def _told(self, points: Sequence[int], from_ms: int) -> Iterable[tuple[int, Whole, Floats]]:
        """What there is of each of the points since then; what becomes new meanwhile is told by `changed`."""
        forgotten = self._forgotten
        for point in points:
            self._new_from.pop(point, None)
        try:
            number, t_ms, value = await self._read(points, from_ms)
        except BaseException:
            for point in points:
                self._drop(point)
            raise
        if self._forgotten != forgotten:
            return []
        begins = np.searchsorted(number, [*points, points[-1] + 1])
        return [(p, t_ms[a:b], value[a:b]) for p, a, b in zip(points, begins[:-1], begins[1:], strict=True)]

    def _keep(self, point: int, since_ms: int, t_ms: Whole, value: Floats, believed_until: float) -> None:
        self._drop(point)
        if len(t_ms) == 0 or int(t_ms[-1]) - since_ms <= _FURTHEST_MS:
            self._kept[point] = _Kept(since_ms, (t_ms - since_ms).astype(np.uint32), value, believed_until)
            self._rows += len(value)

    def _drop(self, point: int) -> None:
        if (kept := self._kept.pop(point, None)) is not None:
            self._rows -= len(kept)
