"""A machine whose wall clock is set while it runs, or was never set: what an edge makes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clocks import ScaledClock, SteppedClock
from adapters.wire import Flag, MeterReadings, encode
from edge.clock import PATIENCE_S, EdgeClock
from edge.clock_memory import ClockMemory
from edge.clock_stamps import Stamps
from energy.readings import EPOCH, Reason, to_ms

NOW = datetime(2026, 3, 2, 4, 0, 0, tzinfo=UTC)
HOUR_S = 3600.0


def read(
    stamps: Stamps, clock: EdgeClock, *, meter: str = "main", flags: dict[str, Flag] | None = None
) -> tuple[int, str]:
    """The instant and the reason of a reading that was asked for and answered just now."""
    now = clock.now()
    found = stamps.stamp(MeterReadings(meter, 0, {"frequency": 50.0}, flags or {}), now, now)
    assert isinstance(found.taken_at, int)
    return found.taken_at, found.flags["frequency"].reason if found.flags else ""


async def test_intervals_know_nothing_of_a_step_of_the_wall_clock() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    await machine.step(10)
    machine.set_by(-HOUR_S)
    clock.look()
    await machine.step(10)

    assert clock.now() == NOW + timedelta(seconds=20)
    assert clock.wall() == machine.now() == NOW + timedelta(seconds=20 - HOUR_S)


async def test_a_step_is_told_with_its_instant_and_length_and_told_once() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    assert "stepped_at" not in encode(clock.state).decode()

    machine.set_by(HOUR_S)
    assert clock.observe()
    assert not clock.observe()

    assert (clock.state.stepped_at, clock.state.step_ms) == (to_ms(NOW) + 3_600_000, 3_600_000)
    assert clock.steps == 1


async def test_noise_and_slewing_are_no_steps() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    for _ in range(40):
        machine.set_by(0.05)
        await machine.step(1)
        assert not clock.observe()

    assert clock.wall() == machine.now()


async def test_whoever_sleeps_towards_a_tick_is_woken_by_a_step() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    sleeping = asyncio.create_task(clock.sleep_until(NOW + timedelta(minutes=15)))
    await asyncio.sleep(0)
    await machine.step(60)
    assert not sleeping.done()

    machine.set_by(420)
    clock.look()
    await asyncio.wait_for(sleeping, 60)

    assert clock.next_tick(clock.now(), 900.0) == NOW + timedelta(minutes=8)


async def test_readings_before_the_first_sync_are_marked_and_name_the_clock_they_are_dated_by() -> None:
    machine = SteppedClock(EPOCH + timedelta(days=1))
    clock = EdgeClock(machine)
    await machine.step(30)

    assert clock.state.synchronized is False
    assert read(Stamps(clock), clock) == (86_430_000, Reason.CLOCK_NOT_SET)
    assert clock.unset == "stepped@86400000"

    machine.set_by((NOW - machine.now()).total_seconds())
    clock.look()
    assert clock.unset is None
    await machine.step(1)
    assert read(Stamps(clock), clock) == (to_ms(NOW) + 1000, "")


async def test_a_clock_that_the_kernel_does_not_vouch_for_is_waited_for_and_then_believed() -> None:
    machine = SteppedClock(NOW)
    machine.disciplined = False
    clock = EdgeClock(machine)
    assert clock.state.synchronized is False

    await machine.step(PATIENCE_S)
    clock.look()
    assert clock.state.synchronized is None
    assert clock.unset is None

    machine.disciplined = True
    clock.look()
    assert clock.state.synchronized is True
    machine.disciplined = False
    clock.look()
    assert clock.state.synchronized is True


def test_a_machine_that_cannot_be_asked_is_believed_unless_its_time_is_impossible() -> None:
    assert EdgeClock(SteppedClock(NOW)).state.synchronized is None
    assert EdgeClock(SteppedClock(datetime(2025, 12, 31, tzinfo=UTC))).state.synchronized is False


async def test_a_request_that_straddles_a_step_is_timed_by_the_steady_clock_and_marked() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    stamps = Stamps(clock)
    asked = clock.now()
    await machine.step(1)
    machine.set_by(-30)
    await machine.step(1)

    found = stamps.stamp(MeterReadings("main", 0, {"frequency": 50.0}), asked, asked + timedelta(seconds=1))

    # The middle was one second ago, which the clock as it was set calls 29 s before the question.
    assert found.taken_at == to_ms(NOW) - 29_000
    assert found.flags == {"frequency": Flag("uncertain", "clock stepped")}
    await machine.step(1)
    assert read(stamps, clock, meter="other") == (to_ms(NOW) - 27_000, Reason.CLOCK_STEPPED)


async def test_an_hour_that_comes_twice_is_marked_the_second_time_and_bears_other_instants() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    stamps = Stamps(clock)
    first = []
    for _ in range(60):
        first.append(read(stamps, clock))
        await machine.step(60)
    machine.set_by(-HOUR_S)
    second = []
    for _ in range(61):
        second.append(read(stamps, clock))
        await machine.step(60)

    assert {reason for _, reason in first} == {""}
    assert {reason for _, reason in second[:-1]} == {Reason.CLOCK_STEPPED}
    assert second[-1] == (first[-1][0] + 60_000, "")
    assert [at for at, _ in second[:60]] == [at + 1 for at, _ in first]


async def test_after_a_leap_forwards_readings_are_in_doubt_until_somebody_vouches_for_the_clock() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    stamps = Stamps(clock)
    assert read(stamps, clock)[1] == ""
    machine.set_by(HOUR_S)
    await machine.step(60)
    clock.look()
    assert read(stamps, clock)[1] == Reason.CLOCK_STEPPED

    # The leap was a mistake: what is taken now is right, and was never taken before.
    machine.set_by(-HOUR_S)
    await machine.step(60)
    clock.look()
    machine.disciplined = True
    clock.look()
    assert read(stamps, clock) == (to_ms(NOW) + 120_000, "")


async def test_a_leap_that_nobody_takes_back_is_believed_after_an_hour() -> None:
    machine = SteppedClock(NOW)
    clock = EdgeClock(machine)
    stamps = Stamps(clock)
    machine.set_by(HOUR_S)
    clock.look()
    await machine.step(HOUR_S - 1)
    assert read(stamps, clock)[1] == Reason.CLOCK_STEPPED
    await machine.step(1)

    assert read(stamps, clock)[1] == ""


async def test_a_process_that_starts_again_notices_what_was_done_to_the_clock_meanwhile(tmp_path: Path) -> None:
    memory = ClockMemory(tmp_path / "edge.clock.json")
    machine = SteppedClock(EPOCH)
    before = EdgeClock(machine, memory)
    unset = before.unset
    await machine.step(60)
    machine.set_by((NOW - machine.now()).total_seconds())
    again = EdgeClock(machine, memory)

    assert unset == "stepped@0"
    assert again.state.step_ms == to_ms(NOW) - 60_000
    assert again.unset is None
    assert again.started_ms == to_ms(NOW) - 60_000

    machine.set_by(-HOUR_S)
    third = EdgeClock(machine, memory)
    assert read(Stamps(third), third)[1] == Reason.CLOCK_STEPPED


async def test_of_another_run_of_the_machine_nothing_is_known(tmp_path: Path) -> None:
    memory = ClockMemory(tmp_path / "edge.clock.json")
    machine = SteppedClock(NOW)
    EdgeClock(machine, memory)
    machine.boot = "another"
    machine.set_by(-HOUR_S)

    assert EdgeClock(machine, memory).steps == 0


@pytest.mark.parametrize("content", [b"", b"{", b'{"boot": 5}', b"\xff"])
def test_a_broken_memory_costs_the_memory_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "edge.clock.json"
    file.write_bytes(content)
    clock = EdgeClock(SteppedClock(NOW), ClockMemory(file))

    assert clock.steps == 0
    assert ClockMemory(file).read() is not None


def test_a_bad_value_stays_bad_whatever_the_clock_does() -> None:
    clock = EdgeClock(SteppedClock(EPOCH))
    now = clock.now()
    bad = {"frequency": Flag("bad", "not a number")}
    found = Stamps(clock).stamp(MeterReadings("main", 0, {"frequency": None, "active_power": 1.0}, bad), now, now)

    assert found.flags == {**bad, "active_power": Flag("uncertain", "clock not set")}


def test_a_rehearsal_of_a_year_long_past_is_held_by_a_clock_that_is_set() -> None:
    past = datetime(2019, 1, 15, tzinfo=UTC)

    assert EdgeClock(ScaledClock(past, datetime.now(UTC), 60.0)).setting is True
    assert EdgeClock(SteppedClock(past)).setting is False
