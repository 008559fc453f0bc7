"""Registers for a ledger that lies elsewhere than the readings: those of the last weeks from memory, others from the
store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.marks_postgres import PostgresMarks
from adapters.registers_recent import RecentRegisters, Registers
from energy.hours import Small, Whole
from energy.ports import Numbers, RegisterStore
from energy.readings import LAST_MS
from energy.series import Floats


class LedgerRegisters:
    """What a ledger tells of registers, by the numbers that `marks` gives to points."""

    def __init__(self, marks: PostgresMarks, readings: RegisterStore, remembered_mb: int) -> None:
        self._marks, self._readings = marks, readings
        self.recent = RecentRegisters(self._stored, remembered_mb)

    async def counts(self, points: Numbers, from_ms: int) -> tuple[Whole, Whole, Whole, Whole]:
        numbers = np.unique(np.asarray(points, np.int64))
        # All readings of all points would be too many to be remembered.
        near = await self.recent.look(numbers, from_ms) if from_ms > 0 else numbers[:0]
        known = self.recent.spans(near, from_ms)
        others = numbers[~np.isin(numbers, known[0])]
        spans = await self._readings.spans([self._marks.points[n] for n in others.tolist()], from_ms)
        both = zip(known, (others[spans.index], spans.n, spans.first_ms, spans.last_ms), strict=True)
        joined = [np.concatenate(pair) for pair in both]
        number, n, first_ms, last_ms = (column[np.argsort(joined[0], kind="stable")] for column in joined)
        return number, n, first_ms, last_ms

    async def registers(self, points: Numbers, from_ms: int) -> tuple[Small, Whole, Floats]:
        numbers = np.unique(np.asarray(points, np.int64))
        known = await self.recent.remembered(numbers, from_ms)
        found = self.recent.registers(known, from_ms)
        if len(known) == len(numbers):
            return found
        others = await self._stored(numbers[~np.isin(numbers, known)].tolist(), from_ms)
        if len(known) == 0:
            return others
        number = np.concatenate([found[0], others[0]])
        order = np.argsort(number, kind="stable")
        return number[order], np.concatenate([found[1], others[1]])[order], np.concatenate([found[2], others[2]])[order]

    async def _stored(self, numbers: Sequence[int], from_ms: int) -> Registers:
        """The same from the store; numbers ascend."""
        found = await self._readings.readings([self._marks.points[n] for n in numbers], from_ms, LAST_MS + 1)
        found = found.take(found.counted)
        # The store leaves out points that it never saw.
        own = np.array([self._marks.number(p) for p in found.points], np.int32)
        return own[found.index], found.taken_at_ms, found.value

    async def last_before(self, point: int, before_ms: int) -> int | None:
        return await self._readings.last_before(self._marks.points[point], before_ms)
