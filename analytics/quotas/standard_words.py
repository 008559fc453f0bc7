"""What may stand in a file of quota standards (see docs/quotas.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from analytics.quotas.standards import Dimension, Value
from energy.confidence import Confidence
from energy.documents import NameWords, Words


class RowWords(Words):
    """A line of a table."""

    indicator: str
    where: dict[Dimension, str] = {}
    values: dict[Value, Decimal]
    clause: str = ""
    confidence: Confidence | None = None
    note: str = ""


class CorrectionWords(Words):
    """A correction: constant + slope × norm/actual (or actual/norm)."""

    id: str
    name: NameWords
    fact: str
    unit: str
    constant: Decimal
    slope: Decimal
    norm: Decimal
    norm_over_actual: bool
    indicators: list[str]
    source: str
    confidence: Confidence


class SwitchWords(Words):
    """What may be left out."""

    id: str
    name: NameWords
    only_if_metered: bool
    clause: str
    confidence: Confidence


class ZoneWords(Words):
    """Places known to lie in a zone."""

    dimension: Dimension
    value: str
    name: NameWords
    places: list[str]


class StandardWords(Words):
    """A standard."""

    id: str
    name: NameWords
    region: str
    version: str = ""
    source: str
    confidence: Confidence
    valid_from: date
    valid_to: date | None = None
    factor_set: str | None = None
    rows: list[RowWords]
    corrections: list[CorrectionWords] = []
    switches: list[SwitchWords] = []
    zones: list[ZoneWords] = []
    notes: list[str] = []
    labels: dict[str, NameWords] = {}


class FileWords(Words):
    """A file of standards."""

    version: str
    standards: list[StandardWords]
