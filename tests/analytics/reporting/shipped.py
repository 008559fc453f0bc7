"""The form and the rules that are shipped, as the tests use them."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

from analytics.reporting.check_file import RuleBook, read_rules
from analytics.reporting.filings import Filing, Filled, Origin, Size
from analytics.reporting.form_file import read_forms
from analytics.reporting.forms import Cell, Form

_STATISTICS = Path(__file__).parents[3] / "config" / "statistics"


@cache
def form() -> Form:
    """The consumption form of 2022."""
    return read_forms(_STATISTICS / "forms")[0]


@cache
def rule_book() -> RuleBook:
    return read_rules(_STATISTICS / "checks.yaml", (form(),))


def filing(
    values: dict[str, str], *, of: str = "school", period: str = "2026-06", area: str = "8000", people: str = "400"
) -> Filing:
    """Figures entered by hand, by cell."""
    cells = {Cell.parse(cell): Filled(Decimal(value), Origin.ENTERED) for cell, value in values.items()}
    return Filing(of, period, cells, Size(Decimal(area), Decimal(people)))
