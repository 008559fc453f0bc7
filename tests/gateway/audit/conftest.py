"""Records that a test can tamper with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.records.database import Records, open_records
from tests.databases import NewDatabase
from tests.gateway.audit.logs import Log


@pytest.fixture
def log(new_database: NewDatabase, tmp_path: Path) -> Log:
    """A new one on every kind of database, with a folder of its own."""
    address = new_database()
    return Log(f"sqlite:{tmp_path / 'records.sqlite'}" if address.startswith("sqlite") else address, tmp_path)


@pytest.fixture
async def records(log: Log) -> AsyncIterator[Records]:
    async with open_records(log.address, log.folder) as made:
        yield made
