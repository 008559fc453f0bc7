"""Quotas as the API tells and takes them. Amounts of documents are decimals, as text; figures are numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from energy.quotas import Method, Quota, QuotaOf
from gateway.api.words import Note, Said, TextWords
from gateway.quotas.service import Crossing
from gateway.records.entries import Added, Entry

Twelve = Annotated[list[Decimal], msgspec.Meta(min_length=12, max_length=12)]


class QuotaWords(msgspec.Struct, forbid_unknown_fields=True):
    """What an organisation may use in a year, by a document. `of` is organisation/ID, `months` sum to `amount`."""

    of: Said
    limited: QuotaOf
    year: int
    amount: Decimal
    method: Method
    document: Said
    dated: date
    months: Twelve | None = None
    standard: Note = ""
    factor_set: str | None = None
    note: Note = ""

    @property
    def quota(self) -> Quota:
        given = msgspec.structs.asdict(self)
        return Quota(**{**given, "months": None if self.months is None else tuple(self.months)})

    @classmethod
    def of_quota(cls, quota: Quota) -> QuotaWords:
        months = None if quota.months is None else list(quota.months)
        same = {n: getattr(quota, n) for n in cls.__struct_fields__ if n != "months"}
        return cls(**same, months=months)


class KeptQuotaWords(msgspec.Struct):
    """A quota as it is kept: by whom, why and when it was entered, and withdrawn if it was."""

    id: int
    quota: QuotaWords
    who: str
    why: str
    entered_at: int
    withdrawn_at: int | None
    withdrawn_by: str | None
    withdrawn_why: str | None

    @classmethod
    def of(cls, kept: Entry[Quota]) -> KeptQuotaWords:
        said = kept.who, kept.why, kept.entered_at_ms, kept.withdrawn_at_ms, kept.withdrawn_by, kept.withdrawn_why
        return cls(kept.id, QuotaWords.of_quota(kept.value), *said)


class QuotaForecastWords(msgspec.Struct):
    """What a period is expected to come to; it lies within `least` and `most` with a chance of 90 %.

    Null where `reason` says why nothing is foretold; `method` is how it was.
    """

    expected: float | None
    least: float | None
    most: float | None
    method: str
    reason: str


class QuotaCrossingWords(msgspec.Struct):
    """A bound that was crossed: pace (used by allowed so far), year (used by the quota), chance (of exceeding it)."""

    id: int
    quota_id: int
    of: str
    bound: str
    level: float
    share: float
    raised_at: int
    cleared_at: int | None
    text: TextWords

    @classmethod
    def told(cls, one: Crossing) -> QuotaCrossingWords:
        times = one.raised_at_ms, one.cleared_at_ms
        return cls(
            one.id, one.quota_id, one.of, *(str(one.mark[0]), one.mark[1]), one.share, *times, TextWords.of(one.text)
        )


class QuotaPaceWords(msgspec.Struct):
    """A quota and how its year goes, up to the end of the day before `until`.

    `state` is exceeded, exceeding (likely, at the end), ahead (of what is allowed so far), near (above 90 % of it),
    kept, or unknown (too little of the year so far is known). `share` is used by allowed so far, `share_of_year` by the
    quota.
    """

    id: int
    name: TextWords
    unit: str
    quota: QuotaWords
    until: date
    used: float
    allowed: float
    left: float
    share: float | None
    share_of_year: float
    used_this_month: float
    completeness: float
    change: float | None
    chance: float | None
    exceeded_on: date | None
    month: QuotaForecastWords
    year: QuotaForecastWords
    state: str
    standing: list[QuotaCrossingWords]


class QuotasQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`of` is organisation/ID, told with those directly below it; all that are seen where it is left out."""

    of: str | None = None
    year: int | None = None


class QuotasAnswer(msgspec.Struct):
    """The quotas of a year that hold, and how it goes against each."""

    of: str | None
    year: int
    until: date
    quotas: list[QuotaPaceWords]


class QuotaQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`id` is that of an entry."""

    id: int


class QuotaCurveWords(msgspec.Struct):
    """By day, as of its evening: used and allowed since the year began, then what is expected, with its interval."""

    days: list[date]
    allowed: list[float]
    used: list[float | None]
    expected: list[float | None]
    least: list[float | None]
    most: list[float | None]


class QuotaMonthWords(msgspec.Struct):
    """What a month allows, and what was used in it; null where it has not begun."""

    month: int
    allowed: float
    used: float | None


class QuotaAnswer(msgspec.Struct):
    """A quota, the curve of its year, its months, every version of it, and what was ever crossed.

    `months_by` are the past years whose shape the months have; empty where they were given, or go by their days.
    """

    pace: QuotaPaceWords
    curve: QuotaCurveWords
    months: list[QuotaMonthWords]
    months_by: list[int]
    versions: list[KeptQuotaWords]
    crossings: list[QuotaCrossingWords]


class NewQuotas(msgspec.Struct, forbid_unknown_fields=True):
    """Quotas to keep, all of them or, where one is wrong, none. `again` takes those that were withdrawn once."""

    quotas: Annotated[list[QuotaWords], msgspec.Meta(min_length=1, max_length=5000)]
    who: Said
    why: Note = ""
    again: bool = False


class QuotaContradictionWords(msgspec.Struct):
    """A quota that was not added: another one of the same day is kept. Withdraw that one first."""

    quota: QuotaWords
    kept: KeptQuotaWords


class AddedQuotasAnswer(msgspec.Struct):
    """Ids of the new quotas, and what became of the others."""

    added: list[int]
    known: int
    withdrawn: list[KeptQuotaWords]
    contradicting: list[QuotaContradictionWords]

    @classmethod
    def of(cls, added: Added[Quota]) -> AddedQuotasAnswer:
        others = [
            QuotaContradictionWords(QuotaWords.of_quota(c.given), KeptQuotaWords.of(c.kept))
            for c in added.contradicting
        ]
        return cls(added.ids, added.known, [KeptQuotaWords.of(kept) for kept in added.withdrawn], others)


class QuotaWithdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Which quota holds no longer, and who says so why."""

    id: int
    who: Said
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class ByStandard(msgspec.Struct, forbid_unknown_fields=True):
    """By which line of which standard; `known` is institution, level, climate, heating, building_class as far as known.

    `size` is what the value is multiplied by; left out, the area or head count that is known of the organisation.
    """

    standard: Said
    indicator: Said
    value: Said
    known: dict[str, str] = {}
    place: str | None = None
    size: Decimal | None = None


class ByHistory(msgspec.Struct, forbid_unknown_fields=True):
    """By the mean of these past years less a rate; 0.06 takes off six percent."""

    years: Annotated[list[int], msgspec.Meta(min_length=1, max_length=10)]
    rate: Decimal = Decimal(0)


class QuotaPreview(msgspec.Struct, forbid_unknown_fields=True):
    """What a quota would be, and how the year would go against it: of an amount, a standard or own history."""

    of: Said
    limited: QuotaOf
    year: int
    amount: Decimal | None = None
    standard: ByStandard | None = None
    history: ByHistory | None = None
    factor_set: str | None = None


class QuotaPreviewAnswer(msgspec.Struct):
    """What would be entered, how it was reckoned, and how the year would go."""

    quota: QuotaWords
    reckoned: TextWords
    pace: QuotaPaceWords
    months: list[QuotaMonthWords]
    months_by: list[int]


class CrossingsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`standing` leaves out what is over; `after` is the id of the last one that is known already."""

    standing: bool = False
    after: int = 0


class CrossingsAnswer(msgspec.Struct):
    """Bounds that were crossed, oldest first."""

    crossings: list[QuotaCrossingWords]


class StandardRowWords(msgspec.Struct):
    """A line of a standard."""

    indicator: str
    name: TextWords
    unit: str
    where: dict[str, str]
    values: dict[str, str]
    confidence: str
    note: str


class StandardCorrectionWords(msgspec.Struct):
    """A correction of consumption before it is compared."""

    name: TextWords
    fact: str
    unit: str
    indicators: list[str]
    source: str
    confidence: str


class StandardWords(msgspec.Struct):
    """A quota standard, and under which factor set its figures in standard coal were made."""

    id: str
    name: TextWords
    region: str
    version: str
    source: str
    confidence: str
    valid_from: date
    valid_to: date | None
    factor_set: str | None
    rows: list[StandardRowWords]
    corrections: list[StandardCorrectionWords]
    labels: dict[str, TextWords]
    notes: list[str]


class StandardsAnswer(msgspec.Struct):
    """All standards that are known."""

    standards: list[StandardWords]
    values: dict[str, TextWords]
    dimensions: dict[str, TextWords]
