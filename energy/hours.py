"""Consumption by hour: the columns of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]

# The cost of what has no tariff.
UNPRICED = int(np.iinfo(np.int64).min)
HOUR_MS = 3_600_000
# Days of the ledger begin at midnight of UTC+8, where most that is asked for does, the whole year through. A zone that
# begins its days at another hour has them put together out of hours.
_DAY_H, _MIDNIGHT_H = 24, 8


@dataclass(frozen=True, slots=True)
class Hours:
    """Consumption of points by hour, ordered by point and hour; columns of length n.

    Hours of which nothing is known have no row; a row without measured, estimated or manual time has no amount.

    point : (n,) number of the point.
    hour : (n,) hours since the epoch.
    amount, first_half, estimated : (n,) what flowed, what of it in the first half hour, and what of it is spread over
        a gap [millionths of the unit].
    cost : (n,) what it cost [millionths of a yuan], UNPRICED where no tariff is known.
    measured_ms, estimated_ms, manual_ms, disputed_ms : (n,) of the hour, how much is known in which way.
    """

    point: Small
    hour: Small
    amount: Whole
    first_half: Whole
    estimated: Whole
    cost: Whole
    measured_ms: Small
    estimated_ms: Small
    manual_ms: Small
    disputed_ms: Small

    def __len__(self) -> int:
        return len(self.hour)

    @classmethod
    def none(cls) -> Hours:
        """No rows."""
        whole, small = np.empty(0, np.int64), np.empty(0, np.int32)
        return cls(small, small, whole, whole, whole, whole, small, small, small, small)

    @classmethod
    def joined(cls, parts: Sequence[Hours]) -> Hours:
        """All rows of the parts, in their order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls))) if parts else cls.none()

    def take(self, rows: npt.NDArray[np.generic] | slice) -> Hours:
        """Those rows."""
        return Hours(*(getattr(self, f.name)[rows] for f in fields(self)))

    @property
    def key(self) -> Whole:
        """(n,) point and hour as one number, in their order."""
        return (self.point.astype(np.int64) << 32) + self.hour

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The columns by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of rows of the ledger; columns of length n, ascending by `of`.

    of : (n,) the number of the point, the hour, or the day of the ledger, that each is the sum of.
    amount, first_half, estimated : (n,) as in `Hours` [millionths of the unit].
    cost : (n,) of what has a tariff [millionths of a yuan]; `unpriced` (n,) is what has none [millionths of the unit].
    measured_ms, estimated_ms, manual_ms, disputed_ms : (n,) of the time of all that is summed.
    rows : (n,) how many rows each is the sum of.
    """

    of: Whole
    amount: Whole
    first_half: Whole
    estimated: Whole
    cost: Whole
    unpriced: Whole
    measured_ms: Whole
    estimated_ms: Whole
    manual_ms: Whole
    disputed_ms: Whole
    rows: Whole

    def __len__(self) -> int:
        return len(self.of)

    @classmethod
    def none(cls) -> Sums:
        """Of nothing."""
        return cls(*(np.empty(0, np.int64) for _ in fields(cls)))


def first_hour(day: int) -> int:
    """The hour with which a day of the ledger begins.

    >>> first_hour(1), days_within(16, 64), days_within(17, 64)
    (16, (1, 3), (2, 3))
    """
    return day * _DAY_H - _MIDNIGHT_H


def days_within(low: int, high: int) -> tuple[int, int]:
    """The days [first, end) of the ledger that lie whole within the hours [low, high); none where end <= first."""
    return -(-(low + _MIDNIGHT_H) // _DAY_H), (high + _MIDNIGHT_H) // _DAY_H


def day_of(hours: Whole) -> Whole:
    """(n,) the day of the ledger that each hour lies in."""
    days: Whole = (hours + _MIDNIGHT_H) // _DAY_H
    return days


def first_hours(days: Whole) -> Whole:
    """(n,) the hour with which each day of the ledger begins."""
    hours: Whole = days * _DAY_H - _MIDNIGHT_H
    return hours


def each(hours: Hours) -> Sums:
    """Every row as the sum of itself, by its hour; in their order."""
    priced = hours.cost != UNPRICED
    made = {"cost": np.where(priced, hours.cost, 0), "unpriced": np.where(priced, 0, hours.amount)}
    same = {f.name: getattr(hours, f.name).astype(np.int64) for f in fields(Sums) if hasattr(hours, f.name)}
    return Sums(of=hours.hour.astype(np.int64), rows=np.ones(len(hours), np.int64), **(same | made))


def by_day(hours: Hours) -> tuple[Whole, Sums]:
    """(n,) numbers of points, and what is summed of each of their days; by point and day."""
    key = (hours.point.astype(np.int64) << 32) + day_of(hours.hour.astype(np.int64))
    if len(key) == 0:
        return key, Sums.none()
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, hours = key[order], hours.take(order)
    rows, starts = each(hours), np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    columns = {f.name: np.add.reduceat(getattr(rows, f.name), starts) for f in fields(Sums)}
    return key[starts] >> 32, Sums(**(columns | {"of": key[starts] & 0xFFFFFFFF}))


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a register did and no meter does; `kind` is fall, jump, strayed, held or rolled_over."""

    point: int
    kind: str
    from_ms: int
    to_ms: int
