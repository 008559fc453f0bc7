"""Closed months as the API tells them. Amounts and money are decimals of six digits, as text."""

from __future__ import annotations

from typing import Annotated

import msgspec

from gateway.api.words import Who
from gateway.ledger.words import ShareWords

Month = Annotated[str, msgspec.Meta(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$")]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class ClosingWords(msgspec.Struct):
    """A month that was closed: when, by whom, why."""

    month: str
    closed_at: int
    who: str
    why: str


class PeriodsAnswer(msgspec.Struct):
    """The closed months of the site, oldest first."""

    site: str
    zone: str
    closings: list[ClosingWords]


class BookedWords(msgspec.Struct):
    """What was booked of a counter; `amount` is null where nothing was known, `cost` where it has no tariff."""

    amount: str | None
    cost: str | None


class ClosedFigureWords(msgspec.Struct):
    """What was closed of a counter, the shares of the month's time, and what its hours were made under."""

    meter: str
    quantity: str
    unit: str
    closed: BookedWords
    shares: ShareWords
    basis: str


class ClosingDifferenceWords(msgspec.Struct):
    """A counter of which the ledger says otherwise now than what stands: what was closed, and all entries since."""

    meter: str
    quantity: str
    unit: str
    standing: BookedWords
    now: BookedWords
    difference: BookedWords


class ClosingEntryWords(msgspec.Struct):
    """A reversal of what stood, or the correction in its place, booked in a later month."""

    id: int
    meter: str
    quantity: str
    kind: str
    booked: BookedWords
    booked_in: str
    at: int
    who: str
    why: str


class ControlSumWords(msgspec.Struct):
    """All counters of a quantity added up, sub-meters beside their mains: to see that none was lost."""

    quantity: str
    unit: str
    counters: int
    closed: BookedWords
    entries: BookedWords
    difference: BookedWords


class PeriodQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Of these meters, or of all; so many figures at most, after so many. Differences and entries are limited too."""

    month: Month
    meter: list[str] = []
    limit: Annotated[int, msgspec.Meta(ge=1, le=50_000)] = 1000
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class PeriodAnswer(msgspec.Struct):
    """A closed month: what was closed, what was booked beside it, and what would differ now.

    `figures`, `differences` and `entries` are those of the page that was asked for; the counts are of all.
    """

    closing: ClosingWords
    counters: int
    differing: int
    booked: int
    sums: list[ControlSumWords]
    figures: list[ClosedFigureWords]
    differences: list[ClosingDifferenceWords]
    entries: list[ClosingEntryWords]


class NewClosing(msgspec.Struct, forbid_unknown_fields=True):
    """Which month is closed, and who says so."""

    month: Month
    who: Who = ""
    why: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class NewCorrection(msgspec.Struct, forbid_unknown_fields=True):
    """Which closed month is corrected, and who says so why."""

    month: Month
    why: Why
    who: Who = ""
