"""Records in a file of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from random import randrange
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import create_async_engine

from energy.errors import EnergyError
from gateway.records.engines import Engines

_BUSY_TIMEOUT_MS = 10_000
_TRIES = 100


def sqlite_engines(address: str) -> Engines:
    """The file of `sqlite:FILE`, made where there is none."""
    file = address.partition(":")[2]
    if not file:
        raise EnergyError(f"{address!r} names no file; write sqlite:FILE")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=file))
    event.listen(engine.sync_engine, "connect", _connected)
    event.listen(engine.sync_engine, "begin", _began)
    # A transaction that will write takes the lock at once: one that reads first may find it gone.
    return Engines(engine, engine.execution_options(begin="BEGIN IMMEDIATE"), lock=None, told=_told)


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; we do
    cursor = connection.cursor()
    _share(cursor)
    for pragma in (f"busy_timeout={_BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _share(cursor: Any) -> None:
    """Write ahead, so that who reads waits for nobody.

    Of two that turn a new file to it at once each waits for the other to let go: they wait briefly, and try again.
    """
    for _ in range(_TRIES):
        cursor.execute(f"PRAGMA busy_timeout={randrange(10, 100)}")  # noqa: S311 - no secret hangs on it
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode=WAL")
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _began(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _told(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
