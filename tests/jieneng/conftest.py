"""Commands over folders of their own, whose records are a copy of migrated ones."""

from __future__ import annotations

import pytest

from tests.databases import migrated_once

__all__ = ["migrated_once"]


@pytest.fixture(autouse=True)
def _migrated_once(migrated_once: None) -> None:
    """To migrate takes longer than most commands, and is the subject of tests/gateway/records."""
