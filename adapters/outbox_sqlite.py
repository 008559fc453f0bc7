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

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import structlog

from adapters.outbox_file import COUNTS, counts, meta, open_file, set_meta
from adapters.outbox_losses import between, note, told
from adapters.outbox_salvage import (
    MalformedError,
    Salvaged,
    checksum,
    instant,
    is_damage,
    is_whole,
    marked,
    salvage,
    set_aside,
)
from adapters.outbox_thinning import packed, readings_of, span_ms, thinned
from adapters.wire import Cause, Lost
from energy.errors import StoreError

log = structlog.get_logger()

WhenFull = Literal["thin", "stop"]

# Sixty days of 32 meters of the longest map that is shipped, at one minute: 4.52 GB.
LIMIT_BYTES = 5_000_000_000
LIMIT_DAYS = 365
BATCH_READINGS = 500

_DAY_MS = 86_400_000
# No edge is older: a batch that was put before was put by a clock that was never set, and its age is not known.
_EARLIEST_MS = 1_700_000_000_000
# So many batches are thinned at once, and so many of the newest are left as they are: they are on their way.
_THIN_AT_ONCE = 2000
_NEWEST = 64
_ACCOUNTED = 1000
_ROOMY = 0.95
_OF_FREE, _LEAST_ROOM = 0.8, 1_000_000
# As much as travels.
_MOST_SEQUENCE = 2**53


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch in the outbox: the readings as they will be published, under their sequence."""

    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an outbox holds, and what happens when it is full.

    thin : the oldest readings are thinned first, then the oldest batches dropped. stop : meters are not read.
    """

    limit_bytes: int = LIMIT_BYTES
    limit_days: int = LIMIT_DAYS
    when_full: WhenFull = "thin"


class SqliteOutbox:
    """Batches by sequence, oldest first. Every call may raise StoreError: the disk refuses, and nothing has changed."""

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES, bounds: Bounds | None = None) -> None:
        self._path, self._bounds = path, bounds or Bounds(limit_bytes)
        self._limit = self._bounds.limit_bytes
        self._opened_with = 0, 0
        # Called from several threads, and a transaction is of the connection, not of the thread.
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self.id = ""
        self.failing = ""
        self._bytes = self._batches = self._last = 0
        self._counts = dict.fromkeys(COUNTS, 0)
        self._oldest: tuple[int, int] | None = None
        # Whether room is being made; until half of it is free again.
        self.full = False
        self._stopped = False
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
        return self._batches

    @property
    def size_bytes(self) -> int:
        """Bytes of the batches; the file is larger by a tenth or so, and does not shrink."""
        return self._bytes

    @property
    def dropped(self) -> int:
        """Batches that were dropped unsent since the outbox was made."""
        return self._counts["dropped"]

    @property
    def thinned(self) -> int:
        """Readings that were let go between others."""
        return self._counts["thinned"]

    @property
    def damaged(self) -> int:
        """Batches and files that could not be read."""
        return self._counts["damaged"]

    @property
    def last(self) -> int:
        """The highest sequence given."""
        return self._last

    @property
    def held_from(self) -> int:
        """The least sequence that is still here, or the next one."""
        return self._oldest[0] if self._oldest else self._last + 1

    @property
    def oldest_at(self) -> int | None:
        """When the oldest batch was put [ms]."""
        return self._oldest[1] if self._oldest else None

    @property
    def stopped(self) -> bool:
        """Whether meters are not to be read until there is room."""
        return self._stopped

    @property
    def stops_when_full(self) -> bool:
        return self._bounds.when_full == "stop"

    # -- putting and taking ------------------------------------------------------------------------------------------

    def put(self, put_at_ms: int, payload: bytes, *, clock: str | None = None) -> int:
        """Keep a batch, on the disk when it returns; its sequence."""
        return self._try(lambda db: self._put(db, put_at_ms, payload, clock))

    def lose(self, readings: int, from_ms: int, to_ms: int, cause: Cause) -> int:
        """Give a sequence to readings that could not be kept, so that the gateway is told of them; the sequence."""

        def write(db: sqlite3.Connection) -> int:
            with self._transaction(db):
                return self._lose_unput(db, readings, from_ms, to_ms, cause)

        return self._try(write)

    def after(self, sequence: int, limit: int, *, upto: int | None = None) -> list[Kept]:
        """The batches after a sequence, oldest first. Those that are not as they were put are set aside."""

        def read(db: sqlite3.Connection) -> list[Kept]:
            rows = db.execute(
                "SELECT sequence, payload, crc FROM batches WHERE sequence > ? AND sequence <= ? AND clock IS NULL "
                "ORDER BY sequence LIMIT ?",
                (sequence, self._last if upto is None else upto, limit),
            ).fetchall()
            broken = {number for number, payload, crc in rows if not is_whole(payload, crc)}
            if broken:
                self._condemn(db, sorted(broken))
            return [Kept(number, payload) for number, payload, _ in rows if number not in broken]

        return self._try(read)

    def forget(self, sequences: Iterable[int]) -> None:
        """Let go of batches that the gateway has stored. Not synced: what is forgotten twice is sent twice."""
        wanted = list(sequences)

        def write(db: sqlite3.Connection) -> None:
            db.execute("PRAGMA synchronous=NORMAL")
            try:
                with self._transaction(db):
                    self._delete(db, wanted)
            finally:
                db.execute("PRAGMA synchronous=FULL")
            self._look(dropping=False)

        self._try(write)

    def account(self, first: int, last: int) -> tuple[list[int], list[Lost]]:
        """What became of these sequences: those still here, and those that never come, with the reason.

        Where very many are here, only what lies before the last of them that is told.
        """

        def read(db: sqlite3.Connection) -> tuple[list[int], list[Lost]]:
            upto = min(last, self._last)
            query = "SELECT sequence FROM batches WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?"
            held = [n for (n,) in db.execute(query, (first, upto, _ACCOUNTED))]
            if len(held) == _ACCOUNTED:
                upto = held[-1]
            with self._transaction(db):
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
            with self._transaction(db):
                rows = db.execute(
                    "SELECT sequence, payload, crc FROM batches WHERE clock = ? ORDER BY sequence LIMIT ?",
                    (clock, _THIN_AT_ONCE),
                ).fetchall()
                # One that is not as it was put stays so, to be set aside when it is handed out.
                sound = [(number, old) for number, old, crc in rows if is_whole(old, crc, clock)]
                fresh = [(payload := rewrite(old), checksum(payload), number) for number, old in sound]
                db.executemany("UPDATE batches SET payload = ?, crc = ? WHERE sequence = ?", fresh)
                db.executemany(
                    "UPDATE batches SET put_at_ms = put_at_ms + ?, clock = NULL WHERE sequence = ?",
                    [(by_ms, row[0]) for row in rows],
                )
                self._bytes += sum(len(new[0]) for new in fresh) - sum(len(old) for _, old in sound)
                return len(rows)

        return self._try(write)

    def expire(self, now_ms: int) -> None:
        """Drop what was put longer ago than the outbox holds. Only by a clock that is set."""

        def write(db: sqlite3.Connection) -> None:
            rows = db.execute(
                "SELECT sequence, put_at_ms, payload FROM batches WHERE put_at_ms >= ? AND put_at_ms < ? "
                "AND clock IS NULL ORDER BY sequence LIMIT ?",
                (_EARLIEST_MS, now_ms - self._bounds.limit_days * _DAY_MS, _THIN_AT_ONCE),
            ).fetchall()
            if rows:
                with self._transaction(db):
                    for row in rows:
                        self._drop(db, row, "old")
                log.error("outbox.expired", outbox=str(self._path), batches=len(rows), days=self._bounds.limit_days)

        self._try(write)

    # -- within a transaction ------------------------------------------------------------------------------------------

    def _put(self, db: sqlite3.Connection, put_at_ms: int, payload: bytes, clock: str | None) -> int:
        with self._transaction(db):
            made = self._make_room(db, len(payload)) if self._bounds.when_full == "thin" else False
            sequence = self._insert(db, put_at_ms, payload, clock)
        self._look(dropping=made)
        return sequence

    def _insert(self, db: sqlite3.Connection, put_at_ms: int, payload: bytes, clock: str | None) -> int:
        added = db.execute(
            "INSERT INTO batches (put_at_ms, payload, crc, clock) VALUES (?, ?, ?, ?)",
            (put_at_ms, payload, checksum(payload, clock), clock),
        )
        self._last = int(added.lastrowid or 0)
        self._bytes += len(payload)
        self._batches += 1
        return self._last

    def _delete(self, db: sqlite3.Connection, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            found = db.execute("DELETE FROM batches WHERE sequence = ? RETURNING length(payload)", (sequence,))
            for (length,) in found.fetchall():
                self._bytes -= length
                self._batches -= 1

    def _lose_unput(self, db: sqlite3.Connection, readings: int, from_ms: int, to_ms: int, cause: Cause) -> int:
        sequence = self._insert(db, to_ms, b"", None)
        self._delete(db, [sequence])
        note(db, Lost(sequence, sequence, cause, readings, from_ms, to_ms))
        return sequence

    def _make_room(self, db: sqlite3.Connection, n: int) -> bool:
        """Thin, then drop as many of the oldest as `n` more bytes need; whether there was need."""
        if self._bytes + n > self._limit:
            self._look_at_disk()
        needed = self._bytes + n > self._limit
        while self._bytes + n > self._limit and self._thin(db):
            pass
        while self._bytes + n > self._limit:
            row = db.execute("SELECT sequence, put_at_ms, payload FROM batches ORDER BY sequence LIMIT 1").fetchone()
            if row is None:
                break
            self._drop(db, row, "full")
        return needed

    def _drop(self, db: sqlite3.Connection, row: tuple[int, int, bytes], cause: Cause) -> None:
        sequence, put_at_ms, payload = row
        readings = readings_of(payload)
        from_ms, to_ms = span_ms(readings) or (instant(put_at_ms), instant(put_at_ms))
        self._delete(db, [sequence])
        note(db, Lost(sequence, sequence, cause, len(readings), from_ms, to_ms))
        self._count(db, "dropped", 1)

    def _thin(self, db: sqlite3.Connection) -> bool:
        """Thin the oldest batches that are not thinned yet; whether there were any."""
        done = int(meta(db, "thinned_upto") or 0)
        rows = db.execute(
            "SELECT sequence, put_at_ms, payload FROM batches WHERE sequence > ? AND sequence <= ? AND clock IS NULL "
            "ORDER BY sequence LIMIT ?",
            (done, self._last - _NEWEST, _THIN_AT_ONCE),
        ).fetchall()
        if not rows:
            return False
        set_meta(db, "thinned_upto", str(rows[-1][0]))
        before = [one for _, _, payload in rows for one in readings_of(payload)]
        stay = thinned(before)
        payloads = packed(stay, BATCH_READINGS)
        if len(payloads) < len(rows) and before:
            self._replace_by(db, rows, payloads)
            gone = len(before) - len(stay)
            note(db, Lost(rows[0][0], rows[-1][0], "thinned", gone, *(span_ms(before) or (0, 0))))
            self._count(db, "thinned", gone)
        return True

    def _replace_by(
        self, db: sqlite3.Connection, rows: Sequence[tuple[int, int, bytes]], payloads: Sequence[bytes]
    ) -> None:
        """What stays goes under the last sequences of the batches that it comes from."""
        gone, reused = rows[: len(rows) - len(payloads)], rows[len(rows) - len(payloads) :]
        self._delete(db, [sequence for sequence, _, _ in gone])
        for (sequence, _, old), payload in zip(reused, payloads, strict=True):
            db.execute(
                "UPDATE batches SET payload = ?, crc = ? WHERE sequence = ?", (payload, checksum(payload), sequence)
            )
            self._bytes += len(payload) - len(old)

    def _condemn(self, db: sqlite3.Connection, sequences: Sequence[int]) -> None:
        """Batches that are not as they were put: nobody can say what they said."""
        with self._transaction(db):
            for sequence in sequences:
                row = db.execute("SELECT put_at_ms FROM batches WHERE sequence = ?", (sequence,)).fetchone()
                if row is None:
                    raise MalformedError("a batch is listed and cannot be found")
                put_at_ms = row[0]
                self._delete(db, [sequence])
                note(db, Lost(sequence, sequence, "damaged", 0, instant(put_at_ms), instant(put_at_ms)))
                self._count(db, "damaged", 1)
        log.error("outbox.damaged", outbox=str(self._path), sequences=list(sequences))

    def _count(self, db: sqlite3.Connection, name: str, n: int) -> None:
        db.execute("UPDATE counts SET n = n + ? WHERE name = ?", (n, name))
        self._counts[name] += n

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
                self._measure(db)
            except (TypeError, ValueError) as error:
                db.close()
                raise MalformedError(str(error)) from error
            except BaseException:
                db.close()
                raise
            self._database = db
            self._check_clocks(db)
        return self._database

    def _check_clocks(self, db: sqlite3.Connection) -> None:
        """A batch that seems to wait for a clock, and was not put with it, would wait for ever."""
        rows = db.execute("SELECT sequence, payload, crc, clock FROM batches WHERE clock IS NOT NULL")
        # One by one: they may be those of months.
        wrong = [(sequence,) for sequence, *of in rows if marked(*of)[1] is None]
        with self._transaction(db):
            db.executemany("UPDATE batches SET clock = NULL WHERE sequence = ?", wrong)

    def _measure(self, db: sqlite3.Connection) -> None:
        size, count = db.execute("SELECT coalesce(sum(length(payload)), 0), count(*) FROM batches").fetchone()
        self._bytes, self._batches = int(size), int(count)
        self._counts = counts(db)
        given = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()
        [(least, most)] = db.execute("SELECT min(sequence), max(sequence) FROM batches").fetchall()
        self._last = max(int(given[0]) if given else 0, most or 0)
        if not ((1 if least is None else least) >= 1 and self._last <= _MOST_SEQUENCE):
            raise MalformedError("a sequence is none")
        self._opened_with = self._bytes, self._on_disk()
        self._limit = 0
        self._look_at_disk()
        self._find_oldest(db)
        self._look(dropping=False)

    def _look_at_disk(self) -> None:
        """A disk that is full stops everything: what was free at the start is not used up, what others free is used.

        Others who fill it are no reason to let go of what is there: then the disk refuses, and readings wait.
        """
        held, on_disk = self._opened_with
        free = shutil.disk_usage(self._path.parent).free if self._path.parent.exists() else 1 << 62
        room = max(_LEAST_ROOM, int(_OF_FREE * (free + self._on_disk() - on_disk)))
        self._limit = max(self._limit, min(self._bounds.limit_bytes, held + room))

    def _on_disk(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def _find_oldest(self, db: sqlite3.Connection) -> None:
        row = db.execute("SELECT sequence, put_at_ms FROM batches ORDER BY sequence LIMIT 1").fetchone()
        self._oldest = (int(row[0]), instant(row[1])) if row else None

    def _replace(self, cause: str) -> None:
        """Set the damaged file aside, and put what can be read of it into a new outbox of another id."""
        self.close()
        aside = set_aside(self._path)
        found = salvage(aside)
        log.error("outbox.set_aside", outbox=str(self._path), kept_as=aside.name, cause=cause, read=len(found.batches))
        db = self._opened()
        with self._transaction(db):
            self._adopt(db, found)

    def _adopt(self, db: sqlite3.Connection, found: Salvaged) -> None:
        batches = [found.batches[sequence] for sequence in sorted(found.batches)]
        for batch in batches:
            self._insert(db, batch.put_at_ms, batch.payload, batch.clock)
        for name in COUNTS:
            self._count(db, name, found.counts.get(name, 0))
        self._count(db, "damaged", 1)
        times = [batch.put_at_ms for batch in batches] or [0]
        # How many readings could not be read, nobody knows: that there may be some is told under a sequence of its own.
        self._lose_unput(db, 0, min(times), max(times), "damaged")

    def _look(self, *, dropping: bool) -> None:
        """Notice that it is full, or roomy again."""
        if self._bytes >= self._limit:
            self._look_at_disk()
        limit = self._limit
        if self._bounds.when_full == "stop":
            stopped = self._bytes >= limit or (self._stopped and self._bytes >= _ROOMY * limit)
            if stopped != self._stopped:
                event = "outbox.full" if stopped else "outbox.roomy"
                log.error(event, outbox=str(self._path), limit_bytes=limit, reading_stopped=stopped)
            self.full = self._stopped = stopped
        elif dropping and not self.full:
            log.error("outbox.full", outbox=str(self._path), limit_bytes=limit)
            self.full = True
        elif not dropping and self.full and self._bytes < limit / 2:
            log.info("outbox.roomy", outbox=str(self._path), dropped=self.dropped, thinned=self.thinned)
            self.full = False

    @contextmanager
    def _transaction(self, db: sqlite3.Connection) -> Iterator[None]:
        """All or nothing, on the disk at the end; what is known of it in memory follows."""
        before = (self._bytes, self._batches, self._last, dict(self._counts))
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            self._bytes, self._batches, self._last, self._counts = before
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise
        self._find_oldest(db)
