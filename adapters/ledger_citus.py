"""The ledger on Citus: hours and days lie by meter on several servers, where PostgreSQL has that extension.

Asked of Citus is what its documentation says (https://docs.citusdata.com/en/stable/develop/api_udf.html): the hours are
distributed by point, their days lie beside them, so that what belongs to a counter is on one server; the points, which
dashboards join with both, are on every one. All that is small stays on the coordinator.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

# In this order: the days lie with the hours.
_STATEMENTS = {
    "points": "SELECT create_reference_table('ledger.points')",
    "hour_rows": "SELECT create_distributed_table('ledger.hour_rows', 'point', colocate_with => 'none')",
    "days": "SELECT create_distributed_table('ledger.days', 'point', colocate_with => 'ledger.hour_rows')",
}


async def distribute(alone: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
    """Distribute the ledger where Citus is; `alone` begins a transaction beside nobody else who opens the ledger.

    A ledger that has rows stays where it is: to move them takes long, and who keeps the database says when
    (docs/stores.md). Each table goes in a transaction of its own: what may follow what in one differs by version.
    """
    async with alone() as connection:
        if not await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'citus'"):
            return
        if "hour_rows" not in await _known(connection) and await _has_rows(connection):
            return
    for table, statement in _STATEMENTS.items():
        async with alone() as connection:
            if table not in await _known(connection):
                await connection.execute(statement)


async def _known(connection: Any) -> set[str]:
    """The tables of the ledger that Citus knows."""
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'ledger'"
    )
    return {str(row[0]) for row in rows}


async def _has_rows(connection: Any) -> bool:
    ask = "SELECT EXISTS (SELECT FROM ledger.hour_rows) OR EXISTS (SELECT FROM ledger.days)"
    return bool(await connection.fetchval(ask))
