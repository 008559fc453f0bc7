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

    of : (n,) the number of the point, or the hour, that each is the sum of.
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


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a register did and no meter does; `kind` is fall, jump, strayed, held or rolled_over."""

    point: int
    kind: str
    from_ms: int
    to_ms: int
