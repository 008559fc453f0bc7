"""Answers that all processes of the API give again: under a key nothing is done twice, wherever it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from adapters.answers_postgres import KeptAnswer, PostgresAnswers, open_postgres_answers
from energy.errors import StoreError
from tests.postgresql import PostgresServer
from tests.waiting import PATIENCE_S

_ANSWER = KeptAnswer(b"li", b"body", 200, b"{}", "application/json")


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    name = postgres.new_name()
    postgres.sql(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
async def both(postgres: PostgresServer, database: str) -> AsyncIterator[tuple[PostgresAnswers, PostgresAnswers]]:
    """Two processes."""
    async with AsyncExitStack() as stack:
        address = postgres.address(database)
        yield (
            await stack.enter_async_context(open_postgres_answers(address)),
            await stack.enter_async_context(open_postgres_answers(address)),
        )


async def test_what_one_process_answered_another_finds(both: tuple[PostgresAnswers, PostgresAnswers]) -> None:
    one, other = both
    async with one.alone(b"key") as named:
        assert await named.find() is None
        await named.keep(_ANSWER)

    async with other.alone(b"key") as named:
        assert await named.find() == _ANSWER
    async with other.alone(b"another key") as named:
        assert await named.find() is None


async def test_who_asks_the_same_meanwhile_waits_for_the_answer(both: tuple[PostgresAnswers, PostgresAnswers]) -> None:
    one, other = both

    async def ask() -> KeptAnswer | None:
        async with other.alone(b"key") as named:
            return await named.find()

    async with one.alone(b"key") as named:
        asked = asyncio.create_task(ask())
        await asyncio.sleep(0.1)
        assert not asked.done()
        await named.keep(_ANSWER)

    assert await asked == _ANSWER


async def test_what_failed_may_be_asked_again(both: tuple[PostgresAnswers, PostgresAnswers]) -> None:
    one, other = both
    with pytest.raises(ZeroDivisionError):
        async with one.alone(b"key"):
            raise ZeroDivisionError

    async with asyncio.timeout(PATIENCE_S), other.alone(b"key") as named:
        assert await named.find() is None


async def test_an_answer_is_kept_for_a_day(
    both: tuple[PostgresAnswers, PostgresAnswers], postgres: PostgresServer, database: str
) -> None:
    one, _ = both
    async with one.alone(b"old") as named:
        await named.keep(_ANSWER)
    postgres.sql("UPDATE api.answers SET made_at = made_at - interval '25 hours'", database)

    async with one.alone(b"old") as named:
        assert await named.find() is None
        await named.keep(_ANSWER)
        assert await named.find() == _ANSWER
    assert postgres.sql("SELECT count(*) FROM api.answers", database) == "1"


async def test_a_database_that_is_away_is_said_so(
    both: tuple[PostgresAnswers, PostgresAnswers], postgres: PostgresServer, database: str
) -> None:
    postgres.drop(database)

    with pytest.raises(StoreError, match="answers"):
        async with both[0].alone(b"key") as named:
            await named.find()
