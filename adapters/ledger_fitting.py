"""What a database must have for a ledger, and what is made use of where it has it."""

from __future__ import annotations

from typing import Any

import asyncpg

from adapters.postgres_address import LOST, PostgresAddress, told
from adapters.postgres_features import LEDGER, must_have
from energy.errors import StoreError

# Rows of an hour are written about the same time, and lie together: such an index is small, and tells which blocks need
# not be read for the curve of a day.
_BY_HOUR = "CREATE INDEX hour_rows_by_hour ON ledger.hour_rows USING brin (hour) WITH (autosummarize = on)"
# Asked before, since IF NOT EXISTS would wait for everybody who writes hours.
_WANTS_BY_HOUR = """
SELECT EXISTS (SELECT FROM pg_am WHERE amname = 'brin') AND NOT EXISTS (SELECT FROM pg_class c
    JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'ledger' AND relname = 'hour_rows_by_hour')
"""


async def fitting(at: PostgresAddress, settings: dict[str, str], patience_s: float) -> dict[str, str]:
    """Those of the settings that the database knows; before anything of a ledger is there, StoreError by the names of
    all that it lacks."""
    connection = await at.connect({"application_name": settings["application_name"]}, patience_s)
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'"):
            await must_have(connection, LEDGER, "ledger", copying=True)
        known = {row[0] for row in await connection.fetch("SELECT name FROM pg_settings")}
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST) as error:
        raise StoreError(f"ledger: {told(error)}") from error
    finally:
        await connection.close()
    # A database of an older PostgreSQL does not let in who sets what it does not know.
    return {name: value for name, value in settings.items() if name in known}


async def index_by_hour(connection: Any) -> None:
    """Within the transaction that makes the tables: the index by hour, where such ones are known."""
    if await connection.fetchval(_WANTS_BY_HOUR):
        await connection.execute(_BY_HOUR)
