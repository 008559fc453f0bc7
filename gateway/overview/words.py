"""A node on one page, as the API tells it. Money is text in yuan; null is what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from energy.quantities import Medium
from gateway.alerts.words import AlarmWords
from gateway.api.words import TextWords
from gateway.contracts.words import SettlementContractWords, StatementHeadWords
from gateway.findings.words import FindingWords
from gateway.ledger.words import ComparisonWords, ConvertedWords, FigureWords
from gateway.quotas.words import QuotaPaceWords
from gateway.reporting.words import StateWord

OverviewSpanWord = Literal["day", "month", "year"]
OverviewPeriodWord = Literal["hour", "day", "month"]


class NodeOverviewQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`of` is a node: site/ID, place/ID, organisation/ID, item/CODE, meter/ID; the topmost that is seen where it is
    left out. `factors` names a factor set; the first where none is named."""

    of: str | None = None
    factors: str | None = None


class OverviewNodeWords(msgspec.Struct):
    """A node by its name."""

    of: str
    name: TextWords


class OverviewMediumWords(msgspec.Struct):
    """What flowed of one medium in the span so far, as `/api/v1/consumption` tells it of the same node and time.

    `last_year` is the same time a year before, `converted_last_year` what that comes to under the factors of that year.
    """

    medium: Medium
    quantity: str
    unit: str
    counters: int
    total: FigureWords
    last_year: ComparisonWords | None
    converted: ConvertedWords | None
    converted_last_year: ConvertedWords | None
    tariffs: list[str]


class OverviewMoneyWords(msgspec.Struct):
    """What the media cost together [yuan], and did in the same time a year before.

    `counted` are the media in the sum; `partly` those of them of which a part has no tariff; `left_out` those of which
    nothing is priced or known. `known` is the share of the time of the counted of which something is known. `change` is
    (now - then) / then; null where that compares what is not alike: other media, an amount without a tariff, or more
    than 5 % missing or disputed.
    """

    yuan: str | None
    last_year: str | None
    change: float | None
    counted: list[Medium]
    partly: list[Medium]
    left_out: list[Medium]
    known: float


class OverviewMassWords(msgspec.Struct):
    """What the media come to together [kg], under the factor set: standard coal, or carbon dioxide. As of money; water
    comes to none, and is not left out."""

    kg: float | None
    last_year: float | None
    change: float | None
    counted: list[Medium]
    left_out: list[Medium]
    known: float


class OverviewCurveWords(msgspec.Struct):
    """A curve by the periods of a span: value i is of the i-th period, null where nothing is known of it."""

    medium: Medium
    unit: str
    values: list[float | None]
    last_year: list[float | None]


class OverviewSeriesWords(msgspec.Struct):
    """The whole span by its periods, and the same span a year before; period i is [edges[i], edges[i + 1]).

    `coal_kg` is that of the media of which something is known, all together; periods that have not begun are null.
    """

    by: OverviewPeriodWord
    edges: list[int]
    last_year_edges: list[int]
    coal_kg: list[float | None]
    coal_kg_last_year: list[float | None]
    media: list[OverviewCurveWords]


class OverviewSpanWords(msgspec.Struct, rename={"from_": "from"}):
    """Today, this month or this year so far: [from, to), of a span that ends with `whole_to`.

    `to` is the last full hour; in the first hour of a span the end of that hour. `last_year_from` and `last_year_to`
    are the same time a year before, with which it is compared.
    """

    span: OverviewSpanWord
    from_: int
    to: int
    whole_to: int
    last_year_from: int
    last_year_to: int
    media: list[OverviewMediumWords]
    cost: OverviewMoneyWords
    coal: OverviewMassWords
    co2: OverviewMassWords
    series: OverviewSeriesWords


class OverviewQuotasWords(msgspec.Struct):
    """Quotas of this year: those of the node itself; and of all that stand below it how many there are by state, and
    the worst of them."""

    own: list[QuotaPaceWords]
    below: dict[str, int]
    worst: list[QuotaPaceWords]


class OverviewAlarmsWords(msgspec.Struct):
    """Alarms about the node and what is measured in it that are not closed: how many by level, and the newest. `more`
    says that there are so many that only the newest were counted."""

    open: int
    levels: dict[str, int]
    more: bool
    newest: list[AlarmWords]


class OverviewFindingsWords(msgspec.Struct):
    """Findings at the meters of the node that nobody has decided: how many, what they come to together, of how many of
    them that is not known, and the costliest."""

    open: int
    yuan: Decimal | None
    without_yuan: int
    co2_kg: Decimal | None
    without_co2: int
    costliest: list[FindingWords]


class OverviewContractWords(msgspec.Struct):
    """A contract that goes by a meter of the node, its newest statement, and how many lines of its statements are
    disputed."""

    contract: SettlementContractWords
    newest: StatementHeadWords | None
    disputed: int


class OverviewContractsWords(msgspec.Struct):
    """How many contracts go by meters of the node, and the first of them."""

    total: int
    contracts: list[OverviewContractWords]


class OverviewFilingWords(msgspec.Struct):
    """An institution whose filing of the month is late."""

    organisation: str
    name: TextWords
    state: StateWord


class OverviewFilingsWords(msgspec.Struct):
    """The filings of the last whole month, of the node and of institutions below it: how many are in each state, how
    many are late (not submitted, and due), and the first of these."""

    month: str
    due: int
    total: int
    states: dict[str, int]
    late: int
    first_late: list[OverviewFilingWords]


class NodeOverviewAnswer(msgspec.Struct):
    """A node on one page; `at` is now. `path` leads from the top of what is seen down to the node, which is its last;
    `below` are the nodes directly below it, in the same tree.

    `pending` says that readings or events are being worked in just now. `filings` is null where no institution is at
    the node or below it.
    """

    of: str
    name: TextWords
    zone: str
    at: int
    pending: bool
    factor_set: str
    path: list[OverviewNodeWords]
    below: list[OverviewNodeWords]
    spans: list[OverviewSpanWords]
    quotas: OverviewQuotasWords
    alarms: OverviewAlarmsWords
    findings: OverviewFindingsWords
    contracts: OverviewContractsWords
    filings: OverviewFilingsWords | None
