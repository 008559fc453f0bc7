"""Refused readings wait to be looked at: the newest kept, all of them counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from adapters.quarantine_postgres import open_postgres_quarantine
from adapters.quarantine_sqlite import SqliteQuarantine
from energy.errors import StoreError
from energy.ports import Quarantine, Refusal
from tests.postgresql import PostgresServer


def refusal(n: int, reason: str = "unknown meter") -> Refusal:
    return Refusal(n, reason, f"detail {n}", "edge", "meter", "active_power", 1000 * n, n / 4)


Opened = Callable[[], AbstractAsyncContextManager[Quarantine]]


@asynccontextmanager
async def on_sqlite(path: Path) -> AsyncIterator[SqliteQuarantine]:
    with closing(SqliteQuarantine(path, limit_rows=3)) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "sqlite":
        return partial(on_sqlite, tmp_path / "deep" / "quarantine.sqlite")
    server = request.getfixturevalue("postgres")
    return partial(open_postgres_quarantine, server.address(server.copy("template1")), limit_rows=3)


@pytest.fixture
async def quarantine(opened: Opened) -> AsyncIterator[Quarantine]:
    async with opened() as made:
        yield made


async def test_a_refusal_comes_back_as_it_was(quarantine: Quarantine) -> None:
    bare = Refusal(2, "broken payload", "not JSON")
    await quarantine.put([refusal(1), bare])

    assert await quarantine.newest(10) == [bare, refusal(1)]


async def test_the_newest_come_first_and_no_more_than_are_asked(quarantine: Quarantine) -> None:
    await quarantine.put([refusal(1)])
    await quarantine.put([refusal(2), refusal(3)])

    assert [r.received_at_ms for r in await quarantine.newest(2)] == [3, 2]


async def test_the_oldest_make_room_and_are_counted_still(quarantine: Quarantine) -> None:
    await quarantine.put([refusal(n) for n in range(5)])
    await quarantine.put([refusal(5, "future time")])

    assert [r.received_at_ms for r in await quarantine.newest(10)] == [5, 4, 3]
    assert await quarantine.counts() == {"future time": 1, "unknown meter": 5}


async def test_repeated_deliveries_are_counted_and_nothing_of_them_is_kept(quarantine: Quarantine) -> None:
    await quarantine.count("repeated", 7)
    await quarantine.count("repeated", 0)

    assert await quarantine.counts() == {"repeated": 7}
    assert await quarantine.newest(10) == []


async def test_no_refusals_are_no_counts(quarantine: Quarantine) -> None:
    await quarantine.put([])

    assert await quarantine.counts() == {}


async def test_counts_and_refusals_survive_a_restart(opened: Opened) -> None:
    for n in (1, 2):
        async with opened() as made:
            await made.put([refusal(n)])
    async with opened() as made:
        assert await made.counts() == {"unknown meter": 2}
        assert [r.received_at_ms for r in await made.newest(10)] == [2, 1]


async def test_several_processes_fill_one_quarantine(postgres: PostgresServer) -> None:
    address = postgres.address(postgres.copy("template1"))
    async with open_postgres_quarantine(address) as one, open_postgres_quarantine(address) as other:
        for n in range(10):
            await asyncio.gather(one.put([refusal(n), refusal(n, "a")]), other.put([refusal(n, "a"), refusal(n)]))

        assert await one.counts() == {"a": 20, "unknown meter": 20}
        assert len(await other.newest(100)) == 40


async def test_letters_that_no_text_may_have_are_shown_as_others(opened: Opened) -> None:
    async with opened() as made:
        await made.put([Refusal(1, "unknown meter", "begins \0", meter="a\0b")])

        [found] = await made.newest(1)
        assert found.meter in ("a\0b", "a\N{REPLACEMENT CHARACTER}b")


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -0.0])
async def test_a_value_that_no_meter_has_is_kept_as_it_came(quarantine: Quarantine, value: float) -> None:
    await quarantine.put([Refusal(1, "not plausible", "x", value=value)])

    [found] = await quarantine.newest(1)
    assert found.value == value


async def test_a_refusal_that_cannot_be_kept_does_not_stop_those_after_it(quarantine: Quarantine) -> None:
    beyond = Refusal(1, "broken time", "x", taken_at_ms=2**80)
    with pytest.raises((OverflowError, StoreError)):
        await quarantine.put([refusal(1), beyond])

    await quarantine.put([refusal(2)])

    assert [r.received_at_ms for r in await quarantine.newest(10)] == [2]
    assert await quarantine.counts() == {"unknown meter": 1}
