"""The quarantine in PostgreSQL beside the ledger: refused readings of all processes, the newest kept, all counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from adapters.postgres_address import PostgresAddress, transaction
from energy.ports import Refusal

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS ingest;
CREATE SEQUENCE IF NOT EXISTS ingest.refusal_numbers;
CREATE TABLE IF NOT EXISTS ingest.refused (
    id bigint PRIMARY KEY DEFAULT nextval('ingest.refusal_numbers'), received_at_ms bigint NOT NULL,
    reason text NOT NULL, detail text NOT NULL, edge text, meter text, quantity text, taken_at_ms bigint,
    value double precision);
CREATE TABLE IF NOT EXISTS ingest.counts (reason text PRIMARY KEY, n bigint NOT NULL);
"""
# Whoever opens it makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061979
_SETTINGS = {"application_name": "jieneng quarantine", "search_path": "ingest", "jit": "off"}
_PATIENCE_S = 30.0
_COLUMNS = {
    "received_at_ms": "bigint", "reason": "text", "detail": "text", "edge": "text", "meter": "text",
    "quantity": "text", "taken_at_ms": "bigint", "value": "double precision",
}  # fmt: skip


@asynccontextmanager
async def open_postgres_quarantine(address: str, *, limit_rows: int = 100_000) -> AsyncIterator[PostgresQuarantine]:
    """The one in the database at an address, made if it is not there."""
    pool = await PostgresAddress.parse(address, "quarantine").pool(_SETTINGS, _PATIENCE_S, largest=2)
    quarantine = PostgresQuarantine(pool, limit_rows)
    try:
        await quarantine.make()
        yield quarantine
    finally:
        await pool.close()


class PostgresQuarantine:
    """Fulfils `KeptQuarantine`."""

    def __init__(self, pool: Any, limit_rows: int = 100_000) -> None:
        self._pool, self._limit_rows = pool, limit_rows

    async def make(self) -> None:
        """The tables, if they are not there."""
        async with transaction(self._pool, "quarantine") as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(_SCHEMA)

    async def adopt(self, refusals: Sequence[Refusal], counts: Mapping[str, int], *, anew: bool) -> bool:
        async with transaction(self._pool, "quarantine") as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if not anew and await connection.fetchval("SELECT EXISTS (SELECT FROM counts)"):
                return False
            await connection.execute("DELETE FROM refused; DELETE FROM counts")
            await self._keep(connection, refusals[: self._limit_rows][::-1])
            await self._count(connection, counts)
        return True

    async def put(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            async with transaction(self._pool, "quarantine") as connection:
                await self._keep(connection, refusals[-self._limit_rows :])
                await self._count(connection, Counter(r.reason for r in refusals))

    async def count(self, reason: str, n: int) -> None:
        if n:
            async with transaction(self._pool, "quarantine") as connection:
                await self._count(connection, {reason: n})

    async def counts(self) -> dict[str, int]:
        async with transaction(self._pool, "quarantine") as connection:
            # By the bytes of the letters, whatever the database goes by.
            return dict(await connection.fetch('SELECT reason, n FROM counts ORDER BY reason COLLATE "C"'))

    async def newest(self, limit: int) -> list[Refusal]:
        async with transaction(self._pool, "quarantine") as connection:
            rows = await connection.fetch(f"SELECT {', '.join(_COLUMNS)} FROM refused ORDER BY id DESC LIMIT $1", limit)
        return [Refusal(*row) for row in rows]

    async def _keep(self, connection: Any, refusals: Sequence[Refusal]) -> None:
        rows = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(_COLUMNS.values(), start=1))
        await connection.execute(
            f"INSERT INTO refused ({', '.join(_COLUMNS)}) SELECT * FROM unnest({rows})",
            *([_sayable(getattr(r, name)) for r in refusals] for name in _COLUMNS),
        )
        await connection.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - $1", self._limit_rows)

    async def _count(self, connection: Any, found: Mapping[str, int]) -> None:
        # In one order, so that no two processes wait for each other.
        reasons = sorted(found)
        await connection.execute(
            "INSERT INTO counts SELECT * FROM unnest($1::text[], $2::bigint[]) "
            "ON CONFLICT (reason) DO UPDATE SET n = counts.n + excluded.n",
            reasons,
            [found[reason] for reason in reasons],
        )


def _sayable(value: Any) -> Any:
    """A text without the letters that no text of PostgreSQL has."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
