"""Readings that are another store's: what a store that changes some of it is made of."""

from __future__ import annotations

from collections.abc import Sequence

from energy.ports import RegisterStore, Spans, Written
from energy.readings import Point, ReadingColumns
from energy.series import Curve


class ForwardedReadings:
    """Fulfils `RegisterStore`: whatever is asked of it, another one is asked."""

    def __init__(self, store: RegisterStore) -> None:
        self._store = store

    async def write(self, columns: ReadingColumns) -> Written:
        return await self._store.write(columns)

    async def latest(self, points: Sequence[Point] | None = None) -> ReadingColumns:
        return await self._store.latest(points)

    async def curves(
        self, points: Sequence[Point], from_ms: int, to_ms: int, rows: int, *, origin_ms: int = 0
    ) -> list[Curve]:
        return await self._store.curves(points, from_ms, to_ms, rows, origin_ms=origin_ms)

    async def readings(self, points: Sequence[Point], from_ms: int, to_ms: int) -> ReadingColumns:
        return await self._store.readings(points, from_ms, to_ms)

    async def points(self) -> list[Point]:
        return await self._store.points()

    async def spans(self, points: Sequence[Point], from_ms: int) -> Spans:
        return await self._store.spans(points, from_ms)

    async def last_before(self, point: Point, before_ms: int) -> int | None:
        return await self._store.last_before(point, before_ms)

    @property
    def shown_after_s(self) -> float:
        return self._store.shown_after_s

    def heard(self, columns: ReadingColumns) -> None:
        self._store.heard(columns)

    async def learn(self, meters: Sequence[str]) -> None:
        await self._store.learn(meters)

    async def maintain(self, now_ms: int) -> None:
        await self._store.maintain(now_ms)
