"""Answers that are given again where the same is asked again, at whichever process: in PostgreSQL, for a day.

While what a name stands for is done, the name is locked: who asks the same at another process waits for its answer, and
a process that dies lets go of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from adapters.postgres_address import LOST, PostgresAddress, told
from energy.errors import StoreError

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS api;
CREATE TABLE IF NOT EXISTS api.answers (
    name bytea PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT clock_timestamp(), who bytea NOT NULL,
    body bytea NOT NULL, status smallint NOT NULL, answer bytea NOT NULL, content_type text NOT NULL);
CREATE INDEX IF NOT EXISTS answers_by_age ON api.answers (made_at);
"""
# Whoever opens it makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061990
_SETTINGS = {"application_name": "jieneng answers", "search_path": "api", "jit": "off"}
_PATIENCE_S = 60.0
# So many are being done at a time in a process; others wait.
_TOGETHER = 8
_KEPT = "interval '1 day'"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered to whom about which body; `who` and `body` are digests."""

    who: bytes
    body: bytes
    status: int
    answer: bytes
    content_type: str


@asynccontextmanager
async def open_postgres_answers(address: str) -> AsyncIterator[PostgresAnswers]:
    """Those in the database at an address, made if they are not there."""
    pool = await PostgresAddress.parse(address, "answers").pool(_SETTINGS, _PATIENCE_S, largest=_TOGETHER)
    answers = PostgresAnswers(pool)
    try:
        await answers.make()
        yield answers
    finally:
        await pool.close()


class PostgresAnswers:
    """The answers of all processes over a database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def make(self) -> None:
        """The table, if it is not there."""
        with _failing():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                await connection.execute(_SCHEMA)

    @asynccontextmanager
    async def alone(self, name: bytes) -> AsyncIterator[Named]:
        """Alone with a name among all processes; StoreError where the database cannot be asked."""
        digest = hashlib.sha256(name).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        with _failing():
            connection = await self._pool.acquire()
        try:
            with _failing():
                await connection.execute("SELECT pg_advisory_lock($1)", number)
            yield Named(connection, digest)
        finally:
            # Gives back the locks, too; a connection that broke has none any more.
            await self._pool.release(connection)


class Named:
    """What is kept under a name, as long as one is alone with it."""

    def __init__(self, connection: Any, digest: bytes) -> None:
        self._connection, self._digest = connection, digest

    async def find(self) -> KeptAnswer | None:
        """What was answered within a day."""
        with _failing():
            row = await self._connection.fetchrow(
                "SELECT who, body, status, answer, content_type FROM answers "
                f"WHERE name = $1 AND made_at > clock_timestamp() - {_KEPT}",
                self._digest,
            )
        return None if row is None else KeptAnswer(*row)

    async def keep(self, kept: KeptAnswer) -> None:
        """Keep it, in the place of what is older; what is a day old is let go of."""
        with _failing():
            async with self._connection.transaction():
                await self._connection.execute(f"DELETE FROM answers WHERE made_at < clock_timestamp() - {_KEPT}")
                await self._connection.execute(
                    "INSERT INTO answers (name, who, body, status, answer, content_type) "
                    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
                    self._digest,
                    kept.who,
                    kept.body,
                    kept.status,
                    kept.answer,
                    kept.content_type,
                )


@contextmanager
def _failing() -> Iterator[None]:
    """What the database says no to, in our words."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, *LOST) as error:
        raise StoreError(f"answers: {told(error)}") from error
