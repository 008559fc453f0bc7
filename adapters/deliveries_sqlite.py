"""What has come of each edge's outboxes, in SQLite: ranges of sequences, and what never comes.

Written after the store has committed and before the edge is answered: a crash between has the batches sent again, which
changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from adapters.outbox_salvage import is_damage, set_aside
from energy.errors import StoreError
from energy.ports import Heard, Loss
from energy.senders import share_of

log = structlog.get_logger()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outboxes (
    edge TEXT NOT NULL, outbox TEXT NOT NULL, met_at INTEGER NOT NULL, heard_at_ms INTEGER NOT NULL,
    ranges TEXT NOT NULL, PRIMARY KEY (edge, outbox)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS losses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, edge TEXT NOT NULL, outbox TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, cause TEXT NOT NULL, readings INTEGER, from_ms INTEGER, to_ms INTEGER,
    told_at_ms INTEGER NOT NULL);
"""
_LOSSES = 10_000


def _opened(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        db.execute("SELECT count(*) FROM outboxes").fetchall()
    except BaseException:
        db.close()
        raise
    return db


class SqliteDeliveries:
    """Fulfils `DeliveryLog`."""

    def __init__(self, path: Path | str) -> None:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._path = path
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            if not (isinstance(path, Path) and is_damage(error)):
                raise StoreError(f"deliveries {path}: {error}") from error
            # What is lost is only what is known of deliveries: the edges are asked, and tell.
            aside = set_aside(path)
            log.error("deliveries.set_aside", file=str(path), kept_as=aside.name, cause=str(error))
            self._db = _opened(path)

    def close(self) -> None:
        self._db.close()

    async def outboxes(self, shares: Collection[int] | None = None) -> list[Heard]:
        found = await asyncio.to_thread(self._outboxes)
        return found if shares is None else [h for h in found if share_of(h.edge) in shares]

    async def losses(self, shares: Collection[int] | None = None) -> list[Loss]:
        found = await asyncio.to_thread(self._losses)
        return found if shares is None else [loss for loss in found if share_of(loss.edge) in shares]

    async def save(self, heard: Sequence[Heard], lost: Sequence[Loss] = ()) -> None:
        await asyncio.to_thread(self._save, heard, lost)

    async def forget(self, edge: str, outbox: str) -> None:
        await asyncio.to_thread(self._forget, edge, outbox)

    def _outboxes(self) -> list[Heard]:
        with self._reading():
            rows = self._db.execute(
                "SELECT edge, outbox, met_at, heard_at_ms, ranges FROM outboxes ORDER BY heard_at_ms"
            ).fetchall()
        return [
            Heard(edge, outbox, met_at, heard_at_ms, [(first, last) for first, last in json.loads(ranges)])
            for edge, outbox, met_at, heard_at_ms, ranges in rows
        ]

    def _losses(self) -> list[Loss]:
        with self._reading():
            rows = self._db.execute(
                "SELECT edge, outbox, first, last, cause, readings, from_ms, to_ms, told_at_ms FROM losses "
                "ORDER BY id DESC LIMIT ?",
                (_LOSSES,),
            ).fetchall()
        return [Loss(*row) for row in rows]

    async def adopt(self, heard: Sequence[Heard], losses: Sequence[Loss], *, anew: bool) -> bool:
        if not anew and (await self.outboxes() or await self.losses()):
            return False
        await asyncio.to_thread(self._save, heard, losses[::-1], anew=True)
        return True

    def _save(self, heard: Sequence[Heard], lost: Sequence[Loss], *, anew: bool = False) -> None:
        with self._transaction():
            if anew:
                self._db.execute("DELETE FROM outboxes")
                self._db.execute("DELETE FROM losses")
            self._db.executemany(
                "INSERT OR REPLACE INTO outboxes VALUES (?, ?, ?, ?, ?)",
                [(h.edge, h.outbox, h.met_at, h.heard_at_ms, json.dumps(h.ranges)) for h in heard],
            )
            self._db.executemany(
                "INSERT INTO losses (edge, outbox, first, last, cause, readings, from_ms, to_ms, told_at_ms) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (x.edge, x.outbox, x.first, x.last, x.cause, x.readings, x.from_ms, x.to_ms, x.told_at_ms)
                    for x in lost
                ],
            )
            if lost:
                self._db.execute("DELETE FROM losses WHERE id <= (SELECT max(id) FROM losses) - ?", (_LOSSES,))

    def _forget(self, edge: str, outbox: str) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM outboxes WHERE edge = ? AND outbox = ?", (edge, outbox))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise StoreError(f"deliveries {self._path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise StoreError(f"deliveries {self._path}: {error}") from error
                raise
