"""Kinds of days, and how they are told apart in a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from enum import IntEnum


class DayKind(IntEnum):
    """What a day is to a building; a weekend day that is worked is a workday."""

    WORKDAY = 0
    SATURDAY = 1
    SUNDAY = 2
    HOLIDAY = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of_word(cls, word: str) -> DayKind:
        return cls[word.upper()]


Grouping = tuple[tuple[DayKind, ...], ...]
_W, _SA, _SU, _H = DayKind
# From the simplest on; which one is taken is BIC's to say.
GROUPINGS: tuple[Grouping, ...] = (
    ((_W, _SA, _SU, _H),),
    ((_W,), (_SA, _SU, _H)),
    ((_W,), (_SA,), (_SU, _H)),
    ((_W,), (_SA, _SU), (_H,)),
    ((_W,), (_SA,), (_SU,), (_H,)),
)


def kind_of(day: date, holidays: Collection[date] = (), workdays: Collection[date] = ()) -> DayKind:
    """The kind of a day; `workdays` are the weekend days that are worked.

    >>> kind_of(date(2026, 2, 14), workdays=[date(2026, 2, 14)]).word
    'workday'
    """
    if day in workdays:
        return DayKind.WORKDAY
    if day in holidays:
        return DayKind.HOLIDAY
    return {5: DayKind.SATURDAY, 6: DayKind.SUNDAY}.get(day.weekday(), DayKind.WORKDAY)


def kinds_of(days: Sequence[date], holidays: Collection[date] = (), workdays: Collection[date] = ()) -> list[DayKind]:
    """The kinds of days."""
    free, worked = frozenset(holidays), frozenset(workdays)
    return [kind_of(day, free, worked) for day in days]
