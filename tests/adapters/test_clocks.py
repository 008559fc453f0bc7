"""Clocks: the machine's, one that runs elsewhere in time, and one that moves when it is told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clocks import ScaledClock, SteppedClock, SystemClock, open_clock, scaled_address
from adapters.kernel_time import any_setter, kernel_synchronized
from energy.errors import EnergyError
from tests.waiting import PATIENCE_S

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_systems_clock_is_that_of_the_machine() -> None:
    before = datetime.now(UTC)

    now = open_clock("system").now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


async def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    async with asyncio.timeout(PATIENCE_S):
        await SystemClock().sleep_until(datetime(2000, 1, 1, tzinfo=UTC))
        await ScaledClock(NOON, datetime.now(UTC), 1.0).sleep_until(NOON - timedelta(days=1))


def test_a_scaled_clock_runs_as_fast_as_it_is_told() -> None:
    began = datetime.now(UTC) - timedelta(seconds=100)
    clock = ScaledClock(NOON, began, 60.0)

    # 100 s of the machine are 100 min of the clock, and a little more has passed since.
    assert NOON + timedelta(minutes=100) <= clock.now() < NOON + timedelta(minutes=160)


async def test_an_hour_of_a_fast_clock_is_slept_in_no_time() -> None:
    clock = ScaledClock(NOON, datetime.now(UTC), 360_000.0)
    async with asyncio.timeout(PATIENCE_S):
        await clock.sleep(3600)
        await clock.sleep_until(NOON + timedelta(hours=2))

    assert clock.now() >= NOON + timedelta(hours=2)


def test_processes_that_are_given_the_same_address_agree_on_the_time() -> None:
    address = scaled_address(NOON, 1.0)
    one, other = open_clock(address), open_clock(address)

    assert abs(one.now() - other.now()) < timedelta(seconds=5)
    assert abs(one.now() - NOON) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "sun",
        "scaled:",
        "scaled:yesterday@0x1",
        "scaled:2026-01-01T00:00:00Z@0",
        "scaled:2026-01-01T00:00:00Z@0x0",
        "scaled:2026-01-01T00:00:00Z@0x-1",
        "scaled:2026-02-30T00:00:00Z@0x1",
    ],
)
def test_an_address_that_names_no_clock_is_refused(address: str) -> None:
    with pytest.raises(EnergyError, match="clock"):
        open_clock(address)


def test_a_start_without_an_offset_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(EnergyError, match=r"write 2026-01-01T00:00:00\+08:00"):
        open_clock("scaled:2026-01-01T00:00:00@0x1")


async def test_a_stepped_clock_stands_until_it_is_stepped() -> None:
    clock = SteppedClock(NOON)
    assert clock.now() == NOON

    await clock.step(90)

    assert clock.now() == NOON + timedelta(seconds=90)


async def test_sleepers_wake_one_by_one_at_their_instants() -> None:
    clock = SteppedClock(NOON)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *sleeps: float) -> None:
        for seconds in sleeps:
            await clock.sleep(seconds)
            woken.append((name, (clock.now() - NOON).total_seconds()))

    tasks = [asyncio.create_task(sleeper("a", 30)), asyncio.create_task(sleeper("b", 10, 10, 10, 10))]
    await asyncio.sleep(0)
    await clock.step(35)
    assert woken == [("b", 10), ("b", 20), ("a", 30), ("b", 30)]
    assert clock.now() == NOON + timedelta(seconds=35)

    await clock.step(5)
    assert woken[-1] == ("b", 40)
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_has_given_up_is_forgotten() -> None:
    clock = SteppedClock(NOON)
    task = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await clock.step(20)

    assert clock.now() == NOON + timedelta(seconds=20)


async def test_a_sleep_of_no_length_ends_at_once() -> None:
    clock = SteppedClock(NOON)
    async with asyncio.timeout(PATIENCE_S):
        await clock.sleep(0)
        await clock.sleep_until(NOON - timedelta(days=1))

    assert clock.now() == NOON


async def test_setting_the_wall_clock_moves_neither_the_steady_one_nor_a_sleeper() -> None:
    clock = SteppedClock(NOON)
    sleeping = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)

    clock.set_by(3600)
    assert (clock.now(), clock.steady()) == (NOON + timedelta(hours=1), 0.0)
    await clock.step(59)
    assert not sleeping.done()
    await clock.step(1)
    await sleeping

    assert (clock.now(), clock.steady()) == (NOON + timedelta(hours=1, seconds=60), 60.0)


def test_a_shifted_clock_is_set_by_writing_its_file(tmp_path: Path) -> None:
    file = tmp_path / "shift"
    clock = open_clock(f"shifted:{file}")
    began = clock.steady()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.synchronized() is None

    file.write_text("-3600 unsynchronized\n")
    assert abs(clock.now() + timedelta(hours=1) - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.synchronized() is False

    file.write_text("an hour")
    assert abs(clock.now() + timedelta(hours=1) - datetime.now(UTC)) < timedelta(minutes=1)

    (tmp_path / "next").write_text("7200 synchronized")
    (tmp_path / "next").replace(file)
    assert abs(clock.now() - timedelta(hours=2) - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.synchronized() is True
    assert 0 <= clock.steady() - began < 60


def test_the_steady_clock_of_the_machine_never_goes_back_and_names_its_boot() -> None:
    clock = SystemClock()
    before = clock.steady()

    assert clock.steady() >= before
    assert clock.boot == SystemClock().boot != ""
    assert clock.synchronized() in (True, False, None)


def test_a_kernel_that_nobody_could_set_is_not_believed_to_be_unset(tmp_path: Path) -> None:
    for number, name in ((1, "init\n"), (7, "python3\n")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(name)
    (tmp_path / "self").mkdir()
    assert not any_setter(tmp_path)
    assert kernel_synchronized(lambda: any_setter(tmp_path)) in (True, None)

    (tmp_path / "12").mkdir()
    (tmp_path / "12" / "comm").write_text("systemd-timesyn\n")
    assert any_setter(tmp_path)


async def test_a_scaled_clock_is_steady_itself() -> None:
    clock = ScaledClock(NOON, datetime.now(UTC), 3600.0)
    before, began = clock.now(), clock.steady()

    assert abs((clock.now() - before).total_seconds() - (clock.steady() - began)) < 60
