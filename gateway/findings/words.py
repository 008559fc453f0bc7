"""Findings as the API tells and takes them. Money and quantities are decimals, as text; null where not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from energy.findings import FindingKind
from energy.series import MICRO
from gateway.api.words import TextWords
from gateway.findings.causes import NAMES, cause, first_check, why_unpriced
from gateway.findings.kept import Kept, Reason, State

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]


EndedWord = Literal["normal", "removed"]


class FindingsQuery(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The newest findings that touch [from, to), instants in ms; of these meters, states and kinds where named."""

    from_: int | None = None
    to: int | None = None
    meter: list[str] = []
    state: list[State] = []
    kind: list[FindingKind] = []
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class FindingWords(msgspec.Struct):
    """An event at a counter, from an instant to another [ms]; `to` of one that goes on is as far as it was looked at.

    state: open is to be decided; ended is over by itself, and can still be decided; gone was explained away.
    ended: what ended it: a day of measured hours that were as usual (normal), or its meter, which was taken away
    (removed); null of what has not ended, or was decided before.
    peak, threshold: its greatest score, and the one from which an hour of this meter is a finding; 0 of facts of data.
    used, expected, excess: of the same hours [unit]. yuan: of the excess at the tariff;
    unpriced: why there is none. co2_kg: of the excess under the
    factor set. method: by which it was found.
    """

    id: int
    meter: str
    meter_name: TextWords
    quantity: str
    unit: str
    kind: FindingKind
    kind_name: TextWords
    of_data: bool
    from_: int = msgspec.field(name="from")
    to: int
    ongoing: bool
    ended: EndedWord | None
    cause: TextWords
    first_check: TextWords
    peak: float
    threshold: float
    used: Decimal | None
    expected: Decimal | None
    excess: Decimal | None
    yuan: Decimal | None
    tariff: str | None
    unpriced: TextWords | None
    co2_kg: Decimal | None
    factor_set: str | None
    ratio: float | None
    method: str
    found_at: int
    changed_at: int
    state: State
    reason: Reason | None
    who: str | None
    why: str | None
    decided_at: int | None

    @classmethod
    def of(cls, kept: Kept, meter_name: TextWords, unit: str, ended: EndedWord | None) -> FindingWords:
        finding, valued = kept.finding, kept.valued
        unpriced = why_unpriced(finding, valued.cost, valued.tariff)
        return cls(
            kept.id,
            finding.point.meter,
            meter_name,
            finding.point.quantity,
            unit,
            finding.kind,
            TextWords.of(NAMES[finding.kind]),
            finding.kind.is_of_data,
            finding.start_ms,
            finding.end_ms,
            finding.ongoing,
            ended,
            TextWords.of(cause(finding)),
            TextWords.of(first_check(finding)),
            finding.peak,
            finding.threshold,
            _plain(finding.used),
            _plain(finding.expected),
            _plain(finding.excess),
            _yuan(valued.cost),
            valued.tariff,
            None if unpriced is None else TextWords.of(unpriced),
            valued.co2_kg,
            valued.factor_set,
            finding.ratio,
            kept.method,
            kept.found_at_ms,
            kept.changed_at_ms,
            kept.state,
            kept.reason,
            kept.who,
            kept.why,
            kept.decided_at_ms,
        )


class FindingsAnswer(msgspec.Struct):
    """Findings, the newest first; `more` where there are others beyond the limit."""

    findings: list[FindingWords]
    more: bool


class FindingCurve(msgspec.Struct):
    """Hours around a finding, each beginning at `at` [ms]: what was used and expected, and the band of what is usual.

    Null where nothing is known.
    """

    at: list[int]
    used: list[float | None]
    expected: list[float | None]
    low: list[float | None]
    high: list[float | None]


class FindingAnswer(msgspec.Struct):
    """A finding, and the curve that shows it."""

    finding: FindingWords
    curve: FindingCurve


class FindingQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which finding."""

    id: int


class FindingDecision(msgspec.Struct, forbid_unknown_fields=True):
    """What became of a finding: confirmed, or dismissed as known or wrong; open takes a decision back, until it is seen
    to have ended."""

    id: int
    state: State
    who: Said
    why: Note = ""
    reason: Reason | None = None


def _plain(micro: int | None) -> Decimal | None:
    return None if micro is None else (Decimal(micro) / MICRO).quantize(Decimal("0.001"))


def _yuan(micro: int | None) -> Decimal | None:
    return None if micro is None else (Decimal(micro) / MICRO).quantize(Decimal("0.01"))
