"""The records database: opened, brought to the version of this program, and spoken to in transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.addresses import shown
from energy.errors import EnergyError, StoreError
from gateway.audit.append import PENDING, SEAL
from gateway.audit.seal import Head, Seal
from gateway.records.engines import Engines
from gateway.records.keys import note_asked

log = structlog.get_logger()

# The newest revision in migrations/versions, so that Alembic is only imported where there is something to migrate.
HEAD = "0015"


class Records:
    """An open database of records."""

    def __init__(self, engines: Engines, seal: Seal) -> None:
        self._engines, self.seal = engines, seal
        self._writer = engines.writer.execution_options(**{SEAL: seal})

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads, all of it at one moment; StoreError where the database fails."""
        with self._told():
            async with self._engines.reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes, all or nothing, while no other one does; StoreError where the database fails.

        What is read in it stays as it is until it ends, whichever process would change it. Of a request with a key the
        first one notes that key; AskedBefore where somebody has.
        """
        with self._told():
            async with self._writer.begin() as connection:
                if self._engines.lock is not None:
                    await connection.execute(text(self._engines.lock))
                info = (await connection.get_raw_connection()).info
                info.pop(PENDING, None)  # of a transaction that was given up
                asked = await note_asked(connection)
                yield connection
        if asked is not None:
            asked.noted = True
        if (head := info.pop(PENDING, None)) is not None:
            self._keep(head)

    async def must_fit(self, connection: AsyncConnection) -> None:
        """Within a transaction: StoreError where the database cannot do all that is needed."""
        if self._engines.fit is not None:
            await self._engines.fit(connection)

    def _keep(self, head: Head) -> None:
        """Keep the end of the audit log beside the database; what was committed stands even where that fails."""
        try:
            self.seal.keep(head)
        except OSError as error:
            log.error("audit.head_unwritten", folder=str(self.seal.folder), cause=str(error))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"records: {self._engines.told(error)}") from error


@asynccontextmanager
async def open_records(address: str, folder: Path = Path("var"), audit: Path | None = None) -> AsyncIterator[Records]:
    """The records at `sqlite:FILE` or `postgresql://USER@HOST/DATABASE`, of this program's version; those of a newer
    one are refused in words.

    The key and the head of the audit log lie in the folder `audit`; where none is named, beside the file, and of a
    database of PostgreSQL in the `folder`.
    """
    seal = Seal(audit or _beside(address, folder))
    async with _connected(address, seal) as records:
        found = await _revision(records)
        if found != HEAD:
            await _bring_up(address, seal, new=found is None)
        yield records


def _beside(address: str, folder: Path) -> Path:
    scheme, _, file = address.partition(":")
    return Path(file).parent if scheme == "sqlite" else folder


@asynccontextmanager
async def _connected(address: str, seal: Seal, *, patient: bool = False) -> AsyncIterator[Records]:
    engines = engines_at(address, patient=patient)
    try:
        yield Records(engines, seal)
    finally:
        await engines.reader.dispose()


def engines_at(address: str, *, patient: bool = False) -> Engines:
    """How the database at an address is spoken to; `patient` for what may take long, such as a migration."""
    scheme = address.partition(":")[0]
    if scheme == "sqlite":
        from gateway.records.on_sqlite import sqlite_engines

        return sqlite_engines(address)
    if scheme == "postgresql":
        from gateway.records.on_postgresql import postgresql_engines

        return postgresql_engines(address, patient=patient)
    raise EnergyError(
        f"{shown(address)!r} is no address of records; write sqlite:FILE or postgresql://USER@HOST:PORT/DATABASE"
    )


async def _revision(records: Records) -> str | None:
    async with records.reading() as connection:
        try:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        except (OperationalError, ProgrammingError):
            return None
        return found.scalar_one_or_none()


async def _bring_up(address: str, seal: Seal, *, new: bool) -> None:
    """Migrate, while no other process writes or migrates; one that comes second finds nothing left to do."""
    from gateway.records.migrate import upgrade

    async with _connected(address, seal, patient=True) as records, records.writing() as connection:
        if new:
            await records.must_fit(connection)
        await connection.run_sync(upgrade, shown(address))
