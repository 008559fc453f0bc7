"""The story of the demo, on a campus of four meters: entered once, right on any day of any year."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from adapters.clocks import SteppedClock
from analytics.contracts.standing import StatementState
from analytics.reporting.filing_states import State as FilingState
from collectors.simulators.fleet import Fleet
from energy.errors import ConfigurationError
from energy.findings import FindingKind
from energy.readings import Point, to_ms
from gateway.findings.kept import State as FindingState
from gateway.findings.service import Findings
from jieneng.campus import open_campus
from jieneng.composition import load_installed
from jieneng.demo import give_alarms, give_past, give_tariffs
from jieneng.settings import Settings
from jieneng.shipped import calendar, shipped
from jieneng.story.days import StoryDays
from jieneng.story.office import Office, open_office
from jieneng.story.telling import StoryFile, begin, let_it_have_happened, tell
from jieneng.story.words import StoryWords, read_story

ZONE = ZoneInfo("Asia/Shanghai")
PAST_DAYS = 400
_SITE = """
site: hamlet
name: {zh: 小院, en: Hamlet}
zone: Asia/Shanghai
organisations:
  - {id: district, name: {zh: 区, en: District}, kind: region}
  - {id: hall, name: {zh: 机关, en: Hall}, parent: district, class: "01"}
facts:
  - {organisation: hall, fact: area_m2, value: 5000, source: plan}
  - {organisation: hall, fact: people, value: 200, source: list}
accounts:
  - {id: power, medium: electricity, organisation: hall, tariff: example-tou}
  - {id: tap, medium: water, organisation: hall, tariff: example-water}
places: [{id: house, name: {zh: 楼, en: House}}]
lines: [{id: line, address: "tcp://127.0.0.1:15911"}]
meters:
  - {id: main, name: {zh: 总表, en: Main}, medium: electricity, place: house, line: line, unit: 1, organisation: hall,
     account: power, profile: schneider/iem3155, every: 15s, read: [active_power, active_energy_import]}
  - {id: light, name: {zh: 照明, en: Light}, medium: electricity, place: house, line: line, unit: 2, parent: main,
     profile: eastron/sdm630, every: 15s, read: [active_power, active_energy_import]}
  - {id: pump, name: {zh: 水泵, en: Pump}, medium: electricity, place: house, line: line, unit: 3, parent: main,
     profile: eastron/sdm630, every: 15s, read: [active_power, active_energy_import]}
  - {id: water, name: {zh: 用水, en: Water}, medium: water, place: house, line: line, unit: 4, organisation: hall,
     account: tap, profile: xintai/electronic-water, every: 15s, read: [flow_rate, volume]}
"""
_CAMPUS = """
origin: 2024-01-01
seed: 5
kinds:
  office:
    workday: [[6, 0.05], [9, 1], [12, 0.8], [14, 1], [18, 0.3], [22, 0.05]]
    weekend: [[0, 0.05]]
loads:
  main: {kind: office, base: 1, presence: 3}
  light: {kind: office, base: 2, presence: 20}
  pump: {kind: office, base: 4, presence: 3}
  water: {kind: office, base: 0.5, presence: 1}
faults:
  - {id: lights, kind: lights_left_on, meter: light, share: 0.8, zh: 灯, en: Lights}
  - {id: crack, kind: leak, meter: water, flow: 1, zh: 漏, en: Crack}
  - {id: mute, kind: silent, meter: pump, zh: 哑, en: Mute}
  - {id: lamps, kind: changed, meter: light, times: 0.5, zh: 灯具, en: Lamps}
  - {id: growth, kind: changed, meter: pump, times: 3, zh: 增, en: Growth}
  - {id: swap, kind: exchanged, meter: pump, zh: 换, en: Swap}
  - {id: burst, kind: leak, meter: water, flow: 5, zh: 爆, en: Burst}
"""
_STORY = """
leak: burst
past:
  - {fault: lights, during: holiday}
  - {fault: crack, days_ago: 20, at: "21:00", hours: 100}
  - {fault: mute, days_ago: 12, at: "06:00", hours: 48}
  - {fault: swap, days_ago: 50, at: "10:20"}
  - {fault: growth, days_ago: 150}
  - {fault: lamps, during: contract}
exchanges: [{fault: swap, who: fitter}]
confirmed: [{fault: crack, who: plumber, why: mended}]
quotas: [{organisation: hall, of: electricity, rate: "0.02", document: "letter 2 of $year", who: officer}]
contract:
  id: lamps
  who: officer
  document: |
    contracts:
    - id: lamps
      number: HT-$year-1
      name: {zh: 照明, en: Lamps}
      client: {name: 甲, tax_id: 121100004000000014}
      esco: {name: 乙, tax_id: 91110105MA00000012}
      signed_on: $signed
      from: $start
      to: $end
      station: here
      holidays: [$holidays]
      workdays: [$workdays]
      missing_days: leave_out
      boundary: [{point: "light:active_energy_import"}]
      clauses:
      - {id: savings, kind: shared_savings, name: {zh: 分享, en: Share}, price: {agreed: [{from: $start, price: 0.8}]},
         tax: {rate_percent: 6, included: true}, stages: [{share_percent: 80}]}
  statements:
    - {who: officer, steps: [{party: esco, step: confirmed, who: esco}, {party: client, step: confirmed, who: officer}]}
    - {who: officer, steps: [{party: client, step: disputed, who: officer, why: it stood empty}]}
stock:
  - {organisation: hall, fuel: petrol, kind: count, months_ago: 2, quantity: 50, unit: L, who: clerk}
  - {organisation: hall, fuel: petrol, kind: purchase, months_ago: 1, day: 9, quantity: 100, unit: L, amount: "800.00",
     who: clerk}
filings:
  - {organisation: hall, months_ago: 2, reason: seen, steps: [{step: submit, who: clerk}, {step: accept, who: officer}]}
  - {organisation: hall, reason: seen,
     steps: [{step: submit, who: clerk}, {step: return, who: officer, why: petrol is wanting}]}
"""
# Without what makes findings, which take their time.
_FAULTLESS = "\n".join(
    line for line in _STORY.splitlines() if not any(f"fault: {name}," in line for name in ("lights", "crack", "mute"))
)
NOVEMBER, NEW_YEAR, LEAP_DAY, NATIONAL_DAY = (
    datetime(2026, 11, 21, 15, tzinfo=ZONE),
    datetime(2027, 1, 1, 0, 10, tzinfo=ZONE),
    datetime(2028, 2, 29, 9, tzinfo=ZONE),
    datetime(2026, 10, 1, 12, tzinfo=ZONE),
)


class _Quiet:
    """Tells nobody how far it has come; `until` stops it in the middle, as a death would."""

    def __init__(self, until: float = 2.0) -> None:
        self._until = until

    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def at(self, what: str, share: float) -> None:
        if what == "what people made of it" and share >= self._until:
            raise InterruptedError(what)


@dataclass
class Told:
    """A hamlet of which a story is told."""

    settings: Settings
    clock: SteppedClock
    fleet: Fleet
    story: StoryWords
    days: StoryDays

    def start(self, until: float = 2.0) -> None:
        asyncio.run(tell(self.story, self.days, self.fleet, self.settings, self.clock, _Quiet(until)))

    def asked(self, what: Callable[[Office], Any]) -> Any:
        async def ask() -> Any:
            async with open_office(self.settings, self.fleet.site, self.days.calendar, self.clock) as office:
                return await what(office)

        return asyncio.run(ask())


def hamlet(folder: Path, now: datetime, story_text: str = _STORY) -> Told:
    """A hamlet with its past, and nothing told of it yet."""
    for name, text in (("hamlet.yaml", _SITE), ("hamlet-campus.yaml", _CAMPUS), ("story.yaml", story_text)):
        (folder / name).write_text(text, encoding="utf-8")
    clock, settings = SteppedClock(now), Settings(data=folder)
    fleet = open_campus(folder / "hamlet.yaml", None, folder / "faults.json", clock)
    story = read_story(folder / "story.yaml", fleet.site, fleet.faults.faults)
    days = begin(StoryFile(folder / "simulated" / "story.json"), fleet, calendar(), clock)
    let_it_have_happened(story, days, fleet)
    tariffs = [shipped(f"tariffs/example-{name}.yaml") for name in ("tou", "water")]
    asyncio.run(give_tariffs(settings.records_address, tariffs, clock))
    asyncio.run(give_past(fleet, folder / "readings.duckdb", days.begins(PAST_DAYS), clock, _Quiet()))
    return Told(settings, clock, fleet, story, days)


async def _entered(office: Office) -> dict[str, Any]:
    """All that a story enters, without the instants at which it was entered."""
    statements = await office.contracts.of("lamps")
    months = [office.statistics.month(f"{s.first:%Y-%m}") for s in statements]
    filings = [await office.statistics.standing(month, "hall") for month in months]
    return {
        "quotas": [(e.value, e.who) for e in await office.quotas.entries.entries(withdrawn=True)],
        "contracts": [(c.contract.id, c.version) for c in await office.contracts.registry.contracts(superseded=True)],
        "baselines": [b.baseline.data for b in await office.contracts.baselines("lamps")],
        "statements": [
            (s.number, s.first, s.end, s.standing.state, len(s.standing.disputed), len(s.steps)) for s in statements
        ],
        "events": [e.event for e in await office.lives.events()],
        "stock": [e.value for e in await office.stock.entries()],
        "filings": [(f.kept.period, f.kept.state, len(await office.statistics.steps(f.kept))) for f in filings],
    }


@pytest.fixture(scope="module")
def november(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A hamlet of which all is told."""
    told = hamlet(tmp_path_factory.mktemp("november"), NOVEMBER)
    told.start()
    return told


@pytest.mark.parametrize("now", [NOVEMBER, NEW_YEAR, LEAP_DAY, NATIONAL_DAY], ids=lambda n: f"{n:%Y-%m-%d}")
def test_everything_is_there_after_one_start_on_any_day_of_any_year(tmp_path: Path, now: datetime) -> None:
    told = hamlet(tmp_path, now, _FAULTLESS)
    told.start()
    found = told.asked(_entered)

    [(quota, who)] = found["quotas"]
    assert (quota.year, quota.document, who) == (now.year, f"letter 2 of {now.year}", "officer")
    assert quota.dated <= now.date()
    before, last = told.days.month(2), told.days.month(1)
    assert found["statements"] == [
        (f"HT-{before.year}-1-001", before, last, StatementState.CONFIRMED, 0, 2),
        (f"HT-{before.year}-1-002", last, told.days.month(0), StatementState.FROZEN, 1, 1),
    ]
    assert found["filings"] == [
        (f"{before:%Y-%m}", FilingState.ACCEPTED, 2),
        (f"{last:%Y-%m}", FilingState.RETURNED, 2),
    ]
    assert len(found["baselines"]) == len(found["events"]) == 1
    assert len(found["stock"]) == 2


def test_a_second_start_and_one_that_died_in_the_middle_enter_nothing_twice(tmp_path: Path) -> None:
    told = hamlet(tmp_path, NOVEMBER, _FAULTLESS)
    for died_at in (0.6, 0.7, 0.9):
        with pytest.raises(InterruptedError):
            told.start(until=died_at)
    told.start()
    once = told.asked(_entered)
    told.start()

    assert told.asked(_entered) == once
    assert len(once["quotas"]) == 1
    assert [steps for *_, steps in once["statements"]] == [2, 1]


def test_a_story_that_was_begun_yesterday_goes_on_by_the_days_of_yesterday(tmp_path: Path) -> None:
    file = StoryFile(tmp_path / "simulated" / "story.json")
    clock = SteppedClock(NOVEMBER)
    (tmp_path / "hamlet.yaml").write_text(_SITE, encoding="utf-8")
    (tmp_path / "hamlet-campus.yaml").write_text(_CAMPUS, encoding="utf-8")
    fleet = open_campus(tmp_path / "hamlet.yaml", None, tmp_path / "faults.json", clock)
    first = begin(file, fleet, calendar(), clock)
    asyncio.run(clock.step(86_400))

    assert begin(file, fleet, calendar(), clock).today == first.today == NOVEMBER.date()
    assert not file.is_told


def test_findings_are_made_out_of_the_past_and_the_leak_that_was_mended_is_confirmed(november: Told) -> None:
    told = november

    async def findings(office: Office) -> list[tuple[str, FindingKind, FindingState, int, int]]:
        found = await Findings(office.records, told.clock, told.fleet.site.id).found()
        return [
            (f.finding.point.meter, f.finding.kind, f.state, f.finding.start_ms, f.finding.end_ms or 0) for f in found
        ]

    found = told.asked(findings)
    spells = told.days.spells(told.story)

    def during(meter: str, fault: str) -> list[tuple[FindingKind, FindingState]]:
        start, end = spells[fault]
        assert end is not None
        return [(k, s) for m, k, s, a, b in found if m == meter and a < to_ms(end) and b > to_ms(start)]

    assert any(state is FindingState.CONFIRMED for _, state in during("water", "crack"))
    assert (FindingKind.MISSING, FindingState.ENDED) in during("pump", "mute")
    assert any(kind is not FindingKind.MISSING for kind, _ in during("light", "lights"))


def test_the_quota_will_not_hold(november: Told) -> None:
    async def paces(office: Office) -> Any:
        return await office.quotas.paces.of(["organisation/hall"])

    [pace] = november.asked(paces)
    assert pace.standing.chance > 0.9


def test_an_exchanged_meter_has_lost_nothing_in_the_ledger(november: Told) -> None:
    told = november
    day = told.days.today - timedelta(days=50)
    low, high = (to_ms(told.days.at(d, datetime.min.time())) // 3_600_000 for d in (day, day + timedelta(days=1)))

    async def used(office: Office) -> float:
        number = office.books.ledger.number(Point("pump", "active_energy_import"))
        assert number is not None
        return float((await office.books.ledger.totals([number], low, high)).amount.sum()) / 1e6

    hours = np.arange(low, high) * 3_600_000
    power = told.fleet.history("pump", "active_power", hours + 1_800_000)
    assert told.asked(used) == pytest.approx(float(power.sum()), rel=0.1)


@pytest.mark.parametrize(
    ("today", "first", "end"),
    [
        # 2026-10-01..07 and 2026-09-25..27, as announced; 2027 and 2028 by the law.
        (date(2026, 11, 21), date(2026, 10, 1), date(2026, 10, 8)),
        (date(2026, 10, 3), date(2026, 9, 25), date(2026, 9, 28)),
        (date(2027, 1, 1), date(2026, 10, 1), date(2026, 10, 8)),
        (date(2028, 2, 29), date(2028, 1, 25), date(2028, 1, 29)),
    ],
)
def test_the_holiday_is_the_newest_that_is_over(today: date, first: date, end: date) -> None:
    assert StoryDays(today, ZONE, calendar()).holiday() == (first, end)


def test_the_past_begins_with_a_whole_year(tmp_path: Path) -> None:
    for today in (date(2027, 1, 1), date(2028, 2, 29), date(2026, 11, 21)):
        begins = StoryDays(today, ZONE, calendar()).begins(730)
        assert (begins.month, begins.day) == (1, 1)
        assert (today - begins).days >= 730


def test_the_rules_and_the_roster_of_the_demo_fit_its_site_and_are_entered_once(tmp_path: Path) -> None:
    site = load_installed(shipped("demo.yaml")).site
    rules, roster = (shipped(f"demo-{name}.yaml").read_text(encoding="utf-8") for name in ("alerts", "duty"))
    address = f"sqlite:{tmp_path / 'records.sqlite'}"

    assert asyncio.run(give_alarms(address, site, rules, roster, SteppedClock(NOVEMBER)))
    assert not asyncio.run(give_alarms(address, site, rules, roster, SteppedClock(NOVEMBER)))


def test_what_is_wrong_in_a_story_is_told_at_once_and_by_line(tmp_path: Path) -> None:
    fleet = open_campus(None, None, tmp_path / "faults.json", SteppedClock(NOVEMBER))
    wrong = tmp_path / "story.yaml"
    wrong.write_text("leak: flood\npast: [{fault: leaking-pip, days_ago: 3}]\nfilings: [{organisation: nobody}]\n")

    with pytest.raises(ConfigurationError) as refused:
        read_story(wrong, fleet.site, fleet.faults.faults)
    assert [fault.rpartition("story.yaml:")[2][:2] for fault in refused.value.faults] == ["1:", "2:", "3:"]


def test_the_shipped_story_is_of_the_shipped_campus(tmp_path: Path) -> None:
    fleet = open_campus(None, None, tmp_path / "faults.json", SteppedClock(NOVEMBER))
    story = read_story(shipped("demo-story.yaml"), fleet.site, fleet.faults.faults)

    assert story.leak in fleet.faults.faults
    assert {spell.fault for spell in story.past} < set(fleet.faults.faults)
