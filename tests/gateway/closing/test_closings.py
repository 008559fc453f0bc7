"""A closed month keeps its figures; what differs later is shown, and booked as a reversal and a correction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.clocks import SteppedClock
from energy.errors import EnergyError, UnknownName
from energy.life import EventKind, MeterEvent
from energy.readings import Point, to_ms
from gateway.closing.answers import period_of
from gateway.closing.figures import Booked, EntryKind
from gateway.closing.service import Closings
from gateway.closing.words import PeriodQuery
from gateway.ledger.books import Books, Kept
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from tests.analytics.tariffs.files import tariff, version
from tests.gateway.billing.accounts import ENERGY, FIRST, FLAT, hourly, meter, site
from tests.gateway.ledger.books import books, columns

MAIN, SUB = Point("main", ENERGY), Point("sub", ENERGY)
JANUARY, MILLION = "2026-01", 1_000_000


@dataclass
class Office:
    """Two meters, of which `main` counts 1 kWh and `sub` 0.25 kWh an hour, at half a yuan."""

    closings: Closings
    books: Books
    store: Any
    clock: SteppedClock

    async def late(self, **rows: Any) -> None:
        for readings in rows.values():
            await self.store.write(readings)
        await self.books.catch_up()


@pytest.fixture
async def office(records: Records) -> AsyncIterator[Office]:
    clock = SteppedClock(datetime.fromisoformat("2026-03-10T12:00:00+08:00").astimezone(UTC))
    here = site([meter("main", account="1100"), meter("sub", parent="main")])
    async with books(here, tariffs=[tariff(version(FLAT))]) as (kept, store):
        await store.write(hourly("main", 60))
        await store.write(hourly("sub", 60, 0.25))
        await kept.catch_up()
        yield Office(Closings(records, clock, kept), kept, store, clock)


async def _until(office: Office, instant: datetime) -> None:
    await office.clock.step((instant - office.clock.now()).total_seconds())


def _doubled(books: Books) -> Kept:
    """The same, with an event that comes late: from the 22nd on the sub-meter counts twice."""
    event = MeterEvent("sub", EventKind.RATIO_CHANGED, to_ms(FIRST + timedelta(days=21)), ratio=2.0)
    return Kept(books.kept.site, [*books.kept.events, event], books.kept.tariffs)


async def test_a_closed_month_keeps_what_the_ledger_said_of_every_counter(office: Office, records: Records) -> None:
    closing = await office.closings.close(JANUARY, "li", "first quarter")

    figures = await office.closings.closed_figures(closing)
    assert {p: f.booked for p, f in figures.items()} == {
        MAIN: Booked(744 * MILLION, 372 * MILLION),
        SUB: Booked(186 * MILLION, 93 * MILLION),
    }
    assert figures[MAIN].measured_ms == 744 * 3_600_000
    assert figures[MAIN].basis and figures[MAIN].known
    assert (await office.closings.closings()) == [closing]
    assert (closing.site, closing.who, closing.why) == ("campus", "li", "first quarter")
    [logged] = await logged_changes(records, kinds=["closing"])
    assert (logged.change.key, logged.change.after) == (JANUARY, {"month": JANUARY, "counters": 2})


async def test_the_sum_over_the_counters_is_that_of_their_figures(office: Office) -> None:
    await office.closings.close(JANUARY, "li")

    [total] = (await period_of(office.closings, office.books, PeriodQuery(JANUARY))).sums

    assert (total.quantity, total.counters) == (ENERGY, 2)
    assert (total.closed.amount, total.closed.cost) == ("930.000000", "465.000000")


async def test_what_was_closed_of_a_point_can_be_shown_beside_what_the_ledger_says(office: Office) -> None:
    await office.closings.close(JANUARY, "li")

    assert await office.closings.closed_of(JANUARY, [SUB, Point("other", ENERGY)]) == {
        SUB: (186 * MILLION, 93 * MILLION)
    }
    assert await office.closings.closed_of("2026-02", [SUB]) == {}


async def test_a_month_is_not_closed_before_it_has_ended_in_the_zone_of_the_site(office: Office) -> None:
    # In Shanghai March ends at 16:00 UTC.
    await _until(office, datetime(2026, 3, 31, 15, 59, tzinfo=UTC))
    with pytest.raises(EnergyError, match="2026-03 has not ended yet"):
        await office.closings.close("2026-03", "li")

    await _until(office, datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
    assert (await office.closings.close("2026-03", "li")).month == "2026-03"


async def test_a_month_is_closed_once(office: Office) -> None:
    await office.closings.close(JANUARY, "li")

    with pytest.raises(EnergyError, match="2026-01 is closed already"):
        await office.closings.close(JANUARY, "wang")
    with pytest.raises(UnknownName, match="2026-02 is not closed"):
        await office.closings.closing("2026-02")
    with pytest.raises(EnergyError, match="'2026-1' must be a month, such as 2026-03"):
        await office.closings.closing("2026-1")


async def test_nothing_differs_from_a_closed_month_until_something_changes(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")

    assert await office.closings.differences(closing) == []
    with pytest.raises(EnergyError, match="nothing of 2026-01 differs"):
        await office.closings.correct(closing, "li", "to be sure")


async def test_an_event_that_comes_late_shows_a_difference_and_changes_no_closed_figure(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    office.books.take(_doubled(office.books))
    await office.books.catch_up()

    [one] = await office.closings.differences(closing)

    # From the 22nd on, 240 hours of 0.25 kWh count twice.
    assert (one.point, one.booked) == (SUB, Booked(60 * MILLION, 30 * MILLION))
    assert (await office.closings.closed_figures(closing))[SUB].booked == Booked(186 * MILLION, 93 * MILLION)


async def test_closed_reversal_and_correction_together_are_what_the_ledger_says_now(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    office.books.take(_doubled(office.books))
    await office.books.catch_up()

    entries = await office.closings.correct(closing, "wang", "ratio entered late")

    assert [(e.kind, e.booked.amount, e.booked.cost) for e in entries] == [
        (EntryKind.REVERSAL, -186 * MILLION, -93 * MILLION),
        (EntryKind.CORRECTION, 246 * MILLION, 123 * MILLION),
    ]
    assert {(e.booked_in, e.who, e.why) for e in entries} == {("2026-03", "wang", "ratio entered late")}
    closed = (await office.closings.closed_figures(closing))[SUB].booked
    assert sum((e.booked for e in entries), closed) == Booked(246 * MILLION, 123 * MILLION)
    assert await office.closings.differences(closing) == []


async def test_a_second_correction_is_measured_against_the_first(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    office.books.take(_doubled(office.books))
    await office.books.catch_up()
    await office.closings.correct(closing, "wang", "ratio entered late")
    office.books.take(Kept(office.books.kept.site, (), office.books.kept.tariffs))
    await office.books.catch_up()
    await _until(office, datetime(2026, 4, 2, tzinfo=UTC))

    second = await office.closings.correct(closing, "wang", "it was another meter")

    assert [e.booked.amount for e in second] == [-246 * MILLION, 186 * MILLION]
    assert len(await office.closings.entries(closing)) == 4
    assert [e.booked.amount for e in await office.closings.entries(booked_in="2026-04")] == [
        -246 * MILLION,
        186 * MILLION,
    ]
    assert await office.closings.differences(closing) == []


async def test_a_meter_whose_readings_come_after_the_closing_is_corrected_without_a_reversal(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    await office.late(third=hourly("third", 60, 2.0))

    [entry] = await office.closings.correct(closing, "li", "its file came late")

    assert (entry.point, entry.kind, entry.booked.amount) == (
        Point("third", ENERGY),
        EntryKind.CORRECTION,
        1488 * MILLION,
    )
    assert entry.booked.priced_cost is None


async def test_another_price_is_a_difference_in_money_alone(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    dearer = [tariff(version("price: 0.60"))]
    office.books.take(Kept(office.books.kept.site, (), dearer))
    await office.books.catch_up()

    differences = await office.closings.differences(closing)

    assert [(d.point, d.booked) for d in differences] == [
        (MAIN, Booked(0, 74_400_000)),
        (SUB, Booked(0, 18_600_000)),
    ]


async def test_a_correction_says_why_and_readings_of_other_months_do_not_matter(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    await office.late(more=hourly("main", 5, start=FIRST + timedelta(days=60, hours=1)))

    assert await office.closings.differences(closing) == []
    with pytest.raises(EnergyError, match="a correction says why"):
        await office.closings.correct(closing, "li", " ")


async def test_readings_that_are_not_worked_in_yet_hold_a_closing_up(office: Office) -> None:
    await office.store.write(columns({FIRST + timedelta(minutes=30): 1000.4}))

    with pytest.raises(EnergyError, match="just being worked in"):
        await office.closings.close(JANUARY, "li")
    await office.books.catch_up()
    assert await office.closings.close(JANUARY, "li")


async def test_a_month_is_told_with_what_was_closed_booked_and_would_differ(office: Office) -> None:
    closing = await office.closings.close(JANUARY, "li")
    office.books.take(_doubled(office.books))
    await office.books.catch_up()
    before = await period_of(office.closings, office.books, PeriodQuery(JANUARY, ["sub"]))
    await office.closings.correct(closing, "li", "ratio")
    after = await period_of(office.closings, office.books, PeriodQuery(JANUARY, ["sub"]))

    assert (before.counters, before.differing, before.booked) == (1, 1, 0)
    [figure], [difference] = before.figures, before.differences
    assert (figure.closed.amount, figure.shares.measured, figure.unit) == ("186.000000", 1.0, "kWh")
    assert (difference.standing.amount, difference.now.amount, difference.difference.cost) == (
        "186.000000",
        "246.000000",
        "30.000000",
    )
    assert (after.differing, [e.kind for e in after.entries]) == (0, ["reversal", "correction"])
    [total] = after.sums
    assert (total.closed.amount, total.entries.amount, total.difference.amount) == (
        "186.000000",
        "60.000000",
        "0.000000",
    )
