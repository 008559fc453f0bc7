"""What changes in the records holds in the running gateway, without a restart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from adapters.clocks import SteppedClock
from adapters.wire import READINGS, topic
from energy.life import EventKind, MeterEvent
from energy.ports import Message
from energy.quantities import Medium
from energy.readings import Point, to_ms
from energy.sites import Meter, Place, Site, Text
from gateway.following import Followers, Following
from gateway.ingest.judge import Judge
from gateway.ingest.reasons import UNKNOWN_METER
from gateway.ledger.keeping import kept
from gateway.life.service import Lives
from gateway.records.database import Records
from gateway.sites.records import SiteRecords
from gateway.sites.service import Directory
from gateway.sites.starting import load_or_import
from tests.gateway.ledger.books import books

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
CLOCK = SteppedClock(NOW)
NAME = Text("表", "Meter")
MAIN = Meter("main", NAME, Medium.ELECTRICITY, "house")
ANNEX = Meter("annex", NAME, Medium.ELECTRICITY, "house", plausible={"active_power": (0.0, 50.0)})
FILE = Site("campus", NAME, "Asia/Shanghai", (Place("house", NAME, "office"),), meters=(MAIN,))
BOTH = replace(FILE, meters=(MAIN, ANNEX))


async def enter(records: Records, made: Site) -> None:
    site = SiteRecords(records, CLOCK)
    await site.apply(made.id, await site.differences(made), "li", "by hand")


def power(meter: str, kw: float) -> Message:
    reading = {"meter": meter, "taken_at": to_ms(NOW), "values": {"active_power": kw}}
    return Message(topic("north", READINGS), json.dumps({"readings": [reading]}).encode())


def refused(judge: Judge, *messages: Message) -> list[str]:
    return [refusal.reason for refusal in judge.judge(messages, to_ms(NOW)).refusals]


async def test_a_meter_that_is_entered_is_judged_and_shown_and_booked_at_once(records: Records) -> None:
    started = await load_or_import(records, FILE, CLOCK)
    async with books(FILE) as (made, _):
        directory, judge = Directory(started.site), Judge(FILE.meters)
        following = Following(records, CLOCK, FILE, Followers(made, directory, judge, lambda: None))
        await following.begin(started.behind)
        assert refused(judge, power("annex", 10.0)) == [UNKNOWN_METER]

        await enter(records, BOTH)
        await following.look()

        assert refused(judge, power("annex", 10.0)) == []
        assert refused(judge, power("annex", 51.0)) == ["implausible value"]
        assert list(directory.meters) == ["main", "annex"]
        assert made.kept.site.meters == BOTH.meters


async def test_a_meter_that_is_gone_is_refused_and_what_readings_taught_stays(records: Records) -> None:
    started = await load_or_import(records, BOTH, CLOCK)
    async with books(BOTH) as (made, _):
        directory, judge = Directory(started.site), Judge(BOTH.meters)
        directory.learn([Point("main", "voltage_l1"), Point("stranger", "active_power")])
        following = Following(records, CLOCK, BOTH, Followers(made, directory, judge, lambda: None))
        await following.begin(started.behind)
        assert refused(judge, power("annex", 10.0)) == []

        await enter(records, FILE)
        await following.look()

        assert refused(judge, power("annex", 10.0)) == [UNKNOWN_METER]
        assert list(directory.meters) == ["main", "stranger"]
        assert directory.meters["main"].quantities == ("voltage_l1",)


async def test_a_narrower_bound_holds_for_points_that_were_judged_before(records: Records) -> None:
    started = await load_or_import(records, BOTH, CLOCK)
    async with books(BOTH) as (made, _):
        judge = Judge(BOTH.meters)
        following = Following(records, CLOCK, BOTH, Followers(made, Directory(started.site), judge, lambda: None))
        await following.begin(started.behind)
        assert refused(judge, power("annex", 10.0)) == []

        await enter(records, replace(BOTH, meters=(MAIN, replace(ANNEX, plausible={"active_power": (0.0, 5.0)}))))
        await following.look()

        assert refused(judge, power("annex", 10.0)) == ["implausible value"]


async def test_only_what_was_changed_is_read_again(records: Records) -> None:
    await load_or_import(records, FILE, CLOCK)
    async with books(FILE) as (made, _):
        made.take(await kept(records, CLOCK, FILE))
        following = Following(records, CLOCK, FILE, Followers(made, Directory(FILE), Judge(()), lambda: None))
        await following.begin(0)
        site = made.told.site

        calibrated = MeterEvent("main", EventKind.CALIBRATED, to_ms(NOW))
        await Lives(records, CLOCK).add([calibrated], "li", "seen")
        await following.look()

        assert list(made.told.events) == [calibrated]
        assert made.told.site is site


async def test_the_file_is_no_longer_behind_when_the_records_say_the_same(records: Records) -> None:
    await enter(records, BOTH)
    started = await load_or_import(records, FILE, CLOCK)
    async with books(BOTH) as (made, _):
        following = Following(records, CLOCK, FILE, Followers(made, Directory(BOTH), Judge(()), lambda: None))
        await following.begin(started.behind)
        assert following.file_behind == 1

        await enter(records, FILE)
        await following.look()

        assert following.file_behind == 0
