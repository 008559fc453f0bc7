"""The ledger in PostgreSQL is made as the one in the file is, and read as it is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from adapters.ledger_postgres import open_postgres_ledger
from energy.errors import NotHeld
from energy.life import EventKind, MeterEvent
from energy.periods import Span
from energy.readings import to_ms
from gateway.ledger.books import Books, Kept
from tests.adapters.readings_memory import MemoryReadings
from tests.gateway.ledger.books import FACTORS, MAIN, NOBODY, START, books, columns, over, quarters
from tests.gateway.ledger.test_build import same, troubled, whole
from tests.postgresql import PostgresServer


async def figures(kept: Books) -> list[list[int]]:
    asked = [over(24 * 40, by) for by in (Span.HOUR, Span.DAY, Span.MONTH)] + [over(7.5, Span.HOUR)]
    return [(await kept.consumption.of_point(MAIN, a)).amount.tolist() for a in asked]


@pytest.mark.parametrize("seed", [7, 8])
async def test_the_same_readings_in_any_slices_make_the_same_rows(postgres: PostgresServer, seed: int) -> None:
    rows = troubled(30, seed)
    at = list(rows)
    exchange = MeterEvent(
        "main", EventKind.EXCHANGED, to_ms(START + timedelta(days=9)), final_register=1121.25, initial_register=0.0
    )
    rng = np.random.default_rng(seed)
    edges = [0, *sorted(rng.choice(np.arange(1, len(at)), 6, replace=False).tolist()), len(at)]
    slices = [{t: rows[t] for t in at[a:b]} for a, b in pairwise(edges)]
    async with books() as (at_once, store):
        await store.write(columns(rows))
        at_once.take(type(at_once.kept)(at_once.kept.site, [exchange]))
        await at_once.catch_up()
        wanted, shown = await whole(at_once), await figures(at_once)
    async with books(ledger_at=postgres.address(postgres.copy("template1"))) as (kept, store):
        for i in rng.permutation(len(slices)).tolist():
            await store.write(columns(slices[i]))
            await kept.catch_up()
        kept.take(type(kept.kept)(kept.kept.site, [exchange]))
        await kept.catch_up()
        found, told = await whole(kept), await figures(kept)
        rebuilt = await kept.builder.rebuild()

    assert same(found, wanted)
    assert told == shown
    assert rebuilt.rows == 0


async def test_a_gateway_tells_what_a_command_made_while_its_connection_was_lost(postgres: PostgresServer) -> None:
    """It holds the ledger by a connection, and knows much of it by heart."""
    database, store = postgres.address(postgres.copy("template1")), MemoryReadings()
    end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = "
    second, third = START + timedelta(days=1), START + timedelta(days=2)
    async with open_postgres_ledger(database, store) as (through, ledger):
        gateway = Books(ledger, Kept(NOBODY), FACTORS)
        await through.write(columns(quarters(96)))
        await gateway.catch_up()
        await figures(gateway)
        postgres.sql(end + "'jieneng ledger writer'")
        async with open_postgres_ledger(database, store, alone=True) as (by_command, of_command):
            await by_command.write(columns(quarters(96, 10.0, first=1240.0, start=second)))
            await Books(of_command, Kept(NOBODY), FACTORS).catch_up()
        await through.write(columns(quarters(8, 1.0, first=2200.0, start=third)))
        with pytest.raises(NotHeld):
            await gateway.catch_up()
        await gateway.catch_up()
        found = await figures(gateway)

    async with books() as (at_once, readings):
        for rows in (quarters(96), quarters(96, 10.0, first=1240.0, start=second)):
            await readings.write(columns(rows))
        await readings.write(columns(quarters(8, 1.0, first=2200.0, start=third)))
        await at_once.catch_up()
        assert found == await figures(at_once)
