"""Readings: one value of one point at one instant, and many of them as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from energy.errors import UnknownName
from energy.quantities import quantity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The end of the year 9999, the last that calendars here know.
LAST_MS = 253_402_300_799_999


class Quality(IntEnum):
    """How far a value can be trusted; the numbers are stored, so they never change their meaning."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2

    @property
    def word(self) -> Literal["good", "uncertain", "bad"]:
        """The word used in messages."""
        return _WORDS[self]


_WORDS: dict[Quality, Literal["good", "uncertain", "bad"]] = {
    Quality.GOOD: "good",
    Quality.UNCERTAIN: "uncertain",
    Quality.BAD: "bad",
}


class Reason(StrEnum):
    """Why a value is not good. The order is stored (see `code`): append, never reorder."""

    NONE = ""
    NOT_A_NUMBER = "not a number"
    SENTINEL = "sentinel"
    OUT_OF_RANGE = "out of range"
    UNSUPPORTED = "unsupported by the meter"
    CLOCK_NOT_SET = "clock not set"
    MARKED = "marked by its source"
    RECEIVED = "time of receipt"
    CLOCK_STEPPED = "clock stepped"
    TIME_CORRECTED = "time corrected"

    @property
    def code(self) -> int:
        return _REASONS.index(self)

    @classmethod
    def of(cls, code: int) -> Reason:
        return _REASONS[code]


_REASONS = tuple(Reason)


class Point(NamedTuple):
    """Where values come from: one quantity at one meter. Written `meter:quantity`."""

    meter: str
    quantity: str

    def __str__(self) -> str:
        return f"{self.meter}:{self.quantity}"

    @classmethod
    def parse(cls, text: str) -> Point:
        """The point that is written `meter:quantity`.

        >>> Point.parse("office-a-main:active_power")
        Point(meter='office-a-main', quantity='active_power')
        """
        meter, separator, name = text.rpartition(":")
        if not separator or not meter:
            raise UnknownName(f"point {text!r} is not of the form METER:QUANTITY")
        quantity(name)
        return cls(meter, name)


def to_ms(instant: datetime) -> int:
    """Milliseconds since the epoch of an aware instant, rounded half to even; a naive one is refused.

    >>> to_ms(datetime(2026, 1, 1, tzinfo=UTC))
    1767225600000
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone; write it with an offset, such as {instant}+08:00")
    return round((instant - EPOCH) / timedelta(milliseconds=1))


def from_ms(ms: int) -> datetime:
    """The UTC instant that many milliseconds after the epoch."""
    return EPOCH + timedelta(milliseconds=ms)


def counted(quality: npt.NDArray[np.uint8], reason: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(n,) which readings the ledger goes by, by their codes."""
    rows: npt.NDArray[np.bool_] = (quality < Quality.BAD) & (reason != Reason.CLOCK_STEPPED.code)
    return rows


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Many readings as columns of equal length n, in any order.

    points : the points that the rows refer to, and maybe many others.
    index : (n,) int32, position in `points`.
    taken_at_ms : (n,) int64, milliseconds since the epoch, UTC.
    value : (n,) float64 in the unit of the quantity; NaN where the meter gave no value.
    quality, reason : (n,) uint8, codes of `Quality` and `Reason`.
    """

    points: Sequence[Point]
    index: npt.NDArray[np.int32]
    taken_at_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        lengths = {len(c) for c in (self.index, self.taken_at_ms, self.value, self.quality, self.reason)}
        if len(lengths) > 1:
            raise ValueError(f"columns of unequal length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.index)

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """(n,) which rows the ledger goes by: not bad ones, and not those taken while the clock was set: nobody
        knows the place in the order of readings."""
        return counted(self.quality, self.reason)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> ReadingColumns:
        """The chosen rows, over the same points."""
        return ReadingColumns(
            self.points,
            self.index[rows],
            self.taken_at_ms[rows],
            self.value[rows],
            self.quality[rows],
            self.reason[rows],
        )

    @classmethod
    def of(
        cls,
        points: Sequence[Point],
        index: Sequence[int] | npt.NDArray[np.int32],
        taken_at_ms: Sequence[int] | npt.NDArray[np.int64],
        value: Sequence[float] | npt.NDArray[np.float64],
        quality: Sequence[int] | npt.NDArray[np.uint8] | None = None,
        reason: Sequence[int] | npt.NDArray[np.uint8] | None = None,
    ) -> ReadingColumns:
        """Columns from sequences; good readings where quality and reason are not given."""
        n = len(index)
        return cls(
            points,
            np.asarray(index, dtype=np.int32),
            np.asarray(taken_at_ms, dtype=np.int64),
            np.asarray(value, dtype=np.float64),
            np.zeros(n, dtype=np.uint8) if quality is None else np.asarray(quality, dtype=np.uint8),
            np.zeros(n, dtype=np.uint8) if reason is None else np.asarray(reason, dtype=np.uint8),
        )
