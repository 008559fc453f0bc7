"""From a leak in the readings to a finding that somebody decides on, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.clocks import SteppedClock
from analytics.tariffs.tariff_file import read_tariffs
from energy.errors import EnergyError
from energy.findings import FindingKind
from energy.organisations import Account
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.series import Floats
from energy.sites import Meter, Site, Text
from gateway.findings.answers import shown
from gateway.findings.service import Findings, Reason, State
from gateway.findings.watch import FindingWatch
from gateway.ledger.books import Books
from gateway.records.changes import logged_changes
from gateway.records.database import Records, open_records
from tests.databases import new_records
from tests.gateway.ledger.books import books
from tests.working_days import CHINA

ENERGY = "active_energy_import"
# A Monday at midnight of Shanghai, in weeks without holidays.
START = datetime(2026, 6, 29, 16, tzinfo=UTC) - timedelta(days=1)
HOUR = timedelta(hours=1)
DAYS = 75
MAIN = Point("main", ENERGY)


def usual(days: int = DAYS, seed: int = 1) -> Floats:
    """An office: 10 kWh each hour by night, 30 on weekdays from 8 to 18 h, give or take a little."""
    hours = np.arange(days * 24)
    busy = (hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18)
    return np.asarray(np.where(busy, 30.0, 10.0) + np.random.default_rng(seed).normal(0, 0.4, len(hours)))


@dataclass
class Office:
    """A meter, what is stored of it, and who looks."""

    store: Any
    made: Books
    records: Records
    clock: SteppedClock
    findings: Findings
    watch: FindingWatch

    async def read(self, use: Floats, hours: range) -> None:
        """Store the registers at the ends of these hours."""
        total = 1000.0 + np.r_[0.0, np.cumsum(use)]
        at = np.array(sorted({h + d for h in hours for d in (0, 1)}))
        t_ms = to_ms(START) + at.astype(np.int64) * 3_600_000
        index = np.zeros(len(at), np.int32)
        await self.store.write(ReadingColumns.of([MAIN], index, t_ms, total[at].round(3)))
        await self.made.catch_up()

    async def at(self, hour: int) -> tuple[int, int]:
        """Look, so many hours after the start."""
        await self.clock.step((START + hour * HOUR - self.clock.now()).total_seconds())
        return await self.watch.look()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Office]:
    name = Text("甲楼", "Building A")
    meter = Meter("main", name, Medium.ELECTRICITY, quantities=(ENERGY,), account="a", interval_s=3600.0)
    accounts = (Account("a", Medium.ELECTRICITY, tariff="example-tou"),)
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=(meter,), accounts=accounts)
    tariffs = [t for t in read_tariffs(Path("config/tariffs/example-tou.yaml")) if t.id == "example-tou"]
    clock = SteppedClock(START)
    async with (
        open_records(new_records(folder / "records.sqlite")) as records,
        books(site, tariffs=tariffs) as (made, store),
    ):
        findings = Findings(records, clock, "here")
        yield Office(store, made, records, clock, findings, FindingWatch(made, findings, CHINA, clock))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as there:
        yield there


async def test_a_leak_is_found_within_two_days_with_its_excess_in_kwh_yuan_and_co2(office: Office) -> None:
    use, begins = usual(), 60 * 24
    use[begins:] += 5.0
    await office.read(use, range(begins))
    assert await office.at(begins) == (0, 0)
    await office.read(use, range(begins, begins + 48))

    assert await office.at(begins + 48) == (1, 0)
    (kept,) = await office.findings.found()
    finding, worth = kept.finding, kept.valued

    assert finding.kind is FindingKind.CONSTANT
    assert finding.ongoing
    assert abs(finding.start_ms - to_ms(START + begins * HOUR)) <= 6 * 3_600_000
    assert finding.excess == pytest.approx(5e6 * (finding.end_ms - finding.start_ms) / 3_600_000, rel=0.1)
    assert worth.cost is not None
    assert worth.cost > 0
    assert worth.co2_kg is not None
    assert worth.factor_set == office.made.factors.sets[0].id
    # An hour later it is the same event, not another one.
    await office.read(use, range(begins + 48, begins + 49))
    assert await office.at(begins + 49) == (0, 0)
    (longer,) = await office.findings.found()
    assert longer.id == kept.id
    assert longer.finding.end_ms == finding.end_ms + 3_600_000


async def test_a_quiet_meter_has_no_findings(office: Office) -> None:
    await office.read(usual(), range(DAYS * 24))

    assert await office.at(DAYS * 24) == (0, 0)


async def test_readings_that_come_late_explain_a_gap_away(office: Office) -> None:
    use, gap = usual(), range(60 * 24, 60 * 24 + 20)
    await office.read(use, range(gap.start))
    await office.at(gap.stop)
    (missing,) = await office.findings.found()
    assert missing.finding.kind is FindingKind.MISSING

    await office.read(use, gap)
    await office.at(gap.stop)

    (gone,) = await office.findings.found()
    assert (gone.id, gone.state) == (missing.id, State.GONE)


async def test_what_was_decided_stays_decided_and_teaches_the_meter(office: Office) -> None:
    use = usual()
    use[60 * 24 : 60 * 24 + 36] += 4.5
    use[67 * 24 : 67 * 24 + 36] += 4.5
    await office.read(use, range(62 * 24))
    await office.at(62 * 24)
    (first,) = await office.findings.found()

    await office.findings.decide(first.id, State.DISMISSED, "office", "a fair in the hall", Reason.KNOWN)
    await office.read(use, range(62 * 24, 70 * 24))
    await office.at(70 * 24)

    assert [(k.id, k.state) for k in await office.findings.found()] == [(first.id, State.DISMISSED)]
    logged = await logged_changes(office.records, kinds=["finding"])
    assert [c.change.after for c in logged] == [{"state": "dismissed", "reason": "known"}]
    with pytest.raises(EnergyError, match="has a reason"):
        await office.findings.decide(first.id, State.DISMISSED, "office")


async def test_the_curve_of_a_finding_shows_what_was_expected(office: Office) -> None:
    use, begins = usual(), 60 * 24
    use[begins:] += 5.0
    await office.read(use, range(begins + 48))
    await office.at(begins + 48)
    (kept,) = await office.findings.found()

    curve = (await shown(kept, office.made, CHINA, office.clock)).curve

    at = curve.at.index(to_ms(START + (begins + 10) * HOUR))
    used, expected, high = curve.used[at], curve.expected[at], curve.high[at]
    assert used is not None
    assert expected is not None
    assert high is not None
    assert used - expected == pytest.approx(5, abs=1.5)
    assert expected < high < used
