"""What the quarantine promises when who writes is killed, and when the disk is full: what was said to be kept is kept,
whole, and all goes on when there is room."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.quarantine_sqlite import SqliteQuarantine
from energy.errors import StoreError
from energy.ports import Quarantine, Refusal
from tests.chaos.disks import small_disk

ROOT = Path(__file__).parents[2]


def refusals(n: int) -> list[Refusal]:
    return [Refusal(n, "unknown meter", "x" * 500, "edge", "meter", "active_power", i, 0.5) for i in range(10)]


async def there(quarantine: Quarantine) -> list[int]:
    """What was put, ten each, and all of them counted."""
    found = [refusal.received_at_ms for refusal in await quarantine.newest(100_000)]
    kept = sorted(set(found))
    assert len(found) == 10 * len(kept) == sum((await quarantine.counts()).values())
    return kept


_PUT = """
import asyncio, sys
from contextlib import closing
from pathlib import Path
from adapters.quarantine_sqlite import SqliteQuarantine
from tests.adapters.test_quarantine_under_faults import refusals

async def main():
    with closing(SqliteQuarantine(Path(sys.argv[1]))) as kept:
        for n in range(1_000_000):
            await kept.put(refusals(n))
            print(n, flush=True)

asyncio.run(main())
"""


def acknowledged(file: Path, n: int) -> list[int]:
    """What a process says is kept, which is killed in the midst of its work after so many of them."""
    process = subprocess.Popen([sys.executable, "-c", _PUT, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        kept = [int(said.readline()) for _ in range(n)]
        process.kill()
        kept += [int(line) for line in said if line.endswith("\n")]
        process.wait()
    return kept


async def test_a_killed_process_loses_nothing_that_it_was_told_is_kept(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(acknowledged, tmp_path / "quarantine.sqlite", 30)

    with closing(SqliteQuarantine(tmp_path / "quarantine.sqlite")) as found:
        assert set(kept) <= set(await there(found))


async def test_what_a_full_disk_does_not_take_is_told_and_taken_when_there_is_room(tmp_path: Path) -> None:
    kept: list[int] = []
    with small_disk(tmp_path / "disk", 4) as disk, closing(SqliteQuarantine(disk.folder / "q.sqlite")) as quarantine:
        disk.fill()
        with pytest.raises(StoreError, match=r"quarantine: .* full"):
            await _until_refused(quarantine, kept)
        assert await there(quarantine) == kept
        disk.free()
        await quarantine.put(refusals(5000))
        assert await there(quarantine) == [*kept, 5000]


async def _until_refused(quarantine: Quarantine, kept: list[int]) -> None:
    for n in range(3000):
        await quarantine.put(refusals(n))
        kept.append(n)
