"""Rules by which filings are checked (审核规则), as data: each with its bound, how grave it is, and its source."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analytics.reporting.forms import Form
from energy.confidence import Confidence
from energy.sites import Text


class Severity(StrEnum):
    """An error keeps a filing from being submitted; a warning needs a written reason; a note only tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class RuleKind(StrEnum):
    """What a rule looks at."""

    # An item that each filing needs is empty.
    NEEDED = "needed"
    # A quantity without its fee, or a fee without its quantity.
    PAIRED = "paired"
    # Below zero.
    NEGATIVE = "negative"
    # A part that is more than its whole.
    PART = "part"
    # Fee by quantity outside [low, high] yuan per unit.
    PRICE = "price"
    # A fee in 万元 where 元 is asked, or the other way round: the price is 10 000 times off.
    FEE_UNIT = "fee_unit"
    # Otherwise than in the same period last year by more than `high`, as a share of it.
    LAST_YEAR = "last_year"
    # The same figure as in another period: probably copied.
    COPIED = "copied"
    # A fee that is a round number of thousands.
    ROUND = "round"
    # Two items whose figures look exchanged: each has about what the other had last year.
    SWAPPED = "swapped"
    # Floor area or head count otherwise than a year before by more than `high`.
    SIZE = "size"
    # An indicator outside [low, high] for the class of institution.
    BAND = "band"
    # Meters and bills differ by more than `high`.
    METER_AND_BILL = "meter_and_bill"
    # More of the figure is estimated or missing than `high`.
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `item` or `indicator` narrows it, `institution_class` holds it to a type and what is below.

    low, high : bounds in the unit that the kind says. least : what differs by less than this much [unit of the item] is
    never told, so that ten cubic metres more do not ring.
    """

    id: str
    kind: RuleKind
    severity: Severity
    name: Text
    source: Text
    confidence: Confidence
    item: str | None = None
    indicator: str | None = None
    institution_class: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    least: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        bounded = (RuleKind.PRICE, RuleKind.LAST_YEAR, RuleKind.SIZE, RuleKind.BAND, RuleKind.METER_AND_BILL)
        if self.kind in (*bounded, RuleKind.DOUBTFUL) and self.high is None:
            raise ValueError(f"a rule of kind {self.kind} needs `high`")
        if self.kind is RuleKind.BAND and self.indicator is None:
            raise ValueError("a rule of kind band needs the indicator that it bounds")
        if self.kind in (RuleKind.PRICE, RuleKind.FEE_UNIT) and None in (self.item, self.low, self.high):
            raise ValueError(f"a rule of kind {self.kind} needs its item, `low` and `high`")

    def holds_for(self, institution_class: str | None) -> bool:
        """Whether it is for this class: for all, or for this one and what it is a sub-type of."""
        if self.institution_class is None:
            return True
        return institution_class is not None and institution_class.startswith(self.institution_class)

    def fits(self, form: Form) -> bool:
        """Whether the form has the item that it looks at."""
        return self.item is None or self.item in form.by_id
