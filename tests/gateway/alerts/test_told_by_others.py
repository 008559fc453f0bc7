"""Findings and quotas ring as alarms: once each, with what they cost, and until they are over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from adapters.clocks import SteppedClock
from analytics.alarms.life import State as Life
from analytics.alarms.rules import Level
from analytics.quotas.pace import Bound
from energy.findings import Finding, FindingKind
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point, to_ms
from energy.sites import Text
from gateway.alerts.alarm import Alarm
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

    async def found(self, *findings: Finding) -> None:
        await self.findings.take(Look([Valued(one, 10_000_000, "flat") for one in findings], BEGAN - 1, "by hand"))

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
        yield Desk(alerts.alarms, findings, quotas, ToldByOthers(alerts.alarms, findings, quotas, kept, clock))


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
        await there.found(replace(FOUND, point=Point("hall", ENERGY), ongoing=False))
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


async def test_a_quota_rings_with_the_gravest_of_what_it_crossed_and_recovers_when_the_year_falls_back(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as there:
        amount = Decimal(100_000)
        quota = Quota(
            "organisation/school", QuotaOf.ELECTRICITY, 2026, amount, Method.SELF_SET, "letter", date(2026, 1, 2)
        )
        entries = there.quotas.entries
        entry = await entries.entry((await entries.add([quota], "li")).ids[0])
        marks = [((Bound.PACE, share), share, Text(f"{share:.0%}", f"{share:.0%}")) for share in (0.8, 0.9, 1.0)]
        await there.quotas.crossings.tell(entry, marks, [])
        [alarm] = await there.look()
        assert (alarm.raised.detail.en, alarm.life.level) == ("100%", Level.WARNING)

        await there.quotas.crossings.tell(entry, [], [(Bound.PACE, 1.0)])
        [alarm] = await there.look()

    # That it stays above nine tenths is no news.
    assert alarm.life.recovered_ms is not None
