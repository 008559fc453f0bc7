"""Readings whose writes are marked for a ledger that lies in another database."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.marks_postgres import Announced, PostgresMarks
from adapters.registers_recent import RecentRegisters
from energy.ports import RegisterStore, Spans, Written
from energy.readings import Point, ReadingColumns
from energy.series import Curve


class MarkedReadings:
    """Fulfils `RegisterStore`: another one, whose writes are marked for a ledger that lies elsewhere."""

    def __init__(self, store: RegisterStore, marks: PostgresMarks, recent: RecentRegisters) -> None:
        self._store, self._marks, self._recent = store, marks, recent

    async def write(self, columns: ReadingColumns) -> Written:
        announced = await self._marks.announce(columns)
        try:
            written = await self._store.write(columns)
        except BaseException:
            # Some of it may be there: to look once more does no harm.
            self._changed(announced)
            await self._marks.confirm(announced, new=True)
            raise
        if written.stored:
            self._changed(announced)
        await self._marks.confirm(announced, new=written.stored > 0)
        return written

    async def mark(self, columns: ReadingColumns) -> None:
        """These are to be looked at once more: the server had lost them, and has them again."""
        announced = await self._marks.announce(columns)
        self._changed(announced)
        await self._marks.confirm(announced, new=True)

    def _changed(self, announced: Announced | None) -> None:
        if announced is not None:
            self._recent.changed(announced.points, announced.from_ms)

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
