"""What an outbox has let go of without its having been stored, as the outbox itself writes it down."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from adapters.wire import Lost

SCHEMA = """
CREATE TABLE IF NOT EXISTS losses (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, readings INTEGER NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, cause TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
"""
_LOSSES = 10_000


def note(db: sqlite3.Connection, lost: Lost) -> None:
    """Write down what never comes, together with what went just before it for the same cause and was not told."""
    row = db.execute(
        "SELECT first, last, readings, from_ms, to_ms, cause, told FROM losses WHERE first < ? "
        "ORDER BY first DESC LIMIT 1",
        (lost.first,),
    ).fetchone()
    readings, from_ms, to_ms = lost.readings or 0, lost.from_ms or 0, lost.to_ms or 0
    if row is not None and row[1] >= lost.first - 1 and row[5] == lost.cause and not row[6]:
        db.execute(
            "UPDATE losses SET last = ?, readings = ?, from_ms = ?, to_ms = ? WHERE first = ?",
            (max(row[1], lost.last), row[2] + readings, min(row[3], from_ms), max(row[4], to_ms), row[0]),
        )
        return
    db.execute(
        "INSERT OR REPLACE INTO losses (first, last, readings, from_ms, to_ms, cause) VALUES (?, ?, ?, ?, ?, ?)",
        (lost.first, lost.last, readings, from_ms, to_ms, lost.cause),
    )
    db.execute(
        "DELETE FROM losses WHERE first NOT IN (SELECT first FROM losses ORDER BY first DESC LIMIT ?)", (_LOSSES,)
    )


def told(db: sqlite3.Connection, first: int, last: int) -> list[Lost]:
    """What of these sequences never comes. What was told is not added to any more."""
    rows = db.execute(
        "SELECT first, last, cause, readings, from_ms, to_ms FROM losses WHERE first <= ? AND last >= ? ORDER BY first",
        (last, first),
    ).fetchall()
    db.executemany("UPDATE losses SET told = 1 WHERE first = ?", [(row[0],) for row in rows])
    # Nobody can say how many readings a batch held that cannot be read.
    return [
        Lost(start, end, cause, None if cause == "damaged" else readings, from_ms, to_ms)
        for start, end, cause, readings, from_ms, to_ms in rows
    ]


def between(first: int, last: int, known: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges of [first, last] that no known range covers; `known` is sorted.

    >>> between(1, 9, [(2, 3), (3, 5), (8, 8)])
    [(1, 1), (6, 7), (9, 9)]
    """
    gaps: list[tuple[int, int]] = []
    for start, end in known:
        if start > first:
            gaps.append((first, min(start - 1, last)))
        first = max(first, end + 1)
    return [*gaps, (first, last)] if first <= last else gaps
