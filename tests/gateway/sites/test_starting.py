"""Which of the two holds where the site file of the start and the records differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.clocks import SteppedClock
from energy.organisations import Organisation
from energy.quantities import Medium
from energy.sites import Meter, Place, Site, Text
from gateway.records.changes import logged_changes
from gateway.records.database import Records
from gateway.sites.records import SiteRecords
from gateway.sites.starting import Started, load_or_import

CLOCK = SteppedClock(datetime(2026, 7, 1, 4, tzinfo=UTC))
NAME = Text("楼", "House")
HOUSE, SCHOOL = Place("house", NAME, "office"), Place("house", NAME, "school")
OFFICE = Organisation("office", NAME)


def site(*places: Place, **given: object) -> Site:
    return replace(Site("campus", NAME, "Asia/Shanghai", places), **given)  # type: ignore[arg-type]


async def enter(records: Records, made: Site) -> Site:
    kept = SiteRecords(records, CLOCK)
    return await kept.apply(made.id, await kept.differences(made), "li", "by hand")


async def start(records: Records, file: Site) -> Started:
    return await load_or_import(records, file, CLOCK)


async def test_the_first_file_becomes_the_records_and_the_same_one_changes_nothing(records: Records) -> None:
    made = site(HOUSE)

    assert await start(records, made) == Started(made, changes=2)
    assert await start(records, made) == Started(made)
    assert {logged.who for logged in await logged_changes(records)} == {"site file"}


async def test_a_file_that_was_edited_is_followed(records: Records) -> None:
    await start(records, site(HOUSE))

    assert await start(records, site(SCHOOL)) == Started(site(SCHOOL), changes=1)
    assert await start(records, site(HOUSE)) == Started(site(HOUSE), changes=1)


async def test_what_was_entered_meanwhile_is_not_taken_back_by_the_old_file(records: Records) -> None:
    await start(records, site(HOUSE))
    annex = Place("annex", NAME, "office")
    await enter(records, site(SCHOOL, annex))

    assert await start(records, site(HOUSE)) == Started(site(SCHOOL, annex), behind=2)
    assert await start(records, site(HOUSE)) == Started(site(SCHOOL, annex), behind=2)


async def test_where_file_and_records_both_moved_on_the_records_hold(records: Records) -> None:
    await start(records, site(HOUSE))
    await enter(records, site(SCHOOL))

    edited = site(Place("house", NAME, "hospital"))
    assert await start(records, edited) == Started(site(SCHOOL), behind=1)

    await enter(records, edited)
    assert await start(records, edited) == Started(edited)
    assert (await start(records, site(HOUSE))).changes == 1


async def test_records_that_no_start_has_seen_are_not_changed_by_one(records: Records) -> None:
    await enter(records, site(SCHOOL))

    assert await start(records, site(HOUSE)) == Started(site(SCHOOL), behind=1)


@pytest.mark.parametrize("file", [site(HOUSE), site(SCHOOL)])
async def test_what_the_file_does_not_speak_of_stays_and_holds_nothing_up(records: Records, file: Site) -> None:
    await start(records, site(HOUSE))
    await enter(records, site(HOUSE, organisations=(OFFICE,)))

    assert (await start(records, file)).site == replace(file, organisations=(OFFICE,))


async def test_organisations_that_were_entered_by_hand_are_not_taken_back_by_a_file_that_begins_to_speak_of_them(
    records: Records,
) -> None:
    await start(records, site(HOUSE))
    await enter(records, site(HOUSE, organisations=(OFFICE,)))

    other = replace(OFFICE, name=Text("处", "Department"))
    assert await start(records, site(HOUSE, organisations=(other,))) == Started(
        site(HOUSE, organisations=(OFFICE,)), behind=1
    )


async def test_a_meter_that_is_gone_from_the_edited_file_goes(records: Records) -> None:
    meter = Meter("main", NAME, Medium.ELECTRICITY, "house")
    await start(records, site(HOUSE, meters=(meter,)))

    assert (await start(records, site(HOUSE))).site == site(HOUSE)
