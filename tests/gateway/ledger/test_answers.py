"""Answers: compared with the year and the period before, converted, per square metre and person, in parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from energy.errors import EnergyError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.organisations import Basis, FactName
from energy.periods import Span
from energy.quantities import Medium
from energy.readings import Point, from_ms, to_ms
from energy.sites import Meter, Site, Text, VirtualPoint
from gateway.ledger.answers import consumption
from gateway.ledger.balance import balance
from gateway.ledger.books import Books
from gateway.ledger.service import Range
from gateway.ledger.words import ConsumptionAnswer, ConsumptionQuery, MediumWords
from tests.gateway.ledger.books import NOBODY, START, Rows, books, columns, over, quarters
from tests.gateway.ledger.sites import ENERGY, NAME, fact, meter, organisation, place, point, share, site

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def between(start: str, end: str, by: Span | None = Span.DAY) -> Range:
    return Range(local(start), local(end), by, SHANGHAI)


def days_of(asked: Range) -> tuple[str, str]:
    return asked.start.astimezone(SHANGHAI).isoformat()[:16], asked.end.astimezone(SHANGHAI).isoformat()[:16]


def hourly(start: datetime, hours: int, use: float, first: float = 1000.0) -> Rows:
    return {start + i * HOUR: first + i * use for i in range(hours + 1)}


async def ask(
    kept: Books, of: str, start: datetime = START, end: datetime = START + DAY, **more: Any
) -> ConsumptionAnswer:
    return await consumption(kept, ConsumptionQuery(of, to_ms(start), to_ms(end), **more))


async def only(kept: Books, of: str, start: datetime = START, end: datetime = START + DAY, **more: Any) -> MediumWords:
    [words] = (await ask(kept, of, start, end, **more)).media
    return words


# -- the year and the period before ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-03-01", "2026-04-01", ("2026-02-01T00:00", "2026-03-01T00:00")),
        ("2026-01-01", "2026-02-01", ("2025-12-01T00:00", "2026-01-01T00:00")),
        ("2026-01-01", "2027-01-01", ("2025-01-01T00:00", "2026-01-01T00:00")),
        ("2026-03-02", "2026-03-09", ("2026-02-23T00:00", "2026-03-02T00:00")),
        ("2026-03-02", "2026-03-03", ("2026-03-01T00:00", "2026-03-02T00:00")),
        ("2026-03-02", "2026-03-05", ("2026-02-27T00:00", "2026-03-02T00:00")),
        ("2026-03-02T08:00", "2026-03-02T10:30", ("2026-03-02T05:30", "2026-03-02T08:00")),
        ("2026-11-01", "2026-11-21T15:00", ("2026-10-01T00:00", "2026-10-21T15:00")),
        ("2026-03-01", "2026-03-31", ("2026-02-01T00:00", "2026-03-01T00:00")),
    ],
    ids=["month", "January", "year", "week", "day", "three days", "hours", "running month", "longer than February"],
)
def test_the_period_before_a_month_is_a_month_and_before_anything_else_as_long(
    start: str, end: str, before: tuple[str, str]
) -> None:
    assert days_of(between(start, end).just_before()) == before


@pytest.mark.parametrize(
    ("start", "end", "then"),
    [
        ("2026-03-01", "2026-04-01", ("2025-03-01T00:00", "2025-04-01T00:00")),
        ("2028-02-01", "2028-03-01", ("2027-02-01T00:00", "2027-03-01T00:00")),
        ("2029-02-01", "2029-03-01", ("2028-02-01T00:00", "2028-03-01T00:00")),
        ("2028-02-29", "2028-03-01", ("2027-02-28T00:00", "2027-03-01T00:00")),
        ("2028-02-28", "2028-02-29", ("2027-02-28T00:00", "2027-03-01T00:00")),
        ("2028-02-01", "2028-02-29", ("2027-02-01T00:00", "2027-03-01T00:00")),
    ],
    ids=["month", "leap month", "after a leap month", "leap day", "to the leap day", "28 days"],
)
def test_a_year_before_are_the_same_days_and_of_a_leap_day_the_last_of_february(
    start: str, end: str, then: tuple[str, str]
) -> None:
    assert days_of(between(start, end).a_year_before()) == then


def test_a_day_of_23_hours_is_compared_with_the_whole_day_before() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    asked = Range(datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin), Span.DAY, berlin)

    before = asked.just_before()

    assert before.end - before.start == 24 * HOUR
    assert before.end == asked.start


async def test_a_month_is_compared_with_the_year_and_the_month_before() -> None:
    """1 kWh an hour in March 2025, 2 in February 2026, 3 in March."""
    march, february, then = local("2026-03-01"), local("2026-02-01"), local("2025-03-01")
    rows = hourly(then, 31 * 24, 1.0) | hourly(february, 28 * 24, 2.0, 5000.0)
    rows |= hourly(march, 31 * 24, 3.0, 5000.0 + 28 * 24 * 2.0)
    async with books() as (kept, store):
        await store.write(columns(rows))
        await kept.catch_up()
        found = await only(kept, f"main:{ENERGY}", march, local("2026-04-01"), by="month")

    assert found.total.value == 31 * 24 * 3.0
    assert found.last_year is not None and found.before is not None
    assert (found.last_year.figure.value, found.last_year.change) == (31 * 24.0, 2.0)
    assert (found.before.figure.value, found.before.change) == (28 * 48.0, round((31 * 72 - 28 * 48) / (28 * 48), 6))
    assert [from_ms(found.last_year.from_), from_ms(found.last_year.to)] == [then, local("2025-04-01")]


async def test_without_anything_before_there_is_nothing_to_compare_with() -> None:
    async with books() as (kept, store):
        await store.write(columns(quarters(96)))
        await kept.catch_up()
        compared, alone = await only(kept, f"main:{ENERGY}"), await only(kept, f"main:{ENERGY}", compare=False)

    assert compared.before is not None
    assert (compared.before.figure.value, compared.before.change) == (None, None)
    assert (alone.before, alone.last_year) == (None, None)


async def test_the_total_is_one_over_the_turn_of_a_year() -> None:
    eve = local("2025-12-31")
    async with books() as (kept, store):
        await store.write(columns(hourly(eve, 48, 1.0)))
        await kept.catch_up()
        found = await only(kept, f"main:{ENERGY}", eve, eve + 2 * DAY, by="year")

    assert (found.total.value, [p.value for p in found.periods]) == (48.0, [24.0, 24.0])


# -- per square metre and person ---------------------------------------------------------------------------------------

TOWER = (place("tower"), place("attic", "tower"))


async def day_of(campus: Site, of: str, *names: str, events: tuple[MeterEvent, ...] = (), **more: Any) -> MediumWords:
    """A day of ten kWh an hour of each meter."""
    async with books(campus, events) as (kept, store):
        for name in names:
            await store.write(columns(quarters(96), point(name)))
        await kept.catch_up()
        return await only(kept, of, **more)


async def test_a_place_is_told_per_square_metre_and_person() -> None:
    facts = [fact(FactName.AREA_M2, 120, place="tower"), fact(FactName.PEOPLE, 8, place="tower")]
    found = await day_of(site(meter("main", place="tower"), places=TOWER, facts=facts), "place/tower", "main")

    assert [(p.fact, p.of, p.value) for p in found.per] == [("area_m2", 120.0, 2.0), ("people", 8.0, 30.0)]


async def test_a_number_that_changed_counts_by_its_days() -> None:
    """Twenty people on the first of two days, ten on the second: fifteen."""
    change = date(2026, 3, 3)
    facts = [
        fact(FactName.PEOPLE, 20, until=change, place="tower"),
        fact(FactName.PEOPLE, 10, since=change, place="tower"),
    ]
    campus = site(meter("main", place="tower"), places=TOWER, facts=facts)
    found = await day_of(campus, "place/tower", "main", end=START + 2 * DAY)

    assert [(p.of, p.value) for p in found.per] == [(15.0, 16.0)]


async def test_a_number_that_is_not_known_on_every_day_is_not_used() -> None:
    facts = [fact(FactName.PEOPLE, 20, since=date(2026, 3, 3), place="tower")]
    campus = site(meter("main", place="tower"), places=TOWER, facts=facts)
    found = await day_of(campus, "place/tower", "main", end=START + 2 * DAY)

    assert found.per == []


# -- factor sets -------------------------------------------------------------------------------------------------------


async def test_an_amount_is_converted_under_a_named_factor_set() -> None:
    """240 kWh at 0.1229 kgce are 29.496 kgce."""
    async with books() as (kept, store):
        await store.write(columns(quarters(96)))
        await kept.catch_up()
        names = [s.id for s in kept.factors.sets]
        found = {n: (await only(kept, f"main:{ENERGY}", factors=n)).converted for n in names}

    assert all(c is not None and c.factor_set == n for n, c in found.items())
    assert 29.496 in [c.coal_kg for c in found.values() if c is not None]
    assert all(f.source for c in found.values() if c is not None for f in c.factors)


async def test_an_unknown_factor_set_is_told_with_the_names_that_there_are() -> None:
    async with books() as (kept, store):
        await store.write(columns(quarters(4)))
        await kept.catch_up()
        with pytest.raises(UnknownName, match="factor set 'mine' is not known") as refused:
            await ask(kept, f"main:{ENERGY}", factors="mine")

        assert kept.factors.sets[0].id in str(refused.value)


# -- parts -------------------------------------------------------------------------------------------------------------


async def test_parts_are_what_is_below_and_the_rest_is_what_they_do_not_account_for() -> None:
    campus = site(
        meter("main", place="tower"), meter("sub", "main", place="attic"), meter("lift", "main"), places=TOWER
    )
    of_site = await day_of(campus, "site/court", "main", "sub", parts=True)
    of_place = await day_of(campus, "place/tower", "main", "sub", parts=True)
    of_main = await day_of(campus, "meter/main", "main", "sub", parts=True)

    def told(words: MediumWords) -> tuple[list[tuple[str, float | None]], float | None]:
        assert words.rest is not None
        return [(p.of, p.figure.value) for p in words.parts], words.rest.value

    assert told(of_site) == ([("place/tower", 240.0)], 0.0)
    assert told(of_place) == ([("place/attic", 240.0)], 0.0)
    assert told(of_main) == ([("meter/sub", 240.0), ("meter/lift", None)], 0.0)


async def test_an_organisation_is_told_with_its_share() -> None:
    campus = site(
        meter("main"),
        organisations=[organisation("tax"), organisation("school")],
        facts=[fact(FactName.AREA_M2, 300, organisation="tax"), fact(FactName.AREA_M2, 100, organisation="school")],
        shares=[share(Basis.AREA, "tax", "school", meter="main")],
    )
    found = await day_of(campus, "organisation/tax", "main")

    assert (found.total.value, found.counters) == (180.0, 1)
    assert [(p.of, p.value) for p in found.per] == [(300.0, 0.6)]
    assert found.total.shares.measured == 1.0


async def test_a_meter_that_moved_in_the_middle_of_a_month_counts_in_each_place_for_its_days() -> None:
    """Ten days in the tower, then the hall."""
    start = local("2026-03-01")
    moved = MeterEvent("main", EventKind.MOVED, to_ms(local("2026-03-11")), place="hall")
    campus = site(meter("main", place="tower"), places=[place("tower"), place("hall")])
    async with books(campus, [moved]) as (kept, store):
        await store.write(columns(hourly(start, 31 * 24, 1.0)))
        await kept.catch_up()
        asked = start, local("2026-04-01")
        tower, hall = [await only(kept, f"place/{p}", *asked, by="month") for p in ("tower", "hall")]

    assert (tower.total.value, hall.total.value) == (240.0, 21 * 24.0)
    assert (tower.total.shares.measured, hall.total.shares.measured) == (1.0, 1.0)


async def test_a_share_that_changes_in_a_zone_off_by_half_an_hour_changes_at_its_midnight_hour() -> None:
    """In Kolkata days begin at half past; ten kWh an hour, shared half and half, from 3 March for one alone."""
    change, kolkata = date(2026, 3, 3), ZoneInfo("Asia/Kolkata")
    plain = site(
        meter("main"),
        organisations=[organisation("tax"), organisation("school")],
        shares=[
            share(Basis.FIXED, ("tax", "0.5"), ("school", "0.5"), until=change, meter="main"),
            share(Basis.FIXED, ("tax", "1"), since=change, meter="main"),
        ],
    )
    campus = Site(**{f: getattr(plain, f) for f in plain.__slots__} | {"zone": "Asia/Kolkata"})
    start = datetime(2026, 3, 2, tzinfo=kolkata)
    async with books(campus) as (kept, store):
        await store.write(columns(quarters(48 * 4, start=start)))
        await kept.catch_up()
        found = await only(kept, "organisation/tax", start, start + 2 * DAY, by="day")

    # The hour of the change is one of the new share: its first half hour is the last of the old day.
    assert [p.value for p in found.periods] == [122.5, 240.0]


# -- points ------------------------------------------------------------------------------------------------------------


async def test_a_formula_is_reckoned_hour_by_hour_with_its_exact_coefficients() -> None:
    virtual = VirtualPoint("rest", NAME, Medium.ELECTRICITY, ENERGY, "main - 0.25 * sub")
    campus = site(meter("main"), meter("sub", "main"), virtual_points=[virtual])
    found = await day_of(campus, f"rest:{ENERGY}", "main", "sub", by="hour")

    assert [p.value for p in found.periods] == [7.5] * 24
    assert found.total.shares.measured == 1.0


async def test_a_meter_that_was_never_read_is_unknown_and_one_that_is_nowhere_an_error() -> None:
    async with books(site(meter("main"))) as (kept, _):
        found = await only(kept, f"main:{ENERGY}")
        with pytest.raises(UnknownName, match="mian"):
            await ask(kept, f"mian:{ENERGY}")

    assert (found.total.value, found.total.shares.missing) == (None, 1.0)


async def test_a_gauge_is_refused() -> None:
    async with books(site(meter("main", quantities=(ENERGY, "active_power")))) as (kept, _):
        for name in ("main", "elsewhere"):
            with pytest.raises(EnergyError, match="active_power is a gauge"):
                await ask(kept, f"{name}:active_power")


async def test_more_periods_than_anybody_reads_are_refused() -> None:
    async with books() as (kept, _):
        with pytest.raises(EnergyError, match="more than 9000 periods"):
            await ask(kept, "site/here", local("2020-01-01"), local("2026-01-01"), by="hour")


async def test_names_are_told_in_both_languages() -> None:
    campus = site(meter("main", place="tower"), places=TOWER)
    async with books(campus) as (kept, store):
        await store.write(columns(quarters(4)))
        await kept.catch_up()
        found = await ask(kept, "place/tower")

    assert (found.name.zh, found.name.en) == (Text("某", "some").zh, "some")
    assert found.zone == "Asia/Shanghai"


async def test_doubts_of_a_node_are_those_of_its_counters() -> None:
    rows = quarters(96)
    rows[START + 9 * HOUR] += 1000.0
    async with books(site(meter("main"), meter("other"))) as (kept, store):
        await store.write(columns(rows))
        await kept.catch_up()
        found, other = await ask(kept, "site/court"), await ask(kept, "meter/other")

    assert [(d.meter, d.kind, from_ms(d.from_)) for d in found.doubts] == [("main", "strayed", START + 9 * HOUR)]
    assert other.doubts == []


# -- the balance of the metering tree ----------------------------------------------------------------------------------


async def test_a_main_is_balanced_against_its_sub_meters_and_told_beyond_the_bound() -> None:
    """240 against 120 + 96: a tenth is not accounted for."""
    campus = site(meter("main"), meter("one", "main"), meter("two", "main"))
    async with books(campus) as (kept, store):
        for name, use in (("main", 2.5), ("one", 1.25), ("two", 1.0)):
            await store.write(columns(quarters(96, use), point(name)))
        await kept.catch_up()
        asked = Range(START, START + DAY, None, SHANGHAI)
        [within], [beyond] = [(await balance(kept, asked, bound)).rows for bound in (0.1, 0.09)]

    assert (within.main.value, within.subs.value, within.rest, within.rest_share) == (240.0, 216.0, 24.0, 0.1)
    assert (within.beyond, beyond.beyond) == (False, True)


async def test_what_is_removed_on_the_day_after_still_belongs_to_the_balance_of_the_month() -> None:
    main = Meter("main", Text("总表", "main"), Medium.ELECTRICITY)
    sub = replace(main, id="sub", parent="main", removed_on=date(2026, 3, 3))
    async with books(replace(NOBODY, meters=(main, sub))) as (kept, store):
        await store.write(columns(quarters(96)))
        await store.write(columns(quarters(96, 1.0), Point("sub", "active_energy_import")))
        await kept.catch_up()
        [row] = (await balance(kept, over(24), 0.1)).rows

    assert (row.main.value, row.subs.value, row.rest) == (240.0, 96.0, 144.0)
