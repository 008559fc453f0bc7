"""Findings and quotas ring as alarms: once each, with what they cost, and until they are over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from adapters.clocks import SteppedClock
from analytics.alarms.life import State as Life
from analytics.alarms.life import StepKind
from analytics.alarms.rules import Level
from analytics.quotas.pace import Bound, Mark
from energy.findings import Finding, FindingKind
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point, to_ms
from energy.sites import Text
from gateway.alerts.alarm import Alarm, Member, Raised
from gateway.alerts.opening import open_alerts
from gateway.alerts.service import Alarms
from gateway.alerts.told_by_others import ToldByOthers
from gateway.alerts.words import AlarmWords, FlowedWords
from gateway.findings.kept import State
from gateway.findings.looks import Look
from gateway.findings.service import Findings
from gateway.findings.worth import Valued
from gateway.quotas.books import QuotaBooks, quota_books
from gateway.records.database import open_records
from gateway.records.entries import Entry
from tests.databases import new_records
from tests.gateway.ledger.books import books
from tests.gateway.ledger.sites import ENERGY, meter, organisation, site

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
BEGAN = to_ms(NOW - timedelta(hours=6))
# 12.5 kWh more than expected, at 0.8 yuan.
FOUND = Finding(
    Point("hall", ENERGY), FindingKind.NIGHT, BEGAN, to_ms(NOW), True, 3.0, 2.0, 12_500_000, 20 * 10**6, 7_500_000
)


@dataclass
class Desk:
    alarms: Alarms
    findings: Findings
    quotas: QuotaBooks
    others: ToldByOthers
    clock: SteppedClock

    async def found(self, *findings: Finding, quiet: int = 0) -> None:
        await self.findings.take(
            Look([Valued(one, 10_000_000, "flat") for one in findings], BEGAN - 1, "by hand", {FOUND.point: quiet})
        )

    async def look(self) -> list[Alarm]:
        await self.others.look()
        return await self.alarms.alarms()


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    clock = SteppedClock(NOW)
    here = site(meter("hall"), organisations=[organisation("school")])
    async with open_records(new_records(folder / "records.sqlite")) as records, books(here) as (kept, _):
        alerts = open_alerts(records, clock, lambda: here, bytes(32), channels={"log": "log"})
        findings, quotas = Findings(records, clock, here.id), quota_books(records, clock, kept)
        yield Desk(alerts.alarms, findings, quotas, ToldByOthers(alerts.alarms, findings, quotas, kept, clock), clock)


async def test_a_finding_that_goes_on_rings_once_with_its_kilowatt_hours_and_yuan(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        await there.found(FOUND)
        await there.look()
        [alarm] = await there.look()

    assert (alarm.raised.kind, alarm.raised.subject, alarm.life.level) == ("finding", "hall", Level.WARNING)
    assert alarm.raised.figures == {"amount": "12.50", "unit": "kWh", "since": BEGAN, "yuan": "10.00"}
    assert AlarmWords.of(alarm).flowed == FlowedWords(12.5, "kWh", BEGAN, yuan="10.00")
    assert "夜间" in alarm.raised.title.zh


async def test_it_recovers_when_the_finding_ends_and_does_not_ring_again_after_it_was_closed(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        await there.found(FOUND)
        [alarm] = await there.look()
        await there.alarms.acknowledge(alarm.id, "li", "page")
        await there.alarms.close(alarm.id, "li", "page")
        assert len(await there.look()) == 1
        await there.found(replace(FOUND, ongoing=False), quiet=to_ms(NOW))
        await there.look()
        again = await there.look()

    assert [one.id for one in again] == [alarm.id]


async def test_who_dismisses_a_finding_ends_its_alarm(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        await there.found(FOUND)
        await there.look()
        [kept] = await there.findings.found()
        await there.findings.decide(kept.id, State.CONFIRMED, "li", "the lights of the hall")
        [alarm] = await there.look()

    assert alarm.life.recovered_ms is not None
    assert alarm.life.state is not Life.CLOSED


async def test_what_is_of_the_data_or_long_ago_does_not_ring(tmp_path: Path) -> None:
    long_ago = replace(FOUND, start_ms=BEGAN - 9 * 86_400_000, end_ms=BEGAN - 8 * 86_400_000)
    async with desk(tmp_path) as there:
        await there.found(replace(FOUND, kind=FindingKind.STUCK, excess=None), long_ago)

        assert await there.look() == []


YEAR = Quota(
    "organisation/school", QuotaOf.ELECTRICITY, 2026, Decimal(100_000), Method.SELF_SET, "letter", date(2026, 1, 2)
)


@dataclass
class Office:
    """A quota of a desk, and what is crossed of it."""

    there: Desk
    entry: Entry[Quota]

    @classmethod
    async def of(cls, there: Desk) -> Office:
        entries = there.quotas.entries
        return cls(there, await entries.entry((await entries.add([YEAR], "li")).ids[0]))

    async def crossed(self, *new: Mark, over: Sequence[Mark] = ()) -> list[Alarm]:
        """An hour later; and what rings then."""
        await self.there.clock.step(3600)
        told = [(mark, mark[1] + 0.01, Text(f"{mark[0]} {mark[1]:.0%}", f"{mark[0]} {mark[1]:.0%}")) for mark in new]
        await self.there.quotas.crossings.tell(self.entry, told, over)
        return await self.there.look()


def steps_of(alarm: Alarm) -> list[str]:
    return [member.name for member in alarm.members if member.until_ms is None]


async def test_a_quota_rings_with_the_gravest_of_what_it_crossed_and_recovers_when_the_year_falls_back(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as there:
        office = await Office.of(there)
        [alarm] = await office.crossed((Bound.PACE, 0.8), (Bound.PACE, 0.9), (Bound.PACE, 1.0))
        assert (alarm.raised.detail.en, alarm.life.level) == ("pace 100%", Level.WARNING)
        assert (alarm.raised.value, alarm.raised.beyond, alarm.raised.unit) == (101.0, 100.0, "%")

        [alarm] = await office.crossed(over=[(Bound.PACE, 1.0)])

    # That it stays above nine tenths is no news.
    assert alarm.life.recovered_ms is not None
    assert alarm.life.round == 1


async def test_a_graver_step_rings_again_in_the_same_alarm_and_a_lesser_one_does_not(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        office = await Office.of(there)
        [first] = await office.crossed((Bound.PACE, 0.8))
        await there.alarms.acknowledge(first.id, "li", "page")
        [again] = await office.crossed((Bound.PACE, 0.9))
        assert (again.id, again.life.round, again.life.state) == (first.id, 2, Life.RAISED)
        assert (again.raised.detail.en, again.acknowledged_by, len(steps_of(again))) == ("pace 90%", None, 1)

        [graver] = await office.crossed((Bound.CHANCE, 0.8))
        [same] = await office.crossed((Bound.PACE, 1.0), (Bound.YEAR, 0.8))
        steps = [(s.kind, s.note) for s in await there.alarms.steps(first.id) if s.kind != StepKind.NOBODY]

    assert (graver.raised.detail.en, graver.life.level, graver.life.round) == ("chance 80%", Level.WARNING, 3)
    assert same == graver
    assert steps == [("raised", "quota"), ("acknowledged", ""), ("worse", "90 %"), ("worse", "80 %")]


async def test_what_was_over_and_is_crossed_again_rings_anew_and_a_closed_alarm_is_followed_by_another(
    tmp_path: Path,
) -> None:
    pace, whole = (Bound.PACE, 0.8), (Bound.PACE, 1.0)
    async with desk(tmp_path) as there:
        office = await Office.of(there)
        [alarm] = await office.crossed(pace, whole)
        await office.crossed(over=[pace, whole])
        [lower] = await office.crossed(pace)
        assert (lower.id, lower.raised.detail.en, lower.life.round) == (alarm.id, "pace 80%", 2)
        assert (lower.life.level, lower.life.recovered_ms) == (Level.NOTICE, None)

        await there.alarms.acknowledge(alarm.id, "li", "page")
        await there.alarms.close(alarm.id, "li", "page")
        assert len(await there.look()) == 1
        newest, closed = await office.crossed(whole)

    assert (newest.raised.detail.en, closed.id) == ("pace 100%", alarm.id)


async def test_a_later_letter_for_the_same_year_goes_on_in_the_same_alarm(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        office = await Office.of(there)
        [alarm] = await office.crossed((Bound.PACE, 1.0))
        entries = there.quotas.entries
        ids = (await entries.add([replace(YEAR, dated=date(2026, 2, 2), amount=Decimal(120_000))], "li")).ids
        await there.quotas.crossings.end([office.entry.id])
        [later] = await Office(there, await entries.entry(ids[0])).crossed((Bound.PACE, 0.9))

    assert (later.id, later.raised.detail.en, later.life.round) == (alarm.id, "pace 90%", 2)


async def test_alarms_of_each_bound_from_before_become_one_without_a_sound(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        office = await Office.of(there)
        marks = (Bound.PACE, 0.8), (Bound.PACE, 0.9), (Bound.PACE, 1.0)
        told = [(mark, mark[1], Text(f"{mark[1]:.0%}", f"{mark[1]:.0%}")) for mark in marks]
        kept = await there.quotas.crossings.tell(office.entry, told, [])
        former = [
            Raised(f"quota/{one.id}", "quota", level, one.of, one.text, one.raised_at_ms, (Member(one.of, 0),))
            for one, level in zip(kept, (Level.NOTICE, Level.NOTICE, Level.WARNING), strict=True)
        ]
        ids = await there.alarms.raise_all(former)
        await there.alarms.acknowledge(ids[2], "li", "page")
        await there.look()
        after = {alarm.id: alarm for alarm in await there.look()}

        assert sorted(after) == ids
        assert [after[i].life.state for i in ids] == [Life.CLOSED, Life.CLOSED, Life.ACKNOWLEDGED]
        assert steps_of(after[ids[2]]) == [f"crossing/{kept[2].id}"]
        # From now on it goes on as others do.
        whole = await office.crossed((Bound.YEAR, 1.0))
        assert [(a.id, a.life.round) for a in whole if a.life.closed_ms is None] == [(ids[2], 2)]


async def test_an_alarm_tells_what_its_finding_came_to_until_it_ended(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        await there.found(FOUND)
        await there.look()
        await there.found(replace(FOUND, end_ms=to_ms(NOW) - 1, ongoing=False, excess=14_000_000), quiet=to_ms(NOW))
        await there.look()
        [alarm] = await there.look()
        [kept] = await there.findings.found()

    assert kept.state is State.ENDED
    assert alarm.life.recovered_ms is not None
    assert alarm.raised.figures == {"amount": "14.00", "unit": "kWh", "since": BEGAN, "yuan": "10.00"}


async def test_a_pause_of_hours_is_not_the_end_of_an_alarm(tmp_path: Path) -> None:
    async with desk(tmp_path) as there:
        await there.found(FOUND)
        await there.look()
        await there.found(replace(FOUND, ongoing=False))
        [alarm] = await there.look()

    assert alarm.life.recovered_ms is None
