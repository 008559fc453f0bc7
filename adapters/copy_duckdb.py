"""A copy of the store while it is written to: all of it as of one moment, and nobody who writes waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import duckdb

from adapters.readings_duckdb import DuckDBReadings
from energy.errors import EnergyError, StoreError
from energy.ports import ReadingStore

_WITHIN = "copied"
# Sums that must come out of a restored file as they went in; whole numbers, as text since they may be large.
_SUMS = {
    "newest_reading_ms": "SELECT coalesce(max(taken_at_ms), 0) FROM readings",
    "ledger_amount": "SELECT coalesce(sum(amount), 0) FROM hours",
    "ledger_cost": "SELECT coalesce(sum(cost), 0) FROM hours",
}


class DuckDBCopy:
    """Copies an open store into a new file, in a thread of its own.

    The copy is read in one transaction, which sees one moment and holds nobody up (multi-version concurrency).
    """

    def __init__(self, store: DuckDBReadings, to: Path) -> None:
        self._store, self.to = store, to
        self._cursor = store.connection.cursor()

    async def run(self) -> None:
        """Until it is whole; StoreError where it fails or is stopped, and then nothing of it is left."""
        with ThreadPoolExecutor(1, thread_name_prefix="store-copy") as thread:
            try:
                await asyncio.get_running_loop().run_in_executor(thread, copied_database, self._cursor, self.to)
            except duckdb.Error as error:
                raise StoreError(f"the store cannot be copied to {self.to}: {error}") from error
            finally:
                self._cursor.close()

    def stop(self) -> None:
        self._cursor.interrupt()


def copy_of(store: ReadingStore, to: Path) -> DuckDBCopy:
    """A copy that can be run; TypeError for a store of another kind."""
    if not isinstance(store, DuckDBReadings):
        raise TypeError(f"{type(store).__name__} is not copied")
    return DuckDBCopy(store, to)


def copied_database(connection: duckdb.DuckDBPyConnection, to: Path) -> None:
    """Copy what the connection has open; a copy that fails leaves no file."""
    to.parent.mkdir(parents=True, exist_ok=True)
    (name,) = connection.execute("SELECT current_database()").fetchall()[0]
    connection.execute(f"ATTACH '{_quoted(to)}' AS {_WITHIN}")
    try:
        connection.execute(f'COPY FROM DATABASE "{name}" TO {_WITHIN}')
        # What is detached is written out of its log.
        connection.execute(f"DETACH {_WITHIN}")
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute(f"DETACH {_WITHIN}")
        remove_database(to)
        raise


def remove_database(file: Path) -> None:
    """The file, and the log beside it."""
    file.unlink(missing_ok=True)
    file.with_name(f"{file.name}.wal").unlink(missing_ok=True)


def copied_file(file: Path, to: Path) -> None:
    """Copy the file of a store that nobody has open; StoreError where another process has."""
    try:
        with duckdb.connect(str(file)) as connection:
            copied_database(connection, to)
    except duckdb.IOException as error:
        raise StoreError(f"{file} is in use by another process, probably a running gateway") from error
    except duckdb.Error as error:
        raise StoreError(f"{file}: {error}") from error


def counted_store(file: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Rows of each table, and sums that tell whether all of them are there; every block is read and its checksum
    looked at. EnergyError where the file is damaged."""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            listed = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall()
            rows = {name: _one(connection, f'SELECT count(*) FROM "{name}"') for (name,) in listed}
            for name in rows:
                # Adding up hashes of whole rows reads whatever there is.
                connection.execute(f'SELECT bit_xor(hash(t)) FROM "{name}" t').fetchall()
            known = {name: sql for name, sql in _SUMS.items() if "hours" in rows or "hours" not in sql}
            return rows, {name: str(_one(connection, sql)) for name, sql in known.items() if rows}
    except duckdb.Error as error:
        raise EnergyError(f"{file} is no whole store: {error}") from error


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
