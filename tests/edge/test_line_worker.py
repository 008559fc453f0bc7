"""A worker's share of a line's time, on a line whose time is stepped."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import TracebackType
from typing import Self

from adapters.clocks import SteppedClock
from adapters.wire import MeterReadings
from collectors.decoder import BlockPlan
from collectors.lines.address import Characters
from collectors.lines.line import NoAnswer, Refused, Reply
from collectors.lines.modbus_writing import Coils, Writing
from collectors.lines.question import Question
from collectors.meter_profile import Part, Profile, Register, Setting, Table, WordOrder
from collectors.planner import Block, RequestCost
from collectors.writing import Order
from edge.asking import Asking
from edge.poll import LineWorker, Station
from edge.schedule import Round
from energy.quantities import Medium
from energy.sites import Meter, Text

NOW = datetime(2026, 1, 14, 2, 0, 0, 500_000, tzinfo=UTC)
FIRST = NOW.replace(microsecond=0)
# An answer takes this long on this line, silence that long.
ANSWER_S, SILENCE_S = 0.1, 0.2


class TimedLine:
    """A line whose requests take the time of a stepped clock."""

    cost = RequestCost.rtu(9600)

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.dead: set[int] = set()
        self.refused: dict[Block, int] = {}
        self.asked: Counter[tuple[int, Block]] = Counter()
        self.lost: list[int] = []
        self.spent_on_silence_s = 0.0
        self.order: list[tuple[datetime, str]] = []

    async def read(self, unit: int, block: Block) -> Reply:
        self.asked[unit, block] += 1
        self.order.append((self._clock.now(), f"read {unit}"))
        if unit in self.dead or unit in self.lost:
            if unit in self.lost:
                self.lost.remove(unit)
            await self._clock.sleep(SILENCE_S)
            self.spent_on_silence_s += SILENCE_S
            raise NoAnswer("no answer", again_in_s=1.0)
        await self._clock.sleep(ANSWER_S)
        if block in self.refused:
            raise Refused(self.refused[block])
        return Reply(bytes(2 * block.count), self._clock.now(), ANSWER_S)

    async def ask(self, question: Question) -> Reply:
        raise NotImplementedError

    async def read_coils(self, unit: int, coils: Coils) -> Reply:
        raise NotImplementedError

    async def write(self, unit: int, writing: Writing) -> Reply:
        self.order.append((self._clock.now(), "write"))
        await self._clock.sleep(ANSWER_S)
        return Reply(b"", self._clock.now(), ANSWER_S)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def plan(address: int) -> BlockPlan:
    return BlockPlan(Block(Table.HOLDING, address, 2), lambda raw: (), ())


def meter(unit: int, interval_s: float) -> Meter:
    return Meter(f"m{unit}", Text("", ""), Medium.ELECTRICITY, unit=unit, interval_s=interval_s)


class Worked:
    """A worker at work for some stepped minutes."""

    def __init__(self, stations: list[Station]) -> None:
        self.clock = SteppedClock(NOW)
        self.line = TimedLine(self.clock)
        self.read: list[MeterReadings] = []
        self.worker = LineWorker(
            self.line, stations, self.clock, self.read.append, lambda: None, characters=Characters(9600)
        )

    async def run(self, seconds: float) -> None:
        task = asyncio.create_task(self.worker.run())
        for _ in range(int(seconds * 10)):
            await self.clock.step(0.1)
            for _ in range(5):
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def readings(self, unit: int) -> int:
        return sum(r.meter == f"m{unit}" for r in self.read)


async def test_power_is_read_each_5_s_and_energy_each_minute_of_the_same_meter() -> None:
    quick = Round(5.0, [plan(0)], FIRST)
    worked = Worked([Station(meter(1, 60.0), [plan(100)], FIRST, [quick])])
    await worked.run(120)

    assert worked.line.asked[1, plan(0).block] in (24, 25)
    assert worked.line.asked[1, plan(100).block] in (2, 3)


async def test_the_earliest_deadline_goes_first_so_that_slow_rounds_delay_nobody() -> None:
    slow = [Station(meter(unit, 60.0), [plan(0)] * 10, FIRST) for unit in range(2, 22)]
    quick = Station(meter(1, 2.0), [plan(0)], FIRST)
    worked = Worked([*slow, quick])
    await worked.run(60)

    # The slow ones alone take 20 s; each lets the quick one before it whenever that is due.
    assert worked.readings(1) >= 28
    assert worked.worker.late_ticks == 0


async def test_silent_meters_get_a_twentieth_of_the_line_at_most() -> None:
    worked = Worked([Station(meter(unit, 5.0), [plan(0)], FIRST) for unit in range(1, 33)])
    worked.line.dead = {3, 9, 27}
    await worked.run(60)
    before_s, before = worked.line.spent_on_silence_s, worked.readings(1)
    await worked.run(300)

    assert worked.line.spent_on_silence_s - before_s <= 0.05 * 300 + SILENCE_S
    assert worked.readings(1) - before >= 58
    assert worked.readings(3) == 0


async def test_on_a_line_that_is_full_a_silent_meter_is_found_again_too() -> None:
    worked = Worked([Station(meter(unit, 1.0), [plan(0)], FIRST) for unit in range(1, 21)])
    worked.line.dead = {3}
    await worked.run(30)
    worked.line.dead = set()
    await worked.run(90)

    assert worked.worker.state.load > 1
    assert worked.readings(3) > 0


async def test_a_silent_meter_is_found_again_and_read_as_before() -> None:
    worked = Worked([Station(meter(1, 5.0), [plan(0)], FIRST), Station(meter(2, 5.0), [plan(0)], FIRST)])
    worked.line.dead = {1}
    await worked.run(60)
    worked.line.dead = set()
    await worked.run(60)
    before = worked.readings(1)
    await worked.run(60)

    assert before > 0
    assert worked.readings(1) - before == 12
    assert worked.worker.stations[0].state.state == "reporting"


async def test_one_lost_answer_is_asked_for_again_when_it_can_no_longer_come_and_told_nobody() -> None:
    worked = Worked([Station(meter(1, 5.0), [plan(0)], FIRST)])
    worked.line.lost = [1]
    await worked.run(4)

    assert worked.line.asked[1, plan(0).block] == 2
    assert worked.readings(1) == 1
    assert worked.worker.stations[0].state.state == "reporting"


async def test_a_refused_block_takes_nothing_from_the_others() -> None:
    worked = Worked([Station(meter(1, 5.0), [plan(0), plan(100), plan(200)], FIRST)])
    worked.line.refused = {plan(100).block: 2}
    await worked.run(20)

    assert worked.readings(1) >= 6
    assert worked.worker.stations[0].state.state == "reporting"


async def test_a_gateway_that_says_that_the_meter_is_silent_is_believed() -> None:
    worked = Worked([Station(meter(1, 5.0), [plan(0)], FIRST)])
    worked.line.refused = {plan(0).block: 11}
    await worked.run(20)

    assert worked.worker.stations[0].state.state == "silent"


async def test_a_line_that_cannot_keep_its_schedule_says_by_how_much_and_what_would() -> None:
    worked = Worked([Station(meter(unit, 2.0), [plan(0)], FIRST) for unit in range(1, 31)])
    await worked.run(30)
    state = worked.worker.state

    # 30 meters of 0.1 s each 2 s want 1.5 s of each second.
    assert state.load == 1.5
    assert state.late_ticks > 0


async def test_a_line_that_keeps_its_schedule_needs_less_than_the_time_there_is() -> None:
    worked = Worked([Station(meter(unit, 10.0), [plan(0)], FIRST) for unit in range(1, 31)])
    await worked.run(30)

    assert worked.worker.state.load == 0.3
    assert worked.worker.state.baud is None
    assert worked.worker.late_ticks == 0


async def test_requests_are_planned_anew_when_the_line_costs_otherwise_than_was_thought() -> None:
    made: list[RequestCost] = []

    def compiled(cost: RequestCost) -> list[BlockPlan]:
        made.append(cost)
        return [plan(0)]

    thought = RequestCost.rtu(9600, latency_s=0.2)
    station = Station(meter(1, 5.0), (), FIRST, [Round(5.0, [plan(0), plan(4)], FIRST, compiled, thought)])
    worked = Worked([station])
    await worked.run(12)

    assert made == [worked.line.cost]
    assert len(station.rounds[0].plans) == 1


async def test_a_write_is_the_next_on_a_full_line_and_nothing_comes_between_its_three_requests() -> None:
    stations = [Station(meter(unit, 1.0), [plan(0)] * 10, FIRST) for unit in range(1, 21)]
    worked = Worked(stations)
    task = asyncio.create_task(worked.run(2.0))
    setting = Setting("ct", 6, 4, "uint16", WordOrder.ABCD, Fraction(1), Decimal(0), Decimal(9))
    while worked.clock.now() < NOW + timedelta(seconds=1.0):
        await asyncio.sleep(0)
    asked_at, before = worked.clock.now(), len(worked.line.order)
    write = asyncio.create_task(worked.worker.write(Order("m99", 99, setting, Decimal(0), b"\0\0"), lambda old: None))
    await task
    outcome = await write

    behind = [what for at, what in worked.line.order[before:] if at > asked_at]
    assert behind[:3] == ["read 99", "write", "read 99"]
    assert len(behind) > 3
    assert outcome.holds


NEIGHBOURS = ("voltage_l1", "voltage_l2")


def two_rates(second: int) -> Station:
    """A meter of two registers, the first at address 0 wanted each 5 s, the second each minute."""
    parts = [Part(Table.HOLDING, address, "uint16", WordOrder.ABCD, Fraction(1)) for address in (0, second)]
    registers = tuple(Register(name, (part,)) for name, part in zip(NEIGHBOURS, parts, strict=True))
    profile = Profile("x/y", "x", "y", Medium.ELECTRICITY, ("test",), (), 125, registers)
    of = replace(meter(1, 60.0), quantities=NEIGHBOURS, rates={"voltage_l1": 5.0})
    asking = Asking(of, profile)
    rounds = [
        Round(every_s, asking.plans(names, TimedLine.cost, 0), FIRST, quantities=names) for every_s, names in of.groups
    ]
    return Station(of, (), FIRST, rounds, asking)


async def test_what_is_due_at_one_tick_is_read_by_one_request_where_that_is_cheaper_and_at_its_own_rate() -> None:
    """Neighbouring registers: their common tick costs one request, not two."""
    station = two_rates(1)
    worked = Worked([station])
    await worked.run(118)

    assert worked.line.asked == {
        (1, Block(Table.HOLDING, 0, 1)): 22,
        (1, Block(Table.HOLDING, 0, 2)): 2,
    }
    assert [sum(name in r.values for r in worked.read) for name in NEIGHBOURS] == [24, 2]
    assert worked.worker.late_ticks == 0
    # Each has its share of the common reading, none more than all of it.
    assert max(r.took_s for r in station.rounds) <= ANSWER_S + 1e-9


async def test_what_lies_far_apart_is_still_read_apart_at_one_tick() -> None:
    worked = Worked([two_rates(900)])
    await worked.run(58)

    assert set(worked.line.asked) == {(1, Block(Table.HOLDING, 0, 1)), (1, Block(Table.HOLDING, 900, 1))}


async def test_a_line_is_behind_by_what_has_waited_longest_and_never_for_a_silent_meter() -> None:
    waiting = Station(meter(1, 60.0), [plan(0)], FIRST)
    silent = Station(meter(2, 60.0), [plan(0)], FIRST - timedelta(hours=1))
    silent.patience.failures = 2
    worked = Worked([waiting, silent])

    # It was due at FIRST, half a second before the clock starts.
    assert worked.worker.behind_s == 0.5
    waiting.rounds[0].done(worked.clock.now())
    assert worked.worker.behind_s == 0.0
