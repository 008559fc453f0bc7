"""The records database: opened, brought to the version of this program, and spoken to in transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import URL, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from energy.errors import EnergyError, StoreError
from gateway.audit.append import PENDING, SEAL
from gateway.audit.seal import Head, Seal

log = structlog.get_logger()

# The newest revision in migrations/versions, so that Alembic is only imported where there is something to migrate.
HEAD = "0005_audit"
_BUSY_TIMEOUT_MS = 10_000


class Records:
    """An open database of records."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._reader, self.seal = engine, seal
        # A transaction that will write takes the lock at once: one that reads first may find it gone.
        self._writer = engine.execution_options(begin="BEGIN IMMEDIATE", **{SEAL: seal})

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads, all of it at one moment; StoreError where the database fails."""
        with _told():
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes, all or nothing; StoreError where the database fails."""
        with _told():
            async with self._writer.begin() as connection:
                info = (await connection.get_raw_connection()).info
                info.pop(PENDING, None)  # of a transaction that was given up
                yield connection
        if (head := info.pop(PENDING, None)) is not None:
            self._keep(head)

    def _keep(self, head: Head) -> None:
        """Keep the end of the audit log beside the database; what was committed stands even where that fails."""
        try:
            self.seal.keep(head)
        except OSError as error:
            log.error("audit.head_unwritten", folder=str(self.seal.folder), cause=str(error))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"records: {getattr(error, 'orig', None) or error}") from error


@asynccontextmanager
async def open_records(address: str) -> AsyncIterator[Records]:
    """The records at `sqlite:FILE`, of this program's version; those of a newer one are refused in words.

    The key and the head of the audit log lie beside the file.
    """
    engine = _engine(address)
    records = Records(engine, Seal(Path(address.partition(":")[2]).parent))
    try:
        await _bring_up(records, address)
        yield records
    finally:
        await engine.dispose()


def _engine(address: str) -> AsyncEngine:
    scheme, _, file = address.partition(":")
    if scheme != "sqlite" or not file:
        raise EnergyError(f"{address!r} is no address of records; write sqlite:FILE")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=file))
    event.listen(engine.sync_engine, "connect", _connected)
    event.listen(engine.sync_engine, "begin", _began)
    return engine


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; we do
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _began(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


async def _bring_up(records: Records, address: str) -> None:
    async with records.reading() as connection:
        if await _revision(connection) == HEAD:
            return
    from gateway.records.migrate import upgrade

    async with records.writing() as connection:
        await connection.run_sync(upgrade, address)


async def _revision(connection: AsyncConnection) -> str | None:
    try:
        return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    except SQLAlchemyError:
        return None
