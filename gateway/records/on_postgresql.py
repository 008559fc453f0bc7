"""Records in a database of PostgreSQL, by asyncpg."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from adapters.postgres_address import PostgresAddress, told
from adapters.postgres_features import RECORDS, must_have
from gateway.records.engines import Engines

_LOCK_TIMEOUT_S = 10
_STATEMENT_TIMEOUT_S = 60
_IDLE_TIMEOUT_S = 60
# Others that start wait for a migration.
_MIGRATION_S = 600
# Of one transaction that writes after the other; the number is ours in every database.
_LOCK = "SELECT pg_advisory_xact_lock(5208219163725061973)"


def postgresql_engines(address: str, *, patient: bool) -> Engines:
    """The database at an address; `patient` for migrations, which may take long and be waited for."""
    parsed = PostgresAddress.parse(address)
    settings = {
        "application_name": "jieneng",
        "lock_timeout": f"{_MIGRATION_S if patient else _LOCK_TIMEOUT_S}s",
        "statement_timeout": f"{0 if patient else _STATEMENT_TIMEOUT_S}s",
        # A program that is stopped half way does not keep the others from writing.
        "idle_in_transaction_session_timeout": f"{_IDLE_TIMEOUT_S}s",
    }

    async def connect() -> Any:
        # Of a server that has vanished no answer comes: a little later than its own limits we do not wait any more.
        return await parsed.connect(settings, None if patient else _STATEMENT_TIMEOUT_S + 15.0)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_pre_ping=True)
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    # Each statement sees what was committed before it: what is read behind the lock is what the last writer left.
    writer = engine.execution_options(isolation_level="READ COMMITTED")
    return Engines(reader, writer, _LOCK, _told, _fit)


async def _fit(connection: AsyncConnection) -> None:
    raw = (await connection.get_raw_connection()).driver_connection
    await must_have(raw, RECORDS, "records")


def _told(error: Exception) -> str:
    cause = getattr(getattr(error, "orig", None), "__cause__", None) or error
    if getattr(error, "connection_invalidated", False) and getattr(cause, "sqlstate", None) is None:
        return f"the connection to PostgreSQL was lost: {str(cause) or 'no answer'}"
    return told(cause)
