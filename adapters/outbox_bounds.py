"""How much an outbox holds, and what becomes of it when it is full: the oldest is thinned, then dropped; or meters are
not read until there is room."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from adapters.outbox_batches import Batches
from adapters.outbox_file import meta, set_meta
from adapters.outbox_losses import note
from adapters.outbox_thinning import packed, readings_of, span_ms, thinned
from adapters.wire import Lost

log = structlog.get_logger()

WhenFull = Literal["thin", "stop"]

# Sixty days of 32 meters of the longest map that is shipped, at one minute: 4.52 GB.
LIMIT_BYTES = 5_000_000_000
LIMIT_DAYS = 365
BATCH_READINGS = 500
# So many batches are changed in one transaction.
AT_ONCE = 2000

_DAY_MS = 86_400_000
# No edge is older: a batch that was put before was put by a clock that was never set, and its age is not known.
_EARLIEST_MS = 1_700_000_000_000
# So many of the newest are not thinned: they are on their way.
_NEWEST = 64
_ROOMY = 0.95
_OF_FREE, _LEAST_ROOM = 0.8, 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an outbox holds, and what happens when it is full.

    thin : the oldest readings are thinned first, then the oldest batches dropped. stop : meters are not read.
    """

    limit_bytes: int = LIMIT_BYTES
    limit_days: int = LIMIT_DAYS
    when_full: WhenFull = "thin"


class Room:
    """The room of an outbox: as much as its bounds say and the disk gives.

    full : whether room is being made; until half of it is free again. stopped : whether meters are not to be read.
    """

    def __init__(self, path: Path, bounds: Bounds, batches: Batches) -> None:
        self._path, self.bounds, self._batches = path, bounds, batches
        self._limit = bounds.limit_bytes
        self._opened_with = 0, 0
        self.full = self.stopped = False

    def measure(self) -> None:
        """The file was opened, and its batches measured."""
        self._opened_with = self._batches.size_bytes, self._on_disk()
        self._limit = 0
        self._look_at_disk()
        self.look(dropping=False)

    def look(self, *, dropping: bool) -> None:
        """Notice that it is full, or roomy again."""
        size = self._batches.size_bytes
        if size >= self._limit:
            self._look_at_disk()
        limit = self._limit
        if self.bounds.when_full == "stop":
            stopped = size >= limit or (self.stopped and size >= _ROOMY * limit)
            if stopped != self.stopped:
                event = "outbox.full" if stopped else "outbox.roomy"
                log.error(event, outbox=str(self._path), limit_bytes=limit, reading_stopped=stopped)
            self.full = self.stopped = stopped
        elif dropping and not self.full:
            log.error("outbox.full", outbox=str(self._path), limit_bytes=limit)
            self.full = True
        elif not dropping and self.full and size < limit / 2:
            gone = self._batches.counts
            log.info("outbox.roomy", outbox=str(self._path), dropped=gone["dropped"], thinned=gone["thinned"])
            self.full = False

    def _look_at_disk(self) -> None:
        """A disk that is full stops everything: what was free at the start is not used up, what others free is used.

        Others who fill it are no reason to let go of what is there: then the disk refuses, and readings wait.
        """
        held, on_disk = self._opened_with
        free = shutil.disk_usage(self._path.parent).free if self._path.parent.exists() else 1 << 62
        room = max(_LEAST_ROOM, int(_OF_FREE * (free + self._on_disk() - on_disk)))
        self._limit = max(self._limit, min(self.bounds.limit_bytes, held + room))

    def _on_disk(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    # -- within a transaction ------------------------------------------------------------------------------------------

    def make(self, db: sqlite3.Connection, n: int) -> bool:
        """Thin, then drop as many of the oldest as `n` more bytes need; whether there was need."""
        if self.bounds.when_full != "thin":
            return False
        if self._lacks(n):
            self._look_at_disk()
        needed = self._lacks(n)
        while self._lacks(n) and self._thin(db):
            pass
        while self._lacks(n):
            row = db.execute("SELECT sequence, put_at_ms, payload FROM batches ORDER BY sequence LIMIT 1").fetchone()
            if row is None:
                break
            self._batches.drop(db, row, "full")
        return needed

    def _lacks(self, n: int) -> bool:
        return self._batches.size_bytes + n > self._limit

    def _thin(self, db: sqlite3.Connection) -> bool:
        """Thin the oldest batches that are not thinned yet; whether there were any."""
        done = int(meta(db, "thinned_upto") or 0)
        rows = db.execute(
            "SELECT sequence, put_at_ms, payload FROM batches WHERE sequence > ? AND sequence <= ? AND clock IS NULL "
            "ORDER BY sequence LIMIT ?",
            (done, self._batches.last - _NEWEST, AT_ONCE),
        ).fetchall()
        if not rows:
            return False
        set_meta(db, "thinned_upto", str(rows[-1][0]))
        before = [one for _, _, payload in rows for one in readings_of(payload)]
        stay = thinned(before)
        payloads = packed(stay, BATCH_READINGS)
        if len(payloads) < len(rows) and before:
            self._batches.replace(db, rows, payloads)
            gone = len(before) - len(stay)
            note(db, Lost(rows[0][0], rows[-1][0], "thinned", gone, *(span_ms(before) or (0, 0))))
            self._batches.count(db, "thinned", gone)
        return True

    def expire(self, db: sqlite3.Connection, now_ms: int) -> None:
        """Drop some of what was put longer ago than the outbox holds."""
        rows = db.execute(
            "SELECT sequence, put_at_ms, payload FROM batches WHERE put_at_ms >= ? AND put_at_ms < ? "
            "AND clock IS NULL ORDER BY sequence LIMIT ?",
            (_EARLIEST_MS, now_ms - self.bounds.limit_days * _DAY_MS, AT_ONCE),
        ).fetchall()
        if rows:
            with self._batches.transaction(db):
                for row in rows:
                    self._batches.drop(db, row, "old")
            log.error("outbox.expired", outbox=str(self._path), batches=len(rows), days=self.bounds.limit_days)
