"""What may stand in a factor file (see docs/factors.md)."""

from __future__ import annotations

from decimal import Decimal

from analytics.carbon.factors import Carrier
from energy.confidence import Confidence
from energy.documents import NameWords, Words


class FigureWords(Words):
    """A figure, and where it stands."""

    id: str
    value: Decimal
    confidence: Confidence
    sources: list[str]
    version: str | None = None
    note: str = ""


class FactorWords(FigureWords):
    """A factor of a carrier."""

    carrier: Carrier
    unit: str
    name: NameWords


class GridWords(FigureWords):
    """A grid factor [kgCO2/kWh]."""

    region: NameWords
    year: int


class FootprintWords(FigureWords):
    """A factor of the whole life of electricity, which no set may choose [kgCO2e/kWh]."""

    year: int


class SetWords(Words):
    """A choice of factors."""

    id: str
    version: str | None = None
    name: NameWords
    purpose: NameWords
    first_year: int
    last_year: int | None = None
    coal: dict[Carrier, str]
    co2: dict[Carrier, str] = {}
    density: dict[Carrier, str] = {}
    notes: list[str] = []


class FileWords(Words):
    """A factor file. `version` is that of every figure and set that has none of its own."""

    version: str
    sources: dict[str, str]
    coal: list[FactorWords]
    co2: list[FactorWords] = []
    density: list[FactorWords] = []
    grid: list[GridWords] = []
    footprints: list[FootprintWords] = []
    gaps: list[str] = []
    sets: list[SetWords]
