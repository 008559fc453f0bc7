"""What records promise when the database, the wire to it, or who writes fails: a transaction is there whole or not at
all, and the audit log is unbroken."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from energy.errors import StoreError
from gateway.audit.verify import verified
from gateway.records.changes import Author, Change, log_changes, logged_changes
from gateway.records.database import Records, open_records
from tests.adapters.ledger_rigs import Rig, rig, shared_rig
from tests.chaos.disks import small_disk
from tests.chaos.killing import KILLS, at_length, seed
from tests.databases import NewDatabase, new_records

__all__ = ["rig", "shared_rig"]
ROOT = Path(__file__).parents[3]


async def change(records: Records, name: str) -> None:
    """Two changes in one transaction."""
    async with records.writing() as connection:
        for part in ("a", "b"):
            await log_changes(connection, [Change("meter", f"{name}{part}", None, {"ct": 1})], Author("li", name, 0))


async def named(records: Records) -> list[str]:
    """What was changed; each transaction is there whole, and the audit log is unbroken."""
    found = [logged.change.key for logged in await logged_changes(records)]
    whole = sorted({key[:-1] for key in found}, key=int)
    assert sorted(found) == sorted(f"{name}{part}" for name in whole for part in "ab")
    assert (await verified(records)).fault is None
    return whole


# -- a server --------------------------------------------------------------------------------------------------------


async def test_a_server_that_is_away_at_the_start_is_named_and_found_when_it_is_back(rig: Rig, tmp_path: Path) -> None:
    rig.wire.cut()
    with pytest.raises(StoreError, match=f"records: PostgreSQL at 127.0.0.1:{rig.wire.port} cannot be reached") as away:
        async with open_records(rig.address, tmp_path):
            pass
    assert "secret" not in str(away.value)
    rig.wire.mend()
    async with open_records(rig.address, tmp_path) as records:
        await change(records, "1")


async def test_a_slow_server_is_waited_for(rig: Rig, tmp_path: Path) -> None:
    async with open_records(rig.address, tmp_path) as records:
        rig.wire.delay_s = 0.02
        await change(records, "1")
        assert await named(records) == ["1"]


async def endured(rig: Rig, folder: Path, steps: int, kills: int, chance: random.Random) -> None:
    """Write while the server is killed and the wire cut, and who writes begins anew."""
    kept, open_now = list[str](), AsyncExitStack()
    records = await open_now.enter_async_context(open_records(rig.address, folder))
    when_killed = set(chance.sample(range(steps), kills))
    for step in range(steps):
        fault = "kill" if step in when_killed else chance.choice(["", "cut", "swallow", "anew"])
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_go_wrong(rig, fault, chance))
                tasks.create_task(change(records, str(step)))
            kept.append(str(step))
        except* StoreError:
            assert fault in ("cut", "swallow", "kill")
        rig.wire.mend()
        if fault == "kill":
            rig.start()
        if fault == "anew":
            await open_now.aclose()
            records = await open_now.enter_async_context(open_records(rig.address, folder))
        found = await _named_soon(records)
        # Nobody knows of what was not answered: it is there whole, or not at all.
        assert found in (kept, [*kept, str(step)])
        kept = found
    await open_now.aclose()


async def _named_soon(records: Records) -> list[str]:
    for _ in range(6):
        with suppress(StoreError):
            return await named(records)
    return await named(records)


async def _go_wrong(rig: Rig, fault: str, chance: random.Random) -> None:
    if fault == "":
        return
    await asyncio.sleep(chance.uniform(0, 0.03))
    rig.wire.swallows = fault == "swallow"
    if fault in ("cut", "kill"):
        await asyncio.to_thread(rig.wire.cut if fault == "cut" else rig.kill)


async def test_whatever_fails_a_transaction_is_there_whole_or_not_at_all(rig: Rig, tmp_path: Path) -> None:
    await endured(rig, tmp_path, 25, 2 if rig.can_be_killed else 0, random.Random(3))


@at_length
async def test_whatever_fails_at_length(rig: Rig, tmp_path: Path) -> None:
    kills = KILLS // 20 if rig.can_be_killed else 0
    await endured(rig, tmp_path, KILLS // 2, kills, random.Random(seed()))


# -- who writes is killed --------------------------------------------------------------------------------------------

_CHANGE = """
import asyncio, sys
from pathlib import Path
from gateway.records.database import open_records
from tests.gateway.records.test_under_faults import change

async def main():
    async with open_records(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[2])) as records:
        for name in range(int(sys.argv[3]), 1_000_000):
            await change(records, str(name))
            print(name, flush=True)

asyncio.run(main())
"""


def acknowledged(address: str, folder: Path, first: int, n: int) -> list[str]:
    """The changes that a process says are kept, which is killed in the midst of its work after so many of them."""
    command = [sys.executable, "-c", _CHANGE, address, str(folder), str(first)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    with process.stdout as said:
        kept = [said.readline().strip() for _ in range(n)]
        process.kill()
        kept += [line.strip() for line in said if line.endswith("\n")]
        process.wait()
    return kept


async def test_a_killed_process_leaves_whole_transactions_and_all_that_it_was_told_are_kept(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    address, kept = new_database(), list[str]()
    for n in (2, 12):
        kept += await asyncio.to_thread(acknowledged, address, tmp_path, int(kept[-1]) + 2 if kept else 0, n)

    # Its own folder for the end of the audit log: other databases of tests lie beside this one.
    async with open_records(address, tmp_path, tmp_path) as records:
        assert set(kept) <= set(await named(records))


# -- a full disk -----------------------------------------------------------------------------------------------------


async def test_what_a_full_disk_does_not_take_is_told_and_taken_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        async with open_records(new_records(disk.folder / "records.sqlite"), tmp_path) as records:
            await change(records, "0")
            disk.fill()
            with pytest.raises(StoreError, match=r"records: .*full"):
                await _until_refused(records)
            kept = await named(records)
            disk.free()
            await change(records, "1000")
            assert await named(records) == [*kept, "1000"]


async def _until_refused(records: Records) -> None:
    for name in range(1, 500):
        await change(records, str(name))
