"""The tables of the ledger in PostgreSQL: the hours in ranges of time, their days, and what is noted beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from adapters.ledger_sql import COLUMNS
from energy.hours import UNPRICED, Small, Sums

HOUR_KINDS: dict[str, type[np.integer]] = {
    "point": np.int32, "hour": np.int32,
    "amount": np.int64, "first_half": np.int64, "estimated": np.int64, "cost": np.int64,
    "measured_ms": np.int32, "estimated_ms": np.int32, "manual_ms": np.int32, "disputed_ms": np.int32,
}  # fmt: skip
HOUR_COLUMNS = ", ".join(HOUR_KINDS)
SUM_KINDS = {f.name: np.int64 for f in fields(Sums)}
# Hours of a table of its own: 92 days.
_SPAN_HOURS = 92 * 24
_SQL = {np.int32: "integer", np.int64: "bigint"}
_PRICED = f"nullif(cost, '{UNPRICED}'::bigint) AS cost"
SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE TABLE IF NOT EXISTS ledger.hour_rows (
    {", ".join(f"{name} {_SQL[kind]} NOT NULL" for name, kind in HOUR_KINDS.items())}, PRIMARY KEY (point, hour)
) PARTITION BY RANGE (hour);
CREATE OR REPLACE VIEW ledger.hours AS SELECT {", ".join(HOUR_KINDS).replace("cost", _PRICED)}
    FROM ledger.hour_rows;
CREATE TABLE IF NOT EXISTS ledger.days (
    point integer NOT NULL, day integer NOT NULL, {", ".join(f"{c} bigint NOT NULL" for c in COLUMNS)},
    PRIMARY KEY (point, day));
CREATE TABLE IF NOT EXISTS ledger.bases (point integer PRIMARY KEY, register text NOT NULL, price text NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.doubts (
    point integer NOT NULL, kind text NOT NULL, from_ms bigint NOT NULL, to_ms bigint NOT NULL);
CREATE INDEX IF NOT EXISTS doubts_of_points ON ledger.doubts (point, to_ms);
CREATE TABLE IF NOT EXISTS ledger.progress (job text PRIMARY KEY, at_ms bigint NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.revisions (
    id bigserial PRIMARY KEY, made_by bigint NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    points integer[] NOT NULL, hours integer[] NOT NULL);
"""
# Whoever opens the ledger makes what is missing, one at a time; the number is ours in every database.
_LOCK = 5208219163725061974


@asynccontextmanager
async def changing_tables(pool: Any) -> AsyncIterator[Any]:
    """A transaction that changes what tables there are, beside no other one."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


class Spans:
    """The ranges of time that have a table for their hours."""

    def __init__(self) -> None:
        self._there: set[int] = set()

    async def make(self, pool: Any, hour: Small) -> None:
        """Tables for the ranges of these hours that have none; in a transaction of its own, since to make one waits for
        everybody who reads or writes hours, and on Citus may not come after rows in the same."""
        missing = set(np.unique(hour // _SPAN_HOURS).tolist()) - self._there
        if not missing:
            return
        async with changing_tables(pool) as connection:
            for span in sorted(missing):
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS hour_rows_{span} PARTITION OF hour_rows "
                    f"FOR VALUES FROM ({span * _SPAN_HOURS}) TO ({(span + 1) * _SPAN_HOURS})"
                )
        self._there |= missing
