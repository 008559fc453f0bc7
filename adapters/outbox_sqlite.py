"""The outbox of an edge in SQLite: batches on disk before anything else, kept until the gateway has stored them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from energy.errors import StoreError

log = structlog.get_logger()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, put_at_ms INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO counts VALUES ('dropped', 0);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch in the outbox: the readings as they will be published, under their sequence."""

    sequence: int
    payload: bytes


class SqliteOutbox:
    """Batches by sequence, oldest first; when it is full the oldest are dropped and counted.

    Every `put` is on the disk when it returns (WAL, synchronous=FULL). Sequences never repeat within a file.
    """

    def __init__(self, path: Path, *, limit_bytes: int = 2_000_000_000) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self._bytes, self._batches = self._measure()
        except sqlite3.Error as error:
            raise StoreError(f"outbox {path}: {error}") from error
        self._limit_bytes = limit_bytes
        # Called from several threads, and a transaction is of the connection, not of the thread.
        self._lock = threading.Lock()
        self._path = path
        # Whether the oldest are being dropped; until half of it is free again.
        self.full = False

    def close(self) -> None:
        self._db.close()

    @property
    def batches(self) -> int:
        return self._batches

    @property
    def size_bytes(self) -> int:
        return self._bytes

    @property
    def dropped(self) -> int:
        """Batches that were dropped unsent since the file was made."""
        with self._lock, closing(self._db.execute("SELECT n FROM counts WHERE name = 'dropped'")) as found:
            return int(found.fetchone()[0])

    def put(self, put_at_ms: int, payload: bytes) -> int:
        """Keep a batch; its sequence. StoreError where the disk refuses it."""
        with self._transaction():
            gone_batches, gone_bytes = self._make_room(len(payload))
            added = self._db.execute("INSERT INTO batches (put_at_ms, payload) VALUES (?, ?)", (put_at_ms, payload))
        self._bytes += len(payload) - gone_bytes
        self._batches += 1 - gone_batches
        self._tell(dropping=gone_batches > 0)
        return int(added.lastrowid or 0)

    def after(self, sequence: int, limit: int) -> list[Kept]:
        """The batches after a sequence, oldest first."""
        with self._lock:
            found = self._db.execute(
                "SELECT sequence, payload FROM batches WHERE sequence > ? ORDER BY sequence LIMIT ?", (sequence, limit)
            )
            return [Kept(number, payload) for number, payload in found]

    def forget(self, sequences: Iterable[int]) -> None:
        """Let go of batches that the gateway has stored; StoreError where the disk refuses."""
        gone: list[int] = []
        with self._transaction():
            for sequence in sequences:
                found = self._db.execute(
                    "DELETE FROM batches WHERE sequence = ? RETURNING length(payload)", (sequence,)
                )
                gone += [length for (length,) in found.fetchall()]
        self._bytes -= sum(gone)
        self._batches -= len(gone)
        if self._bytes < self._limit_bytes / 2:
            self._tell(dropping=False)

    def _tell(self, *, dropping: bool) -> None:
        if dropping and not self.full:
            log.error("outbox.full", outbox=str(self._path), limit_bytes=self._limit_bytes)
            self.full = True
        elif not dropping and self.full and self._bytes < self._limit_bytes / 2:
            log.info("outbox.roomy", outbox=str(self._path), dropped=self.dropped)
            self.full = False

    def _make_room(self, n: int) -> tuple[int, int]:
        """Drop as many of the oldest as `n` more bytes need; how many that were, and their bytes."""
        dropped, freed, last = 0, 0, 0
        oldest = self._db.execute("SELECT sequence, length(payload) FROM batches ORDER BY sequence")
        while self._bytes - freed + n > self._limit_bytes and (row := oldest.fetchone()) is not None:
            last, dropped, freed = row[0], dropped + 1, freed + row[1]
        oldest.close()
        if dropped:
            self._db.execute("DELETE FROM batches WHERE sequence <= ?", (last,))
            self._db.execute("UPDATE counts SET n = n + ? WHERE name = 'dropped'", (dropped,))
        return dropped, freed

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, on the disk at the end."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise StoreError(f"outbox {self._path}: {error}") from error
                raise

    def _measure(self) -> tuple[int, int]:
        size, count = self._db.execute("SELECT coalesce(sum(length(payload)), 0), count(*) FROM batches").fetchone()
        return int(size), int(count)
