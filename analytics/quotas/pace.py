"""Where a year stands against its quota, and which bounds it crosses; each crossing is told once."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

from analytics.quotas.yearly import whole_parts


class Bound(StrEnum):
    """What can be crossed."""

    # Used so far, by what the quota allows up to now.
    PACE = "pace"
    # Used so far, by the quota of the whole year.
    YEAR = "year"
    # The chance that the year ends above its quota.
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on it is told, as shares; and by how much a figure must fall back before it is told again."""

    pace: tuple[float, ...] = (0.8, 0.9, 1.0)
    year: tuple[float, ...] = (0.8, 0.9, 1.0)
    chance: tuple[float, ...] = (0.8,)
    back: float = 0.02
    chance_back: float = 0.15

    def of(self, bound: Bound) -> tuple[float, ...]:
        return {Bound.PACE: self.pace, Bound.YEAR: self.year, Bound.CHANCE: self.chance}[bound]

    def falls_back(self, bound: Bound) -> float:
        return self.chance_back if bound is Bound.CHANCE else self.back


Mark = tuple[Bound, float]


_BY_GRAVITY = (Bound.PACE, Bound.CHANCE, Bound.YEAR)


def is_exceeding(mark: Mark) -> bool:
    """Whether what is crossed says that something is exceeded, or will be; else it is near."""
    bound, level = mark
    return level >= 1 or bound is Bound.CHANCE


def gravity(mark: Mark) -> tuple[bool, int, float]:
    """How grave it is that a bound was crossed, to be compared.

    >>> gravity((Bound.PACE, 1.0)) > gravity((Bound.YEAR, 0.9)) > gravity((Bound.PACE, 0.9))
    True
    >>> gravity((Bound.YEAR, 1.0)) > gravity((Bound.CHANCE, 0.8)) > gravity((Bound.PACE, 1.0))
    True
    """
    bound, level = mark
    return is_exceeding(mark), _BY_GRAVITY.index(bound), level


@dataclass(frozen=True, slots=True)
class Standing:
    """A year at the end of a day. used, allowed, quota [millionths]; chance None where nothing can be foretold."""

    used: int
    allowed: int
    quota: int
    chance: float | None = None

    def share(self, bound: Bound) -> float | None:
        """How far a bound is reached; None where that cannot be told."""
        match bound:
            case Bound.PACE:
                return self.used / self.allowed if self.allowed > 0 else None
            case Bound.YEAR:
                return self.used / self.quota if self.quota > 0 else None
            case Bound.CHANCE:
                return self.chance


def crossed(standing: Standing, told: Collection[Mark], bounds: Bounds) -> tuple[list[Mark], list[Mark]]:
    """What is crossed and was not told before; and what was told and is over.

    A figure that moves about a bound is told once: it is over only when it has fallen back by some more. What cannot be
    told today (no forecast, no data) changes nothing.
    """
    new, over = [], []
    for bound in Bound:
        share = standing.share(bound)
        if share is None:
            continue
        for level in bounds.of(bound):
            mark = bound, level
            if share >= level and mark not in told:
                new.append(mark)
            elif mark in told and share < level - bounds.falls_back(bound):
                over.append(mark)
    return new, over


def allowed_by_day(months: Sequence[int], year: int, weights: Sequence[int]) -> list[int]:
    """What the quota allows on each day of the year; the days of a month sum to it [millionths].

    months : what each month allows. weights : of the days of the year, 0 or more, such as what their weekdays usually
    use: five workdays at the beginning of a month are no excess. A month all of whose days weigh nothing goes evenly.
    """
    found: list[int] = []
    for month, amount in enumerate(months, start=1):
        count = monthrange(year, month)[1]
        own = weights[len(found) : len(found) + count]
        found += whole_parts(amount, own if any(own) else [1] * count)
    return found


def runs_out(used: int, quota: int, expected: Sequence[int], first: date) -> date | None:
    """The day in the course of which the quota is used up, as expected; None where it lasts.

    used : up to `first`; expected : of the days from `first` on [millionths].
    """
    if used > quota:
        return first
    for i, total in enumerate(accumulate(expected, initial=used)):
        if total > quota:
            return first + timedelta(days=i - 1)
    return None
