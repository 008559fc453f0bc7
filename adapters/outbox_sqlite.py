"""The outbox of an edge in SQLite: batches on disk before anything else, kept until the gateway has stored them.

A batch that was put is on the disk when `put` returns. Its sequence counts in this outbox, which has an `id` of its
own: a file that is new, or made anew from what could be read of a damaged one, has another id, so that sequences are
never mixed up. What is let go of without having been stored is written down in the same transaction: which sequences,
how many readings, of what time, and why (`account`).

**Clocks that are not set.** A batch may be put with a `clock`: a text that names the clock its readings are dated by,
such as the boot and the origin of a monotonic clock. Such a batch is on the disk like any other and keeps its place
in the sequence, but `after` does not hand it out, and it is neither thinned nor dropped for its age. When the offset of
that clock is known, `release(clock, rewrite)` rewrites the payloads of its batches and hands them
out from then on; `clocks()` names the clocks whose batches wait, also those of earlier boots.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from adapters.outbox_batches import Batches
from adapters.outbox_bounds import AT_ONCE, LIMIT_BYTES, Bounds, Room
from adapters.outbox_file import meta, open_file
from adapters.outbox_losses import between, told
from adapters.outbox_salvage import MalformedError, checksum, is_damage, is_whole, salvage, set_aside
from adapters.wire import Cause, Lost
from energy.errors import StoreError

log = structlog.get_logger()

_ACCOUNTED = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch in the outbox: the readings as they will be published, under their sequence."""

    sequence: int
    payload: bytes


class SqliteOutbox:
    """Batches by sequence, oldest first. Every call may raise StoreError: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES, bounds: Bounds | None = None) -> None:
        self._path, self._batches = path, Batches()
        self._room = Room(path, bounds or Bounds(limit_bytes), self._batches)
        # Called from several threads, and a transaction is of the connection, not of the thread.
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self.id = ""
        self.failing = ""
        with suppress(StoreError):
            # A disk that refuses now may take it later: readings wait in memory until then.
            self._try(lambda _db: None)

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    # -- how it stands -----------------------------------------------------------------------------------------------

    @property
    def batches(self) -> int:
        return self._batches.number

    @property
    def size_bytes(self) -> int:
        """Bytes of the batches; the file is larger by a tenth or so, and does not shrink."""
        return self._batches.size_bytes

    @property
    def dropped(self) -> int:
        """Batches that were dropped unsent since the outbox was made."""
        return self._batches.counts["dropped"]

    @property
    def thinned(self) -> int:
        """Readings that were let go between others."""
        return self._batches.counts["thinned"]

    @property
    def damaged(self) -> int:
        """Batches and files that could not be read."""
        return self._batches.counts["damaged"]

    @property
    def last(self) -> int:
        """The highest sequence given."""
        return self._batches.last

    @property
    def held_from(self) -> int:
        """The least sequence that is still here, or the next one."""
        return self._batches.oldest[0] if self._batches.oldest else self.last + 1

    @property
    def oldest_at(self) -> int | None:
        """When the oldest batch was put [ms]."""
        return self._batches.oldest[1] if self._batches.oldest else None

    @property
    def full(self) -> bool:
        """Whether room is being made; until half of it is free again."""
        return self._room.full

    @property
    def stopped(self) -> bool:
        """Whether meters are not to be read until there is room."""
        return self._room.stopped

    @property
    def stops_when_full(self) -> bool:
        return self._room.bounds.when_full == "stop"

    # -- putting and taking ------------------------------------------------------------------------------------------

    def put(self, put_at_ms: int, payload: bytes, *, clock: str | None = None) -> int:
        """Keep a batch, on the disk when it returns; its sequence."""

        def write(db: sqlite3.Connection) -> int:
            with self._batches.transaction(db):
                made = self._room.make(db, len(payload))
                sequence = self._batches.insert(db, put_at_ms, payload, clock)
            self._room.look(dropping=made)
            return sequence

        return self._try(write)

    def lose(self, readings: int, from_ms: int, to_ms: int, cause: Cause) -> int:
        """Give a sequence to readings that could not be kept, so that the gateway is told of them; the sequence."""

        def write(db: sqlite3.Connection) -> int:
            with self._batches.transaction(db):
                return self._batches.lose(db, readings, from_ms, to_ms, cause)

        return self._try(write)

    def after(self, sequence: int, limit: int, *, upto: int | None = None) -> list[Kept]:
        """The batches after a sequence, oldest first. Those that are not as they were put are set aside."""

        def read(db: sqlite3.Connection) -> list[Kept]:
            rows = db.execute(
                "SELECT sequence, payload, crc FROM batches WHERE sequence > ? AND sequence <= ? AND clock IS NULL "
                "ORDER BY sequence LIMIT ?",
                (sequence, self.last if upto is None else upto, limit),
            ).fetchall()
            broken = {number for number, payload, crc in rows if not is_whole(payload, crc)}
            if broken:
                with self._batches.transaction(db):
                    self._batches.condemn(db, sorted(broken))
                log.error("outbox.damaged", outbox=str(self._path), sequences=sorted(broken))
            return [Kept(number, payload) for number, payload, _ in rows if number not in broken]

        return self._try(read)

    def forget(self, sequences: Iterable[int]) -> None:
        """Let go of batches that the gateway has stored. Not synced: what is forgotten twice is sent twice."""
        wanted = list(sequences)

        def write(db: sqlite3.Connection) -> None:
            db.execute("PRAGMA synchronous=NORMAL")
            try:
                with self._batches.transaction(db):
                    self._batches.delete(db, wanted)
            finally:
                db.execute("PRAGMA synchronous=FULL")
            self._room.look(dropping=False)

        self._try(write)

    def account(self, first: int, last: int) -> tuple[list[int], list[Lost]]:
        """What became of these sequences: those still here, and those that never come, with the reason.

        Where very many are here, only what lies before the last of them that is told.
        """

        def read(db: sqlite3.Connection) -> tuple[list[int], list[Lost]]:
            upto = min(last, self.last)
            query = "SELECT sequence FROM batches WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?"
            held = [n for (n,) in db.execute(query, (first, upto, _ACCOUNTED))]
            if len(held) == _ACCOUNTED:
                upto = held[-1]
            with self._batches.transaction(db):
                lost = told(db, first, upto)
            known = sorted([*((n, n) for n in held), *((one.first, one.last) for one in lost)])
            return held, lost + [Lost(*gap, "stored") for gap in between(first, upto, known)]

        return self._try(read)

    # -- clocks ------------------------------------------------------------------------------------------------------

    def clocks(self) -> list[str]:
        """The clocks whose batches wait to be released."""
        return self._try(
            lambda db: [
                clock
                for (clock,) in db.execute("SELECT DISTINCT clock FROM batches WHERE clock IS NOT NULL ORDER BY 1")
            ]
        )

    def release(self, clock: str, rewrite: Callable[[bytes], bytes], *, by_ms: int = 0) -> int:
        """Hand out the batches of a clock from now on, each as `rewrite` makes it; how many they are.

        by_ms : how much later they were put than that clock said.

        Some at a time, since they may be those of months: what was done stays done where the disk refuses the rest.
        """
        released = 0
        while done := self._release(clock, rewrite, by_ms):
            released += done
        return released

    def _release(self, clock: str, rewrite: Callable[[bytes], bytes], by_ms: int) -> int:
        def write(db: sqlite3.Connection) -> int:
            with self._batches.transaction(db):
                rows = db.execute(
                    "SELECT sequence, payload, crc FROM batches WHERE clock = ? ORDER BY sequence LIMIT ?",
                    (clock, AT_ONCE),
                ).fetchall()
                # One that is not as it was put stays so, to be set aside when it is handed out.
                sound = [(number, old) for number, old, crc in rows if is_whole(old, crc, clock)]
                fresh = [(payload := rewrite(old), checksum(payload), number) for number, old in sound]
                db.executemany("UPDATE batches SET payload = ?, crc = ? WHERE sequence = ?", fresh)
                db.executemany(
                    "UPDATE batches SET put_at_ms = put_at_ms + ?, clock = NULL WHERE sequence = ?",
                    [(by_ms, row[0]) for row in rows],
                )
                self._batches.size_bytes += sum(len(new[0]) for new in fresh) - sum(len(old) for _, old in sound)
                return len(rows)

        return self._try(write)

    def expire(self, now_ms: int) -> None:
        """Drop what was put longer ago than the outbox holds. Only by a clock that is set."""
        self._try(lambda db: self._room.expire(db, now_ms))

    # -- the file ------------------------------------------------------------------------------------------------------

    def _try(self, call: Callable[[sqlite3.Connection], T]) -> T:
        """Do it; a file that turns out to be damaged is replaced by what can be read of it, and it is done there."""
        with self._lock:
            try:
                try:
                    found = call(self._opened())
                except sqlite3.DatabaseError as error:
                    if not is_damage(error):
                        raise
                    self._replace(str(error))
                    found = call(self._opened())
            except (sqlite3.Error, OSError) as error:
                self.failing = str(error)
                raise StoreError(f"outbox {self._path}: {error}") from error
            self.failing = ""
            return found

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            db = open_file(self._path)
            try:
                self.id = meta(db, "id") or ""
                self._batches.measure(db)
                self._room.measure()
            except (TypeError, ValueError) as error:
                db.close()
                raise MalformedError(str(error)) from error
            except BaseException:
                db.close()
                raise
            self._database = db
            with self._batches.transaction(db):
                self._batches.check_clocks(db)
        return self._database

    def _replace(self, cause: str) -> None:
        """Set the damaged file aside, and put what can be read of it into a new outbox of another id."""
        self.close()
        aside = set_aside(self._path)
        found = salvage(aside)
        log.error("outbox.set_aside", outbox=str(self._path), kept_as=aside.name, cause=cause, read=len(found.batches))
        db = self._opened()
        with self._batches.transaction(db):
            self._batches.adopt(db, found)
