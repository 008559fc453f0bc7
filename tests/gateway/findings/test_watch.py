"""From a leak in the readings to a finding that somebody decides on, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.clocks import SteppedClock
from analytics.anomalies.replay import METHOD
from analytics.tariffs.tariff_file import read_tariffs
from energy.errors import EnergyError
from energy.findings import Finding, FindingKind
from energy.organisations import Account
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.series import Floats
from energy.sites import Meter, Site, Text
from gateway.findings import answers
from gateway.findings.answers import shown
from gateway.findings.kept import Reason, State
from gateway.findings.looks import Look
from gateway.findings.service import Findings
from gateway.findings.watch import FindingWatch
from gateway.findings.worth import Valued
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
OTHER = Meter("other", Text("其他", "other"), Medium.ELECTRICITY, quantities=(ENERGY,))


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

    async def read(self, use: Floats, hours: Iterable[int]) -> None:
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

    def taken_over(self) -> None:
        """Another process looks from now on."""
        self.watch = FindingWatch(self.made, self.findings, CHINA, self.clock)

    async def undecided(self) -> list[tuple[State, Finding]]:
        return [(k.state, k.finding) for k in await self.findings.found(states=[State.OPEN, State.ENDED])]


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


@pytest.mark.parametrize("seed", range(2))
async def test_however_readings_come_and_whoever_looks_the_findings_are_those_of_one_look(
    tmp_path: Path, seed: int
) -> None:
    random, use, begins, ends = np.random.default_rng(seed), usual(seed=seed), 60 * 24, 66 * 24
    for start in random.integers(begins, ends - 60, 3).tolist():
        use[start : start + int(random.integers(5, 50))] *= random.choice([0.0, 1.4, 3.0])
    held = sorted({range(h, h + 9) for h in random.integers(begins, ends - 60, 4).tolist()}, key=lambda r: r.start)
    late = {h for hours in held for h in hours}
    never = range(ends - 40, ends - 20)
    async with opened(tmp_path / "late") as office, opened(tmp_path / "whole") as whole:
        await office.read(use, range(begins - 1))
        for hour in range(begins, ends, 29):
            await office.read(use, set(range(hour - 1, min(hour + 28, ends))) - late - set(never))
            if random.random() < 0.4:
                office.taken_over()
            if random.random() < 0.3 and held:
                await office.read(use, held.pop(int(random.integers(len(held)))))
            await office.at(hour + 28)
        for hours in held:
            await office.read(use, hours)
        await office.read(use, range(ends - 1, ends + 25))
        # What was late is learnt from on the next day.
        await office.at(ends + 25)

        for hours in (range(never.start), range(never.stop, ends + 25)):
            await whole.read(use, hours)
        await whole.at(ends + 25)

        assert await office.undecided() == await whole.undecided()
        assert len(await whole.undecided()) >= 1


async def test_what_was_learnt_is_kept_and_learnt_anew_each_day(office: Office) -> None:
    use = usual()
    await office.read(use, range(60 * 24))
    await office.at(60 * 24 - 1)
    (first,) = (await office.findings.learnt(METHOD).all()).values()
    office.taken_over()
    await office.read(use, range(60 * 24, 62 * 24))
    await office.at(60 * 24 + 1)
    (then,) = (await office.findings.learnt(METHOD).all()).values()

    assert first.upto_ms == to_ms(START + 59 * 24 * HOUR)
    assert then.upto_ms == to_ms(START + 60 * 24 * HOUR)
    # Not within a day, whatever comes, and whoever looks.
    office.taken_over()
    await office.at(60 * 24 + 22)
    assert list((await office.findings.learnt(METHOD).all()).values()) == [then]
    # What another method has learnt is not believed.
    assert await office.findings.learnt("profile-1").all() == {}


async def test_what_can_no_longer_be_seen_whole_stays_as_it_was_told(office: Office) -> None:
    use = usual()
    use[40 * 24 : 40 * 24 + 30] += 8.0
    await office.read(use, range(43 * 24))
    await office.at(43 * 24)
    told = await office.findings.found()
    assert len(told) == 1

    await office.read(use, range(43 * 24, DAYS * 24))
    for hour in (70 * 24 + 30, 71 * 24 + 20, 73 * 24):
        await office.at(hour)

    assert [(k.id, k.state, k.finding) for k in await office.findings.found()] == [
        (k.id, State.ENDED, k.finding) for k in told
    ]


async def test_a_finding_of_which_a_day_was_measured_as_usual_has_ended_with_its_end_and_its_cost(
    office: Office,
) -> None:
    use, begins = usual(), 60 * 24
    use[begins : begins + 30] += 8.0
    await office.read(use, range(begins + 30))
    await office.at(begins + 30)
    (open_one,) = await office.findings.found()
    assert (open_one.state, open_one.finding.ongoing) == (State.OPEN, True)

    # It is quiet, but not for long enough; and an hour that nobody measured is not one of them.
    await office.read(use, range(begins + 30, begins + 52))
    await office.at(begins + 53)
    (paused,) = await office.findings.found()
    assert (paused.state, paused.finding.ongoing) == (State.OPEN, False)
    over = (paused.finding.end_ms - to_ms(START)) // 3_600_000
    await office.read(use, range(begins + 54, over + 26))
    await office.at(over + 25)
    assert [k.state for k in await office.findings.found()] == [State.OPEN]
    await office.at(over + 26)
    (ended,) = await office.findings.found()

    assert ended.state is State.ENDED
    assert ended.finding.end_ms == paused.finding.end_ms
    assert ended.finding.excess == pytest.approx(240e6, rel=0.1)
    assert ended.valued.cost is not None
    assert answers.words(office.made, ended).ended == "normal"
    # Somebody may still take it up.
    confirmed = await office.findings.decide(ended.id, State.CONFIRMED, "office", "the fair")
    await office.at(over + 27)
    assert [k.state for k in await office.findings.found()] == [confirmed.state]
    with pytest.raises(EnergyError, match="ends by itself"):
        await office.findings.decide(ended.id, State.ENDED, "office")


async def test_a_finding_longer_than_can_be_seen_keeps_its_beginning_and_adds_up_what_it_costs(office: Office) -> None:
    use, begins, told = usual(), 60 * 24, 60 * 24 + 12
    use[begins:] += 8.0
    await office.read(use, range(begins + 36))
    # Told when all of it could be seen: 40 days and a half, of which 400 kWh were too much and cost 300 yuan.
    at = to_ms(START + 20 * 24 * HOUR), to_ms(START + told * HOUR)
    begun = Finding(MAIN, FindingKind.CONSTANT, *at, True, 3.0, 2.0, 400_000_000, 900_000_000, 500_000_000)
    before = Valued(begun, 300_000_000, "flat", Decimal(100), "set")
    await office.findings.take(Look([before], at[0], METHOD))

    for hour in (begins + 30, begins + 36, begins + 36):
        await office.at(hour)
    (kept,) = await office.findings.found()
    finding, worth = kept.finding, kept.valued

    assert (finding.start_ms, finding.end_ms, finding.ongoing) == (at[0], to_ms(START + (begins + 36) * HOUR), True)
    # Each hour is in it once.
    assert finding.used == pytest.approx(900e6 + use[told : begins + 36].sum() * 1e6, abs=2_000)
    assert finding.excess == pytest.approx(400e6 + 24 * 8e6, rel=0.02)
    assert worth.cost is not None
    assert worth.cost > 300_000_000
    assert worth.co2_kg is not None
    assert worth.co2_kg > 100


async def test_findings_of_a_meter_that_the_site_no_longer_has_end_with_it(office: Office) -> None:
    use = usual()
    await office.read(use, range(20 * 24))
    await office.at(20 * 24 + 20)
    assert [(state, f.kind) for state, f in await office.undecided()] == [(State.OPEN, FindingKind.MISSING)]
    # However long ago it began.
    await office.at(60 * 24)

    office.made.take(replace(office.made.told, site=replace(office.made.told.site, meters=(OTHER,))))
    assert await office.watch.look() == (0, 0)
    (kept,) = await office.findings.found()

    assert (kept.state, kept.finding.ongoing) == (State.ENDED, False)
    assert answers.words(office.made, kept).ended == "removed"


async def test_nothing_is_missing_of_a_meter_from_the_day_on_which_it_was_taken_away(office: Office) -> None:
    site = office.made.told.site
    use, last = usual(), (START + 60 * 24 * HOUR).astimezone(site.zone_info)
    await office.read(use, range(59 * 24))
    taken = replace(site.meters[0], removed_on=last.date())
    office.made.take(replace(office.made.told, site=replace(site, meters=(taken,))))
    await office.at(65 * 24)
    (kept,) = await office.findings.found()

    assert (kept.state, kept.finding.kind) == (State.ENDED, FindingKind.MISSING)
    assert (kept.finding.end_ms, kept.finding.ongoing) == (to_ms(last), False)
    assert answers.words(office.made, kept).ended == "removed"
    # Weeks later it is the same.
    await office.at(DAYS * 24 + 30 * 24)
    assert [(k.id, k.state) for k in await office.findings.found()] == [(kept.id, State.ENDED)]


async def test_counters_learn_once_a_day_at_hours_of_their_own(tmp_path: Path) -> None:
    media = {"a": (Medium.ELECTRICITY, ENERGY), "b": (Medium.WATER, "volume")}
    name = Text("表", "meter")
    meters = tuple(Meter(key, name, medium, quantities=(of,)) for key, (medium, of) in media.items())
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=meters)
    clock = SteppedClock(START + 20 * 24 * HOUR)
    points = [Point(key, of) for key, (_, of) in media.items()]
    async with (
        open_records(new_records(tmp_path / "records.sqlite")) as records,
        books(site) as (made, store),
    ):
        at = np.full(2, to_ms(START), np.int64)
        await store.write(ReadingColumns.of(points, np.arange(2, dtype=np.int32), at, np.ones(2)))
        await made.catch_up()
        findings = Findings(records, clock, "here")
        watch = FindingWatch(made, findings, CHINA, clock)
        learnt_in: dict[Point, list[int]] = {p: [] for p in points}
        before: dict[Point, int] = {}
        for hour in (23, 24, 36):
            await clock.step((START + (20 * 24 + hour) * HOUR - clock.now()).total_seconds())
            await watch.look()
            for point, known in (await findings.learnt(METHOD).all()).items():
                if before.get(point) != known.upto_ms:
                    learnt_in[point].append(hour % 24)
                before[point] = known.upto_ms

    assert sorted(learnt_in.values()) == [[23, 0], [23, 12]]


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
