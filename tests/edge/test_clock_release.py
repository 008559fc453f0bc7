"""Readings that were taken before the clock was set, on their way to the gateway."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clocks import SteppedClock
from adapters.outbox_sqlite import SqliteOutbox
from adapters.wire import Batch, Flag, MeterReadings, decode_batch
from edge.clock import PATIENCE_S, EdgeClock
from edge.clock_memory import ClockMemory
from edge.clock_release import Waiting
from edge.clock_stamps import Stamps
from edge.record import Recorder
from energy.readings import EPOCH, to_ms

NOW = datetime(2026, 3, 2, 4, 0, 0, tzinfo=UTC)


class Machine:
    """An edge's clock, outbox and what stands between, over a machine whose clock is stepped."""

    def __init__(self, folder: Path, clock: SteppedClock) -> None:
        self.machine = clock
        self.outbox = SqliteOutbox(folder / "edge.sqlite")
        self.clock = EdgeClock(clock, ClockMemory(folder / "edge.clock.json"))
        self.stamps = Stamps(self.clock)
        self.waiting = Waiting(self.outbox, self.clock, self.stamps, lambda: self.recorder.waiting)
        self.recorder = Recorder(self.outbox, clock, clock_mark=self.waiting.mark)

    async def read(self, value: float, flags: dict[str, Flag] | None = None) -> None:
        now = self.clock.now()
        self.recorder.take(self.stamps.stamp(MeterReadings("m", 0, {"active_power": value}, flags or {}), now, now))
        await self.recorder.flush()

    async def set_to(self, instant: datetime) -> None:
        self.machine.set_by((instant - self.machine.now()).total_seconds())
        self.clock.look()
        await self.waiting.release()

    @property
    def sent(self) -> list[Batch]:
        """What would be published, in this order."""
        return [decode_batch(kept.payload) for kept in self.outbox.after(0, 1000)]


@pytest.fixture
def machine() -> SteppedClock:
    return SteppedClock(EPOCH + timedelta(hours=1))


@pytest.fixture
def edge(tmp_path: Path, machine: SteppedClock) -> Iterator[Machine]:
    made = Machine(tmp_path, machine)
    with closing(made.outbox):
        yield made


async def test_readings_of_a_board_that_woke_in_1970_are_corrected_when_its_clock_is_set(
    edge: Machine, machine: SteppedClock
) -> None:
    await edge.read(1.0)
    await machine.step(600)
    await edge.read(2.0)
    await machine.step(600)
    await edge.waiting.release()
    assert edge.sent == []

    await edge.set_to(NOW)

    corrected = {"active_power": Flag("uncertain", "time corrected")}
    by_ms = to_ms(NOW) - 1000 * (3600 + 1200)
    assert [(b.readings[0].taken_at, b.readings[0].flags, b.corrected_ms) for b in edge.sent] == [
        (to_ms(NOW) - 1_200_000, corrected, by_ms),
        (to_ms(NOW) - 600_000, corrected, by_ms),
    ]


async def test_a_process_that_starts_again_can_still_correct_them(
    edge: Machine, machine: SteppedClock, tmp_path: Path
) -> None:
    await edge.read(1.0)
    await machine.step(60)
    edge.outbox.close()
    again = Machine(tmp_path, machine)
    with closing(again.outbox):
        await again.read(2.0)
        await machine.step(60)
        await again.set_to(NOW)

        assert [b.readings[0].taken_at for b in again.sent] == [to_ms(NOW) - 120_000, to_ms(NOW) - 60_000]


async def test_what_nobody_can_correct_any_more_is_sent_as_it_is(
    edge: Machine, machine: SteppedClock, tmp_path: Path
) -> None:
    await edge.read(1.0)
    edge.outbox.close()
    rebooted = SteppedClock(NOW)
    rebooted.boot = "the next"
    again = Machine(tmp_path, rebooted)
    with closing(again.outbox):
        await again.waiting.release()

        [batch] = again.sent
    assert batch.readings[0].taken_at == 3_600_000
    assert batch.readings[0].flags == {"active_power": Flag("uncertain", "clock not set")}
    assert batch.corrected_ms is None


async def test_readings_of_a_clock_that_turns_out_to_be_right_are_good(tmp_path: Path) -> None:
    machine = SteppedClock(NOW)
    machine.disciplined = False
    edge = Machine(tmp_path, machine)
    with closing(edge.outbox):
        await edge.read(1.0, {"active_power": Flag("uncertain", "marked by its source")})
        await machine.step(30)
        await edge.read(2.0)
        await edge.waiting.release()
        assert edge.sent == []
        machine.disciplined = True
        edge.clock.look()
        await edge.waiting.release()

        assert [b.readings[0].taken_at for b in edge.sent] == [to_ms(NOW), to_ms(NOW) + 30_000]
        assert [[f.reason for f in b.readings[0].flags.values()] for b in edge.sent] == [["marked by its source"], []]


async def test_where_nobody_ever_vouches_readings_stay_marked_and_are_not_held_back_for_ever(tmp_path: Path) -> None:
    machine = SteppedClock(NOW)
    machine.disciplined = False
    edge = Machine(tmp_path, machine)
    with closing(edge.outbox):
        await edge.read(1.0)
        await machine.step(PATIENCE_S)
        edge.clock.look()
        await edge.waiting.release()
        await edge.read(2.0)

        assert [b.readings[0].taken_at for b in edge.sent] == [to_ms(NOW), to_ms(NOW) + 1000 * PATIENCE_S]
        assert [[f.reason for f in b.readings[0].flags.values()] for b in edge.sent] == [["clock not set"], []]


async def test_readings_on_their_way_to_the_disk_when_the_clock_is_set_are_corrected_too(
    edge: Machine, machine: SteppedClock
) -> None:
    now = edge.clock.now()
    edge.recorder.take(edge.stamps.stamp(MeterReadings("m", 0, {"active_power": 1.0}), now, now))
    await machine.step(60)
    await edge.set_to(NOW)
    await edge.read(2.0)
    await edge.waiting.release()

    assert [b.readings[0].taken_at for b in edge.sent] == [to_ms(NOW) - 60_000, to_ms(NOW)]


async def test_when_they_are_released_they_were_put_when_they_were_put(edge: Machine, machine: SteppedClock) -> None:
    await edge.read(1.0)
    await machine.step(600)
    await edge.set_to(NOW)

    assert edge.outbox.oldest_at == to_ms(NOW) - 600_000


async def test_a_damaged_batch_takes_nothing_from_the_others_that_wait(
    edge: Machine, machine: SteppedClock, tmp_path: Path
) -> None:
    for value in (1.0, 2.0, 3.0):
        await edge.read(value)
        await machine.step(60)
    with closing(sqlite3.connect(tmp_path / "edge.sqlite")) as disk, disk:
        disk.execute("UPDATE batches SET payload = x'7b7d' WHERE sequence = 2")
    await edge.set_to(NOW)

    assert [b.readings[0].values["active_power"] for b in edge.sent] == [1.0, 3.0]
    assert [(lost.first, lost.cause) for lost in edge.outbox.account(1, 3)[1]] == [(2, "damaged")]
    assert edge.outbox.clocks() == []


async def test_what_nobody_knows_the_clock_of_is_let_go_of_as_it_is(edge: Machine) -> None:
    edge.outbox.put(0, b'{"readings":[]}', clock="scribble")
    edge.outbox.put(0, b"{", clock=edge.waiting.mark())
    await edge.set_to(NOW)

    assert [kept.payload for kept in edge.outbox.after(0, 10)] == [b'{"readings":[]}', b"{"]
