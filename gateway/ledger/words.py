"""Consumption as the API tells it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from energy.quantities import Medium
from gateway.api.words import TextWords

SpanWord = Literal["hour", "day", "week", "month", "year"]
DoubtWord = Literal["fall", "jump", "strayed", "held", "rolled_over"]
# A year by the hour.
_MOST_PERIODS = 8800
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]


class ShareWords(msgspec.Struct):
    """Of the time of all counters, how much is known in which way; together 1."""

    measured: float
    estimated: float
    manual: float
    missing: float
    disputed: float


class FigureWords(msgspec.Struct):
    """What flowed in a period. `value` is null where nothing is known; `estimated` is the part of it spread over gaps.

    `cost` is in yuan, null where no tariff is known for any of it; `unpriced` is the amount that has no tariff.
    """

    value: float | None
    estimated: float
    cost: str | None
    unpriced: float
    shares: ShareWords


class ComparisonWords(msgspec.Struct, rename={"from_": "from"}):
    """The same in another period; `change` is (now - then) / then.

    Null where then is zero, and where more than 5 % of either is missing or disputed.
    """

    from_: int
    to: int
    figure: FigureWords
    change: float | None


class FactorWords(msgspec.Struct):
    """A factor that a conversion rests on."""

    id: str
    version: str
    value: str
    unit: str
    source: str
    confidence: str


class ConvertedWords(msgspec.Struct):
    """An amount under a named factor set; `co2_kg` is null where the set has no factor for it."""

    factor_set: str
    coal_kg: float
    co2_kg: float | None
    heat_gj: float
    factors: list[FactorWords]


class PerWords(msgspec.Struct):
    """An amount for each square metre or person; `of` is the mean number over the period."""

    fact: str
    of: float
    value: float


class PartWords(msgspec.Struct):
    """What flowed through a part of a node, and its share of the whole."""

    of: str
    name: TextWords
    figure: FigureWords


class DoubtWords(msgspec.Struct, rename={"from_": "from"}):
    """What a register did that no meter does: it fell or jumped (disputed), strayed, was held back, or rolled over."""

    meter: str
    quantity: str
    kind: DoubtWord
    from_: int
    to: int


class ClosedWords(msgspec.Struct):
    """What a month was closed with; the value of the period beside it is what the ledger says today."""

    month: str
    value: float
    cost: str | None


class MediumWords(msgspec.Struct):
    """What flowed of one medium: in total, by period, compared, converted, and by part.

    `counters` is how many counters it is made of. `closed` are the months among the periods that are closed;
    `last_year` is the same time a year before (同比), `before` the period before (环比). `tariffs` are those that the
    cost was made by, each with the digest of all it says. `rest` is what the parts do not account for.
    """

    medium: Medium
    quantity: str
    unit: str
    counters: int
    total: FigureWords
    periods: list[FigureWords]
    closed: list[ClosedWords]
    last_year: ComparisonWords | None
    before: ComparisonWords | None
    converted: ConvertedWords | None
    per: list[PerWords]
    tariffs: list[str]
    parts: list[PartWords]
    rest: FigureWords | None


class ConsumptionAnswer(msgspec.Struct):
    """Consumption of a node or a point; period i is [edges[i], edges[i + 1]).

    `pending` says that readings or events are being worked in just now.
    """

    of: str
    name: TextWords
    by: SpanWord
    zone: str
    edges: list[int]
    media: list[MediumWords]
    doubts: list[DoubtWords]
    pending: bool


class ConsumptionQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`of` is METER:QUANTITY, or a node: site/ID, place/ID, organisation/ID, item/CODE, meter/ID.

    `from` and `to` lie on half hours. `parts` adds what is directly below; `compare` the year and the period before.
    """

    of: str
    from_: Instant
    to: Instant
    by: SpanWord = "day"
    medium: Medium | None = None
    compare: bool = True
    parts: bool = False
    factors: str | None = None


class BalanceRow(msgspec.Struct):
    """A meter against its sub-meters: what the main measured, what they did, and what is not accounted for.

    `periods` is the rest of each period, null where main or subs are not known; empty where no meter was named.
    """

    meter: str
    name: TextWords
    medium: Medium
    unit: str
    main: FigureWords
    subs: FigureWords
    rest: float | None
    rest_share: float | None
    meters: list[str]
    beyond: bool
    periods: list[float | None]


class BalanceAnswer(msgspec.Struct):
    """Main meters against their sub-meters over [from, to); `beyond` marks a rest outside of -bound to bound.

    `edges` are those of the whole, or of the periods where a meter was named.
    """

    edges: list[int]
    bound: float
    rows: list[BalanceRow]


class BalanceQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`bound` is the share of the main that may be unaccounted for; `meter` asks for one, period by period."""

    from_: Instant
    to: Instant
    bound: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    meter: str | None = None
    by: SpanWord = "hour"


class TreeNode(msgspec.Struct):
    """A node of a tree that has consumption.

    within : of an organisation those that it belongs to today beside its parent: the tree of departments. It is left
    out where there are none.
    """

    of: str
    parent: str | None
    kind: str
    name: TextWords
    within: list[str] | msgspec.UnsetType = msgspec.UNSET


class AccountWords(msgspec.Struct):
    """An account at a supplier; `tariff` is the id of the one it is charged by."""

    id: str
    medium: Medium
    supplier: str
    organisation: str | None
    tariff: str | None


class FactorSetWords(msgspec.Struct):
    """A choice of factors, and what it is for."""

    id: str
    name: TextWords
    purpose: TextWords


class TreesAnswer(msgspec.Struct):
    """The trees of the site, each node after its parent; its virtual points, accounts and factor sets.

    `of` of a virtual point is ID:QUANTITY. The first factor set is taken where none is chosen.
    """

    places: list[TreeNode]
    organisations: list[TreeNode]
    items: list[TreeNode]
    meters: list[TreeNode]
    virtual: list[TreeNode]
    accounts: list[AccountWords]
    factor_sets: list[FactorSetWords]


class ChangedDay(msgspec.Struct):
    """A day, or a month where years change, before and after."""

    day: int
    before: float | None
    after: float | None


class PreviewPoint(msgspec.Struct):
    """A counter whose consumption would be another, over all that changes."""

    point: str
    name: TextWords
    unit: str
    before: FigureWords
    after: FigureWords
    days: list[ChangedDay]


class PreviewAnswer(msgspec.Struct, rename={"from_": "from"}):
    """What events would change over [from, to); no points and null where nothing would change."""

    from_: int | None
    to: int | None
    points: list[PreviewPoint]


class WithdrawalPreview(msgspec.Struct, forbid_unknown_fields=True):
    """The event that might be withdrawn."""

    id: int
