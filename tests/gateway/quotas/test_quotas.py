"""Quotas from the records to the warning, over a ledger of two years."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from analytics.quotas.miss_file import read_misses
from analytics.quotas.pace import Bound
from analytics.quotas.standard_file import read_standards
from analytics.quotas.standards import QuotaError
from energy.errors import UnknownName
from energy.organisations import FactName, Organisation
from energy.quantities import Medium
from energy.quotas import Method, Quota, QuotaOf
from energy.readings import Point
from energy.sites import Meter, Site, Text
from gateway.ledger.books import Books
from gateway.quotas import words as w
from gateway.quotas.answers import listed, one
from gateway.quotas.books import QuotaBooks, quota_books
from gateway.quotas.previews import previewed
from gateway.quotas.watch import QuotaWatch
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from tests.gateway.ledger.books import FACTORS, books, columns
from tests.gateway.ledger.sites import fact
from tests.working_days import CHINA

BEGAN = datetime.fromisoformat("2024-01-01T00:00:00+08:00")
# Noon of the tenth of March 2026: 69 days of the year are over.
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
ENERGY = "active_energy_import"
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
STANDARDS = read_standards(sorted(Path("config/quotas").glob("*.yaml")), [s.id for s in FACTORS.sets])
MISSES = read_misses(Path("config/forecast-misses.yaml"))


def quota(amount: str = "87600", **given: Any) -> Quota:
    """Of 240 kWh a day, as the office uses."""
    plain = Quota(
        "organisation/office",
        QuotaOf.ELECTRICITY,
        2026,
        Decimal(amount),
        Method.HANDED_DOWN,
        "letter 7",
        date(2026, 1, 5),
        tuple(Decimal(240 * d) for d in DAYS) if amount == "87600" else None,
    )
    return replace(plain, **given)


@pytest.fixture
async def ledger() -> AsyncIterator[Books]:
    """10 kWh in every hour of more than two years."""
    main = Meter("main", Text("总表", "main"), Medium.ELECTRICITY, quantities=(ENERGY,), organisation="office")
    office = Organisation("office", Text("办公厅", "office"))
    area = fact(FactName.AREA_M2, 5000, organisation="office")
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=(main,), organisations=(office,), facts=(area,))
    async with books(site) as (made, store):
        hours = int((NOW - BEGAN) / timedelta(hours=1)) + 1
        rows = {BEGAN + timedelta(hours=i): 10.0 * i for i in range(hours)}
        await store.write(columns(rows, Point("main", ENERGY)))
        await made.catch_up()
        yield made


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
def quotas(records: Records, clock: SteppedClock, ledger: Books) -> QuotaBooks:
    return quota_books(records, clock, ledger, STANDARDS, MISSES, CHINA)


async def test_used_allowed_and_expected_are_those_of_the_days_that_are_over(quotas: QuotaBooks, ledger: Books) -> None:
    await quotas.entries.add([quota()], "officer")

    answer = await listed(quotas, ledger, w.QuotasQuery("organisation/office"))

    [pace] = answer.quotas
    # 31 + 28 + 9 days of 240 kWh.
    assert pace.until == date(2026, 3, 10)
    assert (pace.used, pace.allowed, pace.left) == (68 * 240, 68 * 240, 87_600 - 68 * 240)
    assert (pace.share, pace.completeness, pace.change) == (1.0, 1.0, 0.0)
    assert pace.month.expected == pytest.approx(31 * 240)
    assert pace.year.expected == pytest.approx(365 * 240)
    assert pace.year.least is not None and pace.year.most is not None and pace.chance is not None
    assert pace.used < pace.year.least < 87_600 < pace.year.most
    # Of the misses of this stage about half are above.
    assert 0.3 < pace.chance < 0.7
    assert pace.year.method == "last year"
    assert pace.state == "ahead"


async def test_months_take_the_shape_of_past_years_and_keep_the_sum(quotas: QuotaBooks, ledger: Books) -> None:
    added = await quotas.entries.add([quota("1000000")], "officer")

    answer = await one(quotas, ledger, w.QuotaQuery(added.ids[0]))

    assert answer.months_by == [2024, 2025]
    # January by 31/366 of 2024 and 31/365 of 2025, in the mean.
    assert answer.months[0].allowed == pytest.approx((31 / 366 + 31 / 365) / 2 * 1_000_000)
    assert round(sum(m.allowed for m in answer.months), 3) == 1_000_000
    assert [m.used for m in answer.months[:4]] == [31 * 240, 28 * 240, 9 * 240, None]
    curve = answer.curve
    assert (curve.used[67], curve.used[68], curve.expected[67]) == (68 * 240, None, None)
    assert curve.expected[-1] == pytest.approx(answer.pace.year.expected)
    assert curve.least[-1] == pytest.approx(answer.pace.year.least)


async def test_a_bound_is_told_once_in_whole_sentences_and_ends_with_its_quota(
    quotas: QuotaBooks, ledger: Books
) -> None:
    await quotas.entries.add([quota()], "officer")
    watch = QuotaWatch(quotas, ledger)

    first, again = await watch.sweep(), await watch.sweep()

    assert [c.mark for c in first] == [(Bound.PACE, 0.8), (Bound.PACE, 0.9), (Bound.PACE, 1.0)]
    assert again == []
    said = first[-1].text
    assert said.zh.startswith(
        "办公厅 2026 年用电累计用量已达进度定额的 100%；定额 87,600 kWh（上级下达，letter 7，2026-01-05）"
    )
    assert "剩余 71,280 kWh" in said.zh
    assert "90% 区间" in said.zh
    assert "比上年同期多 0.0%" in said.zh
    assert "left 71,280 kWh" in said.en

    # A later document allows more: what was told of the one before is over.
    await quotas.entries.add([quota("200000", dated=date(2026, 3, 1))], "officer")
    assert await watch.sweep() == []
    assert await quotas.crossings.crossings(standing=True) == []
    assert len(await quotas.crossings.crossings()) == 3


async def test_the_quota_dated_last_holds_and_two_of_one_day_contradict(quotas: QuotaBooks, records: Records) -> None:
    later = quota("90000", dated=date(2026, 2, 1))
    await quotas.entries.add([quota()], "officer")
    await quotas.entries.add([later], "officer", "letter 9")

    added = await quotas.entries.add([quota("91000", dated=date(2026, 2, 1))], "officer")

    assert [e.value.amount for e in await quotas.entries.holding()] == [Decimal(90000)]
    assert [c.kept.value for c in added.contradicting] == [later]
    # Every change is logged, with who and why.
    changes = await logged_changes(records)
    assert [(c.change.kind, c.who, c.why) for c in changes] == [
        ("quota", "officer", ""),
        ("quota", "officer", "letter 9"),
    ]


async def test_a_quota_of_energy_is_reckoned_under_the_factors_that_it_was_made_with(
    quotas: QuotaBooks, ledger: Books
) -> None:
    same = {"limited": QuotaOf.ENERGY, "months": None}
    made = [
        quota("30000", factor_set="shandong-db37", dated=date(2026, 1, 1), **same),
        quota("30000", factor_set="equivalent-2023-national", dated=date(2026, 1, 2), **same),
    ]
    used = []
    for each in made:
        added = await quotas.entries.add([each], "officer")
        used.append((await one(quotas, ledger, w.QuotaQuery(added.ids[0]))).pace.used)

    # 68 days of 240 kWh, at 0.31 and at 0.1229 kgce.
    assert used == [pytest.approx(5059.2), pytest.approx(2005.728)]


async def test_a_standard_and_own_history_make_a_quota_that_says_how(quotas: QuotaBooks, ledger: Books) -> None:
    known = {"institution": "office", "building_class": "A", "climate": "cold"}
    by = w.ByStandard("GB/T 51161-2016", "non_heating_electricity_per_area", "limit", known)
    asked = w.QuotaPreview("organisation/office", QuotaOf.ELECTRICITY, 2026, standard=by)

    made = await previewed(quotas, ledger, asked)
    history = w.QuotaPreview(
        "organisation/office", QuotaOf.ELECTRICITY, 2026, history=w.ByHistory([2024, 2025], Decimal("0.06"))
    )
    own = await previewed(quotas, ledger, history)

    # 55 kWh/m2 of 5,000 m2.
    assert made.quota.amount == 275_000
    assert "55 × 5,000" in made.reckoned.en
    # 366 and 365 days of 240 kWh: 87,720 in the mean, less six percent.
    assert own.quota.amount == Decimal("82456.800")
    assert await quotas.entries.entries() == []
    with pytest.raises(QuotaError, match="climate zone"):
        await previewed(quotas, ledger, replace_known(asked, {"institution": "office", "building_class": "A"}))


def replace_known(asked: w.QuotaPreview, known: dict[str, str]) -> w.QuotaPreview:
    by = asked.standard
    assert by is not None
    return w.QuotaPreview(
        asked.of, asked.limited, asked.year, standard=w.ByStandard(by.standard, by.indicator, by.value, known)
    )


async def test_a_standard_in_coal_is_not_mixed_with_other_factors(quotas: QuotaBooks, ledger: Books) -> None:
    known = {"institution": "office", "level": "city_and_below"}
    by = w.ByStandard("DB37/T 2672-2019", "energy_per_person", "limit", known, "济南", Decimal(100))
    asked = w.QuotaPreview("organisation/office", QuotaOf.ENERGY, 2026, standard=by)

    made = await previewed(quotas, ledger, asked)

    assert (made.quota.amount, made.quota.factor_set) == (Decimal("129340.0"), "shandong-db37")
    assert made.pace.used == pytest.approx(68 * 240 * 0.31)
    other = w.QuotaPreview(asked.of, asked.limited, 2026, standard=by, factor_set="equivalent-2023-national")
    with pytest.raises(QuotaError, match="made with factor set shandong-db37"):
        await previewed(quotas, ledger, other)


async def test_a_year_with_a_hole_is_not_foretold(records: Records, clock: SteppedClock) -> None:
    main = Meter("main", Text("总表", "main"), Medium.ELECTRICITY, quantities=(ENERGY,), organisation="office")
    office = Organisation("office", Text("办公厅", "office"))
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=(main,), organisations=(office,))
    async with books(site) as (made, store):
        # Known from the first of February on.
        since = datetime.fromisoformat("2026-02-01T00:00:00+08:00")
        rows = {since + timedelta(hours=i): 10.0 * i for i in range(int((NOW - since) / timedelta(hours=1)) + 1)}
        await store.write(columns(rows, Point("main", ENERGY)))
        await made.catch_up()
        quotas = quota_books(records, clock, made, STANDARDS, MISSES)
        await quotas.entries.add([quota()], "officer")

        [pace] = (await listed(quotas, made, w.QuotasQuery())).quotas

    assert pace.completeness == pytest.approx(37 / 68, abs=1e-6)
    assert (pace.state, pace.chance, pace.year.expected) == ("unknown", None, None)
    assert pace.year.reason == "too little history"


async def test_nobody_has_a_quota_whom_the_site_does_not_know(quotas: QuotaBooks, ledger: Books) -> None:
    with pytest.raises(UnknownName, match="'elsewhere' is not in the site"):
        await listed(quotas, ledger, w.QuotasQuery("organisation/elsewhere"))


async def test_of_a_year_that_is_over_it_is_known_and_of_one_to_come_nothing(quotas: QuotaBooks, ledger: Books) -> None:
    for year in (2025, 2027):
        await quotas.entries.add([quota("90000", year=year)], "officer")

    [past] = (await listed(quotas, ledger, w.QuotasQuery(year=2025))).quotas
    [future] = (await listed(quotas, ledger, w.QuotasQuery(year=2027))).quotas

    assert (past.used, past.year.expected, past.chance, past.share_of_year) == (
        87_600,
        87_600,
        0.0,
        round(876 / 900, 6),
    )
    assert (future.used, future.allowed, future.chance, future.year.reason) == (0, 0, None, "the year has not begun")


async def test_what_comes_late_is_in_the_pace_within_an_hour(records: Records, clock: SteppedClock) -> None:
    main = Meter("main", Text("总表", "main"), Medium.ELECTRICITY, quantities=(ENERGY,), organisation="office")
    office = Organisation("office", Text("办公厅", "office"))
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=(main,), organisations=(office,))
    point, since = Point("main", ENERGY), datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    async with books(site) as (made, store):
        await store.write(columns({since + timedelta(hours=i): 10.0 * i for i in range(24 * 60)}, point))
        await made.catch_up()
        quotas = quota_books(records, clock, made)
        await quotas.entries.add([quota()], "officer")
        [before] = await quotas.paces.of()
        await store.write(columns({since + timedelta(hours=i): 10.0 * i for i in range(24 * 60, 24 * 69)}, point))
        await made.catch_up()
        await clock.step(3600)
        [after] = await quotas.paces.of()

    # Nothing was known of the last days.
    assert before.standing.used == pytest.approx(59 * 240_000_000 + 230_000_000)
    assert after.standing.used == 68 * 240_000_000
    assert after.completeness == 1.0


async def test_five_workdays_at_the_beginning_of_a_year_are_no_excess(records: Records) -> None:
    # 100 kWh on workdays, 30 at weekends; in 2026 just as in 2025. The ninth of January ends a week of workdays.
    main = Meter("main", Text("总表", "main"), Medium.ELECTRICITY, quantities=(ENERGY,), organisation="office")
    office = Organisation("office", Text("办公厅", "office"))
    site = Site("here", Text("本地", "here"), "Asia/Shanghai", meters=(main,), organisations=(office,))
    clock = SteppedClock(datetime(2026, 1, 9, 20, tzinfo=UTC))
    async with books(site) as (made, store):
        days = [BEGAN + timedelta(days=i) for i in range(366 + 365 + 9)]
        used = [100.0 if d.weekday() < 5 else 30.0 for d in days]
        rows, total = {}, 0.0
        for day, kwh in zip(days, used, strict=True):
            for hour in range(24):
                rows[day + timedelta(hours=hour)] = round(total + kwh * hour / 24, 6)
            total += kwh
        rows[days[-1] + timedelta(days=1)] = total
        await store.write(columns(rows, Point("main", ENERGY)))
        await made.catch_up()
        quotas = quota_books(records, clock, made)
        month = Decimal(22 * 100 + 9 * 30)
        await quotas.entries.add([quota(str(12 * month), months=(month,) * 12)], "officer")
        [pace] = await quotas.paces.of()

    # Two, and five, workdays and a weekend.
    assert pace.standing.used == pytest.approx(760_000_000)
    assert pace.standing.share(Bound.PACE) == pytest.approx(1.0)
