"""A filing as it stands: what is known and what was entered put together, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from analytics.carbon.factor_sets import FactorSet
from analytics.reporting.check_rules import Rule, Severity
from analytics.reporting.checks import Beside, Fault, check
from analytics.reporting.figures import Figure
from analytics.reporting.filing_states import OPEN
from analytics.reporting.filings import Filing, Filled, Origin, energy_of, figure_of
from analytics.reporting.forms import Cell, Form
from analytics.reporting.indicators import Result, indicators
from energy.organisations import Organisation
from energy.sites import Text
from gateway.reporting.rows import Entered, Kept
from gateway.reporting.sources import Drawn, Month


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


class Looking:
    """Puts together what stands in filings of a month, and what is found in them."""

    def __init__(self, form: Form, rules: Iterable[Rule], month: Month, factors: FactorSet) -> None:
        self._form, self._month, self._factors = form, month, factors
        self._rules = [rule for rule in rules if rule.fits(form)]

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
