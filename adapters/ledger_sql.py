"""What the ledgers say alike in SQL: tables `hours`, where an unknown cost is NULL, and `days`, their sums."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from energy.hours import Sums, days_within, first_hour
from energy.ports import Numbers

COLUMNS = tuple(f.name for f in fields(Sums) if f.name != "of")
SUMS = ", ".join(f"sum({c})::BIGINT AS {c}" for c in COLUMNS)
# An hour as a row of sums.
AS_SUMS = (
    "amount, first_half, estimated, coalesce(cost, 0) AS cost, "
    "CASE WHEN cost IS NULL THEN amount ELSE 0 END AS unpriced, "
    "measured_ms, estimated_ms, manual_ms, disputed_ms, 1 AS rows"
)


@dataclass(frozen=True, slots=True)
class Where:
    """Points as a condition: a range where they are one, else a list within one."""

    points: Numbers

    def __str__(self) -> str:
        listed = np.unique(np.asarray(self.points, np.int64))
        if len(listed) == 0:
            return "false"
        low, high = int(listed[0]), int(listed[-1])
        if high - low + 1 == len(listed):
            return f"point BETWEEN {low} AND {high}"
        # The bounds tell which runs need not be looked at; of a list none is told.
        return f"point BETWEEN {low} AND {high} AND point IN ({', '.join(map(str, listed.tolist()))})"


def amounts_over(table: str, points: Numbers, low: int, high: int, known_ms: int) -> str:
    """Point, hour and amount of the rows over [low, high) of which so much is measured or manual."""
    return (
        f"SELECT point, hour, amount FROM {table} WHERE {Where(points)} AND hour >= {int(low)} AND hour < {int(high)} "
        f"AND measured_ms + manual_ms >= {int(known_ms)}"
    )


def sums_over(points: str, low: int, high: int) -> str:
    """Rows of sums of points, as a condition, over the hours [low, high): of whole days, and of hours at the ends."""
    first, end = days_within(low, high)
    hours = f"SELECT point, {AS_SUMS} FROM hours WHERE {points} AND "
    if end <= first:
        return hours + f"hour >= {low} AND hour < {high}"
    return (
        f"SELECT point, {', '.join(COLUMNS)} FROM days WHERE {points} AND day >= {first} AND day < {end} UNION ALL "
        f"{hours} hour >= {low} AND hour < {first_hour(first)} UNION ALL "
        f"{hours} hour >= {first_hour(end)} AND hour < {high}"
    )
