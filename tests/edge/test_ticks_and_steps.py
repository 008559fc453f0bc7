"""Somebody sets the wall clock while meters are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from adapters.clocks import SteppedClock
from adapters.wire import MeterReadings
from collectors.decoder import Decoded
from collectors.lines.line import Line, NoAnswer, Reply
from collectors.planner import Block
from collectors.register_map import Table
from edge.clock import EdgeClock
from edge.poll import LineWorker, Station
from edge.schedule import Round
from energy.quantities import Medium
from energy.readings import Quality, Reason, to_ms
from energy.sites import Meter, Text
from tests.edge.test_line_worker import ANSWER_S, TimedLine

NOW = datetime(2026, 3, 2, 4, 0, 2, tzinfo=UTC)
BLOCK = Block(Table.HOLDING, 0, 2)


@dataclass(frozen=True)
class Frequency:
    """What is asked of each meter."""

    unit: int
    quantities: tuple[str, ...] = ("frequency",)
    lengths: tuple[int, int] = (8, 9)

    async def ask(self, line: Line) -> Reply:
        return await line.read(self.unit, BLOCK)

    def decode(self, payload: bytes) -> list[Decoded]:
        return [Decoded("frequency", 50.0, Quality.GOOD, Reason.NONE)]


class SteadyLine(TimedLine):
    """A line that stamps by the edge's clock, as `open_line` is given it, and on which the wall clock may be set."""

    def __init__(self, machine: SteppedClock, clock: EdgeClock) -> None:
        super().__init__(machine)
        self._edge, self._machine = clock, machine
        self.meanwhile: Callable[[], None] = lambda: None

    async def read(self, unit: int, block: Block) -> Reply:
        asked = self._edge.now()
        await self._machine.sleep(ANSWER_S / 2)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        await self._machine.sleep(ANSWER_S / 2)
        if unit in self.dead:
            raise NoAnswer("no answer", again_in_s=1.0)
        return Reply(bytes(2 * block.count), asked + (self._edge.now() - asked) / 2, ANSWER_S)


class Site:
    """Meters on a line, read for some stepped time; the clock is looked at every second as the edge does."""

    def __init__(self, *intervals_s: float) -> None:
        self.machine = SteppedClock(NOW)
        self.clock = EdgeClock(self.machine)
        self.line = SteadyLine(self.machine, self.clock)
        self.read: list[tuple[datetime, MeterReadings]] = []
        stations = [
            Station(
                Meter(f"m{unit}", Text("", ""), Medium.ELECTRICITY, unit=unit, interval_s=interval_s),
                (),
                NOW,
                [Round(interval_s, [Frequency(unit)], self.clock.next_tick(NOW, interval_s))],
            )
            for unit, interval_s in enumerate(intervals_s, start=1)
        ]
        self.worker = LineWorker(self.line, stations, self.clock, self._take, lambda: None)

    def _take(self, readings: MeterReadings) -> None:
        self.read.append((self.clock.now(), readings))

    async def run(self, seconds: float) -> int:
        """Let time pass; how many readings were taken."""
        before, task = len(self.read), asyncio.create_task(self.worker.run())
        for tenth in range(int(seconds * 10)):
            await self.machine.step(0.1)
            if tenth % 10 == 0:
                self.clock.look()
            for _ in range(5):
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len(self.read) - before


@pytest.mark.parametrize("step_s", [3600, -3600])
async def test_an_hours_step_neither_stops_polling_nor_makes_a_burst(step_s: float) -> None:
    site = Site(5.0, 5.0, 60.0)
    usual = await site.run(120)
    site.machine.set_by(step_s)

    assert abs(await site.run(120) - usual) <= 1
    assert site.worker.late_ticks == 0
    longest = max(b - a for (a, _), (b, _) in zip(site.read, site.read[1:], strict=False))
    assert longest < timedelta(seconds=6)


@pytest.mark.parametrize("step_s", [37, -37, 3623, -3623])
async def test_ticks_are_those_of_the_clock_as_it_was_set(step_s: float) -> None:
    site = Site(60.0)
    await site.run(120)
    site.machine.set_by(step_s)
    await site.run(240)

    after = [r.taken_at for at, r in site.read if at > NOW + timedelta(seconds=121)]
    assert len(after) in (3, 4)
    # Of the middle of an answer of 0.1 s, asked for on the full minute of the new clock; the minute that comes twice is
    # told from the first by a millisecond.
    assert {int(t) % 60_000 for t in after} <= {50, 51}


async def test_a_clock_that_is_set_between_question_and_answer_marks_that_reading() -> None:
    site = Site(5.0)
    await site.run(20)
    assert {str(r.flags) for _, r in site.read} == {"{}"}
    site.line.meanwhile = lambda: site.machine.set_by(20.0)
    await site.run(20)

    marked = [(at, r) for at, r in site.read if r.flags]
    assert [r.flags["frequency"].reason for _, r in marked] == ["clock stepped"]
    # 0.1 s of the steady clock lie between question and answer, and not 20.1 of the wall's.
    [(at, reading)] = marked
    assert reading.taken_at == to_ms(at + timedelta(seconds=20 - ANSWER_S / 2))


async def test_readings_of_seconds_that_come_twice_are_marked_and_none_has_the_instant_of_another() -> None:
    site = Site(5.0)
    await site.run(60)
    site.machine.set_by(-30.0)
    await site.run(60)

    # The second that the clock is looked at in is uncertain, too.
    assert [bool(r.flags) for _, r in site.read] == [False] * 12 + [True] * 6 + [False] * 6
    assert len({r.taken_at for _, r in site.read}) == 24


async def test_a_silent_meter_is_probed_as_before_whatever_the_clock_does() -> None:
    site = Site(5.0, 5.0)
    site.line.dead = {1}
    await site.run(120)
    site.machine.set_by(-3600)
    await site.run(10)
    site.line.dead = set()
    await site.run(90)

    assert site.worker.stations[0].state.state == "reporting"
    assert sum(r.meter == "m1" for _, r in site.read) > 0
