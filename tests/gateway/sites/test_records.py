"""A site in the records: a file is compared with it, and becomes it; every change says who and why."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings

from adapters.clocks import SteppedClock
from adapters.site_files import read_site
from energy.errors import ConfigurationError, StoreError, UnknownName
from energy.quantities import Medium
from energy.sites import LineSettings, Meter, Place, Site, Text
from gateway.records.changes import logged_changes
from gateway.records.database import Records, open_records
from gateway.sites.records import SiteRecords, difference
from gateway.sites.rows import rows_of, site_of
from tests.databases import NewDatabase
from tests.energy.random_sites import sites

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
CLOCK = SteppedClock(NOW)
CONFIG = Path(__file__).parents[3] / "config"
NAME = Text("楼", "House")
HOUSE = Place("house", NAME, "office")
LINE = LineSettings("bus", "tcp://192.0.2.1")


def site(*places: Place, **given: object) -> Site:
    return replace(Site("campus", NAME, "Asia/Shanghai", places), **given)  # type: ignore[arg-type]


async def keep(records: Records, made: Site) -> Site:
    kept = SiteRecords(records, CLOCK)
    return await kept.apply(made.id, await kept.differences(made), "li", "first entry")


@given(sites())
def test_any_site_is_the_same_after_its_rows(made: Site) -> None:
    assert site_of(rows_of(made)) == made
    assert difference(made, made) == []


def test_the_records_never_switch_anything_on_for_writing_and_do_not_call_it_a_difference() -> None:
    meter = Meter("main", NAME, Medium.ELECTRICITY, line="bus", profile="own.yaml")
    open_to_writing = replace(meter, writable={"ct": (Decimal(1), Decimal(600))})

    kept, made = (site(HOUSE, lines=(LINE,), meters=(m,)) for m in (meter, open_to_writing))
    assert site_of(rows_of(made)) == kept
    assert difference(kept, made) == []


@given(sites(), sites())
@settings(max_examples=25)
def test_any_site_becomes_any_other_by_their_difference(new_database: NewDatabase, one: Site, other: Site) -> None:
    other = replace(other, id=one.id)

    async def become() -> None:
        async with open_records(new_database()) as records:
            assert await keep(records, one) == one
            assert difference(await keep(records, other), other) == []

    asyncio.run(become())


async def test_the_site_of_the_demo_is_kept_as_it_is(records: Records) -> None:
    made, _ = read_site(CONFIG / "demo.yaml")

    assert await keep(records, made) == made
    assert await SiteRecords(records, CLOCK).differences(made) == []


async def test_a_difference_tells_what_is_new_what_is_other_and_what_is_gone(records: Records) -> None:
    await keep(records, site(HOUSE, Place("shed", NAME, "outdoor")))

    wanted = site(replace(HOUSE, kind="hospital"), Place("tower", NAME, "office"))
    found = await SiteRecords(records, CLOCK).differences(wanted)

    assert [(c.key, c.before is None, c.after is None) for c in found] == [
        ("house", False, False),
        ("tower", True, False),
        ("shed", False, True),
    ]
    assert found[0].fields == [("kind", "office", "hospital")]


async def test_every_change_says_who_and_why_and_what_was_before(records: Records) -> None:
    await keep(records, site(HOUSE))
    kept = SiteRecords(records, CLOCK)
    wanted = site(replace(HOUSE, kind="hospital"))
    await kept.apply("campus", await kept.differences(wanted), "wang", "letter 12")

    *_, last = await logged_changes(records)
    assert (last.who, last.why, last.site, last.at_ms) == ("wang", "letter 12", "campus", int(NOW.timestamp() * 1000))
    assert last.change.before and last.change.before["kind"] == "office"
    assert last.change.after and last.change.after["kind"] == "hospital"


async def test_what_would_not_fit_together_is_refused_whole(records: Records) -> None:
    await keep(records, site(HOUSE))
    wanted = site(replace(HOUSE, kind="hospital"), Place("room", NAME, "room", parent="nowhere"))
    kept = SiteRecords(records, CLOCK)

    with pytest.raises(ConfigurationError, match="parent 'nowhere' is none of house, room"):
        await kept.apply("campus", await kept.differences(wanted), "li")

    assert await kept.site("campus") == site(HOUSE)
    assert len(await logged_changes(records)) == 2


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(records: Records) -> None:
    await keep(records, site(HOUSE))
    kept = SiteRecords(records, CLOCK)
    mine = await kept.differences(site(replace(HOUSE, kind="hospital")))
    await kept.apply("campus", await kept.differences(site(replace(HOUSE, kind="school"))), "wang")

    with pytest.raises(StoreError, match="place house was changed by somebody else meanwhile"):
        await kept.apply("campus", mine, "li")


async def test_of_two_that_change_the_same_record_at_once_one_is_told(new_database: NewDatabase) -> None:
    address = new_database()

    async def change(records: Records, kind: str) -> str:
        kept = SiteRecords(records, CLOCK)
        wanted = site(replace(HOUSE, kind=kind))
        changes = await kept.differences(wanted)
        await both.wait()
        try:
            await kept.apply("campus", changes, kind)
        except StoreError as error:
            assert "changed by somebody else meanwhile" in str(error)  # noqa: PT017
            return "told"
        return kind

    async with open_records(address) as one, open_records(address) as other:
        await keep(one, site(HOUSE))
        for first, second in [("school", "hospital"), ("office", "dormitory")] * 5:
            both = asyncio.Barrier(2)
            told = await asyncio.gather(change(one, first), change(other, second))

            [won] = {*told} - {"told"}
            assert (await SiteRecords(one, CLOCK).site("campus")).places[0].kind == won
            assert (await logged_changes(other))[-1].who == won


async def test_two_sites_live_beside_each_other(records: Records) -> None:
    await keep(records, site(HOUSE))
    await keep(records, replace(site(HOUSE), id="other"))
    await keep(records, replace(site(HOUSE), id="B"))
    kept = SiteRecords(records, CLOCK)

    assert await kept.ids() == ["B", "campus", "other"]
    assert await kept.site("campus") == site(HOUSE)
    with pytest.raises(UnknownName, match="site 'third' is not in the records"):
        await kept.site("third")


async def test_new_records_come_after_the_old_ones(records: Records) -> None:
    await keep(records, site(HOUSE))

    made = await keep(records, site(Place("annex", NAME, "office"), HOUSE))

    assert [place.id for place in made.places] == ["house", "annex"]


async def test_a_line_goes_with_its_meters_in_one_step(records: Records) -> None:
    from energy.quantities import Medium

    await keep(records, site(lines=(LINE,), meters=(Meter("main", NAME, Medium.WATER, line="bus"),)))

    assert (await keep(records, site())).lines == ()
