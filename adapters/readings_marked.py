"""Readings whose writes are marked for a ledger that lies in another database."""

from __future__ import annotations

from adapters.marks_postgres import Announced, PostgresMarks
from adapters.readings_forwarded import ForwardedReadings
from adapters.registers_recent import RecentRegisters
from energy.ports import RegisterStore, Written
from energy.readings import ReadingColumns


class MarkedReadings(ForwardedReadings):
    """Fulfils `RegisterStore`: another one, whose writes are marked for a ledger that lies elsewhere."""

    def __init__(self, store: RegisterStore, marks: PostgresMarks, recent: RecentRegisters) -> None:
        super().__init__(store)
        self._marks, self._recent = marks, recent

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
