"""Filings of institutions: filled in from what is known and by hand, checked, submitted, returned, accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_file import RuleBook
from analytics.reporting.filing_states import OPEN, State, Step, after, possible
from analytics.reporting.forms import Cell, Form, form_for
from energy.errors import UnknownName
from energy.organisations import Organisation
from energy.periods import month_of
from energy.ports import Clock
from energy.readings import to_ms
from energy.validity import Validity
from gateway.ledger.books import Books
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.reporting.boards import Boards
from gateway.reporting.refusals import (
    MovedOn,
    no_reason,
    no_such_cells,
    no_why,
    not_explained,
    not_over,
    not_possible,
    same_eyes,
)
from gateway.reporting.rows import (
    FILING,
    Entered,
    Kept,
    Taken,
    add_step,
    keep,
    kept_filings,
    plain,
    states_of,
    steps_of,
)
from gateway.reporting.sources import INSTITUTION, Month, Sources
from gateway.reporting.standing import Looking, Standing
from gateway.stock.service import Stock

FORM = "consumption"


class Statistics:
    """The filings of the institutions that the books know."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        books: Books,
        stock: Stock,
        forms: tuple[Form, ...],
        rules: RuleBook,
        whole: Statistics | None = None,
    ) -> None:
        self._records, self._clock, self._books, self._stock = records, clock, books, stock
        self.forms, self.rules = forms, rules
        # Of every institution, from which those are told that these books know; it draws them once for all who ask.
        self._whole = self if whole is None else whole
        self._boards: Boards = Boards(records, books, stock) if whole is None else whole._boards

    def over(self, books: Books, stock: Stock, *, apart: bool = False) -> Statistics:
        """The same of what these books know; who sees less of them sees the filings of those institutions alone.

        apart : nothing is told as it was drawn for others, since these books reckon otherwise: without what is hidden.
        """
        whole = None if apart else self._whole
        return Statistics(self._records, self._clock, books, stock, self.forms, self.rules, whole)

    def month(self, name: str) -> Month:
        """The month 'YYYY-MM' of the site."""
        zone = self._books.kept.site.zone_info
        period = month_of(name, zone)
        first, end = period.start.astimezone(zone).date(), period.end.astimezone(zone).date()
        return Month(name, period, first, end)

    def form(self, month: Month) -> Form:
        """The form that holds in the month."""
        return form_for(self.forms, FORM, month.end - timedelta(days=1))

    def factors(self, name: str | None) -> FactorSet:
        """A factor set by its id; the first one where none is named."""
        book = self._books.factors
        return book.sets[0] if name is None else book.set(name)

    def institutions(self, month: Month) -> list[Organisation]:
        """Those that file for the month: that were there on a day of it."""
        days = Validity(month.first, month.end)
        return [o for o in self._books.kept.site.organisations if o.kind == INSTITUTION and o.valid.overlaps(days)]

    # -- looking --------------------------------------------------------------------------------------------------

    async def standings(
        self, month: Month, names: Sequence[str] | None = None, factors: FactorSet | None = None
    ) -> list[Standing]:
        """The filings of institutions, or of all that are known, in the order of the records.

        All of them come from what is kept for all who ask; those that are named are drawn anew.
        """
        chosen, factors = self._chosen(month, names), factors or self.factors(None)
        found = await self._whole._named(month, [o.id for o in chosen], factors, kept=names is None)
        return [found[o.id] for o in chosen if o.id in found]

    async def _named(self, month: Month, ids: list[str], factors: FactorSet, *, kept: bool) -> dict[str, Standing]:
        form, months = self.form(month), (month, self._a_year_before(month))
        filing = self.institutions(month)
        every = [o.id for o in self._books.kept.site.organisations if o.kind == INSTITUTION]
        if kept:
            return await self._boards.standings(form, self.rules.rules, months, (filing, every), factors)
        sources = Sources(self._books, self._stock, form)
        drawn, then = await sources.drawn(month, ids, every), await sources.drawn(months[1], ids, every)
        async with self._records.reading() as connection:
            rows = await kept_filings(connection, form.id, {one.name for one in months}, ids)
        there = {(one.organisation, one.period): one for one in rows}
        looking = Looking(form, self.rules.rules, month, factors)
        return {
            o.id: looking.standing(o, drawn[o.id], then[o.id], *(there.get((o.id, one.name)) for one in months))
            for o in filing
            if o.id in drawn
        }

    async def states(self, month: Month) -> dict[str, State]:
        """In which state the filing of each institution is, in the order of the records."""
        async with self._records.reading() as connection:
            found = await states_of(connection, self.form(month).id, month.name)
        return {o.id: found.get(o.id, State.DRAFT) for o in self.institutions(month)}

    async def standing(self, month: Month, name: str, factors: FactorSet | None = None) -> Standing:
        """The filing of one institution; UnknownName where there is none such."""
        return (await self.standings(month, [name], factors))[0]

    async def steps(self, kept: Kept) -> list[Taken]:
        """What was done with a filing, oldest first."""
        if not kept.id:
            return []
        async with self._records.reading() as connection:
            return await steps_of(connection, kept.id)

    def late(self, month: Month, standing: Standing) -> bool:
        """Whether the institution should have submitted the month by now."""
        return standing.kept.state in OPEN and self.is_due(month)

    def is_due(self, month: Month) -> bool:
        """Whether the time for submitting the month is over."""
        return self._clock.now() >= self.due(month)

    def due(self, month: Month) -> datetime:
        """Until when the month is to be submitted."""
        zone = self._books.kept.site.zone_info
        last = month.period.end.astimezone(zone) + timedelta(days=self.rules.due_day)
        return last.astimezone(UTC)

    def _chosen(self, month: Month, names: Sequence[str] | None) -> list[Organisation]:
        filing = self.institutions(month)
        if names is None:
            return filing
        known = {o.id: o for o in filing}
        for name in names:
            if name not in known:
                raise UnknownName(f"{name!r} is no institution that files for {month.name}")
        return [known[name] for name in names]

    def _a_year_before(self, month: Month) -> Month:
        year, number = month.name.split("-")
        return self.month(f"{int(year) - 1:04d}-{number}")

    # -- doing ----------------------------------------------------------------------------------------------------

    async def fill(
        self, month: Month, name: str, cells: Mapping[Cell, Entered | None], author: Author, revision: int | None = None
    ) -> None:
        """Enter figures by hand; None takes back what was entered, so that the cell follows its source again."""
        form = self.form(month)
        unknown = [cell for cell in cells if cell not in form.cells]
        if unknown:
            raise no_such_cells(unknown, form.cells)
        unsaid = [cell for cell, one in cells.items() if one is not None and not one.why.strip()]
        if unsaid:
            raise no_why(unsaid)

        def filled(kept: Kept) -> Kept:
            entered = dict(kept.entered)
            for cell, one in cells.items():
                entered.pop(cell, None)
                entered |= {} if one is None else {cell: one}
            return replace(kept, entered=entered)

        await self._change(month, name, Step.FILL, filled, author, revision)

    async def submit(
        self, month: Month, name: str, reasons: Mapping[str, str], author: Author, revision: int | None = None
    ) -> None:
        """Submit what stands there now, with reasons for the warnings by their keys; it is frozen so.

        RequestError names the errors, and the warnings without a reason, that keep it back.
        """
        if self._clock.now() < month.period.end:
            raise not_over(month.name, month.end)
        standing = await self.standing(month, name)
        given = replace(standing, kept=replace(standing.kept, reasons={**standing.kept.reasons, **reasons}))
        if given.kept.state in OPEN and given.unexplained:
            raise not_explained(name, month.name, given.unexplained)

        def submitted(kept: Kept) -> Kept:
            return replace(kept, reasons=given.kept.reasons, frozen=standing.now)

        seen = standing.kept.revision if revision is None else revision
        await self._change(month, name, Step.SUBMIT, submitted, author, seen)

    async def give_back(self, month: Month, name: str, author: Author, revision: int | None = None) -> None:
        """Return a filing; the reason is told to those who fill it in."""
        if not author.why.strip():
            raise no_reason()
        await self._change(month, name, Step.RETURN, lambda kept: kept, author, revision)

    async def accept(
        self, month: Month, name: str, author: Author, revision: int | None = None, *, by_another: bool = False
    ) -> None:
        """Accept a filing: it stands. `by_another` refuses who submitted it."""

        async def looked_at(connection: AsyncConnection, kept: Kept) -> None:
            submitted = [s.who for s in await steps_of(connection, kept.id) if s.step is Step.SUBMIT]
            if by_another and submitted[-1:] == [author.who]:
                raise same_eyes(author.who)

        await self._change(month, name, Step.ACCEPT, lambda kept: kept, author, revision, looked_at)

    async def _change(
        self,
        month: Month,
        name: str,
        step: Step,
        changed: Callable[[Kept], Kept],
        author: Author,
        revision: int | None,
        looked_at: Callable[[AsyncConnection, Kept], Awaitable[None]] | None = None,
    ) -> None:
        form = self.form(month)
        self._chosen(month, [name])
        async with self._records.writing() as connection:
            found = await kept_filings(connection, form.id, {month.name}, [name])
            kept = found[0] if found else Kept(name, form.id, form.version, month.name)
            if revision is not None and revision != kept.revision:
                raise MovedOn(name, month.name, kept.revision, revision)
            if step not in possible(kept.state):
                raise not_possible(kept.state, step)
            if looked_at is not None:
                await looked_at(connection, kept)
            made = replace(changed(kept), state=after(kept.state, step), version=form.version)
            id = await keep(connection, made)
            if step is not Step.FILL:
                await add_step(connection, id, step, author, made.frozen if step is Step.SUBMIT else None)
            change = Change(FILING, f"{month.name}/{name}", plain(kept) if kept.id else None, plain(made))
            await log_changes(connection, [change], author)

    def author(self, who: str, why: str) -> Author:
        """Who does something now."""
        return Author(who, why, to_ms(self._clock.now()))
