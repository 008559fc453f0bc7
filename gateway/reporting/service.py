"""Filings of institutions: filled in from what is known and by hand, checked, submitted, returned, accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_file import RuleBook
from analytics.reporting.check_rules import Severity
from analytics.reporting.checks import Beside, Fault, check
from analytics.reporting.figures import Figure
from analytics.reporting.filing_states import OPEN, Step, StepError, after
from analytics.reporting.filings import Filing, Filled, Origin, energy_of, figure_of
from analytics.reporting.forms import Cell, Form, form_for
from analytics.reporting.indicators import Result, indicators
from energy.errors import EnergyError, UnknownName
from energy.organisations import Organisation
from energy.periods import month_of
from energy.ports import Clock
from energy.readings import to_ms
from energy.sites import Text
from gateway.ledger.books import Books
from gateway.records.changes import Author, Change, log_changes
from gateway.records.database import Records
from gateway.reporting.rows import Entered, Kept, Taken, add_step, keep, kept_filings, plain, steps_of
from gateway.reporting.sources import INSTITUTION, Drawn, Month, Sources
from gateway.stock.service import Stock

FORM = "consumption"


class MovedOn(EnergyError):
    """Somebody else has changed the filing meanwhile."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A filing as it stands: what it says, what the checks find, and what the ledger would say now.

    now : what would stand in it were it filled in today; the same as `filing` while it is open.
    """

    organisation: Organisation
    kept: Kept
    filing: Filing
    now: Filing
    faults: Sequence[Fault]
    indicators: Mapping[str, Result]

    @property
    def unexplained(self) -> list[Fault]:
        """Errors, and warnings without a reason: what keeps it from being submitted."""
        return [
            fault
            for fault in self.faults
            if fault.severity is Severity.ERROR
            or (fault.severity is Severity.WARNING and not self.kept.reasons.get(fault.key, "").strip())
        ]


class Statistics:
    """The filings of the institutions that the books know."""

    def __init__(
        self, records: Records, clock: Clock, books: Books, stock: Stock, forms: tuple[Form, ...], rules: RuleBook
    ) -> None:
        self._records, self._clock, self._books, self._stock = records, clock, books, stock
        self.forms, self.rules = forms, rules

    def over(self, books: Books, stock: Stock) -> Statistics:
        """The same of what these books know; who sees less of them sees the filings of those institutions alone."""
        return Statistics(self._records, self._clock, books, stock, self.forms, self.rules)

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
        """Those that file for the month."""
        last = month.end - timedelta(days=1)
        return [o for o in self._books.kept.site.organisations if o.kind == INSTITUTION and o.valid.holds(last)]

    # -- looking --------------------------------------------------------------------------------------------------

    async def standings(
        self, month: Month, names: Sequence[str] | None = None, factors: FactorSet | None = None
    ) -> list[Standing]:
        """The filings of institutions, or of all that are known, in the order of the records."""
        chosen = self._chosen(month, names)
        form, before = self.form(month), self._a_year_before(month)
        sources = Sources(self._books, self._stock, form)
        ids = [o.id for o in chosen]
        drawn = await sources.drawn(month, ids)
        then = await sources.drawn(before, ids)
        async with self._records.reading() as connection:
            kept = await kept_filings(connection, form.id, {month.name, before.name}, ids)
        found = {(one.organisation, one.period): one for one in kept}
        looking = _Looking(self, form, month, factors or self.factors(None))
        return [
            looking.standing(o, drawn[o.id], then[o.id], found.get((o.id, month.name)), found.get((o.id, before.name)))
            for o in chosen
        ]

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
        return standing.kept.state in OPEN and self._clock.now() >= self.due(month)

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
        unknown = [str(cell) for cell in cells if cell not in form.cells]
        if unknown:
            raise EnergyError(f"the form has no cell {', '.join(unknown)}; it has {', '.join(map(str, form.cells))}")
        for cell, one in cells.items():
            if one is not None and not one.why.strip():
                raise EnergyError(f"{cell}: say why it is entered by hand, such as the number of a bill")

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

        StepError names the errors, and the warnings without a reason, that keep it back.
        """
        if self._clock.now() < month.period.end:
            raise StepError(f"{month.name} is not over; it can be submitted from {month.end} on")
        standing = await self.standing(month, name)
        given = replace(standing, kept=replace(standing.kept, reasons={**standing.kept.reasons, **reasons}))
        if given.kept.state in OPEN and given.unexplained:
            told = "; ".join(f"[{fault.key}] {fault.text.en}" for fault in given.unexplained)
            raise StepError(f"{name} cannot be submitted for {month.name} yet: {told}")

        def submitted(kept: Kept) -> Kept:
            return replace(kept, reasons=given.kept.reasons, frozen=standing.now)

        seen = standing.kept.revision if revision is None else revision
        await self._change(month, name, Step.SUBMIT, submitted, author, seen)

    async def give_back(self, month: Month, name: str, author: Author, revision: int | None = None) -> None:
        """Return a filing; the reason is told to those who fill it in."""
        if not author.why.strip():
            raise EnergyError("say why it is returned: those who fill it in read just this")
        await self._change(month, name, Step.RETURN, lambda kept: kept, author, revision)

    async def accept(self, month: Month, name: str, author: Author, revision: int | None = None) -> None:
        """Accept a filing: it stands."""
        await self._change(month, name, Step.ACCEPT, lambda kept: kept, author, revision)

    async def _change(
        self, month: Month, name: str, step: Step, changed: Callable[[Kept], Kept], author: Author, revision: int | None
    ) -> None:
        form = self.form(month)
        self._chosen(month, [name])
        async with self._records.writing() as connection:
            found = await kept_filings(connection, form.id, {month.name}, [name])
            kept = found[0] if found else Kept(name, form.id, form.version, month.name)
            if revision is not None and revision != kept.revision:
                raise MovedOn(
                    f"the filing of {name} for {month.name} was changed meanwhile (revision {kept.revision}, you saw "
                    f"{revision}); look at it again"
                )
            made = replace(changed(kept), state=after(kept.state, step), version=form.version)
            id = await keep(connection, made)
            if step is not Step.FILL:
                await add_step(connection, id, step, author, made.frozen if step is Step.SUBMIT else None)
            change = Change("filing", f"{month.name}/{name}", plain(kept) if kept.id else None, plain(made))
            await log_changes(connection, [change], author)

    def author(self, who: str, why: str) -> Author:
        """Who does something now."""
        return Author(who, why, to_ms(self._clock.now()))


class _Looking:
    """Puts together what stands in filings of a month, and what is found in them."""

    def __init__(self, statistics: Statistics, form: Form, month: Month, factors: FactorSet) -> None:
        self._form, self._month, self._factors = form, month, factors
        self._rules = statistics.rules.rules

    def standing(
        self, organisation: Organisation, drawn: Drawn, then: Drawn, kept: Kept | None, before: Kept | None
    ) -> Standing:
        kept = kept or Kept(organisation.id, self._form.id, self._form.version, self._month.name)
        now = overlaid(drawn.filing, kept.entered)
        filing = now if kept.state in OPEN or kept.frozen is None else kept.frozen
        last_year = _before(then, before)
        found = self._indicators(filing)
        beside = Beside(
            organisation.institution_class,
            last_year if last_year.cells else None,
            [last_year] if last_year.cells else [],
            drawn.billed,
            found,
        )
        return Standing(organisation, kept, filing, now, check(self._form, filing, self._rules, beside), found)

    def _indicators(self, filing: Filing) -> dict[str, Result]:
        return indicators_of(self._form, filing, self._factors, self._month.first.year)


def indicators_of(form: Form, filing: Filing, factors: FactorSet, year: int) -> dict[str, Result]:
    """The indicators of a filing, or of a sum of filings, under a factor set."""
    size = filing.size
    return indicators(
        energy_of(form, filing, factors, year),
        electricity_kwh=figure_of(form, filing, "electricity"),
        water_m3=figure_of(form, filing, "water"),
        area_m2=_figure(size.area_m2, "m2", Text("建筑面积未知", "the floor area is not known")),
        people=_figure(size.people, "person", Text("用能人数未知", "the head count is not known")),
    )


def overlaid(drawn: Filing, entered: Mapping[Cell, Entered]) -> Filing:
    """What is known without a hand, with what was entered in its place."""
    cells = {cell: filled for cell, filled in drawn.cells.items() if cell not in entered}
    cells |= {c: Filled(e.value, Origin.ENTERED, basis=e.why) for c, e in entered.items() if e.value is not None}
    return replace(drawn, cells=cells)


def differing(one: Filing, other: Filing) -> list[Cell]:
    """The cells in which two filings say otherwise."""
    cells: Iterable[Cell] = {*one.cells, *other.cells}
    return sorted((c for c in cells if one.value(c.item, c.kind) != other.value(c.item, c.kind)), key=str)


def _before(then: Drawn, kept: Kept | None) -> Filing:
    """What was filed a year before, or what would have been."""
    if kept is None:
        return then.filing
    return kept.frozen if kept.frozen is not None else overlaid(then.filing, kept.entered)


def _figure(value: Decimal | None, unit: str, reason: Text) -> Figure:
    return Figure(value, unit, None if value is not None else reason)
