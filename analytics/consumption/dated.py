"""The mean of a dated value over a period, such as of an area or a head count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from energy.errors import EnergyError
from energy.validity import Validity


class NotKnown(EnergyError):
    """A value that is needed for every day of a period, and is not known for some of them."""


class Dated(Protocol):
    """A value that holds from a day to a day, such as `energy.organisations.Fact`."""

    @property
    def value(self) -> Decimal: ...

    @property
    def valid(self) -> Validity: ...


def mean_over(values: Sequence[Dated], start: date, end: date) -> Fraction:
    """The mean of dated values over the days [start, end), each weighted by its days, exactly.

    values : in any order, of one unit, which is that of the mean; none holds on a day of another (ValueError).

    NotKnown where a day of the period has no value: a value never reaches beyond its own days, and nothing is taken for
    0. What was not there yet has the value 0.
    """
    if not start < end:
        raise ValueError(f"the period must end after it begins: {start} to {end}")
    held = sorted(
        (max(v.valid.start or start, start), min(v.valid.end or end, end), v.value)
        for v in values
        if v.valid.overlaps(Validity(start, end))
    )
    _refuse_overlaps(held)
    _refuse_gaps(held, start, end)
    return sum((Fraction(value) * (to - since).days for since, to, value in held), Fraction(0)) / (end - start).days


def _refuse_overlaps(held: Sequence[tuple[date, date, Decimal]]) -> None:
    for (_, until, one), (since, _, other) in pairwise(held):
        if since < until:
            raise ValueError(f"two values hold on {since}: {one} and {other}; keep one")


def _refuse_gaps(held: Sequence[tuple[date, date, Decimal]], start: date, end: date) -> None:
    edges = [start, *(day for since, until, _ in held for day in (since, until)), end]
    for known_until, known_from in zip(edges[::2], edges[1::2], strict=True):
        if known_until < known_from:
            raise NotKnown(f"not known from {known_until} to {known_from - timedelta(days=1)}")
