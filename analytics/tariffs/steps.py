"""Prices by steps of cumulative use, and the progressive surcharge on what is used beyond a quota."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from analytics.tariffs.unfit import Fault, price_faults, refuse
from energy.confidence import Confidence


class Span(StrEnum):
    """How long use is added up before its steps begin anew."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Step:
    """A price up to a cumulative use; `up_to` None for the last step [unit, yuan/unit]."""

    up_to: Decimal | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class Tiers:
    """A price per unit that depends on what was used since the period began; each step holds for its own part."""

    period: Span
    steps: tuple[Step, ...]
    source: str | None = None
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        prices = [f for i, s in enumerate(self.steps) for f in price_faults(("steps", i, "price"), s.price)]
        refuse([*prices, *_edge_faults([s.up_to for s in self.steps], "up_to")])

    @property
    def edges(self) -> tuple[Decimal | None, ...]:
        return (Decimal(0), *(s.up_to for s in self.steps))


@dataclass(frozen=True, slots=True)
class ExcessStep:
    """A surcharge up to so many percent above the quota; `multiple` is of the basic price and comes on top of it."""

    up_to_percent: Decimal | None
    multiple: Decimal


@dataclass(frozen=True, slots=True)
class Excess:
    """Progressive surcharge on what is used beyond a quota: on the basic price alone, not on components."""

    period: Span
    steps: tuple[ExcessStep, ...]
    source: str | None = None
    confidence: Confidence | None = None

    def __post_init__(self) -> None:
        below = [i for i, s in enumerate(self.steps) if not s.multiple >= 0]
        negative: list[Fault] = [(("steps", i, "multiple"), "must be 0 or more") for i in below]
        refuse([*negative, *_edge_faults([s.up_to_percent for s in self.steps], "up_to_percent")])

    def edges(self, quota: Decimal) -> tuple[Decimal | None, ...]:
        """Where the steps begin and end, in units of use."""
        ends = [s.up_to_percent for s in self.steps]
        return (quota, *(None if end is None else quota * (100 + end) / 100 for end in ends))


def _edge_faults(ends: Sequence[Decimal | None], key: str) -> Iterator[Fault]:
    if not ends:
        yield ("steps",), "must hold at least one step"
    for i, end in enumerate(ends):
        last = i == len(ends) - 1
        if last and end is not None:
            yield ("steps", i, key), f"must be left out of the last step, which has no end; add a step without {key}"
        if not last and end is None:
            yield ("steps", i), f"must say {key}; only the last step has no end"
    known = [(i, end) for i, end in enumerate(ends) if end is not None]
    for (_, before), (i, end) in pairwise([(-1, Decimal(0)), *known]):
        if not end > before:
            yield ("steps", i, key), f"must be above {before}, where the step begins"


def portions(start: Decimal, end: Decimal, edges: Sequence[Decimal | None]) -> list[Decimal]:
    """How much of [start, end) lies between consecutive edges; the last edge may be None, without end.

    >>> portions(Decimal(90), Decimal(130), [Decimal(0), Decimal(100), None])
    [Decimal('10'), Decimal('30')]
    """
    found = []
    for low, high in pairwise(edges):
        assert low is not None
        top = end if high is None else min(end, high)
        found.append(top - max(start, low) if top > max(start, low) else Decimal(0))
    return found
