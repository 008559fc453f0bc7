"""A desk takes over from another one: nothing that came meanwhile is missed, and nothing rings twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from energy.readings import Point, ReadingColumns, to_ms
from gateway.alerts.desk import Desk
from tests.gateway.alerts.house import House, house
from tests.gateway.ledger.books import columns

BURST, QUIET = 9.2, 0.3
MAIN = Point("main", "flow_rate")


class Taken:
    """Desks of several processes, of which one is at work at a time; others take the readings."""

    def __init__(self, there: House) -> None:
        self.there = there
        self.desk: Desk | None = None

    async def begins(self) -> None:
        """Another process holds the desk from now on."""
        there = self.there
        of = (there.alerts.alarms, there.alerts.rules, there.alerts.duty, there.books)
        self.desk = Desk(*of, there.store, there.edges, there.clock, several=True)
        await self.ticks()

    async def ticks(self) -> None:
        if self.desk is not None:
            await self.desk.tick()
        await self.there.sender.flush()

    def dies(self) -> None:
        self.desk = None

    async def minutes(self, count: int, value: float) -> None:
        """So many minutes with a reading in each, taken by another process; the desk is told, if there is one."""
        for _ in range(count):
            await self.there.clock.step(60)
            read = columns({self.there.clock.now(): value}, MAIN)
            await self.there.store.write(read)
            if self.desk is not None:
                self.desk.take(read)
            await self.ticks()

    async def causes(self) -> list[str]:
        return [alarm.raised.cause for alarm in await self.there.alerts.alarms.alarms()]


async def test_what_came_while_nobody_watched_rings_as_if_somebody_had(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.begins()
        await taken.minutes(5, QUIET)
        await taken.minutes(4, BURST)
        taken.dies()
        # It bursts for ten minutes, and is over long before anybody looks again.
        await taken.minutes(9, BURST)
        await taken.minutes(90, QUIET)
        assert await taken.causes() == []
        await taken.begins()

        [alarm] = await there.alerts.alarms.alarms()
        assert alarm.raised.crossed_ms == to_ms(there.clock.now() - timedelta(minutes=102))
        assert alarm.life.recovered_ms is not None


async def test_what_rang_and_was_over_does_not_ring_again(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.begins()
        await taken.minutes(14, BURST)
        await taken.minutes(2, QUIET)
        [alarm] = await there.alerts.alarms.alarms()
        await there.alerts.alarms.close(alarm.id, "li", "page", "done")
        told = list(there.phones.told)
        for _ in range(3):
            await taken.begins()
            await taken.minutes(1, QUIET)

        assert await taken.causes() == ["night_flow/main"]
        assert there.phones.told == told


async def test_what_is_still_there_and_was_closed_by_somebody_does_not_ring_again_before_it_was_over(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.begins()
        await taken.minutes(12, BURST)
        [alarm] = await there.alerts.alarms.alarms()
        await there.alerts.alarms.acknowledge(alarm.id, "li", "page")
        await there.alerts.alarms.close(alarm.id, "li", "page", "known")
        await taken.begins()
        await taken.minutes(5, BURST)
        assert await taken.causes() == ["night_flow/main"]

        await taken.minutes(2, QUIET)
        await taken.begins()
        await taken.minutes(12, BURST)
        assert await taken.causes() == ["night_flow/main"] * 2


async def test_readings_that_come_while_it_looks_through_what_came_before_are_taken_after_that(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.minutes(9, BURST)
        learnt = there.store.learn

        async def learn(meters: list[str]) -> None:
            assert taken.desk is not None
            await there.clock.step(60)
            # Told, and not to be found in the store yet.
            taken.desk.take(columns({there.clock.now(): BURST}, MAIN))
            await learnt(meters)

        there.store.learn = learn
        await taken.minutes(1, BURST)
        of = (there.alerts.alarms, there.alerts.rules, there.alerts.duty, there.books)
        taken.desk = Desk(*of, there.store, there.edges, there.clock, several=True)
        taken.desk._at_work = True
        await taken.ticks()

        [alarm] = await there.alerts.alarms.alarms()
        assert alarm.raised.crossed_ms == to_ms(there.clock.now()) - 600_000


async def test_a_meter_that_falls_silent_is_told_of_in_its_time_though_desks_come_and_go(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.begins()
        await taken.minutes(2, QUIET)
        for _ in range(12):
            await there.clock.step(30)
            await taken.begins()

        # Five minutes and a little after its last reading, not after the last desk began.
        [alarm] = await there.alerts.alarms.alarms()
        assert alarm.raised.subject == "main"
        assert alarm.life.opened_ms - to_ms(there.clock.now()) >= -60_000


async def test_after_the_bus_was_lost_what_was_stored_meanwhile_is_looked_through(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        taken = Taken(there)
        await taken.begins()
        assert taken.desk is not None
        desk, hears = taken.desk, True
        desk.hears = lambda: hears
        desk._at_work = True
        await taken.minutes(2, QUIET)
        hears, taken.desk = False, None
        for value in (BURST, QUIET):
            for _ in range(30):
                await taken.minutes(1, value)
                await desk.tick()
        assert "night_flow/main" not in await taken.causes()
        hears = True
        desk.heard_again()
        await desk.tick()

        assert "night_flow/main" in await taken.causes()


@pytest.mark.parametrize("again", [False, True], ids=["the same desk", "another desk"])
async def test_a_night_is_looked_at_once_whoever_looks(tmp_path: Path, again: bool) -> None:
    rule = """
rules:
  - id: leak
    kind: night_minimum
    name: {zh: 夜间最小流量, en: Night minimum}
    every: volume
    night: 01:00-05:00
    above: 0.5 m3
    level: notice
"""
    begin = datetime.fromisoformat("2026-03-10T00:00:00+08:00")
    hours = [begin + timedelta(minutes=15 * i) for i in range(4 * 7)]
    async with house(tmp_path, begin=begin) as there:
        await there.alerts.rules.save(rule, "officer")
        rows = ReadingColumns.of(
            [Point("main", "volume")], [0] * len(hours), [to_ms(at) for at in hours], [100.0 + i for i in range(28)]
        )
        await there.store.write(rows)
        await there.books.catch_up()
        await there.clock.step(7 * 3600)
        taken = Taken(there)
        await taken.begins()
        [alarm] = await there.alerts.alarms.alarms()
        await there.alerts.alarms.acknowledge(alarm.id, "li", "page")
        await there.alerts.alarms.close(alarm.id, "li", "page", "known")
        await there.clock.step(1200)
        await (taken.begins() if again else taken.ticks())

        assert await taken.causes() == [alarm.raised.cause]
