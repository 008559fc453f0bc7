"""The quarantine in SQLite: refused readings, the newest kept, all counted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from energy.errors import StoreError
from energy.ports import Refusal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received_at_ms INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    edge TEXT, meter TEXT, quantity TEXT, taken_at_ms INTEGER, value REAL);
CREATE TABLE IF NOT EXISTS counts (reason TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


class SqliteQuarantine:
    """Fulfils `KeptQuarantine`."""

    def __init__(self, path: Path | str, *, limit_rows: int = 100_000) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StoreError(f"quarantine {path}: {error}") from error
        self._limit_rows = limit_rows
        self._lock = asyncio.Lock()

    def close(self) -> None:
        self._db.close()

    async def adopt(self, refusals: Sequence[Refusal], counts: Mapping[str, int], *, anew: bool) -> bool:
        if not anew and await self.counts():
            return False
        async with self._lock:
            await asyncio.to_thread(self._adopt, refusals[::-1], dict(counts))
        return True

    async def put(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            async with self._lock:
                await asyncio.to_thread(self._put, refusals)

    async def count(self, reason: str, n: int) -> None:
        """Count refusals of which nothing needs to be kept, such as repeated deliveries."""
        if n:
            async with self._lock:
                await asyncio.to_thread(self._count_alone, {reason: n})

    async def counts(self) -> dict[str, int]:
        return dict(self._db.execute("SELECT reason, n FROM counts ORDER BY reason").fetchall())

    async def newest(self, limit: int) -> list[Refusal]:
        found = self._db.execute(
            "SELECT received_at_ms, reason, detail, edge, meter, quantity, taken_at_ms, value "
            "FROM refused ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [Refusal(*row) for row in found]

    def _adopt(self, refusals: Sequence[Refusal], counts: dict[str, int]) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM refused")
            self._db.execute("DELETE FROM counts")
            self._insert(refusals)
            self._count(counts)

    def _put(self, refusals: Sequence[Refusal]) -> None:
        with self._transaction():
            self._insert(refusals)
            self._count(Counter(r.reason for r in refusals))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; StoreError where the disk refuses."""
        try:
            with self._db:
                self._db.execute("BEGIN")
                yield
        except sqlite3.Error as error:
            raise StoreError(f"quarantine: {error}") from error

    def _count_alone(self, found: dict[str, int]) -> None:
        with self._transaction():
            self._count(found)

    def _insert(self, refusals: Sequence[Refusal]) -> None:
        self._db.executemany(
            "INSERT INTO refused (received_at_ms, reason, detail, edge, meter, quantity, taken_at_ms, value) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (r.received_at_ms, r.reason, r.detail, r.edge, r.meter, r.quantity, r.taken_at_ms, r.value)
                for r in refusals[-self._limit_rows :]
            ],
        )
        self._db.execute(
            "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?",
            (self._limit_rows,),
        )

    def _count(self, found: dict[str, int]) -> None:
        self._db.executemany(
            "INSERT INTO counts VALUES (?, ?) ON CONFLICT (reason) DO UPDATE SET n = n + excluded.n",
            list(found.items()),
        )
