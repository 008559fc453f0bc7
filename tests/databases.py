"""The databases that the records are tested on: all that holds on one holds on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from gateway.records.database import open_records
from tests.postgresql import PostgresServer, postgres_server

# The address of a new database, without tables where it is asked to be empty.
NewDatabase = Callable[..., str]
KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session", params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    if request.param == "postgresql":
        return _on_postgresql(request.getfixturevalue("postgres"))
    return _on_sqlite(tmp_path_factory.mktemp("records"))


def _on_sqlite(folder: Path) -> NewDatabase:
    numbers = count()

    def new(*, empty: bool = False) -> str:
        del empty  # what is opened is migrated in a blink
        return f"sqlite:{folder / f'records-{next(numbers)}.sqlite'}"

    return new


def _on_postgresql(server: PostgresServer) -> NewDatabase:
    async def opened(address: str) -> None:
        async with open_records(address):
            pass

    server.sql("CREATE DATABASE migrated")
    asyncio.run(opened(server.address("migrated")))

    def new(*, empty: bool = False) -> str:
        return server.address(server.copy("template1" if empty else "migrated"))

    return new
