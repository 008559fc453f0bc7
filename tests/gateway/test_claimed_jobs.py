"""A job of several processes is done by one of them, and ends before another one begins it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from adapters.claims_alone import ClaimsAlone
from adapters.claims_postgres import PostgresClaims, open_claims
from gateway.process.claimed import ClaimedJobs
from tests.postgresql import PostgresServer
from tests.waiting import until

NAMES = [f"job{i}" for i in range(8)]


class Work:
    """What is done, and by whom; nobody may do what another one does."""

    def __init__(self) -> None:
        self.by: dict[str, str] = {}
        self.begun = 0
        self.ended: list[str] = []

    def job(self, who: str, name: str) -> Callable[[], object]:
        async def do() -> None:
            assert name not in self.by, f"{name} is done by {self.by[name]} and {who}"
            self.by[name] = who
            self.begun += 1
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                del self.by[name]

        return do


@asynccontextmanager
async def process(address: str, who: str, work: Work) -> AsyncIterator[PostgresClaims]:
    async with open_claims(address, who, look_s=0.02) as claims:
        jobs = ClaimedJobs(claims, {name: work.job(who, name) for name in NAMES}, work.ended.append)  # type: ignore[misc]
        running = asyncio.create_task(jobs.run())
        try:
            yield claims
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_each_job_is_done_by_one_process_and_all_by_whoever_is_left(postgres: PostgresServer) -> None:
    address, work = postgres.address(postgres.copy("template1")), Work()
    async with process(address, "one", work):
        await until(lambda: len(work.by) == len(NAMES))
        async with process(address, "two", work):
            await until(lambda: set(work.by.values()) == {"one", "two"} and len(work.by) == len(NAMES))
            assert set(work.ended) == {name for name, who in work.by.items() if who == "two"}
        await until(lambda: len(work.by) == len(NAMES) and set(work.by.values()) == {"one"})
    assert work.by == {}


async def test_jobs_end_when_the_claims_are_lost_and_begin_anew_when_they_are_back(postgres: PostgresServer) -> None:
    database, work = postgres.copy("template1"), Work()
    async with process(postgres.address(database), "one", work):
        await until(lambda: len(work.by) == len(NAMES))
        kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'jieneng claims'"
        postgres.sql(f"{kill} AND datname = '{database}'")
        await until(lambda: work.begun == 2 * len(NAMES))


async def test_a_job_that_fails_ends_the_process() -> None:
    async def fails() -> None:
        raise RuntimeError("a fault of ours")

    with pytest.raises(ExceptionGroup, match="unhandled"):
        await ClaimedJobs(ClaimsAlone(), {"one": fails}).run()
