"""Copies of the store that a running gateway makes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adapters.clocks import SteppedClock
from adapters.copy_duckdb import copied_file, counted_store
from adapters.stores import open_store
from energy.errors import EnergyError, StoreError
from energy.ports import ReadingStore
from energy.readings import Point, ReadingColumns, to_ms
from gateway.api.problems import RequestError
from gateway.backups.service import StoreCopies
from gateway.backups.words import CopyAnswer
from tests.adapters.readings_memory import MemoryReadings
from tests.gateway.ledger.books import columns

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
POINT = Point("main", "active_power")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ReadingStore]:
    async with open_store(f"duckdb:{tmp_path / 'readings.duckdb'}") as opened:
        await opened.write(columns({NOW: 7.0}, POINT))
        yield opened


@pytest.fixture
async def copies(store: ReadingStore, tmp_path: Path) -> AsyncIterator[StoreCopies]:
    made = StoreCopies(store, tmp_path / ".store-copy", SteppedClock(NOW), tmp_path / "readings.duckdb")
    yield made
    await made.close()


async def ended(copies: StoreCopies) -> CopyAnswer:
    while (told := copies.state()).state == "copying":
        await asyncio.sleep(0.01)
    return told


async def test_a_copy_holds_what_was_stored_and_is_gone_with_the_gateway(copies: StoreCopies) -> None:
    begun = copies.begin()
    assert (begun.state, begun.at) == ("copying", to_ms(NOW))

    told = await ended(copies)

    assert (told.id, told.state, told.share) == (begun.id, "ready", 1.0)
    assert counted_store(Path(told.file))[0]["recent"] == 1
    await copies.close()
    assert not Path(told.file).exists()


async def test_one_is_made_at_a_time_and_the_next_takes_its_place(copies: StoreCopies) -> None:
    with pytest.raises(RequestError, match="no copy of the store was begun"):
        copies.state()
    copies.begin()
    with pytest.raises(RequestError, match="being made already"):
        copies.begin()
    first = await ended(copies)

    copies.begin()
    second = await ended(copies)

    assert not Path(first.file).exists() and Path(second.file).exists()


async def test_a_copy_that_fails_says_why_and_leaves_nothing(copies: StoreCopies, tmp_path: Path) -> None:
    begun = copies.begin()
    Path(begun.file).mkdir()

    told = await ended(copies)

    assert told.state == "failed" and "the store cannot be copied" in told.cause


async def test_a_copy_that_would_fill_the_disk_is_refused(copies: StoreCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings could not be stored any more."""
    with monkeypatch.context() as patched:
        patched.setattr("gateway.backups.service.shutil.disk_usage", lambda _folder: SimpleNamespace(free=256_000_000))
        with pytest.raises(RequestError, match=r"256 MB are free.*Make room"):
            copies.begin()
    copies.begin()
    assert (await ended(copies)).state == "ready"


async def test_readings_are_stored_while_a_copy_is_made_and_are_not_of_it(
    store: ReadingStore, copies: StoreCopies
) -> None:
    n = 200_000
    many = [NOW + timedelta(seconds=i + 1) for i in range(n)]
    t_ms = np.array([to_ms(t) for t in many])
    await store.write(
        ReadingColumns.of([POINT], np.zeros(n, int), t_ms, np.arange(n, dtype=np.float64), [0] * n, [0] * n)
    )

    copies.begin()
    written = 0
    while copies.state().state == "copying":
        written += 1
        await store.write(columns({NOW - timedelta(seconds=written): 1.0}, POINT))
    rows = counted_store(Path(copies.state().file))[0]

    assert written > 0
    # The copy sees one moment: all of the batch before it, and some first ones of those after it began.
    assert n + 1 <= rows["recent"] + rows["closed"] <= n + 1 + written


async def test_a_store_that_cannot_be_copied_is_said_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="is not copied"):
        StoreCopies(MemoryReadings(), tmp_path / "copies", SteppedClock(NOW)).begin()


def test_a_file_that_is_no_store_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").write_bytes(b"x" * 20_000)

    with pytest.raises(EnergyError, match="is no whole store"):
        counted_store(tmp_path / "a.duckdb")
    with pytest.raises(StoreError):
        copied_file(tmp_path / "a.duckdb", tmp_path / "b.duckdb")
    assert not (tmp_path / "b.duckdb").exists()
