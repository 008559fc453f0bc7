"""A database that speaks as PostgreSQL does, and lacks something, is refused by the name of what it lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.ledger_postgres import open_postgres_ledger
from adapters.postgres_features import LEDGER, RECORDS, must_have
from energy.errors import StoreError
from tests.adapters.readings_memory import MemoryReadings
from tests.postgresql import PostgresServer

# What stands in the schema `lesser` is found before what PostgreSQL has.
_LESSER = "CREATE SCHEMA lesser; ALTER DATABASE {name} SET search_path = lesser, pg_catalog, public"
_NO_LOCKS = (
    "CREATE FUNCTION lesser.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE plpgsql "
    "AS $$ BEGIN RAISE EXCEPTION 'advisory locks are not supported' USING ERRCODE = '0A000'; END $$"
)
_NO_JIT = "CREATE VIEW lesser.pg_settings AS SELECT * FROM pg_catalog.pg_settings WHERE name <> 'jit'"


@pytest.fixture
def lesser(postgres: PostgresServer) -> str:
    """A database that can be made to know less."""
    name = postgres.copy("template1")
    for statement in _LESSER.format(name=name).split(";"):
        postgres.sql(statement, name)
    return name


@pytest.fixture
async def connection(postgres: PostgresServer, lesser: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(host=str(postgres.folder), port=postgres.port, user="jieneng", database=lesser)
    yield made
    await made.close()


async def test_postgresql_has_all_that_is_asked_for_and_nothing_stays_of_the_trial(
    connection: asyncpg.Connection,
) -> None:
    await must_have(connection, LEDGER + RECORDS, "ledger", copying=True)

    assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE 'jieneng%'") == 0
    assert not connection.is_in_transaction()


async def test_all_that_is_missing_is_named_at_once(
    postgres: PostgresServer, lesser: str, connection: asyncpg.Connection
) -> None:
    postgres.sql(_NO_LOCKS, lesser)
    postgres.sql("DROP EXTENSION plpgsql CASCADE", lesser)
    with pytest.raises(StoreError, match=r"records: PostgreSQL .* lacks") as caught:
        await must_have(connection, RECORDS, "records")

    assert "triggers" in str(caught.value)
    assert "JSON" not in str(caught.value)


async def test_a_ledger_is_refused_before_anything_of_it_is_made(postgres: PostgresServer, lesser: str) -> None:
    postgres.sql(_NO_LOCKS, lesser)
    with pytest.raises(StoreError, match=r"advisory locks of sessions.*: advisory locks are not supported"):
        async with open_postgres_ledger(postgres.address(lesser), MemoryReadings()):
            pass

    assert postgres.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'", lesser) == "0"


async def test_what_was_once_found_fit_is_not_tried_again(postgres: PostgresServer, lesser: str) -> None:
    async with open_postgres_ledger(postgres.address(lesser), MemoryReadings()):
        pass
    postgres.sql(_NO_LOCKS, lesser)
    async with open_postgres_ledger(postgres.address(lesser), MemoryReadings()) as (_, ledger):
        assert await ledger.bases() == {}


async def test_rights_that_are_missing_are_told_as_rights(postgres: PostgresServer, lesser: str) -> None:
    postgres.sql(f"REVOKE TEMP ON DATABASE {lesser} FROM PUBLIC; CREATE ROLE {lesser}_guest LOGIN", lesser)
    address = postgres.address(lesser).replace("jieneng@", f"{lesser}_guest@")
    with pytest.raises(StoreError, match="does not allow it"):
        async with open_postgres_ledger(address, MemoryReadings()):
            pass


async def test_what_a_database_does_not_know_is_not_set_on_connections_to_it(
    postgres: PostgresServer, lesser: str
) -> None:
    postgres.sql(_NO_JIT, lesser)
    jit = "SELECT current_setting('jit')"
    async with open_postgres_ledger(postgres.address(lesser), MemoryReadings()) as (_, ledger):
        assert await ledger._pool.fetchval(jit) == "on"
    postgres.sql("DROP VIEW lesser.pg_settings", lesser)
    async with open_postgres_ledger(postgres.address(lesser), MemoryReadings()) as (_, ledger):
        assert await ledger._pool.fetchval(jit) == "off"
