"""What every store on a server promises when the server, the wire to it, or who writes fails: what was acknowledged is
there, what was not can be written again, and what is wrong is told with its address and without its secret."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from adapters.stores import open_store
from energy.errors import StoreError
from energy.ports import RegisterStore, Written
from energy.readings import ReadingColumns
from tests.adapters.reading_stores import DAY, ENERGY, OTHER, POWER, columns, good, rows_of, shown
from tests.adapters.readings_memory import MemoryReadings
from tests.adapters.store_rigs import RIGS, Rig, rig
from tests.chaos.disks import small_disk
from tests.chaos.killing import KILLS, at_length, seed

__all__ = ["rig"]
ROOT = Path(__file__).parents[2]
ROWS = [good(POWER, 1000 * i, i / 3) for i in range(20)]
OTHERS = [good(POWER, 1000 * i, -1.0) for i in range(20)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than half a second for an answer."""
    for module in ("victoria_client", "influx_client"):
        monkeypatch.setattr(f"adapters.{module}._TIMEOUT", aiohttp.ClientTimeout(total=0.5))


async def written_there(rig: Rig) -> list[str]:
    """What a stranger finds of the three points."""
    async with open_store(rig.stranger) as store:
        return shown(rows_of(await store.readings([POWER, ENERGY, OTHER], 0, 2**47)))


# -- refused and away ------------------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_told_with_the_address_and_without_the_secret(rig: Rig) -> None:
    with pytest.raises(StoreError, match=f":{rig.wire.port}") as told:
        async with open_store(rig.wrong):
            pass

    assert "401" in str(told.value)
    assert not {"guessed", rig.secret} & set(str(told.value).replace("-", " ").split())


async def test_a_server_that_is_away_at_the_start_is_named_and_found_when_it_is_back(rig: Rig) -> None:
    rig.wire.cut()
    with pytest.raises(StoreError, match=f"127.0.0.1:{rig.wire.port}.* cannot be reached") as told:
        async with open_store(rig.address):
            pass
    assert rig.secret not in str(told.value)
    rig.wire.mend()

    async with open_store(rig.address) as store:
        assert await store.write(columns(ROWS)) == Written(20, 0)


async def test_a_server_that_was_away_in_the_middle_goes_on_with_what_it_had(rig: Rig) -> None:
    async with open_store(rig.address) as store:
        await store.write(columns(ROWS[:10]))
        rig.wire.cut()
        for asked in (store.write(columns(ROWS)), store.readings([POWER], 0, 10**6), store.curves([POWER], 0, 10, 2)):
            with pytest.raises(StoreError, match=f":{rig.wire.port}.* cannot be reached"):
                await asked
        # What needs no server is told all the same.
        assert rows_of(await store.latest()) == ROWS[9:10]
        rig.wire.mend()

        again = await store.write(columns(ROWS))
        assert (again.stored + again.repeated, again.conflicting, again.refused) == (20, [], [])
        assert rows_of(await store.readings([POWER], 0, 10**6)) == ROWS


# -- slow and silent -------------------------------------------------------------------------------------------------


async def test_a_slow_server_is_waited_for(rig: Rig) -> None:
    rig.wire.delay_s = 0.05
    async with open_store(rig.address) as store:
        assert await store.write(columns(ROWS)) == Written(20, 0)
        assert await store.write(columns(ROWS)) == Written(0, 20)
        assert rows_of(await store.readings([POWER], 0, 10**6)) == ROWS


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_falls_silent_is_told_and_what_it_had_not_answered_is_written_again(rig: Rig) -> None:
    async with open_store(rig.address) as store:
        await store.write(columns(ROWS[:10]))
        rig.wire.hold()
        with pytest.raises(StoreError, match=f":{rig.wire.port}.* cannot be reached"):
            await store.write(columns(ROWS))
        rig.wire.mend()

        again = await store.write(columns(ROWS))
        assert (again.stored + again.repeated, again.conflicting, again.refused) == (20, [], [])
        await rig.rest(store)
    assert await written_there(rig) == shown(ROWS)


async def test_the_first_value_stays_though_nobody_heard_that_it_arrived(rig: Rig) -> None:
    async with open_store(rig.address) as store:
        rig.wire.swallows = True
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.write(columns(ROWS))
        assert rig.wire.swallowed == 1
        rig.wire.mend()

        assert (await store.write(columns(OTHERS))).conflicting == list(range(20))
        assert await store.write(columns(ROWS)) == Written(0, 20)
        assert rows_of(await store.latest()) == ROWS[-1:]
        await rig.rest(store)
    assert await written_there(rig) == shown(ROWS)


async def test_who_dies_before_the_answer_finds_the_first_value_in_place(rig: Rig) -> None:
    async with open_store(rig.address) as store:
        rig.wire.swallows = True
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.write(columns(ROWS))
        rig.wire.mend()
    async with open_store(rig.address) as store:
        assert (await store.write(columns(OTHERS))).conflicting == list(range(20))
        await rig.rest(store)
    assert await written_there(rig) == shown(ROWS)


async def test_an_answer_that_breaks_off_is_a_failure_and_no_shorter_answer(rig: Rig) -> None:
    rows = [good(POWER, 1000 * i, i / 3) for i in range(3000)]
    async with open_store(rig.address) as store:
        await store.write(columns(rows))
        await rig.rest(store)
        rig.wire.breaks_after = 2000
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.readings([POWER], 0, 10**7)
        rig.wire.mend()

        assert len(await store.readings([POWER], 0, 10**7)) == 3000


# -- anything --------------------------------------------------------------------------------------------------------


async def endured(rig: Rig, steps: int, kills: int, chance: random.Random) -> None:
    """Write while the server is killed and the wire cut, and who writes begins anew; then compare with a list."""
    reference, open_now = MemoryReadings(), AsyncExitStack()
    store = await open_now.enter_async_context(open_store(rig.address))
    when_killed = set(chance.sample(range(steps), kills))
    for step in range(steps):
        batch = _any_batch(chance, step)
        wanted = await reference.write(batch)
        fault = "kill" if step in when_killed else chance.choice(["", "cut", "swallow", "break", "anew"])
        for attempt in range(6):
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_go_wrong(rig, fault if attempt == 0 else "", chance))
                    writing = tasks.create_task(store.write(batch))
                break
            except* StoreError:
                pass
            _repair(rig, fault)
            if chance.random() < 0.3:
                await open_now.aclose()
                store = await open_now.enter_async_context(open_store(rig.address))
        else:
            raise AssertionError(f"step {step}: nothing was taken though all is well again")
        _repair(rig, fault)
        told = writing.result()
        assert (told.stored + told.repeated, told.conflicting) == (wanted.stored + wanted.repeated, wanted.conflicting)
        if fault == "anew":
            await open_now.aclose()
            store = await open_now.enter_async_context(open_store(rig.address))
    await rig.rest(store)
    latest = sorted(shown(rows_of(await store.latest())))
    await open_now.aclose()
    assert await written_there(rig) == shown(rows_of(await reference.readings([POWER, ENERGY, OTHER], 0, 2**47)))
    assert latest == sorted(shown(rows_of(await reference.latest())))


def _any_batch(chance: random.Random, step: int) -> ReadingColumns:
    """Some that are new, some that are late, and some that were there before, now and then another value."""
    at = [1000 * (10 * step + i) for i in range(10)] + [1000 * chance.randrange(10 * step + 10) for _ in range(10)]
    points = [chance.choice([POWER, ENERGY, OTHER]) for _ in at]
    return columns([good(p, t, float(t) if chance.random() < 0.8 else 0.1) for p, t in zip(points, at, strict=True)])


async def _go_wrong(rig: Rig, fault: str, chance: random.Random) -> None:
    rig.wire.swallows = fault == "swallow"
    rig.wire.breaks_after = chance.randrange(1, 200) if fault == "break" else None
    if fault in ("cut", "kill"):
        await asyncio.sleep(chance.uniform(0, 0.01))
        await asyncio.to_thread(rig.wire.cut if fault == "cut" else rig.kill)


def _repair(rig: Rig, fault: str) -> None:
    rig.wire.mend()
    if fault == "kill":
        rig.start()


async def test_whatever_fails_all_that_was_acknowledged_is_there_once_and_as_it_was(rig: Rig) -> None:
    await endured(rig, 40, 0, random.Random(8))


async def test_whatever_fails_the_server_too_all_that_was_acknowledged_is_there(rig: Rig) -> None:
    if not rig.can_be_killed:
        pytest.skip("the server is not ours to kill")
    await endured(rig, 15, 3, random.Random(9))


@at_length
async def test_whatever_fails_at_length(rig: Rig) -> None:
    await endured(rig, 2 * KILLS, KILLS // 20 if rig.can_be_killed else 0, random.Random(seed()))


# -- who writes is killed --------------------------------------------------------------------------------------------

_WRITE = """
import asyncio, sys
from adapters.stores import open_store
from energy.readings import Point, ReadingColumns

async def main():
    first = int(sys.argv[2])
    async with open_store(sys.argv[1]) as store:
        for batch in range(first, first + 1_000_000):
            t_ms = [batch * 3_600_000 + row for row in range(100)]
            await store.write(ReadingColumns.of([Point("a", "active_power")], [0] * 100, t_ms, [float(batch)] * 100))
            print(batch, flush=True)
            if batch % 7 == 0:
                await store.maintain(batch * 3_600_000)

asyncio.run(main())
"""


def acknowledged(address: str, first: int, n: int) -> list[int]:
    """The batches that a process says are written, which is killed in the midst of its work after so many of them."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE, address, str(first)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        told = [int(said.readline()) for _ in range(n)]
        process.kill()
        told += [int(line) for line in said if line.endswith("\n")]
        process.wait()
    return told


@pytest.mark.parametrize("of", ["duckdb", *RIGS])
async def test_a_killed_process_loses_nothing_that_it_has_acknowledged(of: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        made = None if of == "duckdb" else stack.enter_context(RIGS[of](tmp_path))
        address = f"duckdb:{tmp_path / 'readings.duckdb'}" if made is None else made.address
        batches: list[int] = []
        for n in (3, 33):
            first = max(batches, default=-1) + 2
            batches += await asyncio.to_thread(acknowledged, address, first, n)

        async with open_store(address) as store:
            found = await store.readings([POWER], 0, 2**47)

    stored, rows = np.unique(found.value, return_counts=True)
    assert set(batches) <= set(stored.tolist())
    # Nothing is half done either, nor there twice.
    assert set(rows.tolist()) == {100}


# -- a full disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["duckdb", "victoria"])
async def test_what_a_full_disk_does_not_take_is_told_and_taken_when_there_is_room(of: str, tmp_path: Path) -> None:
    """The disk of who writes: the file, or the journal."""
    many = [good(POWER, 1000 * i, i / 3) for i in range(5000)]
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", 8))
        made = None if of == "duckdb" else stack.enter_context(RIGS[of](disk.folder))
        address = f"duckdb:{disk.folder / 'readings.duckdb'}" if made is None else made.address
        batches: list[int] = []
        async with open_store(address) as store:
            await store.write(columns(ROWS))
            disk.fill()
            with pytest.raises(StoreError, match=r"(?i)no space left|full"):
                await _until_refused(store, columns(many), batches)
            disk.free()
            again = await store.write(columns(many))
        async with open_store(address) as store:
            found = await store.readings([POWER], 0, 2**47)

    assert (again.stored, again.repeated) == (4980, 20)
    assert len(found) == 5000 + 5000 * len(batches)


async def _until_refused(store: RegisterStore, batch: ReadingColumns, taken: list[int]) -> None:
    """Write it as that of other days, and note the days that were taken."""
    for day in range(100, 200):
        await store.write(replace(batch, taken_at_ms=batch.taken_at_ms + day * DAY))
        taken.append(day)
