"""The days of the ledger in PostgreSQL: a revision adds to them what it changes, in the transaction of its hours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.binary_copy import Columns, copy_in
from adapters.ledger_sql import COLUMNS
from energy.hours import Hours, by_day


def change_of(gone: Hours, fresh: Hours) -> dict[str, npt.NDArray[Any]]:
    """What a revision adds to each day of each point; less than nothing where rows were taken away."""
    parts = []
    for rows, sign in ((gone, -1), (fresh, 1)):
        point, days = by_day(rows)
        parts.append(np.stack([point, days.of, *(sign * getattr(days, c) for c in COLUMNS)]))
    both = np.concatenate(parts, axis=1)
    key = (both[0] << 32) + both[1]
    order = np.argsort(key, kind="stable")
    both, key = both[:, order], key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.empty(0, np.int64)
    added = np.add.reduceat(both[2:], starts, axis=1) if len(key) else both[2:]
    told_by = {"point": both[0][starts].astype(np.int32), "day": both[1][starts].astype(np.int32)}
    changed = np.any(added != 0, axis=0)
    columns = told_by | dict(zip(COLUMNS, added, strict=True))
    return {name: column[changed] for name, column in columns.items()}


async def add_to_days(connection: Any, change: Columns) -> None:
    if len(change["point"]) == 0:
        return
    await connection.execute("CREATE TEMP TABLE change (LIKE days) ON COMMIT DROP")
    await copy_in(connection, "change", change, "pg_temp")
    added = ", ".join(f"{c} = days.{c} + excluded.{c}" for c in COLUMNS)
    await connection.execute(
        f"INSERT INTO days SELECT * FROM change ORDER BY point, day ON CONFLICT (point, day) DO UPDATE SET {added}"
    )
    if np.any(change["rows"] < 0):
        await connection.execute(
            "DELETE FROM days d USING change c WHERE d.point = c.point AND d.day = c.day AND d.rows = 0"
        )
