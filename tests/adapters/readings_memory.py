"""Readings in memory: for rehearsals and tests, and the plainest statement of what a store promises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from energy.ports import Spans, Written
from energy.quantities import quantity
from energy.readings import Point, Quality, ReadingColumns, Reason
from energy.series import Curve, reduce, step_for

_Row = tuple[float, int, int]


class MemoryReadings:
    """Fulfils `RegisterStore`; forgets everything at its end."""

    shown_after_s = 0.0

    def __init__(self) -> None:
        self._rows: dict[Point, dict[int, _Row]] = {}

    async def write(self, columns: ReadingColumns) -> Written:
        stored = repeated = 0
        conflicting: list[int] = []
        for i in range(len(columns)):
            of_point = self._rows.setdefault(columns.points[columns.index[i]], {})
            row = (float(columns.value[i]), int(columns.quality[i]), int(columns.reason[i]))
            there = of_point.setdefault(int(columns.taken_at_ms[i]), row)
            if there is row:
                stored += 1
            elif _equal(there, row):
                repeated += 1
            else:
                conflicting.append(i)
        return Written(stored, repeated, conflicting)

    async def points(self) -> list[Point]:
        return list(self._rows)

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        wanted = self._rows if points is None else [p for p in points if p in self._rows]
        newest = {p: max(self._rows[p]) for p in wanted}
        return self._columns(list(newest.items()))

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        known = [p for p in points if p in self._rows]
        return self._columns([(p, t) for p in known for t in sorted(self._rows[p]) if from_ms <= t < to_ms])

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        step_ms = step_for(from_ms, to_ms, rows)
        return [self._curve(p, from_ms, to_ms, rows, step_ms, origin_ms) for p in points]

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        within = [[t for t in self._rows.get(p, {}) if t >= from_ms] for p in points]
        there = [i for i, instants in enumerate(within) if instants]
        columns = (there, *([of(within[i]) for i in there] for of in (len, min, max)))
        return Spans(*(np.array(column, np.int64) for column in columns))

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        of_point = self._rows.get(point, {})
        stepped = Reason.CLOCK_STEPPED.code
        counts = (t for t, (_, q, r) in of_point.items() if q < Quality.BAD and r != stepped)
        return max((t for t in counts if t < before_ms), default=None)

    def heard(self, columns: ReadingColumns) -> None: ...

    async def learn(self, meters: Sequence[str]) -> None:
        """Nobody else writes here."""

    async def maintain(self, now_ms: int) -> None:
        """Nothing to put in order."""

    def _curve(self, point: Point, from_ms: int, to_ms: int, rows: int, step_ms: int, origin_ms: int) -> Curve:
        of_point = self._rows.get(point, {})
        usable = [(t, v, q) for t, (v, q, _) in sorted(of_point.items()) if from_ms <= t < to_ms and q < Quality.BAD]
        t_ms = np.array([t for t, _, _ in usable], np.int64)
        value = np.array([v for _, v, _ in usable], np.float64)
        uncertain = any(q == Quality.UNCERTAIN for _, _, q in usable)
        kind = quantity(point.quantity).kind
        if len(usable) <= rows and (usable or point in self._rows):
            return Curve.raw(point, kind, t_ms, value, uncertain=uncertain)
        return reduce(point, kind, t_ms, value, step_ms=step_ms, origin_ms=origin_ms, uncertain=uncertain)

    def _columns(self, wanted: list[tuple[Point, int]]) -> ReadingColumns:
        points = list(dict.fromkeys(p for p, _ in wanted))
        number = {p: i for i, p in enumerate(points)}
        rows = [(number[p], t, *self._rows[p][t]) for p, t in wanted]
        index, t_ms, value, quality, reason = zip(*rows, strict=True) if rows else ((),) * 5
        return ReadingColumns.of(points, index, t_ms, value, quality, reason)


def _equal(there: _Row, row: _Row) -> bool:
    same_value = there[0] == row[0] or (np.isnan(there[0]) and np.isnan(row[0]))
    return bool(same_value and there[1] == row[1])
