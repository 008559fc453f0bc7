"""Who wrote a meter's readings last, of processes that may all write them: in PostgreSQL beside the ledger.

One at a time writes. Who is not the one who wrote last is told so, since what he knows of the meter by heart may be
older than what is there. Where his connection breaks while he writes, the next one counts him as the last all the same.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from adapters.postgres_address import PostgresAddress, transaction

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS ingest;
CREATE TABLE IF NOT EXISTS ingest.writers (meter text PRIMARY KEY, writer bigint NOT NULL);
"""
# Whoever opens it makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061982
_SETTINGS = {"application_name": "jieneng writers", "search_path": "ingest", "jit": "off"}
# Longer than another one may take to learn and to write.
_PATIENCE_S = 60.0
# In one order by all, so that nobody waits for whoever waits for him.
_HELD = "SELECT writer FROM writers WHERE meter = ANY($1::text[]) ORDER BY meter FOR UPDATE"
_CLAIMED = """
INSERT INTO writers SELECT meter, $2 FROM unnest($1::text[]) AS meter ORDER BY meter
ON CONFLICT (meter) DO UPDATE SET writer = excluded.writer WHERE writers.writer <> excluded.writer RETURNING meter
"""


@asynccontextmanager
async def open_postgres_writers(address: str) -> AsyncIterator[PostgresWriters]:
    """Those in the database at an address, made if they are not there."""
    pool = await PostgresAddress.parse(address, "writers").pool(_SETTINGS, _PATIENCE_S, largest=1)
    writers = PostgresWriters(pool)
    try:
        await writers.make()
        yield writers
    finally:
        await pool.close()


class PostgresWriters:
    """Fulfils `Writers` of `gateway/ingest/open_meters.py`."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        # Of this run of the process: another one of its name knows nothing by heart.
        self._me = secrets.randbits(62)
        self._unlearnt: set[str] = set()

    async def make(self) -> None:
        """The table, if it is not there."""
        async with transaction(self._pool, "writers") as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(_SCHEMA)

    @asynccontextmanager
    async def alone(self, meters: Collection[str]) -> AsyncIterator[frozenset[str]]:
        """Nobody else writes these meanwhile. Told are those that another one wrote last, or nobody yet."""
        names = sorted(meters)
        while True:
            async with transaction(self._pool, "writers") as connection:
                held = [writer for (writer,) in await connection.fetch(_HELD, names)]
                if held == [self._me] * len(names):
                    unlearnt = frozenset(self._unlearnt.intersection(names))
                    yield unlearnt
                    self._unlearnt -= unlearnt
                    return
            await self._claim(names)

    async def _claim(self, names: Sequence[str]) -> None:
        """Be the one who wrote last from here on, before anything is written; waits for who is just writing."""
        async with transaction(self._pool, "writers") as connection:
            claimed = [meter for (meter,) in await connection.fetch(_CLAIMED, names, self._me)]
            # Before it is committed: to learn what is known already does no harm.
            self._unlearnt.update(claimed)
