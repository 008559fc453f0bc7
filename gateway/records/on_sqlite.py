"""Records in a file of SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import create_async_engine

from energy.errors import EnergyError
from gateway.records.engines import Engines

_BUSY_TIMEOUT_MS = 10_000


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
    for pragma in (f"busy_timeout={_BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _began(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _told(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
