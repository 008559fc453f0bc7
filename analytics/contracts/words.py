"""What may be written in a contract file (see docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from analytics.tariffs import spelling
from energy.confidence import Confidence
from energy.documents import NameWords, Words
from energy.readings import Point

T = TypeVar("T")


def point(value: Any) -> Point:
    """METER:QUANTITY, of a counter."""
    if isinstance(value, Point):
        return value
    if not isinstance(value, str) or value.count(":") != 1:
        raise ValueError("must be a counter, such as main:active_energy_import")
    return Point.parse(value)


def whole_days(value: Any) -> tuple[date, ...]:
    """Days and ranges of days, as in a tariff file."""
    if not isinstance(value, list):
        raise ValueError("must be a list of days, such as [2026-01-01..2026-01-03]")  # noqa: TRY004 as pydantic wants it
    return tuple(day for one in value for day in spelling.days(one))


def code(value: Any) -> Any:
    """A code, which YAML takes for a number where it is all digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Code = Annotated[str, BeforeValidator(code)]
Number = Annotated[Decimal, BeforeValidator(spelling.decimal)]
Day = Annotated[date, BeforeValidator(spelling.day)]
Days = Annotated[tuple[date, ...], BeforeValidator(whole_days)]
PointName = Annotated[Point, BeforeValidator(point)]


class Negative(StrEnum):
    """What becomes of a period in which more was used than the baseline says."""

    # It costs the ESCO nothing.
    FLOOR = "floor"
    # It is set against later periods.
    CARRY_FORWARD = "carry_forward"
    # The ESCO pays its share of it.
    CLAW_BACK = "claw_back"


class MissingDays(StrEnum):
    """What becomes of days of which not all is known."""

    REFUSE = "refuse"
    LEAVE_OUT = "leave_out"


class PartyWords(Words):
    """A party: its name, its unified social credit code (统一社会信用代码), and where it is paid."""

    name: str
    tax_id: Code
    bank: str = ""
    account: Code = ""


class Spanned(Words):
    """From a day to another one, which is included; without one to the end of the contract."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    def covers(self, day: date) -> bool:
        return (self.from_ is None or self.from_ <= day) and (self.to is None or day <= self.to)


class BoundaryWords(Spanned):
    """A counter that counts for the contract, or against it."""

    point: PointName
    sign: Literal[1, -1] = 1


class StageWords(Spanned):
    """The part of the saving that is the ESCO's, over some time (分享期)."""

    share_percent: Number


class DatedPriceWords(Words):
    """A price from a day on [yuan/unit]."""

    from_: Day = Field(alias="from")
    price: Number


class PriceWords(Words):
    """What a unit that was saved is worth: agreed, or as metered: the mean price that was paid for what was used."""

    agreed: list[DatedPriceWords] | None = None
    metered: bool = False

    def on(self, day: date) -> DatedPriceWords | None:
        """The agreed price that holds on a day."""
        held = [p for p in self.agreed or [] if p.from_ <= day]
        return max(held, key=lambda p: p.from_, default=None)


class TaxWords(Words):
    """The tax of a clause: whether amounts hold it already, and under which regime."""

    rate_percent: Number
    included: bool
    regime: str = ""


class FixedAdjustmentWords(Spanned):
    """An amount a month that was agreed on [yuan]; below zero where it is taken off."""

    kind: Literal["fixed"]
    id: str
    why: str
    evidence: str
    amount: Number


class PriceAdjustmentWords(Spanned):
    """The fee follows a price: (price now - base price) x quantity a month."""

    kind: Literal["price"]
    id: str
    why: str
    evidence: str
    base_price: Number
    quantity_per_month: Number
    prices: list[DatedPriceWords]


class DatedValueWords(Words):
    """A value from a day on."""

    from_: Day = Field(alias="from")
    value: Number


class ProportionalAdjustmentWords(Spanned):
    """The fee follows an area, a head count or hours: fee x weight x (value now / base - 1)."""

    kind: Literal["proportional"]
    id: str
    why: str
    evidence: str
    of: Literal["area_m2", "people", "hours"]
    base: Number
    weight: Number = Decimal(1)
    values: list[DatedValueWords]


AdjustmentWords = Annotated[
    FixedAdjustmentWords | PriceAdjustmentWords | ProportionalAdjustmentWords, Field(discriminator="kind")
]


class SharedSavingsWords(Words):
    """A share of what was saved (节能效益分享)."""

    kind: Literal["shared_savings"]
    id: str
    name: NameWords
    points: list[PointName] = []
    price: PriceWords
    stages: list[StageWords]
    negative: Negative = Negative.CARRY_FORWARD
    tax: TaxWords


class TrustFeeWords(Words):
    """A fee for bearing the energy costs (能源费用托管); the supplier's bills are the ESCO's."""

    kind: Literal["trust_fee"]
    id: str
    name: NameWords
    points: list[PointName] = []
    fee_per_month: Number
    adjustments: list[AdjustmentWords] = []
    tax: TaxWords


ClauseWords = Annotated[SharedSavingsWords | TrustFeeWords, Field(discriminator="kind")]


class RoundingWords(Words):
    """The least digits of a statement; halves are rounded up, away from zero."""

    energy: Literal[0, 1, 2, 3, 4, 5, 6] = 2
    price: Literal[2, 3, 4, 5, 6] = 4
    money: Literal[2] = 2


class ContractWords(Words):
    """A contract as a list of fee clauses."""

    id: str
    number: Code
    name: NameWords
    project: str = ""
    public_institution: bool = True
    client: PartyWords
    esco: PartyWords
    signed_on: Day
    from_: Day = Field(alias="from")
    to: Day
    station: Code = ""
    holidays: Days = ()
    workdays: Days = ()
    most_estimated_percent: Number | None = None
    missing_days: MissingDays = MissingDays.REFUSE
    payment_days: Annotated[int, Field(ge=0, le=365)] = 30
    rounding: RoundingWords = RoundingWords()
    boundary: list[BoundaryWords]
    clauses: list[ClauseWords]

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.to + timedelta(days=1)

    def clause(self, clause_id: str) -> SharedSavingsWords | TrustFeeWords | None:
        return next((c for c in self.clauses if c.id == clause_id), None)

    def bounded(self, clause: SharedSavingsWords | TrustFeeWords) -> list[BoundaryWords]:
        """The counters of a clause: those that it names, else all."""
        return [b for b in self.boundary if not clause.points or b.point in clause.points]


class ContractFileWords(Words):
    """A file of contracts."""

    contracts: list[ContractWords]


class TermRuleWords(Words):
    """How long a contract may run by a rule of the public regime [years]."""

    id: str
    kinds: list[Literal["shared_savings", "trust_fee"]]
    least_years: int
    most_years: int
    text: NameWords
    source: str
    confidence: Confidence


class RuleFileWords(Words):
    """Rules of the public regime that a contract is compared with."""

    term: list[TermRuleWords]


def held(values: Mapping[date, T], day: date) -> T | None:
    """What holds on a day, of values from days on."""
    first = max((d for d in values if d <= day), default=None)
    return None if first is None else values[first]
