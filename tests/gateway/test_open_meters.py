"""A meter whose readings anybody may send is written by one process at a time, wherever they come."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adapters.wire import READINGS, topic
from adapters.writers_postgres import PostgresWriters, open_postgres_writers
from energy.ports import Message
from energy.readings import LAST_MS, Point
from tests.gateway.ingest_worker import Worker, meter_of
from tests.gateway.test_sharing import T_MS, Parts, parts, victoria
from tests.postgresql import PostgresServer
from tests.waiting import PATIENCE_S

__all__ = ["parts", "victoria"]
OPEN = meter_of("others")
POINT = Point(OPEN, "active_power")


def message(sender: str, values: dict[int, float]) -> Message:
    """Readings of the open meter by the second."""
    readings = [{"meter": OPEN, "taken_at": T_MS + 1000 * s, "values": {"active_power": v}} for s, v in values.items()]
    return Message(topic(sender, READINGS), msgspec.json.encode({"readings": readings}))


async def kept(worker: Worker) -> dict[int, float]:
    found = await worker.store.readings([POINT], 0, LAST_MS)
    at = [(t_ms - T_MS) // 1000 for t_ms in found.taken_at_ms.tolist()]
    assert len(set(at)) == len(at)
    return dict(zip(at, found.value.tolist(), strict=True))


async def test_the_first_value_of_an_instant_stays_whichever_process_is_told_another(parts: Parts) -> None:
    async with parts.worker("one") as one, parts.worker("two") as two:
        await one.ingest.keep([message("north", {1: 1.0, 2: 1.0})])
        await two.ingest.keep([message("south", {1: 2.0, 2: 1.0, 3: 2.0})])
        await one.ingest.keep([message("north", {3: 1.0, 4: 1.0})])

        assert await kept(one) == {1: 1.0, 2: 1.0, 3: 2.0, 4: 1.0}
        counts = await one.intake.quarantine.counts()
        assert (counts["conflicting value"], counts["duplicate"]) == (2, 1)


async def test_of_two_values_at_once_one_is_kept_and_the_other_refused(parts: Parts) -> None:
    async with parts.worker("one") as one, parts.worker("two") as two:
        for second in range(5):
            await asyncio.gather(
                one.ingest.keep([message("north", {second: 1.0})]), two.ingest.keep([message("south", {second: 2.0})])
            )

        found = await kept(one)
        assert sorted(found) == [0, 1, 2, 3, 4]
        assert set(found.values()) <= {1.0, 2.0}
        assert (await one.intake.quarantine.counts())["conflicting value"] == 5


async def turn(writers: PostgresWriters, *meters: str) -> frozenset[str]:
    async with writers.alone(meters) as told:
        return told


async def test_turns_are_of_single_meters_and_of_one_at_a_time(postgres: PostgresServer) -> None:
    address = postgres.address(postgres.copy("template1"))
    async with open_postgres_writers(address) as one, open_postgres_writers(address) as two:
        async with one.alone({"a", "b"}) as told:
            assert told == {"a", "b"}
            async with asyncio.timeout(PATIENCE_S), two.alone({"c"}) as other:
                assert other == {"c"}
            waiting = asyncio.create_task(turn(two, "b"))
            waiting_query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while postgres.sql(waiting_query) == "0":
                await asyncio.sleep(0.02)
            assert not waiting.done()
        assert await waiting == {"b"}
        assert await turn(one, "a") == set()
        assert await turn(one, "a", "b") == {"b"}


async def test_what_was_not_learnt_is_told_again(postgres: PostgresServer) -> None:
    address = postgres.address(postgres.copy("template1"))
    async with open_postgres_writers(address) as writers:
        told = list[frozenset[str]]()

        async def fail() -> None:
            async with writers.alone({"a"}) as unlearnt:
                told.append(unlearnt)
                raise ZeroDivisionError

        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await fail()
        assert told == [{"a"}, {"a"}]
        assert await turn(writers, "a") == {"a"}
        assert await turn(writers, "a") == set()
