"""The bill of one account over one month, line by line; its total is the sum of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from analytics.tariffs.account import Missing, Use
from analytics.tariffs.bill_lines import Found, Line
from analytics.tariffs.fixed_lines import area_lines, basic_lines, power_factor_lines
from analytics.tariffs.tariff import Tariff, Version
from analytics.tariffs.unit_lines import added_lines, energy_lines, excess_lines, tier_lines
from energy.errors import EnergyError


@dataclass(frozen=True, slots=True)
class Bill:
    """What a month costs by a version of a tariff. Where something is `missing`, the total lacks the lines it makes."""

    tariff: str
    month: str
    version: Version
    used: Decimal
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines [yuan]."""
        return sum((x.amount for x in self.lines), Decimal("0.00"))

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        return days_of(self.month)


def bill(tariff: Tariff, month: str, use: Use) -> Bill:
    """The bill of a month such as 2026-03, by the version that holds in all of it; EnergyError where none does."""
    first, last = days_of(month)
    version = tariff.version_on(first)
    if version is None or not version.holds_on(last):
        why = f"no version holds from {first} to {last}; a month that two versions share has no bill of its own"
        raise EnergyError(f"tariff {tariff.id}: {why}")
    lines, missing = _lines_of(tariff, version, month, use)
    return Bill(tariff.id, month, version, use.total, lines, missing)


def _lines_of(tariff: Tariff, version: Version, month: str, use: Use) -> tuple[tuple[Line, ...], tuple[Missing, ...]]:
    """All lines of a month, and what was not told for others."""
    found: list[Found] = [
        *energy_lines(tariff, version, month, use),
        *tier_lines(tariff, version, month, use),
        *excess_lines(tariff, version, month, use),
        *added_lines(tariff, version, use),
        *basic_lines(version, use),
        *area_lines(version, month, use),
    ]
    found += list(power_factor_lines(version, use, found))
    missing = dict.fromkeys(x for x in found if isinstance(x, Missing))
    return tuple(x for x in found if isinstance(x, Line)), tuple(missing)


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a month.

    >>> days_of("2028-02")[1]
    datetime.date(2028, 2, 29)
    """
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
