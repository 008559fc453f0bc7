"""What the ledger asks of Citus, where PostgreSQL has it; by a stand-in that checks what the documentation says."""

from __future__ import annotations

import pytest

from adapters.ledger_postgres import open_postgres_ledger
from tests.adapters.readings_memory import MemoryReadings
from tests.adapters.test_ledger import EVER, NONE, hours, readings, told
from tests.citus import CitusStandIn
from tests.postgresql import PostgresServer

CALLS = [
    "on every server: ledger.points",
    "distributed ledger.hour_rows by point with none",
    "distributed ledger.days by point with ledger.hour_rows",
]
YEAR = 366 * 24


@pytest.fixture
def citus(postgres: PostgresServer) -> CitusStandIn:
    return CitusStandIn(postgres, postgres.copy("template1"))


async def test_hours_and_days_are_distributed_by_point_side_by_side_once(citus: CitusStandIn) -> None:
    for _ in range(2):
        async with open_postgres_ledger(citus.address, MemoryReadings()):
            pass

    assert citus.calls == CALLS
    beside = "SELECT count(DISTINCT colocationid) FROM pg_dist_partition WHERE partmethod = 'h'"
    assert citus.sql(beside) == "1"


async def test_a_distributed_ledger_lives_as_every_other_and_its_new_partitions_are_distributed(
    citus: CitusStandIn,
) -> None:
    async with open_postgres_ledger(citus.address, MemoryReadings()) as (through, ledger):
        await through.write(readings((0, 50, 1.0), (1, 60, 2.0)))
        await ledger.settle((await ledger.marks()).last, {})
        await ledger.revise(NONE, hours((0, 1, 5), (1, 1, 7), (0, YEAR, 9)))
        await ledger.revise(([0, 1], [1, 1]), hours((0, 1, 6)))

        assert told(await ledger.hours([0, 1], 0, EVER)) == [(0, 1, 6), (0, YEAR, 9)]
        assert (await ledger.totals([0, 1], 0, EVER)).amount.tolist() == [15]
        assert (await ledger.days([0, 1], 0, EVER)).rows.tolist() == [1, 1]
    spread = "SELECT logicalrelid FROM pg_dist_partition WHERE logicalrelid::text ~ 'hour_rows_' ORDER BY 1::text"
    assert len(citus.sql(spread).splitlines()) == 2


async def test_a_ledger_that_has_rows_stays_where_it_is(postgres: PostgresServer) -> None:
    name = postgres.copy("template1")
    async with open_postgres_ledger(postgres.address(name), MemoryReadings()) as (_, ledger):
        await ledger.revise(NONE, hours((0, 1, 5)))
    citus = CitusStandIn(postgres, name)
    async with open_postgres_ledger(citus.address, MemoryReadings()) as (_, ledger):
        assert told(await ledger.hours([0], 0, EVER)) == [(0, 1, 5)]

    assert citus.calls == []


async def test_one_that_its_keeper_has_distributed_by_hand_gets_what_is_missing(postgres: PostgresServer) -> None:
    name = postgres.copy("template1")
    async with open_postgres_ledger(postgres.address(name), MemoryReadings()) as (_, ledger):
        await ledger.revise(NONE, hours((0, 1, 5)))
    citus = CitusStandIn(postgres, name)
    citus.sql("SELECT create_distributed_table('ledger.hour_rows', 'point', colocate_with => 'none')")
    async with open_postgres_ledger(citus.address, MemoryReadings()):
        pass

    assert sorted(citus.calls) == sorted(CALLS)


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ("create_distributed_table('ledger.points', 'meter')", "cannot create constraint"),
        ("create_distributed_table('ledger.doubts', 'meter')", "does not exist"),
        ("create_distributed_table('ledger.days', 'point')", "already distributed"),
        ("create_distributed_table('ledger.doubts', 'point', colocate_with => 'ledger.bases')", "is not distributed"),
        ("create_reference_table('ledger.hours')", "is not a regular"),
    ],
)
async def test_the_stand_in_refuses_what_citus_documents_that_it_refuses(
    citus: CitusStandIn, asked: str, refused: str
) -> None:
    async with open_postgres_ledger(citus.address, MemoryReadings()):
        pass
    citus.sql("DELETE FROM pg_dist_partition WHERE logicalrelid = 'ledger.points'::regclass")
    with pytest.raises(AssertionError, match=refused):
        citus.sql(f"SELECT {asked}")
