"""Papers: what is printed and signed, as pairs, tables and places for seals, before it is a PDF or a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

Cell = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels with what they say."""

    heading: str
    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column names; every row as long as `columns`. widths : of the columns, relative to each other."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[float] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.heading}: rows must have {len(self.columns)} cells, as there are columns")


@dataclass(frozen=True, slots=True)
class Seals:
    """Where parties sign and seal, each with the lines that they fill in."""

    parties: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper; `foot` stands at the end of every page."""

    title: str
    subtitle: str
    parts: Sequence[Pairs | Table | Seals]
    foot: str = ""
