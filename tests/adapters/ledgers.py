"""The ledgers, one after the other: in the file of the readings, and in PostgreSQL beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.stores import open_stores
from energy.ports import Ledger

# Opens the ledger of a test, again and again the same; with the store that readings are written to.
Opened = Callable[[], AbstractAsyncContextManager[tuple[Ledger, Any]]]


@asynccontextmanager
async def opened_at(readings: str, ledger: str | None) -> AsyncIterator[tuple[Ledger, Any]]:
    async with open_stores(readings, ledger) as (store, made):
        yield made, store


@pytest.fixture(params=["duckdb", "postgresql"])
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str | None]:
    """Of the readings and of the ledger."""
    readings_at = f"duckdb:{tmp_path}/readings.duckdb"
    if request.param == "duckdb":
        return readings_at, None
    server = request.getfixturevalue("postgres")
    return readings_at, server.address(server.copy("template1"))


@pytest.fixture
def opened(addresses: tuple[str, str | None]) -> Opened:
    return partial(opened_at, *addresses)
