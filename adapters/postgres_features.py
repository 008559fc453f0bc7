"""What is asked of a database that speaks as PostgreSQL does: tried before tables are made in it.

Each feature is tried by a statement or two in a transaction that is taken back. So a database that lacks one is refused
at the start, by the name of what it lacks, and not in the middle by the number of an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from adapters.postgres_address import LOST, told
from energy.errors import StoreError

# The rights of a user, a full disk, a lost connection: they say nothing about what the database can do.
_NOT_OF_THE_DATABASE = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.ReadOnlySQLTransactionError,
)


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is needed, in words, and statements that succeed where it is there."""

    name: str
    statements: tuple[str, ...]


_MADE = "CREATE TEMP TABLE jieneng_tried (a integer, b integer, c bigint, PRIMARY KEY (a, b))"
LOCKS = Feature(
    "advisory locks of sessions and transactions (pg_advisory_lock, pg_advisory_xact_lock)",
    (
        "SELECT pg_try_advisory_xact_lock(5208219163725061999)",
        "SELECT pg_try_advisory_lock(5208219163725061998), pg_advisory_unlock(5208219163725061998)",
        "SELECT pg_try_advisory_lock_shared(5208219163725061998), pg_advisory_unlock_shared(5208219163725061998)",
    ),
)
# What a pool of asyncpg says whenever a connection is given back (asyncpg 0.32, Connection.get_reset_query).
POOL = Feature(
    "UNLISTEN *, CLOSE ALL and RESET ALL, as connections are given back", ("CLOSE ALL; UNLISTEN *; RESET ALL",)
)
# Where databases do as Oracle does, an empty text is NULL.
EMPTY = Feature(
    "empty texts that are not NULL",
    ("CREATE TEMP TABLE jieneng_tried (a text NOT NULL)", "INSERT INTO jieneng_tried VALUES ('')"),
)
LEDGER = (
    LOCKS,
    POOL,
    EMPTY,
    Feature(
        "tables by ranges whose partitions are tables (PARTITION OF)",
        (
            "CREATE TEMP TABLE jieneng_tried (a integer, b integer, PRIMARY KEY (a, b)) PARTITION BY RANGE (b)",
            "CREATE TEMP TABLE jieneng_tried_1 PARTITION OF jieneng_tried FOR VALUES FROM (0) TO (10)",
            "INSERT INTO jieneng_tried VALUES (1, 5)",
            "DELETE FROM jieneng_tried t USING (VALUES (1, 5)) AS s (a, b) WHERE t.a = s.a AND t.b = s.b RETURNING t.a",
        ),
    ),
    Feature(
        "INSERT … SELECT … ON CONFLICT DO UPDATE",
        (
            _MADE,
            "INSERT INTO jieneng_tried VALUES (1, 1, 1)",
            "INSERT INTO jieneng_tried SELECT 1, 1, 1 "
            "ON CONFLICT (a, b) DO UPDATE SET c = jieneng_tried.c + excluded.c",
        ),
    ),
    Feature(
        "unnest of several arrays at once",
        ("SELECT * FROM unnest('{1,2}'::integer[], '{a,b}'::text[], '{3,4}'::bigint[]) AS of (x, y, z)",),
    ),
    Feature(
        "unnest of arrays of the row before it (LATERAL)",
        (
            "SELECT m.id, of.x FROM (SELECT 1 AS id, '{1,2}'::integer[] AS a, '{3,4}'::bigint[] AS b) AS m, "
            "unnest(m.a, m.b) AS of (x, y)",
        ),
    ),
    Feature(
        "DELETE … RETURNING within WITH",
        (
            _MADE,
            "WITH gone AS (DELETE FROM jieneng_tried RETURNING a, b, c) INSERT INTO jieneng_tried SELECT * FROM gone",
        ),
    ),
    Feature(
        "sequences in DEFAULT",
        (
            "CREATE TEMP SEQUENCE jieneng_numbers",
            "CREATE TEMP TABLE jieneng_tried (id bigint PRIMARY KEY DEFAULT nextval('jieneng_numbers'), a integer[])",
            "INSERT INTO jieneng_tried (a) VALUES ('{1}') RETURNING id",
        ),
    ),
    Feature(
        "temporary tables LIKE others that go with their transaction (ON COMMIT DROP)",
        (_MADE, "CREATE TEMP TABLE jieneng_like (LIKE jieneng_tried) ON COMMIT DROP", "ANALYZE jieneng_like"),
    ),
    Feature(
        "which process holds which advisory lock (pg_locks, pg_backend_pid)",
        (
            "SELECT classid::bigint, objid::bigint, pid FROM pg_locks "
            "WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid = pg_backend_pid()",
        ),
    ),
    Feature(
        "rows locked as they are read (FOR SHARE, FOR UPDATE)",
        (
            _MADE,
            "SELECT a FROM jieneng_tried WHERE a = 1 ORDER BY a FOR SHARE",
            "SELECT a FROM jieneng_tried WHERE a = 1 ORDER BY a FOR UPDATE",
        ),
    ),
)
RECORDS = (
    LOCKS,
    EMPTY,
    Feature("the type JSON", ("SELECT '{\"a\": [1]}'::json",)),
    Feature(
        "triggers by functions of plpgsql (EXECUTE FUNCTION), which keep the audit log from being changed",
        (
            "CREATE TEMP TABLE jieneng_tried (a bigserial PRIMARY KEY, b boolean NOT NULL)",
            "CREATE FUNCTION pg_temp.jieneng_tries() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RAISE EXCEPTION 'refused'; END $$",
            "CREATE TRIGGER jieneng_tries BEFORE UPDATE OR DELETE ON jieneng_tried "
            "FOR EACH ROW EXECUTE FUNCTION pg_temp.jieneng_tries()",
            "INSERT INTO jieneng_tried (b) VALUES (true) RETURNING a",
            "DELETE FROM jieneng_tried",
        ),
    ),
)
# By COPY: tried apart, since no statement says it.
COPIED = "COPY … WITH (FORMAT binary), to and from the client, also of DELETE … RETURNING"


async def must_have(connection: Any, features: Sequence[Feature], what: str, *, copying: bool = False) -> None:
    """StoreError that names every feature that the database lacks; `what` is to be kept there."""
    try:
        tried = {feature.name: await _lacks(connection, feature) for feature in features}
        if copying:
            tried[COPIED] = await _does_not_copy(connection)
        version = str(await connection.fetchval("SELECT version()")).split(",")[0]
    except (asyncpg.PostgresError, *LOST) as error:
        raise StoreError(f"{what}: {told(error)}") from error
    missing = [f"{name}: {said}" for name, said in tried.items() if said is not None]
    if missing:
        raise StoreError(f"{what}: {version} lacks what is needed here (docs/stores.md): " + "; ".join(missing))


async def _lacks(connection: Any, feature: Feature) -> str | None:
    """What the database says when the feature is tried; None where it is there."""
    return await _tried(connection, lambda: _all(connection, feature.statements))


async def _does_not_copy(connection: Any) -> str | None:
    async def there_and_back() -> None:
        rows = bytearray()

        async def take(part: bytes) -> None:
            rows.extend(part)

        await connection.execute("CREATE TEMP TABLE jieneng_tried (a integer NOT NULL)")
        await connection.execute("INSERT INTO jieneng_tried VALUES (7)")
        await connection.copy_from_query("DELETE FROM jieneng_tried RETURNING a", output=take, format="binary")
        await connection.copy_to_table("jieneng_tried", source=_once(bytes(rows)), format="binary", columns=["a"])

    return await _tried(connection, there_and_back)


async def _once(part: bytes) -> Any:
    yield part


async def _all(connection: Any, statements: Sequence[str]) -> None:
    for statement in statements:
        await connection.execute(statement)


async def _tried(connection: Any, trying: Any) -> str | None:
    trial = connection.transaction()
    await trial.start()
    try:
        await trying()
    except _NOT_OF_THE_DATABASE:
        raise
    except (asyncpg.PostgresError, asyncpg.UnsupportedClientFeatureError) as error:
        return str(error)
    finally:
        if not connection.is_closed():
            await trial.rollback()
    return None
