"""The batches of an outbox, as its transactions change them, and what is known of them without asking the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from adapters.outbox_file import COUNTS, counts
from adapters.outbox_losses import note
from adapters.outbox_salvage import MalformedError, Salvaged, checksum, instant, marked
from adapters.outbox_thinning import readings_of, span_ms
from adapters.wire import Cause, Lost

# As much as travels.
_MOST_SEQUENCE = 2**53

# A batch as it lies there: its sequence, when it was put [ms], its payload.
Row = tuple[int, int, bytes]


class Batches:
    """How many batches there are, of how many bytes, and what was let go of; in step with every transaction.

    Whatever changes them is called within `transaction`.
    """

    def __init__(self) -> None:
        self.size_bytes = self.number = self.last = 0
        self.counts = dict.fromkeys(COUNTS, 0)
        # Sequence, and when it was put [ms].
        self.oldest: tuple[int, int] | None = None

    def measure(self, db: sqlite3.Connection) -> None:
        """Learn from a file that was just opened how it stands. MalformedError where that cannot be."""
        size, count = db.execute("SELECT coalesce(sum(length(payload)), 0), count(*) FROM batches").fetchone()
        self.size_bytes, self.number = int(size), int(count)
        self.counts = counts(db)
        given = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()
        [(least, most)] = db.execute("SELECT min(sequence), max(sequence) FROM batches").fetchall()
        self.last = max(int(given[0]) if given else 0, most or 0)
        if not ((1 if least is None else least) >= 1 and self.last <= _MOST_SEQUENCE):
            raise MalformedError("a sequence is none")
        self._find_oldest(db)

    @contextmanager
    def transaction(self, db: sqlite3.Connection) -> Iterator[None]:
        """All or nothing, on the disk at the end; what is known of it in memory follows."""
        before = (self.size_bytes, self.number, self.last, dict(self.counts))
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            self.size_bytes, self.number, self.last, self.counts = before
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise
        self._find_oldest(db)

    def _find_oldest(self, db: sqlite3.Connection) -> None:
        row = db.execute("SELECT sequence, put_at_ms FROM batches ORDER BY sequence LIMIT 1").fetchone()
        self.oldest = (int(row[0]), instant(row[1])) if row else None

    # -- within a transaction ------------------------------------------------------------------------------------------

    def insert(self, db: sqlite3.Connection, put_at_ms: int, payload: bytes, clock: str | None) -> int:
        added = db.execute(
            "INSERT INTO batches (put_at_ms, payload, crc, clock) VALUES (?, ?, ?, ?)",
            (put_at_ms, payload, checksum(payload, clock), clock),
        )
        self.last = int(added.lastrowid or 0)
        self.size_bytes += len(payload)
        self.number += 1
        return self.last

    def delete(self, db: sqlite3.Connection, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            found = db.execute("DELETE FROM batches WHERE sequence = ? RETURNING length(payload)", (sequence,))
            for (length,) in found.fetchall():
                self.size_bytes -= length
                self.number -= 1

    def count(self, db: sqlite3.Connection, name: str, n: int) -> None:
        db.execute("UPDATE counts SET n = n + ? WHERE name = ?", (n, name))
        self.counts[name] += n

    def drop(self, db: sqlite3.Connection, row: Row, cause: Cause) -> None:
        """Let go of a batch that was not sent, and write down what it held."""
        sequence, put_at_ms, payload = row
        readings = readings_of(payload)
        from_ms, to_ms = span_ms(readings) or (instant(put_at_ms), instant(put_at_ms))
        self.delete(db, [sequence])
        note(db, Lost(sequence, sequence, cause, len(readings), from_ms, to_ms))
        self.count(db, "dropped", 1)

    def replace(self, db: sqlite3.Connection, rows: Sequence[Row], payloads: Sequence[bytes]) -> None:
        """Fewer payloads instead of these batches, under the last of their sequences."""
        gone, reused = rows[: len(rows) - len(payloads)], rows[len(rows) - len(payloads) :]
        self.delete(db, [sequence for sequence, _, _ in gone])
        for (sequence, _, old), payload in zip(reused, payloads, strict=True):
            db.execute(
                "UPDATE batches SET payload = ?, crc = ? WHERE sequence = ?", (payload, checksum(payload), sequence)
            )
            self.size_bytes += len(payload) - len(old)

    def lose(self, db: sqlite3.Connection, readings: int, from_ms: int, to_ms: int, cause: Cause) -> int:
        """A sequence for readings that never were in a batch; which."""
        sequence = self.insert(db, to_ms, b"", None)
        self.delete(db, [sequence])
        note(db, Lost(sequence, sequence, cause, readings, from_ms, to_ms))
        return sequence

    def condemn(self, db: sqlite3.Connection, sequences: Iterable[int]) -> None:
        """Batches that are not as they were put: nobody can say what they said."""
        for sequence in sequences:
            row = db.execute("SELECT put_at_ms FROM batches WHERE sequence = ?", (sequence,)).fetchone()
            if row is None:
                raise MalformedError("a batch is listed and cannot be found")
            put_at_ms = row[0]
            self.delete(db, [sequence])
            note(db, Lost(sequence, sequence, "damaged", 0, instant(put_at_ms), instant(put_at_ms)))
            self.count(db, "damaged", 1)

    def adopt(self, db: sqlite3.Connection, found: Salvaged) -> None:
        """What could be read of a damaged file."""
        batches = [found.batches[sequence] for sequence in sorted(found.batches)]
        for batch in batches:
            self.insert(db, batch.put_at_ms, batch.payload, batch.clock)
        for name in COUNTS:
            self.count(db, name, found.counts.get(name, 0))
        self.count(db, "damaged", 1)
        times = [batch.put_at_ms for batch in batches] or [0]
        # How many readings could not be read, nobody knows: that there may be some is told under a sequence of its own.
        self.lose(db, 0, min(times), max(times), "damaged")

    def check_clocks(self, db: sqlite3.Connection) -> None:
        """A batch that seems to wait for a clock, and was not put with it, would wait for ever."""
        rows = db.execute("SELECT sequence, payload, crc, clock FROM batches WHERE clock IS NOT NULL")
        # One by one: they may be those of months.
        wrong = [(sequence,) for sequence, *of in rows if marked(*of)[1] is None]
        db.executemany("UPDATE batches SET clock = NULL WHERE sequence = ?", wrong)
