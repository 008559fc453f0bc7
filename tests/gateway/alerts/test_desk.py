"""The desk: storms, silence, ledger, links, rules, the roster, and who may do what."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from analytics.alarms.life import LifeError
from analytics.alarms.rules import Level
from energy.errors import ConfigurationError, EnergyError
from energy.names import Text
from energy.quantities import Medium
from energy.readings import Point, ReadingColumns, to_ms
from energy.sites import Meter, Site
from energy.working_day_files import read_working_days
from gateway.alerts.alarm import Member, Raised
from gateway.alerts.limit_watch import LimitWatch
from gateway.alerts.links import Links, Ticket
from gateway.alerts.outbox import REFUSED
from gateway.alerts.routes import ROUTES, alarm_messages, check_alarm_rules
from gateway.alerts.words import DocumentCheck, MessagesQuery
from gateway.api.route import NoQuery, register
from gateway.services import Services
from jieneng.shipped import shipped
from tests.gateway.alerts.house import ROSTER, RULES, House, house, site
from tests.gateway.doors import Opened
from tests.gateway.ledger.books import columns


def finding(cause: str = "finding/7", level: Level = Level.WARNING) -> Raised:
    title = Text("夜间漏水约 12 m³", "A leak of about 12 m3")
    members = (Member("dorm", 0),)
    return Raised(
        cause, "finding", level, "dorm", title, 0, members, figures={"amount": 12.0, "unit": "m3", "since": 0}
    )


def many(count: int, lines: int) -> Site:
    here = site(lines)
    model = here.meters[1]
    meters = tuple(replace(model, id=f"m{i}", parent=None, line=f"l{i % lines}") for i in range(count))
    return replace(here, meters=meters)


async def all_read(there: House, meters: tuple[Meter, ...]) -> None:
    points = [Point(meter.id, "flow_rate") for meter in meters]
    n = len(points)
    at_ms = np.full(n, to_ms(there.clock.now()))
    there.desk.take(ReadingColumns.of(points, np.arange(n, dtype=np.int32), at_ms, np.zeros(n)))


async def test_ten_thousand_meters_silent_at_once_are_one_alarm_and_one_message(tmp_path: Path) -> None:
    here = many(10_000, 500)
    async with house(tmp_path, here) as there:
        await all_read(there, here.meters)
        await there.clock.step(301)
        await there.tick()

        [alarm] = await there.alerts.alarms.alarms()
        assert (alarm.raised.title.zh, len(alarm.members)) == ("全站 10000 块表无读数", 10_000)
        assert len(there.phones.arrived) == 1

        await all_read(there, here.meters)
        await there.tick()
        assert (await there.alerts.alarms.alarm(alarm.id)).life.recovered_ms is not None


async def test_a_meter_that_falls_silent_alone_is_told_by_its_name_and_a_line_as_one(tmp_path: Path) -> None:
    here = many(9, 3)
    async with house(tmp_path, here) as there:
        await all_read(there, here.meters)
        await there.clock.step(290)
        await all_read(there, tuple(m for m in here.meters if m.line != "l1" and m.id != "m0"))
        await there.clock.step(20)
        await there.tick()

        alarms = await there.alerts.alarms.alarms()
        assert sorted((a.raised.cause, len(a.members)) for a in alarms) == [
            ("silence/line/l1", 3),
            ("silence/meter/m0", 1),
        ]


async def test_after_a_start_meters_are_given_their_time_and_what_rang_is_not_taken_for_over(tmp_path: Path) -> None:
    here = many(3, 1)
    async with house(tmp_path, here) as there:
        await all_read(there, here.meters)
        await there.clock.step(301)
        await there.tick()
        assert [a.raised.cause for a in await there.alerts.alarms.alarms()] == ["silence/line/l0"]

        later = there.restarted()
        await later.tick()
        alarm = await there.alerts.alarms.alarm(1)
        assert (alarm.life.recovered_ms, len(there.phones.arrived)) == (None, 1)
        await there.clock.step(301)
        await later.tick()
        assert len(await there.alerts.alarms.alarms()) == 1

        for reading in ("m0", "m1", "m2"):
            await there.store.write(columns({there.clock.now(): 1.0}, Point(reading, "flow_rate")))
        fresh = there.restarted()
        await fresh.tick()
        assert (await there.alerts.alarms.alarm(1)).life.recovered_ms is not None


async def test_meters_that_were_silent_before_the_start_ring_only_when_they_had_their_time(tmp_path: Path) -> None:
    here = many(3, 1)
    async with house(tmp_path, here) as there:
        for meter in here.meters:
            await there.store.write(
                columns({there.clock.now() - timedelta(hours=1): 1.0}, Point(meter.id, "flow_rate"))
            )
        desk = there.restarted()
        await desk.tick()
        assert await there.alerts.alarms.alarms() == []
        await there.clock.step(301)
        await desk.tick()
        assert len(await there.alerts.alarms.alarms()) == 1


async def test_what_others_found_rings_once(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding()])
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()

        [alarm] = await there.alerts.alarms.alarms()
        assert alarm.raised.kind == "finding"
        assert len(there.phones.arrived) == 1
        assert "至今约 12 m³" in there.phones.arrived[0][1].text


async def test_what_others_found_tells_what_has_flowed_and_recovers_by_its_cause(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        alarms, flowed = there.alerts.alarms, {"amount": 12.4, "unit": "m3", "since": 0, "yuan": "62.00"}
        [number] = await alarms.raise_all([replace(finding("finding/17"), figures=flowed)])
        await there.tick()
        assert "至今约 12.4 m³，约 62.00 元。" in there.phones.arrived[0][1].text

        await alarms.recover({"finding/17": {"dorm": to_ms(there.clock.now())}})
        assert (await alarms.alarm(number)).life.recovered_ms is not None


async def test_what_is_worse_calls_again(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding(level=Level.NOTICE)])
        await there.tick()
        await there.alerts.alarms.acknowledge(1, "li", "page")
        await there.alerts.alarms.raise_all([finding(level=Level.URGENT)])
        await there.tick()

        assert [notice.title[:4] for _, notice in there.phones.arrived] == ["【提示】", "【紧急】"]
        assert (await there.alerts.alarms.alarm(1)).acknowledged_by is None


async def test_a_night_in_which_water_never_stopped_is_seen_on_the_ledger(tmp_path: Path) -> None:
    rules = """
rules:
  - {id: n, kind: night_minimum, name: {zh: 夜间最小流量, en: Night minimum}, every: volume, night: 00:00-05:00,
     above: 0.3 m3}
"""
    async with house(tmp_path) as there:
        await there.alerts.rules.save(rules, "officer")
        start = datetime.fromisoformat("2026-03-09T12:00:00+08:00")
        hours = [start + timedelta(minutes=15 * i) for i in range(90)]
        for meter, each in (("main", 0.2), ("dorm", 0.19), ("kitchen", 0.01)):
            rows = {at: round(100 + i * each, 3) for i, at in enumerate(hours)}
            await there.store.write(columns(rows, Point(meter, "volume")))
        await there.books.catch_up()
        await there.clock.step(7 * 3600)
        await there.tick()

        [alarm] = await there.alerts.alarms.alarms()
        assert (alarm.raised.cause, alarm.raised.kind) == ("night_flow/main", "night_minimum")
        assert sorted(m.name for m in alarm.members) == ["dorm:volume", "main:volume"]
        assert alarm.raised.value == pytest.approx(0.8)
        # Four cubic metres within the five hours.
        assert alarm.raised.figures is not None
        assert alarm.raised.figures["amount"] == pytest.approx(4.0)


async def test_a_load_after_hours_rings_on_a_working_evening_and_on_a_free_day_and_not_at_work(tmp_path: Path) -> None:
    """What is free and what is worked says the calendar, with the operator's own days over the announced ones."""
    own = tmp_path / "own.csv"
    own.write_text("day,type,source\n2026-03-11,holiday,our founding day\n2026-03-14,worked_weekend,in its stead\n")
    calendar = read_working_days([shipped("calendar/china.yaml"), own])
    rules = """
rules:
  - {id: late, kind: off_hours_load, name: {zh: 夜间负荷, en: Late load}, every: active_power, worked: 08:00-18:00,
     above: 40 kW, back: 30 kW, for: 5 min}
"""
    meters = site().meters
    power = replace(meters[0], id="power", medium=Medium.ELECTRICITY, quantities=("active_power",))
    here = replace(site(), meters=(*meters, power))

    async def rings(begin: str) -> bool:
        async with house(tmp_path / begin[:13], here, datetime.fromisoformat(begin)) as there:
            await there.alerts.rules.save(rules, "officer")
            there.desk.limits = LimitWatch(calendar.works)
            await there.tick()
            await there.minutes(7, {"power:active_power": 60.0})
            return bool(await there.alerts.alarms.alarms())

    assert await rings("2026-03-10T19:00:00+08:00")
    assert not await rings("2026-03-10T10:00:00+08:00")
    # The 11th, a Wednesday, is free; the 14th, a Saturday, is worked.
    assert await rings("2026-03-11T10:00:00+08:00")
    assert not await rings("2026-03-14T10:00:00+08:00")


async def test_mains_that_lose_are_told_for_the_whole_day_before(tmp_path: Path) -> None:
    rules = "rules: [{id: b, kind: imbalance, name: {zh: 不平衡, en: Differ}, share: 15 %, least: 5 m3}]"
    async with house(tmp_path, begin=datetime.fromisoformat("2026-03-11T04:00:00+08:00")) as there:
        await there.alerts.rules.save(rules, "officer")
        start = datetime.fromisoformat("2026-03-09T22:00:00+08:00")
        for meter, each in (("main", 1.0), ("dorm", 0.5), ("kitchen", 0.2)):
            rows = {start + timedelta(minutes=15 * i): 100 + i * each for i in range(120)}
            await there.store.write(columns(rows, Point(meter, "volume")))
        await there.books.catch_up()
        await there.clock.step(700)
        await there.tick()

        [alarm] = await there.alerts.alarms.alarms()
        # 96 m3 through the main, 67.2 through the others: 28.8 are left, 30 %.
        assert alarm.raised.detail.zh == "昨日与下级表合计相差 30%（28.8 m3）。"
        assert alarm.raised.cause == "balance/main"


async def test_nobody_on_duty_is_told_on_the_alarm_itself_and_once(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.duty.save("persons: []", "officer")
        await there.desk.tick()
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        await there.tick()

        assert [step.kind for step in await there.alerts.alarms.steps(1)] == ["raised", "nobody"]


async def test_what_one_channel_refuses_goes_by_the_next_and_is_seen(tmp_path: Path) -> None:
    roster = ROSTER.replace(
        'reach: [{channel: phone, address: "13800000001"}]',
        'reach: [{channel: phone, address: "1"}, {channel: phone, address: "2"}]',
    )
    async with house(tmp_path) as there:
        await there.alerts.duty.save(roster, "officer")
        await there.desk.tick()
        there.phones.answer = lambda notice: 404 if notice.address == "1" else 200
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        await there.sender.flush()

        assert [notice.address for _, notice in there.phones.arrived] == ["2"]
        states = {m.key: (m.state, m.answer) for m in await there.alerts.outbox.messages()}
        assert states["1.1.0.wang"] == (REFUSED, "HTTP 404")
        assert [s.kind for s in await there.alerts.alarms.steps(1)] == ["raised", "called", "undelivered", "pushed"]


# -- links ------------------------------------------------------------------------------------------------------------


def test_a_link_holds_for_its_alarm_and_person_until_it_ends() -> None:
    now = 1000
    links = Links(bytes(32), "https://here/", 60.0, lambda: now)
    token = links.personal(7, 1, "wang").removeprefix("https://here/a/")

    assert links.ticket(token) == Ticket(7, 1, "wang", 1060)
    assert Links(bytes([1]) * 32, None, 60.0, lambda: now).ticket(token) is None
    for i in range(len(token)):
        changed = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
        assert links.ticket(changed) in (None, links.ticket(token))
    now = 1060
    assert links.ticket(token) is None
    assert links.ticket("") is None
    assert links.ticket("ä") is None


async def test_the_page_of_a_link_is_small_strict_and_done_with_when_it_ends(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        path = there.phones.arrived[0][1].link.removeprefix("http://here")

        answer = await there.client.get(path)
        body = await answer.read()
        style = await (await there.client.get("/alarm.css")).read()
        assert len(body) + len(style) < 50_000
        assert b"<script" not in body
        assert b"style=" not in body
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert (answer.headers["Cache-Control"], answer.headers["X-Frame-Options"]) == ("no-store", "DENY")

        # Without the word of the page, from another page, for somebody who has left, and after a day: nothing.
        await there.client.post(path, data={})
        foreign = await there.client.post(path, data={}, headers={"Origin": "https://evil.example"})
        assert foreign.status == 403
        assert (await there.alerts.alarms.alarm(1)).life.acknowledged_ms is None
        await there.alerts.duty.save("persons: []", "officer")
        assert (await there.client.get(path)).status == 410
        await there.alerts.duty.save(ROSTER, "officer")
        assert (await there.client.get(path)).status == 200
        await there.clock.step(86_400)
        assert (await there.client.get(path)).status == 410


async def test_what_a_stranger_writes_into_a_name_is_text_on_the_page(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        title = Text("<script>alert(1)</script>", "x")
        await there.alerts.alarms.raise_all([replace(finding(), title=title, detail=title, first=title)])
        await there.tick()
        path = there.phones.arrived[0][1].link.removeprefix("http://here")
        assert "<script" not in await (await there.client.get(path)).text()


# -- rules, roster, routes --------------------------------------------------------------------------------------------


async def test_a_file_of_rules_that_is_wrong_is_not_saved_and_a_right_one_says_what_it_changes(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        services = cast(Services, Opened(alerts=there.alerts))
        wrong = RULES.replace("1.5 m3/h", "1.5 A")
        answer = await check_alarm_rules(services, NoQuery(), DocumentCheck(wrong))
        assert [(f.line, "write it in m3/h" in f.text.en) for f in answer.faults] == [(8, True)]
        with pytest.raises(ConfigurationError):
            await there.alerts.rules.save(wrong, "officer")
        assert (await there.alerts.rules.newest()).number == 1

        other = RULES.replace("1.5 m3/h", "2 m3/h")
        changed = (await check_alarm_rules(services, NoQuery(), DocumentCheck(other))).changes
        assert [(c.key, c.before and c.before["above"], c.after and c.after["above"]) for c in changed] == [
            ("night-water", "1.5 m3/h", "2 m3/h")
        ]


async def test_new_rules_hold_at_the_next_tick_and_what_rings_goes_on(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.rules.save(RULES.replace("for: 10 min", "for: 0 s"), "officer")
        await there.desk.tick()
        await there.clock.step(60)
        await there.read({"main:flow_rate": 2.0})
        assert len(await there.alerts.alarms.alarms()) == 1


async def test_a_roster_is_refused_by_line_and_a_swap_is_one_more_version(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        duty = there.alerts.duty
        with pytest.raises(ConfigurationError) as found:
            duty.check(ROSTER.replace("main: wang", "main: wong").replace("channel: phone", "channel: fax", 1))
        assert [fault.split(": ", 1)[0] for fault in found.value.faults] == ["roster:7", "roster:3"]

        day = datetime.fromisoformat("2026-03-10T00:00:00+08:00").date()
        await duty.swap(day, "wang", "li", "officer")
        kept = await duty.roster()
        assert kept.kept.number == 2
        assert (
            kept.roster.on_duty(
                datetime.fromisoformat("2026-03-10T09:00:00+08:00"), next(iter(kept.roster.shifts[0].posts))
            )
            == "li"
        )
        with pytest.raises(ConfigurationError, match="no shift that begins on"):
            await duty.swap(day.replace(year=2027), "wang", "li", "officer")


async def test_what_was_sent_is_told_with_masked_addresses_and_without_links_of_others(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        answer = await alarm_messages(cast(Services, Opened(alerts=there.alerts)), MessagesQuery())

        assert [(m.state, m.address, m.link, m.answer) for m in answer.messages] == [
            ("sent", "138****0001", "", "HTTP 200")
        ]
        logged = replace(there.alerts, channels={"phone": "log"})
        [told] = (await alarm_messages(cast(Services, Opened(alerts=logged)), MessagesQuery())).messages
        assert told.link.startswith("http://here/a/")


async def test_an_alarm_goes_through_its_routes(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        app = web.Application()
        register(app, ROUTES, cast(Services, Opened(alerts=there.alerts)))
        async with TestClient(TestServer(app)) as client:
            said = {"id": 1, "who": "li", "note": "在路上"}
            assert (await (await client.post("/api/v1/alarms/read", json=said)).json())["state"] == "read"
            assert (await (await client.post("/api/v1/alarms/acknowledge", json=said)).json())[
                "state"
            ] == "acknowledged"
            await client.post("/api/v1/alarms/handle", json=said)
            assert (await (await client.post("/api/v1/alarms/close", json=said)).json())["state"] == "closed"
            told = await (await client.get("/api/v1/alarms/one?id=1")).json()
            assert [s["kind"] for s in told["steps"]][-4:] == ["read", "acknowledged", "handled", "closed"]
            assert (await (await client.get("/api/v1/alarms?open=true")).json())["alarms"] == []


async def test_what_nobody_took_on_and_is_still_there_cannot_be_waved_away(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.alerts.alarms.raise_all([finding()])
        await there.tick()
        with pytest.raises(LifeError, match="acknowledge it first"):
            await there.alerts.alarms.close(1, "li", "page")
        with pytest.raises(EnergyError, match="alarm 2 is not known"):
            await there.alerts.alarms.acknowledge(2, "li", "page")
