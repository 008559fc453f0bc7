"""Records that a test can tamper with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.records.database import Records, open_records
from tests.databases import NewDatabase, new_records
from tests.gateway.audit.logs import Log


@pytest.fixture
def log(new_database: NewDatabase, tmp_path: Path) -> Log:
    """A new one on every kind of database, with a folder of its own."""
    address = new_database()
    # On a disk the head of the log is kept beside the file.
    beside = address.startswith("sqlite")
    return Log(new_records(tmp_path / "records.sqlite") if beside else address, tmp_path)


@pytest.fixture
async def records(log: Log) -> AsyncIterator[Records]:
    async with open_records(log.address, log.folder) as made:
        yield made
