"""Quotas (用能定额): how much an organisation may use in a year, by which document and which method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from energy.names import check_id

MONTHS = 12
_MOST = Decimal("1e12")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class QuotaOf(StrEnum):
    """What is limited: a medium, or all energy together as standard coal."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    HEAT = "heat"
    ENERGY = "energy"


QUOTA_UNITS: Mapping[QuotaOf, str] = {
    QuotaOf.ELECTRICITY: "kWh",
    QuotaOf.WATER: "m3",
    QuotaOf.GAS: "m3",
    QuotaOf.HEAT: "GJ",
    QuotaOf.ENERGY: "kgce",
}


class Method(StrEnum):
    """How a quota came to be."""

    STANDARD = "standard"
    HISTORY = "history"
    HANDED_DOWN = "handed_down"
    SELF_SET = "self_set"


@dataclass(frozen=True, slots=True)
class Quota:
    """What an organisation and all below it may use in a year, as a document of a day says.

    of : organisation/ID. amount : in the unit of what is limited. document : what says so, for somebody who looks it
    up. months : what of it each month may use; None lets past years tell. standard : the line it was reckoned by.
    factor_set : the one under which an amount of standard coal was made; needed for energy, and for nothing else.
    """

    of: str
    limited: QuotaOf
    year: int
    amount: Decimal
    method: Method
    document: str
    dated: date
    months: tuple[Decimal, ...] | None = None
    standard: str = ""
    factor_set: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        kind, _, name = self.of.partition("/")
        if kind != "organisation":
            raise ValueError(f"of {self.of!r} must be organisation/ID")
        check_id("organisation", name)
        if not _FIRST_YEAR <= self.year <= _LAST_YEAR:
            raise ValueError(f"year {self.year} must be from {_FIRST_YEAR} to {_LAST_YEAR}")
        if not self.amount.is_finite() or not 0 < self.amount < _MOST:
            raise ValueError(f"amount {self.amount} must be above 0, in {self.unit}")
        if not self.document.strip():
            raise ValueError("document must say by what the quota holds")
        if (self.limited is QuotaOf.ENERGY) != (self.factor_set is not None):
            raise ValueError(
                "a quota of energy needs the factor_set under which its standard coal was made"
                if self.factor_set is None
                else f"a quota of {self.limited} is in {self.unit}; it has no factor_set"
            )
        self._check_months()

    def _check_months(self) -> None:
        if self.months is None:
            return
        if len(self.months) != MONTHS or any(not m.is_finite() or m < 0 for m in self.months):
            raise ValueError("months must be twelve amounts, 0 or more")
        if sum(self.months) != self.amount:
            raise ValueError(f"months sum to {sum(self.months)}, not to the amount {self.amount}")

    @property
    def unit(self) -> str:
        """The unit of its amounts."""
        return QUOTA_UNITS[self.limited]
