"""What has come of each outbox is kept whole, in SQLite and in PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from adapters.deliveries_postgres import open_postgres_deliveries
from adapters.deliveries_sqlite import SqliteDeliveries
from energy.errors import StoreError
from energy.ports import DeliveryLog, Heard, Loss
from energy.senders import share_of
from tests.postgresql import PostgresServer

Opened = Callable[[], AbstractAsyncContextManager[DeliveryLog]]
NORTH = Heard("north", "a", 3, 2000, [(3, 9), (11, 2**53)])
SOUTH = Heard("south", "b", 1, 1000, [(1, 1)])
GONE = Loss("north", "a", 1, 2, "full", 70, 500, 600, 2000)
UNKNOWN = Loss("south", "b", 4, 8, "damaged", None, None, None, 3000)


@asynccontextmanager
async def on_sqlite(path: Path) -> AsyncIterator[SqliteDeliveries]:
    with closing(SqliteDeliveries(path)) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "sqlite":
        return partial(on_sqlite, tmp_path / "deliveries.sqlite")
    server = request.getfixturevalue("postgres")
    return partial(open_postgres_deliveries, server.address(server.copy("template1")))


async def test_outboxes_come_back_as_they_were_the_one_heard_last_at_the_end(opened: Opened) -> None:
    async with opened() as made:
        await made.save([NORTH, SOUTH], [GONE])
        await made.save([], [UNKNOWN])
    async with opened() as made:
        assert await made.outboxes() == [SOUTH, NORTH]
        assert await made.losses() == [UNKNOWN, GONE]


async def test_what_is_kept_of_an_outbox_is_replaced_whole(opened: Opened) -> None:
    async with opened() as made:
        await made.save([NORTH, SOUTH])
        fuller = Heard("north", "a", 3, 500, [(3, 2**53)])
        await made.save([fuller])

        assert await made.outboxes() == [fuller, SOUTH]


async def test_the_outboxes_of_a_share_of_the_senders_are_found_alone(opened: Opened) -> None:
    async with opened() as made:
        await made.save([NORTH, SOUTH], [GONE, UNKNOWN])

        assert await made.outboxes([share_of("north")]) == [NORTH]
        assert await made.losses({share_of("south")}) == [UNKNOWN]
        assert await made.outboxes([]) == []


async def test_an_outbox_that_is_forgotten_is_not_found(opened: Opened) -> None:
    async with opened() as made:
        await made.save([NORTH, SOUTH])
        await made.forget("north", "a")

        assert await made.outboxes() == [SOUTH]


async def test_outboxes_may_have_any_name(opened: Opened) -> None:
    named = [Heard("north", name, 1, n, [(1, 1)]) for n, name in enumerate(["a\0", "\\u0000", '"', "a\ufffd", "节能"])]
    async with opened() as made:
        await made.save(named)

        assert await made.outboxes() == named


async def test_what_cannot_be_kept_leaves_all_as_it_was(postgres: PostgresServer) -> None:
    async with open_postgres_deliveries(postgres.address(postgres.copy("template1"))) as made:
        await made.save([NORTH])
        with pytest.raises(StoreError, match="deliveries"):
            await made.save([SOUTH], [Loss("south", "b", 2**80, 2**80, "full", None, None, None, 1)])

        assert await made.outboxes() == [NORTH]
