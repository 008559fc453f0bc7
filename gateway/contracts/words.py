"""Contracts and statements as the API tells and takes them. Amounts and money are decimals, as text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from analytics.contracts.standing import Party, StatementState, StepKind
from gateway.api.words import Download, Note, Said, TextWords

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
ContractId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
StatementKind = Literal["regular", "reversing"]


class PartyNameWords(msgspec.Struct):
    """A party of a contract."""

    name: str
    tax_id: str


class ContractClauseWords(msgspec.Struct):
    """A fee clause, by which counters it goes, and the version of its frozen baseline; null where it has none."""

    id: str
    kind: Literal["shared_savings", "trust_fee"]
    name: TextWords
    points: list[str]
    unit: str
    baseline: int | None


class RuleNoteWords(msgspec.Struct):
    """What a rule of the public regime says of the contract: told, not enforced."""

    id: str
    text: TextWords
    kept: bool
    source: str
    confidence: str


class SettlementContractWords(msgspec.Struct, rename={"from_": "from"}):
    """A contract; `to` is its last day. `settled_to` is the day after the last that is settled."""

    id: str
    number: str
    name: TextWords
    version: int
    client: PartyNameWords
    esco: PartyNameWords
    signed_on: date
    from_: date
    to: date
    clauses: list[ContractClauseWords]
    statements: int
    settled_to: date | None


class ContractsAnswer(msgspec.Struct):
    """The contracts that are seen, by id."""

    contracts: list[SettlementContractWords]


class SegmentWords(msgspec.Struct):
    """The curve of the kinds of days that share it: energy = base + heating x max(0, heating_below - T) + cooling x
    max(0, T - cooling_above) [unit a day, degC]."""

    kinds: list[str]
    base: str
    heating: str
    heating_below: str
    cooling: str
    cooling_above: str


class BaselineCheckWords(msgspec.Struct):
    """A test of data or fit: what was found, and what is asked for."""

    name: str
    text: TextWords
    passed: bool
    found: str
    wanted: str


class FitWords(msgspec.Struct):
    """How a baseline fits: ratios, null where nothing can be told."""

    n: int
    p: int
    r2: str | None
    cv_rmse: str | None
    nmbe: str | None
    autocorrelation: str | None


class BaselineWords(msgspec.Struct, rename={"from_": "from"}):
    """A baseline; `to` is not included. `sha256` is that of the frozen document, `data` that of its days."""

    clause: str
    version: int
    unit: str
    method: Literal["daily", "monthly", "agreed"]
    from_: date
    to: date
    station: str
    segments: list[SegmentWords]
    figures: FitWords | None
    checks: list[BaselineCheckWords]
    excluded: dict[str, str]
    placebo: str | None
    data: str
    sha256: str


class KeptBaselineWords(msgspec.Struct):
    """A baseline as it was frozen."""

    id: int
    baseline: BaselineWords
    who: str
    why: str
    frozen_at: int


class KeptAdjustmentWords(msgspec.Struct, rename={"from_": "from"}):
    """A non-routine adjustment as it was entered; `to` is its last day."""

    id: int
    clause: str
    from_: date
    to: date
    per_day: str
    formula: str
    evidence: str
    who: str
    why: str
    entered_at: int
    withdrawn_at: int | None
    withdrawn_by: str | None
    withdrawn_why: str | None


class ContractQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which contract."""

    contract: ContractId


class ContractAnswer(msgspec.Struct):
    """A contract with all that it goes by; `document` is what was agreed, as a contract file."""

    contract: SettlementContractWords
    document: str
    entered_at: int
    who: str
    rules: list[RuleNoteWords]
    baselines: list[KeptBaselineWords]
    adjustments: list[KeptAdjustmentWords]
    statements: list[StatementHeadWords]


class StatementHeadWords(msgspec.Struct, rename={"from_": "from"}):
    """A statement as lists show it; `to` is not included."""

    id: int
    number: str
    sequence: int
    kind: StatementKind
    from_: date
    to: date
    due: str
    state: StatementState
    disputed: int
    frozen_at: int


class StatementLineWords(msgspec.Struct, rename={"from_": "from"}):
    """A line; `saving` is above zero where energy was saved. `disputed_by` names the parties that dispute it."""

    id: str
    clause: str
    kind: Literal["saving", "carried", "floored", "forwarded", "fee", "adjustment"]
    from_: date
    to: date
    unit: str
    baseline: str | None
    adjustment: str | None
    adjusted: str | None
    actual: str | None
    saving: str | None
    price: str | None
    benefit: str | None
    share_percent: str | None
    amount: str
    left_out: list[date]
    detail: dict[str, str]
    points: list[str]
    disputed_by: list[Party]
    referred: bool


class RegisterWords(msgspec.Struct):
    """What a counter showed; `event` is the number of the meter's event that says so."""

    what: str
    at: int
    register: str
    ratio: str
    event: int | None


class EstimatedWords(msgspec.Struct, rename={"from_": "from"}):
    """Hours whose amount was spread over a gap."""

    from_: int
    to: int
    amount: str


class MeteredDaysWords(msgspec.Struct, rename={"from_": "from"}):
    """A counter of a statement: by day, in sum, and by its registers, null where a border was not read."""

    point: str
    name: str
    unit: str
    sign: int
    from_: date
    to: date
    ratio: str
    total: str | None
    by_registers: str | None
    days: list[str | None]
    registers: list[RegisterWords]
    estimated: list[EstimatedWords]
    measured_share: float
    estimated_share: float
    missing_share: float
    basis: str


class ClauseTotalWords(msgspec.Struct):
    """What a clause comes to [yuan]."""

    clause: str
    due: str
    net: str
    tax: str
    gross: str
    carried_out: str
    metered_cost: str | None
    kgce: str | None
    kgco2: str | None


class StatementStepWords(msgspec.Struct):
    """What a party did."""

    kind: StepKind
    party: Party
    line: str
    who: str
    why: str
    at: int


class UncertaintyWords(msgspec.Struct):
    """How sure a saving is: half width of the interval over the saving by ASHRAE Guideline 14, which promises too much;
    and that of a month over the adjusted baseline by placebo months. `within` says that the saving is no greater."""

    clause: str
    guideline_14: str | None
    placebo: str | None
    saving_share: str
    confidence: str
    within: bool


class StatementQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which statement."""

    statement: int


class StatementAnswer(msgspec.Struct):
    """A statement. Of a draft `head` is null and `objections` says why it may not be frozen; `speaks_for` are the
    parties that who asks can speak for."""

    head: StatementHeadWords | None
    number: str
    contract: SettlementContractWords
    contract_version: int
    first: date
    end: date
    sha256: str
    reverses: str | None
    lines: list[StatementLineWords]
    clauses: list[ClauseTotalWords]
    meters: list[MeteredDaysWords]
    temperature: list[str | None]
    baselines: list[BaselineWords]
    adjustments: list[KeptAdjustmentWords]
    uncertainty: list[UncertaintyWords]
    due: str
    capitals: str
    disputed: str
    undisputed: str
    confirmed_by: list[Party]
    steps: list[StatementStepWords]
    objections: list[TextWords]
    speaks_for: list[Party]


class BaselineAsked(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """How a baseline of a clause is fitted: `to` is not included; `per_day` for an agreed one alone. `excluded` are
    days with the reason why they are left out."""

    contract: ContractId
    clause: ContractId
    from_: date
    to: date
    method: Literal["daily", "monthly", "agreed"] = "daily"
    per_day: Decimal | None = None
    excluded: dict[date, Why] = {}


class NewBaseline(msgspec.Struct, forbid_unknown_fields=True):
    """A baseline to freeze, as it was previewed, and who says so."""

    asked: BaselineAsked
    who: Said
    why: Why


class FittedDayWords(msgspec.Struct):
    """A day of the baseline period; null is not known."""

    day: date
    kind: str
    temperature: str | None
    amount: float | None
    modelled: float | None


class BaselineAnswer(msgspec.Struct):
    """A baseline as it would be frozen, with its days."""

    baseline: BaselineWords
    days: list[FittedDayWords]


class NewAdjustment(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A non-routine adjustment; `per_day` is above zero where more would have been used, `to` is its last day."""

    contract: ContractId
    clause: ContractId
    from_: date
    to: date
    per_day: Decimal
    formula: Why
    evidence: Why
    who: Said
    why: Why


class AdjustmentWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Which adjustment holds no longer."""

    id: int
    who: Said
    why: Why


class AdjustmentsAnswer(msgspec.Struct):
    """The adjustments of a contract."""

    adjustments: list[KeptAdjustmentWords]


class StatementAsked(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Of which days; `to` is not included."""

    contract: ContractId
    from_: date
    to: date


class NewStatement(StatementAsked):
    """A statement to freeze, and who says so."""

    who: Said
    why: Note = ""


class NewStep(msgspec.Struct, forbid_unknown_fields=True):
    """A step of a party with a statement; `line` where it is about one."""

    statement: int
    kind: StepKind
    party: Party
    who: Said
    line: Annotated[str, msgspec.Meta(max_length=200)] = ""
    why: Note = ""


class NewReversal(msgspec.Struct, forbid_unknown_fields=True):
    """Which statement is taken back, and why."""

    statement: int
    who: Said
    why: Why


class FileQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A statement as a file: `json` is the frozen file that `jieneng settle verify` takes."""

    statement: int
    format: Literal["json", "pdf", "xlsx"] = "json"


EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class StatementFile(Download):
    """A statement to keep, in one of its forms."""


class StatementBundle(StatementFile):
    """As it is sealed, to be verified."""

    media_type = "application/json"


class StatementPaper(StatementFile):
    """As a paper to be signed."""

    media_type = "application/pdf"


class StatementBook(StatementFile):
    """As a workbook."""

    media_type = EXCEL
