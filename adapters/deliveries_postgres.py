"""What has come of each edge's outboxes, in PostgreSQL beside the ledger: for one process or several.

Who follows an outbox is one process at a time; what it knows is written whole, and read anew by the next one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from adapters.postgres_address import PostgresAddress, transaction
from energy.ports import Heard, Loss
from energy.senders import share_of

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS ingest;
CREATE TABLE IF NOT EXISTS ingest.outboxes (
    edge text NOT NULL, outbox text NOT NULL, share smallint NOT NULL, met_at bigint NOT NULL,
    heard_at_ms bigint NOT NULL, ranges text NOT NULL, PRIMARY KEY (edge, outbox));
CREATE SEQUENCE IF NOT EXISTS ingest.loss_numbers;
CREATE TABLE IF NOT EXISTS ingest.losses (
    id bigint PRIMARY KEY DEFAULT nextval('ingest.loss_numbers'), share smallint NOT NULL, edge text NOT NULL,
    outbox text NOT NULL, first bigint NOT NULL, last bigint NOT NULL, cause text NOT NULL, readings bigint,
    from_ms bigint, to_ms bigint, told_at_ms bigint NOT NULL);
"""
# Whoever opens it makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061980
_SETTINGS = {"application_name": "jieneng deliveries", "search_path": "ingest", "jit": "off"}
_PATIENCE_S = 30.0
_LOSSES = 10_000
_LOSS = ("edge", "outbox", "first", "last", "cause", "readings", "from_ms", "to_ms", "told_at_ms")


@asynccontextmanager
async def open_postgres_deliveries(address: str) -> AsyncIterator[PostgresDeliveries]:
    """Those in the database at an address, made if they are not there."""
    pool = await PostgresAddress.parse(address, "deliveries").pool(_SETTINGS, _PATIENCE_S, largest=2)
    deliveries = PostgresDeliveries(pool)
    try:
        await deliveries.make()
        yield deliveries
    finally:
        await pool.close()


class PostgresDeliveries:
    """Fulfils `DeliveryLog`."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def make(self) -> None:
        """The tables, if they are not there."""
        async with transaction(self._pool, "deliveries") as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(_SCHEMA)

    async def outboxes(self, shares: Collection[int] | None = None) -> list[Heard]:
        async with transaction(self._pool, "deliveries") as connection:
            rows = await connection.fetch(
                "SELECT edge, outbox, met_at, heard_at_ms, ranges FROM outboxes "
                "WHERE $1::smallint[] IS NULL OR share = ANY($1::smallint[]) ORDER BY heard_at_ms, edge, outbox",
                None if shares is None else list(shares),
            )
        return [
            Heard(edge, _said(outbox), met_at, heard_at_ms, [(first, last) for first, last in json.loads(ranges)])
            for edge, outbox, met_at, heard_at_ms, ranges in rows
        ]

    async def losses(self, shares: Collection[int] | None = None) -> list[Loss]:
        async with transaction(self._pool, "deliveries") as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(_LOSS)} FROM losses "
                "WHERE $1::smallint[] IS NULL OR share = ANY($1::smallint[]) ORDER BY id DESC LIMIT $2",
                None if shares is None else list(shares),
                _LOSSES,
            )
        return [Loss(edge, _said(outbox), *rest) for edge, outbox, *rest in rows]

    async def adopt(self, heard: Sequence[Heard], losses: Sequence[Loss], *, anew: bool) -> bool:
        async with transaction(self._pool, "deliveries") as connection:
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if not anew and await connection.fetchval(
                "SELECT EXISTS (SELECT FROM outboxes) OR EXISTS (SELECT FROM losses)"
            ):
                return False
            await connection.execute("DELETE FROM outboxes; DELETE FROM losses")
            await self._add_outboxes(connection, heard)
            await self._add_losses(connection, losses[::-1])
        return True

    async def save(self, heard: Sequence[Heard], lost: Sequence[Loss] = ()) -> None:
        async with transaction(self._pool, "deliveries") as connection:
            await self._add_outboxes(connection, heard)
            if lost:
                await self._add_losses(connection, lost)

    async def _add_outboxes(self, connection: Any, heard: Sequence[Heard]) -> None:
        columns = [
            [h.edge for h in heard],
            [_sayable(h.outbox) for h in heard],
            [share_of(h.edge) for h in heard],
            [h.met_at for h in heard],
            [h.heard_at_ms for h in heard],
            [json.dumps(h.ranges) for h in heard],
        ]
        await connection.execute(
            "INSERT INTO outboxes "
            "SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[]) "
            "ON CONFLICT (edge, outbox) DO UPDATE SET met_at = excluded.met_at, "
            "heard_at_ms = excluded.heard_at_ms, ranges = excluded.ranges",
            *columns,
        )

    async def _add_losses(self, connection: Any, lost: Sequence[Loss]) -> None:
        columns = [[getattr(loss, name) for loss in lost] for name in _LOSS]
        columns[1] = [_sayable(loss.outbox) for loss in lost]
        await connection.execute(
            f"INSERT INTO losses (share, {', '.join(_LOSS)}) SELECT * FROM unnest($1::smallint[], $2::text[], "
            "$3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], "
            "$10::bigint[])",
            [share_of(loss.edge) for loss in lost],
            *columns,
        )
        await connection.execute("DELETE FROM losses WHERE id <= (SELECT max(id) FROM losses) - $1", _LOSSES)

    async def forget(self, edge: str, outbox: str) -> None:
        async with transaction(self._pool, "deliveries") as connection:
            await connection.execute("DELETE FROM outboxes WHERE edge = $1 AND outbox = $2", edge, outbox)


def _sayable(outbox: str) -> str:
    """What a sender calls its outbox, in letters that a text of PostgreSQL can have."""
    return json.dumps(outbox)[1:-1]


def _said(kept: str) -> str:
    return str(json.loads(f'"{kept}"'))
