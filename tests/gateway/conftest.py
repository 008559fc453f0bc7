"""What tests of the records share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.records.database import Records, open_records
from tests.databases import NewDatabase


@pytest.fixture
async def records(new_database: NewDatabase, tmp_path: Path) -> AsyncIterator[Records]:
    """Records on every kind of database."""
    async with open_records(new_database(), tmp_path) as made:
        yield made
