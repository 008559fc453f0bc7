"""What may stand in a file of a story (see config/demo-story.yaml). Days are told from the day of the story."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from analytics.contracts.standing import Party, StepKind
from analytics.reporting.filing_states import Step
from collectors.simulators.faults import Fault
from energy.documents import Way, Words, checked, open_document
from energy.errors import ConfigurationError
from energy.quotas import QuotaOf
from energy.sites import Site
from energy.stock import MoveKind

Amount = Annotated[Decimal, Field(ge=0)]
Ago = Annotated[int, Field(ge=0)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class SaidWords(Words):
    """Who does it, and why."""

    who: str
    why: str = ""


class SpellWords(Words):
    """When a fault of the simulated meters was on: some days ago for some hours, for good without these; over the
    newest public holiday that is over; or since the contract began."""

    fault: str
    days_ago: Ago | None = None
    at: Clock = "00:00"
    hours: Annotated[float, Field(gt=0)] | None = None
    during: Literal["holiday", "contract"] | None = None

    @model_validator(mode="after")
    def _one_time(self) -> SpellWords:
        if (self.days_ago is None) == (self.during is None):
            raise ValueError("give either days_ago or during")
        return self


class DecisionWords(SaidWords):
    """What a meter used too much while a fault was on, as it was found: somebody has confirmed it."""

    fault: str


class ExchangeWords(SaidWords):
    """The exchange of a meter, entered with its registers; the fault says which, and when."""

    fault: str


class QuotaStoryWords(SaidWords):
    """A quota of this year: what the year before used, less a rate. $year may stand in `document`."""

    organisation: str
    of: QuotaOf
    rate: Annotated[Decimal, Field(ge=0, lt=1)]
    document: str


class StatementStepWords(SaidWords):
    """What a party does with a statement; about its last line where it is about one."""

    party: Party
    step: StepKind


class StatementStoryWords(SaidWords):
    """The statement of a month of the contract, the first one first, and what the parties did with it."""

    steps: list[StatementStepWords] = []


class ContractStoryWords(SaidWords):
    """A contract that began so many months ago as there are statements; its baselines are of the twelve months before.

    $start, $end, $signed, $year, $holidays and $workdays may stand in its document.
    """

    id: str
    document: str
    statements: Annotated[list[StatementStoryWords], Field(min_length=1)]


class FilingStepWords(SaidWords):
    """What is done with a filing."""

    step: Step


class FilingStoryWords(Words):
    """The filing of an institution of some months ago, and what was done with it; `reason` explains what is warned
    of."""

    organisation: str
    months_ago: Annotated[int, Field(ge=1)] = 1
    reason: str = ""
    steps: list[FilingStepWords] = []


class MoveStoryWords(SaidWords):
    """What was bought or counted of a fuel some months ago, on a day of that month; 0 is its last."""

    organisation: str
    fuel: str
    kind: MoveKind
    months_ago: Annotated[int, Field(ge=1)]
    day: Annotated[int, Field(ge=0, le=28)] = 0
    quantity: Amount
    unit: str
    amount: Amount | None = None


class SightWords(Words):
    """A page that is worth a look, and why."""

    page: str
    zh: str
    en: str


class StoryWords(Words):
    """A story. `leak` is the fault that begins while one watches."""

    leak: str
    sights: list[SightWords] = []
    past: list[SpellWords] = []
    exchanges: list[ExchangeWords] = []
    confirmed: list[DecisionWords] = []
    quotas: list[QuotaStoryWords] = []
    contract: ContractStoryWords | None = None
    stock: list[MoveStoryWords] = []
    filings: list[FilingStoryWords] = []


def read_story(path: Path, site: Site, faults: Mapping[str, Fault]) -> StoryWords:
    """The story of a file, of this site and the faults of its meters; ConfigurationError lists all that is wrong, by
    line."""
    document = open_document(path)
    words = checked(document, StoryWords)
    found = [document.fault(way, text) for way, text in _misfits(words, site, faults)]
    if found:
        raise ConfigurationError(found)
    return words


def _misfits(words: StoryWords, site: Site, known: Mapping[str, Fault]) -> list[tuple[Way, str]]:
    told = {spell.fault for spell in words.past}
    organisations = {organisation.id for organisation in site.organisations}
    found: list[tuple[Way, str]] = [] if words.leak in known else [(("leak",), "is no fault of the campus")]
    for key in ("past", "exchanges", "confirmed"):
        for i, one in enumerate(getattr(words, key)):
            if one.fault not in known:
                found.append(((key, i, "fault"), f"is no fault of the campus; it has {', '.join(sorted(known))}"))
            elif one.fault not in told:
                found.append(((key, i, "fault"), "is not in `past`, so nobody knows when it was"))
    for key in ("quotas", "stock", "filings"):
        for i, one in enumerate(getattr(words, key)):
            if one.organisation not in organisations:
                found.append(((key, i, "organisation"), f"is no organisation of site {site.id!r}"))
    return found
