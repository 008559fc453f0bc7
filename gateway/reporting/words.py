"""The statistics as the API tells and takes them. Figures are decimals, as text; shares are between 0 and 1."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec

from analytics.reporting.forms import Form, FormItem
from gateway.api.words import Download, TextWords, Who
from gateway.closing.words import Month, Why

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Written = Annotated[str, msgspec.Meta(max_length=2000)]
StateWord = Literal["draft", "submitted", "returned", "accepted"]
TreeWord = Literal["region", "department"]
SeverityWord = Literal["error", "warning", "note"]


class FormItemWords(msgspec.Struct):
    """An item of the form; `part_of` names the item that it is a part of, and is already in."""

    id: str
    name: TextWords
    unit: str
    part_of: str | None
    needed: bool
    fee: bool
    definition: TextWords
    source: TextWords
    confidence: str

    @classmethod
    def of(cls, one: FormItem) -> FormItemWords:
        name, definition, source = map(TextWords.of, (one.name, one.definition, one.source))
        return cls(one.id, name, one.unit, one.part_of, one.needed, one.fee, definition, source, one.confidence)


class FormWords(msgspec.Struct):
    """A form in the version that holds."""

    id: str
    version: str
    name: TextWords
    source: TextWords
    items: list[FormItemWords]

    @classmethod
    def of(cls, form: Form) -> FormWords:
        items = [FormItemWords.of(one) for one in form.items]
        return cls(form.id, form.version, TextWords.of(form.name), TextWords.of(form.source), items)


class FilingsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Of a month; of those in this state, or late, or with something found, or below an organisation, or all; `-` asks
    for those that stand below none in the tree."""

    month: Month
    state: StateWord | None = None
    late: bool | None = None
    found: SeverityWord | None = None
    search: Annotated[str, msgspec.Meta(max_length=100)] = ""
    below: Name | None = None
    tree: TreeWord = "region"
    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class FilingRowWords(msgspec.Struct):
    """A filing in the list, with the region and the department that it belongs to; `unexplained` counts what keeps it
    from being submitted."""

    organisation: str
    name: TextWords
    region: TextWords | None
    department: TextWords | None
    state: StateWord
    late: bool
    errors: int
    warnings: int
    notes: int
    unexplained: int
    filled: int
    revision: int


class FilingsAnswer(msgspec.Struct):
    """The filings of a month: so many by state, late and with something found, and the page that was asked for."""

    month: str
    form: FormWords
    rules: str
    due: int
    total: int
    states: dict[str, int]
    late: int
    found: dict[str, int]
    matching: int
    filings: list[FilingRowWords]


class FilingQuery(msgspec.Struct, forbid_unknown_fields=True):
    """One filing, its indicators under a factor set."""

    month: Month
    organisation: Name
    factors: str | None = None


class CellWords(msgspec.Struct):
    """A cell: what stands in it and where it comes from; null where nothing is known. `now` is what the sources would
    say, where that is otherwise than what was submitted; `entered` whether a hand replaced it."""

    cell: str
    value: Decimal | None
    origin: str | None
    estimated: Decimal | None
    missing: Decimal | None
    basis: str
    entered: bool
    now: Decimal | None
    differs: bool


class FoundWords(msgspec.Struct):
    """What a check finds; `key` is what a reason is given under."""

    key: str
    severity: SeverityWord
    cells: list[str]
    text: TextWords
    rule: TextWords
    source: TextWords
    confidence: str
    reason: str


class IndicatorWords(msgspec.Struct):
    """An indicator, or why there is none."""

    id: str
    name: TextWords
    unit: str
    value: Decimal | None
    reason: TextWords | None
    factor_set: str | None


class StepWords(msgspec.Struct):
    """What was done with a filing."""

    step: str
    at: int
    who: str
    why: str


class FilingAnswer(msgspec.Struct):
    """A filing as it stands: of the month from `start` on before `end`, to be submitted before `due`; `can` are the
    steps that lead on from here."""

    month: str
    start: int
    end: int
    due: int
    organisation: str
    name: TextWords
    form: FormWords
    rules: str
    state: StateWord
    can: list[str]
    revision: int
    late: bool
    factor_set: str
    area_m2: Decimal | None
    people: Decimal | None
    cells: list[CellWords]
    found: list[FoundWords]
    indicators: list[IndicatorWords]
    steps: list[StepWords]


class EnteredWords(msgspec.Struct, forbid_unknown_fields=True):
    """A figure that is entered by hand and why; null leaves the cell empty. `follow` takes an entry back."""

    cell: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    value: Decimal | None = None
    why: Written = ""
    follow: bool = False


class NewEntries(msgspec.Struct, forbid_unknown_fields=True):
    """Figures by hand, of one filing; `revision` is that which was seen."""

    month: Month
    organisation: Name
    revision: Annotated[int, msgspec.Meta(ge=0)]
    cells: Annotated[list[EnteredWords], msgspec.Meta(min_length=1, max_length=200)]
    who: Who = ""
    factors: str | None = None


class NewSubmission(msgspec.Struct, forbid_unknown_fields=True):
    """A filing that is submitted; `reasons` by the keys of what the checks found."""

    month: Month
    organisation: Name
    revision: Annotated[int, msgspec.Meta(ge=0)]
    who: Who = ""
    reasons: dict[Annotated[str, msgspec.Meta(max_length=200)], Written] = {}
    why: Written = ""
    factors: str | None = None


class NewReturn(msgspec.Struct, forbid_unknown_fields=True):
    """A filing that is returned, and why."""

    month: Month
    organisation: Name
    revision: Annotated[int, msgspec.Meta(ge=0)]
    why: Why
    who: Who = ""
    factors: str | None = None


class NewAcceptance(msgspec.Struct, forbid_unknown_fields=True):
    """A filing that is accepted."""

    month: Month
    organisation: Name
    revision: Annotated[int, msgspec.Meta(ge=0)]
    who: Who = ""
    why: Written = ""
    factors: str | None = None


class RollupQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Filings of a month added up along a tree; of what was submitted, or of drafts too."""

    month: Month
    tree: TreeWord = "region"
    drafts: bool = False
    factors: str | None = None


class SummedCellWords(msgspec.Struct):
    """A cell added up, over so many filings that have it."""

    cell: str
    value: Decimal
    filings: int


class SummedWords(msgspec.Struct):
    """An organisation's institutions together; `organisation` is null for all of them, and for those below none."""

    organisation: str | None
    name: TextWords | None
    parent: str | None
    institutions: int
    counted: int
    states: dict[str, int]
    area_m2: Decimal
    people: Decimal
    without_area: int
    without_people: int
    cells: list[SummedCellWords]
    indicators: list[IndicatorWords]


class RollupAnswer(msgspec.Struct):
    """The month added up: as a whole, by each node of the tree, and of the institutions that stand below none (null
    where there are none such). The topmost nodes and these make up the whole."""

    month: str
    tree: str
    form: FormWords
    factor_set: str
    whole: SummedWords
    nodes: list[SummedWords]
    of_none: SummedWords | None


class ExportQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A month as a workbook; the sums of what was submitted, or of drafts too."""

    month: Month
    factors: str | None = None
    drafts: bool = False


class MonthBook(Download):
    """The workbook of a month."""

    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
