"""Months are closed once, keep their figures, and are corrected by a reversal and the new figure, booked today."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from sqlalchemy import insert, select

from energy.errors import EnergyError, UnknownName
from energy.periods import Period, month_of
from energy.ports import Clock
from energy.readings import Point, to_ms
from gateway.closing.figures import Difference, Figure, differing, figures_of
from gateway.closing.rows import (
    Closing,
    ClosingEntry,
    closing_of,
    entries_of,
    entry_of,
    figure_of,
    insert_closing,
    keep_figures,
    named,
    of_site,
    point_of,
    standing,
)
from gateway.closing.tables import ClosingEntryRow, ClosingFigureRow, ClosingRow
from gateway.ledger.books import Books
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records

KIND = "closing"
# A closing waits so long for readings that are just being worked in.
_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.05
# So many names fit into one question to any database; of more points all are read.
_FEW = 500


class Closings:
    """The closed months of the site of the books."""

    def __init__(self, records: Records, clock: Clock, books: Books) -> None:
        self._records, self._clock, self._books = records, clock, books

    # -- closing and correcting -----------------------------------------------------------------------------------

    async def close(self, month: str, who: str, why: str = "") -> Closing:
        """Keep what the ledger says of every counter; EnergyError before the month has ended, and the second time."""
        author = Author(who, why, to_ms(self._clock.now()))
        period = self._month(month)
        if period.end > self._clock.now():
            raise EnergyError(f"{month} has not ended yet; it can be closed from {period.end.isoformat()} on")
        if await self._found(month) is not None:
            raise EnergyError(f"{month} is closed already")
        figures = await self._now(period)
        async with self._records.writing() as connection:
            if await closing_of(connection, self._site, month) is not None:
                raise EnergyError(f"{month} is closed already")
            closing = await insert_closing(connection, self._site, month, author)
            await keep_figures(connection, closing, figures)
            after = {"month": month, "counters": len(figures)}
            await log_changes(connection, [Change(KIND, month, None, after)], author, self._site)
        return closing

    async def correct(self, closing: Closing, who: str, why: str) -> list[ClosingEntry]:
        """Book a reversal of what stands and what the ledger says now, in the month of today; EnergyError where
        nothing differs. The closed figures stay."""
        if not why.strip():
            raise EnergyError("a correction says why")
        author = Author(who, why, to_ms(self._clock.now()))
        booked_in = f"{self._clock.now().astimezone(self._books.kept.site.zone_info):%Y-%m}"
        now = await self._now(self._month(closing.month))
        async with self._records.writing() as connection:
            differences = differing(await standing(connection, closing), now)
            if not differences:
                raise EnergyError(f"nothing of {closing.month} differs from what was closed and corrected")
            rows = [row for one in differences for row in entries_of(one, closing, booked_in, author)]
            made = insert(ClosingEntryRow).returning(ClosingEntryRow.id, sort_by_parameter_order=True)
            ids = [int(i) for i in (await connection.execute(made, rows)).scalars()]
            after = {"corrected": closing.month, "counters": len(differences), "booked_in": booked_in}
            await log_changes(connection, [Change(KIND, closing.month, None, after)], author, self._site)
        return [entry_of({"id": i, **row}) for i, row in zip(ids, rows, strict=True)]

    # -- what is kept ---------------------------------------------------------------------------------------------

    async def closings(self) -> list[Closing]:
        """The closed months, oldest first."""
        wanted = select(ClosingRow.__table__).where(ClosingRow.site == self._site).order_by(ClosingRow.month)
        async with self._records.reading() as connection:
            return [Closing(**row) for row in (await connection.execute(wanted)).mappings()]

    async def closing(self, month: str) -> Closing:
        """The closing of a month; UnknownName where it is not closed."""
        self._month(month)
        found = await self._found(month)
        if found is None:
            raise UnknownName(f"{month} is not closed")
        return found

    async def closed_figures(self, closing: Closing, points: Collection[Point] | None = None) -> dict[Point, Figure]:
        """What was closed of these counters, or of all; those of which nothing was known are left out."""
        wanted = select(ClosingFigureRow.__table__).where(ClosingFigureRow.closing == closing.id)
        if points is not None and len(chosen := {*points}) <= _FEW:
            wanted = wanted.where(ClosingFigureRow.meter.in_(sorted({point.meter for point in chosen})))
        async with self._records.reading() as connection:
            rows = [named(row) for row in (await connection.execute(wanted)).mappings()]
        # Sorted here: databases differ in how they sort letters.
        found = dict(sorted((point_of(row), figure_of(row)) for row in rows))
        return found if points is None else {p: found[p] for p in dict.fromkeys(points) if p in found}

    async def closed_of(self, month: str, points: Collection[Point]) -> dict[Point, tuple[int, int | None]]:
        """What was closed of these counters: amount [millionths of the unit] and cost [millionths of a yuan], None
        where it has no tariff. Empty where the month is not closed."""
        closing = await self._found(month)
        figures = {} if closing is None else await self.closed_figures(closing, points)
        return {p: (f.booked.amount, f.booked.priced_cost) for p, f in figures.items()}

    async def entries(self, closing: Closing | None = None, *, booked_in: str | None = None) -> list[ClosingEntry]:
        """What was booked beside the figures of a closing, or of all closings of the site; or in one month."""
        wanted = of_site(select(ClosingEntryRow.__table__), self._site).order_by(ClosingEntryRow.id)
        if closing is not None:
            wanted = wanted.where(ClosingEntryRow.closing == closing.id)
        if booked_in is not None:
            wanted = wanted.where(ClosingEntryRow.booked_in == booked_in)
        async with self._records.reading() as connection:
            return [entry_of(named(row)) for row in (await connection.execute(wanted)).mappings()]

    async def differences(self, closing: Closing) -> list[Difference]:
        """Of which counters the ledger says otherwise now than what was closed and booked beside it."""
        now = await figures_of(self._books.ledger, self._month(closing.month))
        async with self._records.reading() as connection:
            return differing(await standing(connection, closing), now)

    # -- what it works with ---------------------------------------------------------------------------------------

    @property
    def _site(self) -> str:
        return self._books.kept.site.id

    def _month(self, month: str) -> Period:
        try:
            return month_of(month, self._books.kept.site.zone_info)
        except ValueError as error:
            raise EnergyError(str(error)) from error

    async def _found(self, month: str) -> Closing | None:
        async with self._records.reading() as connection:
            return await closing_of(connection, self._site, month)

    async def _now(self, period: Period) -> dict[Point, Figure]:
        """What the ledger says, with all readings worked in that were there before the question."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_S
        while self._books.pending and loop.time() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
        marks = await self._books.ledger.marks()
        if (marks.from_ms < to_ms(period.end)).any():
            raise EnergyError("readings of this time are just being worked in; try again in a minute")
        return await figures_of(self._books.ledger, period)
