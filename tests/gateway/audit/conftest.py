"""Records in a file that a test can tamper with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.records.database import Records, open_records


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Records]:
    async with open_records(f"sqlite:{tmp_path / 'records.sqlite'}") as made:
        yield made
