"""The file of an outbox: made, brought up to date, and refused where it is not what it says."""

from __future__ import annotations

import re
import secrets
import sqlite3
from pathlib import Path

from adapters import outbox_losses
from adapters.outbox_salvage import MalformedError, lenient

COUNTS = ("dropped", "thinned", "damaged")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, put_at_ms INTEGER NOT NULL, payload BLOB NOT NULL, crc INTEGER,
    clock TEXT);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_ID = re.compile("[0-9a-f]{16}")


def open_file(path: Path) -> sqlite3.Connection:
    """The outbox in this file, made if it is not there; sqlite3.Error or OSError where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db)
        counts(db)
    except (TypeError, ValueError, KeyError) as error:
        db.close()
        raise MalformedError(str(error)) from error
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.text_factory = lenient
    [(tables, pages)] = db.execute("SELECT count(*), (SELECT page_count FROM pragma_page_count) FROM sqlite_master")
    if pages > 1 and not tables:
        raise MalformedError("the file has pages, and no tables")
    db.executescript(_SCHEMA + outbox_losses.SCHEMA)
    known = {row[1] for row in db.execute("PRAGMA table_info(batches)")}
    for column in ("crc INTEGER", "clock TEXT"):
        # A file of before has neither.
        if column.split()[0] not in known:
            db.execute(f"ALTER TABLE batches ADD COLUMN {column}")
    # Holds the batches that wait, and no others.
    db.execute("CREATE INDEX IF NOT EXISTS waiting ON batches (clock) WHERE clock IS NOT NULL")
    db.executemany("INSERT OR IGNORE INTO counts VALUES (?, 0)", [(name,) for name in COUNTS])
    db.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (secrets.token_hex(8),))
    if not _ID.fullmatch(meta(db, "id") or ""):
        raise MalformedError("the id is none")


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """What was let go of since the file was made."""
    found = dict(db.execute("SELECT name, n FROM counts").fetchall())
    return {name: int(found[name]) for name in COUNTS}


def meta(db: sqlite3.Connection, name: str) -> str | None:
    return next((str(value) for (value,) in db.execute("SELECT value FROM meta WHERE name = ?", (name,))), None)


def set_meta(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
