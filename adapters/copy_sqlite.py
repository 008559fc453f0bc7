"""A copy of a SQLite file while others write to it, by the backup API of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from energy.errors import EnergyError

_MAGIC = b"SQLite format 3\0"


def is_sqlite(file: Path) -> bool:
    """Whether a file is a database of SQLite; an empty one is none."""
    with file.open("rb") as begun:
        return begun.read(len(_MAGIC)) == _MAGIC


def copied_sqlite(file: Path, to: Path) -> None:
    """Copy a database as of one moment, with what its log holds; EnergyError where it cannot be read."""
    try:
        address = f"{file.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=60)) as source, closing(sqlite3.connect(to)) as copy:
            source.backup(copy)
            # A file by itself, without a log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        to.unlink(missing_ok=True)
        raise EnergyError(f"{file} cannot be copied: {error}") from error


def counted_sqlite(file: Path) -> dict[str, int]:
    """Rows of each table; EnergyError where the file is damaged."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            if (found := opened.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise EnergyError(f"{file} is damaged: {found}")
            names = opened.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
            of_table = "SELECT count(*) FROM "
            return {name: opened.execute(f'{of_table}"{name}"').fetchone()[0] for (name,) in names}
    except sqlite3.Error as error:
        raise EnergyError(f"{file} is no whole database: {error}") from error


def revision_of(file: Path) -> str | None:
    """The migration that the records in a file are at; None where it holds no records."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        try:
            found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error:
            return None
        return None if found is None else str(found[0])
