"""The night of the pipe, by the clock: each message at its time, to the person that it was promised to."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.alarms.life import State
from energy.readings import to_ms
from tests.gateway.alerts.house import NIGHT, House, house

BURST = {"main:flow_rate": 9.2, "dorm:flow_rate": 9.0}
QUIET = {"main:flow_rate": 0.3, "dorm:flow_rate": 0.2}


async def _asleep(there: House) -> None:
    """At 02:10 the pipe bursts; the rule waits ten minutes; nobody answers for six more."""
    await there.minutes(10, QUIET)
    await there.minutes(17, BURST)


async def test_the_night_of_the_pipe(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await _asleep(there)

        # Crossed at 02:11, raised at 02:21: the main, again after three minutes, the deputy after six.
        assert there.phones.told == [(21.0, "1"), (24.0, "1"), (27.0, "2")]
        [alarm] = await there.alerts.alarms.alarms()
        assert (alarm.life.state, alarm.raised.subject) == (State.PUSHED, "main")
        assert [m.name for m in alarm.members] == ["main:flow_rate", "dorm:flow_rate"]
        assert alarm.raised.crossed_ms == to_ms(NIGHT) + 11 * 60_000

        notice = there.phones.arrived[2][1]
        assert notice.title == "【紧急】main水表：夜间用水不停"
        assert "03-10 02:11 起，尚无人签收。" in notice.text
        assert "读数 9.2 m³/h，限值 1.5 m³/h。" in notice.text
        assert "关闭进水阀" in notice.text
        # The first message says already what has flowed: ten minutes of 9 m3/h.
        assert "至今约 1.5 m³。" in there.phones.arrived[0][1].text

        path = notice.link.removeprefix("http://here")
        page = await there.client.get(path)
        text = await page.text()
        assert (page.status, "李静，请确认" in text, "签收" in text, "宿舍楼" in text) == (200, True, True, True)
        # Opening it, as scanners do, acknowledges nothing.
        assert (await there.alerts.alarms.alarm(alarm.id)).life.acknowledged_ms is None

        check = text.split('name="check" value="')[1][:32]
        answer = await there.client.post(path, data={"check": check}, allow_redirects=False)
        assert answer.status == 303
        acknowledged = await there.alerts.alarms.alarm(alarm.id)
        assert acknowledged.life.state is State.ACKNOWLEDGED
        assert (acknowledged.acknowledged_by, acknowledged.acknowledged_how) == ("李静 (li)", "link")
        assert "已签收 03-10 02:27 · 签收人 李静" in await (await there.client.get(path)).text()

        # He closes the valve at 02:40. Nobody was called again, not even who leads; those who were told hear the end.
        await there.minutes(12, BURST)
        await there.minutes(1, QUIET)
        assert sorted(t for t in there.phones.told if t[0] > 27) == [(40.0, "1"), (40.0, "2")]
        over = await there.alerts.alarms.alarm(alarm.id)
        assert over.life.state is State.RECOVERED
        # From 02:11 to 02:39 at 9.2 m3/h, less 0.2 that is usual: 28 min of 9 m3/h are 4.2 m3.
        assert over.raised.figures is not None
        assert over.raised.figures["amount"] == pytest.approx(4.2, abs=0.01)
        assert over.raised.figures["unit"] == "m3"

        await there.alerts.alarms.close(alarm.id, "li", "page", "换了管子")
        steps = [step.kind for step in await there.alerts.alarms.steps(alarm.id)]
        assert steps == [
            "raised",
            *("called", "pushed"),
            *("called", "pushed"),
            *("called", "pushed"),
            *("acknowledged", "recovered", "pushed", "pushed", "closed"),
        ]


async def test_where_nobody_answers_at_all_it_goes_up_to_who_leads(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await there.minutes(10, QUIET)
        await there.minutes(60, BURST)

        assert there.phones.told == [(21.0, "1"), (24.0, "1"), (27.0, "2"), (36.0, "3")]
        assert there.phones.arrived[3][1].title == "[Urgent] main: Water at night"


async def test_a_phone_that_cannot_be_reached_is_tried_again_and_the_others_are_called_meanwhile(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as there:
        there.phones.answer = lambda notice: 503 if notice.address.endswith("1") else 200
        await _asleep(there)
        assert there.phones.told == [(27.0, "2")]

        there.phones.answer = lambda _notice: 200
        await there.minutes(6, BURST)
        arrived = [notice.id for _, notice in there.phones.arrived]
        # Both of his messages, each once, under the ids that they always had.
        assert sorted(arrived) == ["jieneng-1.1.0.wang", "jieneng-1.1.1.wang", "jieneng-1.1.2.li"]


async def test_nothing_is_lost_or_said_twice_when_the_desk_begins_anew(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        there.phones.answer = lambda _notice: 503
        await _asleep(there)

        there.desk, there.phones.answer = there.restarted(), lambda _notice: 200
        await there.tick()
        await there.clock.step(300)
        await there.tick()
        ids = [notice.id for _, notice in there.phones.arrived]
        assert sorted(ids) == ["jieneng-1.1.0.wang", "jieneng-1.1.1.wang", "jieneng-1.1.2.li"]

        # It rang before and is over now: the new desk knows.
        await there.minutes(1, QUIET)
        assert (await there.alerts.alarms.alarm(1)).life.state is State.RECOVERED


async def test_what_comes_back_at_once_is_the_same_alarm_and_calls_nobody_who_has_it(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await _asleep(there)
        await there.alerts.alarms.acknowledge(1, "li", "page")
        told = len(there.phones.told)
        await there.minutes(1, QUIET)
        await there.minutes(12, BURST)

        [alarm] = await there.alerts.alarms.alarms()
        assert (alarm.life.state, alarm.life.flaps, alarm.life.round) == (State.ACKNOWLEDGED, 1, 1)
        # That it was over was told, and nothing since.
        assert len(there.phones.told) == told + 2


async def test_every_step_is_in_the_audit_log_with_who_did_it(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        await _asleep(there)
        await there.alerts.alarms.acknowledge(1, "li", "page", "在路上")
        records = there.alerts.alarms._records
        async with records.reading() as connection:
            from sqlalchemy import text

            wanted = text("SELECT account, detail FROM audit WHERE subject = 'alarm/1' ORDER BY seq")
            rows = (await connection.execute(wanted)).all()

    assert [row.account for row in rows][:2] == ["jieneng", "jieneng"]
    assert (rows[-1].account, '"kind":"acknowledged"' in rows[-1].detail, "在路上" in rows[-1].detail) == (
        "li",
        True,
        True,
    )
