"""What every ledger promises when its server, the wire to it, or who writes fails: a revision is there whole or not at
all, and the days are the sums of the hours."""

from __future__ import annotations

import asyncio
import os
import pwd
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.stores import open_stores
from energy.errors import StoreError
from energy.hours import UNPRICED, Doubt, Hours, by_day
from energy.ports import Basis, Ledger
from tests.adapters.ledger_rigs import Rig, rig, shared_rig
from tests.adapters.ledgers import Opened
from tests.adapters.test_ledger import EVER, NONE, check, hours, readings, same, told
from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.killing import KILLS, at_length, seed
from tests.postgresql import PostgresServer
from tests.real_parts import program

__all__ = ["rig", "shared_rig"]
ROOT = Path(__file__).parents[2]
ROWS = hours(*((p, h, 100 * p + h) for p in range(3) for h in range(50)))


# -- refused and away ------------------------------------------------------------------------------------------------


async def test_a_wrong_password_is_told_with_the_address_and_without_the_password(rig: Rig) -> None:
    said = f"PostgreSQL at 127.0.0.1:{rig.wire.port} does not let {rig.user} in"
    with pytest.raises(StoreError, match=said) as refused:
        async with open_stores("memory:", rig.wrong):
            pass
    assert rig.secret not in str(refused.value)
    assert "guessed" not in str(refused.value)


async def test_a_server_that_is_away_at_the_start_is_named_and_found_when_it_is_back(rig: Rig) -> None:
    rig.wire.cut()
    with pytest.raises(StoreError, match=f"ledger: PostgreSQL at 127.0.0.1:{rig.wire.port} cannot be reached"):
        async with open_stores("memory:", rig.address):
            pass
    rig.wire.mend()
    async with open_stores("memory:", rig.address) as (_, ledger):
        await ledger.revise(NONE, ROWS)


async def test_a_server_that_was_away_in_the_middle_goes_on_with_what_it_had(rig: Rig) -> None:
    async with open_stores("memory:", rig.address) as (store, ledger):
        await store.write(readings((0, 50, 1.0)))
        await ledger.revise(NONE, ROWS)
        rig.wire.cut()
        for asked in (
            ledger.revise(NONE, hours((5, 1, 1))),
            ledger.hours([0], 0, EVER),
            ledger.curve([0], 0, EVER),
            ledger.marks(),
            ledger.bases(),
            ledger.settle(1, {}),
            ledger.doubt({0: 0}, [Doubt(0, "fall", 1, 2)]),
            ledger.doubts([0], 0, 10),
            store.write(readings((0, 60, 2.0))),
        ):
            with pytest.raises(StoreError, match=r"ledger: .*PostgreSQL.* (was lost|cannot be reached)"):
                await asked
        rig.wire.mend()

        assert same(await ledger.hours(range(6), 0, EVER), ROWS)
        await store.write(readings((0, 60, 2.0)))
        marks = await ledger.marks()
        assert (marks.point.tolist(), marks.from_ms.tolist()) == ([0], [50])


async def test_a_slow_server_is_waited_for(rig: Rig) -> None:
    async with open_stores("memory:", rig.address) as (_, ledger):
        rig.wire.delay_s = 0.02
        await ledger.revise(NONE, ROWS)
        await ledger.revise(([0], [7]), hours((0, 7, -1)))
        assert len(await ledger.hours(range(3), 0, EVER)) == len(ROWS)
        rig.wire.mend()


async def test_a_server_that_was_killed_has_all_that_it_had_taken(rig: Rig) -> None:
    if not rig.can_be_killed:
        pytest.skip("the server is not ours to kill")
    async with open_stores("memory:", rig.address) as (store, ledger):
        await store.write(readings((0, 50, 1.0)))
        await ledger.revise(NONE, ROWS)
        await ledger.settle(0, {0: Basis("r", "p")})
        rig.kill()
        with pytest.raises(StoreError, match="ledger: "):
            await ledger.revise(NONE, hours((5, 1, 1)))
        rig.start()

        assert same(await ledger.hours(range(6), 0, EVER), ROWS)
        assert await ledger.bases() == {0: Basis("r", "p")}
        assert (await ledger.marks()).point.tolist() == [0]


# -- anything --------------------------------------------------------------------------------------------------------


class Model:
    """The rows of a ledger, as a plain dictionary of amounts."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], int] = {}

    def revision(self, chance: random.Random) -> tuple[tuple[list[int], list[int]], Hours, Model]:
        """What a revision takes away and adds, and what is there after it."""
        point, first = chance.randrange(4), chance.randrange(200)
        stale = [key for key in self.rows if key[0] == point and first <= key[1] < first + 60]
        fresh = {(point, h): chance.randrange(-(10**12), 10**12) for h in range(first, first + chance.randrange(60))}
        after = Model()
        after.rows = {k: v for k, v in self.rows.items() if k not in set(stale)} | fresh
        rows = hours(*((*key, amount) for key, amount in fresh.items())) if fresh else Hours.none()
        return ([p for p, _ in stale], [h for _, h in stale]), rows, after

    def listed(self) -> list[tuple[int, int, int]]:
        return [(*key, self.rows[key]) for key in sorted(self.rows)]


async def endured(rig: Rig, steps: int, kills: int, chance: random.Random) -> None:
    """Revise while the server is killed and the wire cut, and who writes begins anew."""
    model, open_now = Model(), AsyncExitStack()
    _, ledger = await open_now.enter_async_context(open_stores("memory:", rig.address))
    when_killed = set(chance.sample(range(steps), kills))
    for step in range(steps):
        stale, fresh, after = model.revision(chance)
        fault = "kill" if step in when_killed else chance.choice(["", "", "cut", "swallow", "anew"])
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_go_wrong(rig, fault, chance))
                tasks.create_task(ledger.revise(stale, fresh))
            model = after
        except* StoreError:
            assert fault in ("cut", "swallow", "kill")
        rig.wire.mend()
        if fault == "kill":
            rig.start()
        if fault == "anew":
            with suppress(StoreError):
                await open_now.aclose()
            _, ledger = await open_now.enter_async_context(open_stores("memory:", rig.address))
        found = told(await _hours(ledger))
        # Nobody knows of what was not answered; it is there whole, or not at all.
        model = after if found == after.listed() else model
        assert found == model.listed()
    await _days_are_sums(ledger)
    await open_now.aclose()


async def _hours(ledger: Ledger) -> Hours:
    """All there are; a connection whose end was not noticed yet may fail once each."""
    for _ in range(6):
        with suppress(StoreError):
            return await ledger.hours(range(4), 0, EVER)
    return await ledger.hours(range(4), 0, EVER)


async def _go_wrong(rig: Rig, fault: str, chance: random.Random) -> None:
    rig.wire.swallows = fault == "swallow"
    if fault in ("cut", "kill"):
        await asyncio.sleep(chance.uniform(0, 0.02))
        await asyncio.to_thread(rig.wire.cut if fault == "cut" else rig.kill)


async def _days_are_sums(ledger: Ledger) -> None:
    for point in range(4):
        _, wanted = by_day(await ledger.hours([point], 0, EVER))
        found = await ledger.days([point], 0, EVER)
        assert found.of.tolist() == wanted.of.tolist()
        assert found.amount.tolist() == wanted.amount.tolist()
        assert found.rows.tolist() == wanted.rows.tolist()


async def test_whatever_fails_a_revision_is_there_whole_or_not_at_all(rig: Rig) -> None:
    await endured(rig, 30, 2 if rig.can_be_killed else 0, random.Random(5))


@at_length
async def test_whatever_fails_at_length(rig: Rig) -> None:
    await endured(rig, KILLS, KILLS // 10 if rig.can_be_killed else 0, random.Random(seed()))


# -- sums ------------------------------------------------------------------------------------------------------------


async def test_sums_are_those_of_the_rows_after_any_revisions(opened: Opened) -> None:
    chance, model = random.Random(6), Model()
    async with opened() as (ledger, _):
        for i in range(25):
            stale, fresh, model = model.revision(chance)
            cost = [chance.choice([UNPRICED, chance.randrange(10**9)]) for _ in range(len(fresh))]
            fresh = replace(fresh, cost=np.array(cost, np.int64))
            await ledger.revise(stale, fresh)
            if i % 6 == 5:
                await ledger.maintain(chance.randrange(300) * 3_600_000)
        rows = await ledger.hours(range(4), 0, EVER)
        assert told(rows) == model.listed()
        for points, low, high in (([0, 1, 2, 3], 0, 300), ([1, 3], 50, 170), ([2], 100, 101), ([], 0, 300)):
            within = np.isin(rows.point, points) & (rows.hour >= low) & (rows.hour < high)
            wanted = rows.take(within)
            check(await ledger.curve(points, low, high), wanted, wanted.hour)
            check(await ledger.totals(points, low, high), wanted, wanted.point)
        await _days_are_sums(ledger)


# -- who writes is killed --------------------------------------------------------------------------------------------

_REVISE = """
import asyncio, sys
from adapters.stores import open_stores
from tests.adapters.test_ledger import NONE, hours

async def main():
    async with open_stores(sys.argv[2], *sys.argv[3:]) as (_, ledger):
        for batch in range(int(sys.argv[1]), 1_000_000):
            await ledger.revise(NONE, hours(*((0, 100 * batch + row, batch) for row in range(100))))
            print(batch, flush=True)

asyncio.run(main())
"""


def acknowledged(addresses: tuple[str, str | None], first: int, n: int) -> list[int]:
    """The revisions that a process says are kept, which is killed in the midst of its work after so many of them."""
    command = [sys.executable, "-c", _REVISE, str(first), *(a for a in addresses if a is not None)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    with process.stdout as said:
        kept = [int(said.readline()) for _ in range(n)]
        process.kill()
        kept += [int(line) for line in said if line.endswith("\n")]
        process.wait()
    return kept


async def test_a_killed_process_leaves_whole_revisions_and_all_that_it_was_told_are_kept(
    opened: Opened, addresses: tuple[str, str | None]
) -> None:
    kept: list[int] = []
    for n in (2, 25):
        kept += await asyncio.to_thread(acknowledged, addresses, max(kept, default=-1) + 2, n)

    async with opened() as (ledger, _):
        found = await ledger.hours([0], 0, EVER)
    batches, rows = np.unique(found.amount, return_counts=True)
    assert set(kept) <= set(batches.tolist())
    assert set(rows.tolist()) == {100}


# -- a full disk -----------------------------------------------------------------------------------------------------


@at_length
async def test_a_server_whose_disk_is_full_says_so_loses_nothing_and_goes_on_when_there_is_room() -> None:
    # A socket has a short name, and another user must reach it.
    with (
        tempfile.TemporaryDirectory(prefix="jieneng-pg-") as folder,
        small_disk(Path(folder) / "disk", 110) as disk,
        _postgres_on(disk) as server,
    ):
        server.sql("CREATE DATABASE kept")
        async with open_stores("memory:", server.address("kept")) as (_, ledger):
            await ledger.revise(NONE, ROWS)
            disk.fill()
            with pytest.raises(StoreError, match="No space left on device"):
                await ledger.revise(NONE, hours(*((9, h, h) for h in range(5000))))
            disk.free()
            await ledger.revise(NONE, hours((5, 1, 1)))

            assert len(await ledger.hours(range(10), 0, EVER)) == len(ROWS) + 1


@contextmanager
def _postgres_on(disk: SmallDisk) -> Iterator[PostgresServer]:
    known = pwd.getpwnam("postgres")
    disk.folder.parent.chmod(0o755)
    os.chown(disk.folder, known.pw_uid, known.pw_gid)
    server = PostgresServer(disk.folder, Path(program("initdb")).resolve().parent)
    server.make()
    server.start("max_wal_size=32MB", "min_wal_size=32MB")
    try:
        yield server
    finally:
        server.kill()
