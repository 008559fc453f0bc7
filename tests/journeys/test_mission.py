"""The whole mission once through, in real browsers and by a clock that is moved: a leak in the night, and its month
closed, reported, settled, and verified offline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from energy.readings import to_ms
from tests.journeys.campus import until
from tests.journeys.looking import at_browser, page_of
from tests.journeys.standing import STANDINGS
from tests.journeys.test_sign_in import PASSWORD, fill
from tests.journeys.town import BURST, MENDED, Town, local, town

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# 33.6 m3 on each of 31 days and two hours of 9 m3/h, at 6 yuan; 240 kWh on each day at 0.52 yuan.
MARCH = {
    "water.quantity": "1,059.60",
    "water.fee": "6,357.60",
    "electricity.quantity": "7,440.00",
    "electricity.fee": "3,868.80",
}
# What is found of the hours up to 07:00 goes on no more when two further ones were read, and one is going by.
SETTLED = 10
# 300 - 240 kWh a day saved are 1,860 kWh; at 0.80 yuan 1,488, of which the company has 90 %.
DUE = "1,339.20"


# What came out on what the town stood on first.
FIRST: dict[str, Any] = {}


@pytest.mark.parametrize("on", STANDINGS)
def test_a_leak_is_rung_found_closed_in_the_month_reported_and_settled(
    tmp_path: Path, browser: Browser, on: str
) -> None:
    with STANDINGS[on](tmp_path) as standing, town(tmp_path, local("03-10T02:00"), standing) as there:
        the_pipe_leaks(there)
        the_deputy_acknowledges(there, browser)
        the_finding_carries_cubic_metres_and_yuan(there, browser)
        the_month_goes_by(there)
        the_month_is_closed_with_the_leak_in_it(there, browser)
        the_form_is_returned_once_and_accepted(there, browser)
        file = both_parties_confirm_the_statement(there, browser, tmp_path)
        found = figures(there, browser) | {"statement": json.loads(file.read_bytes())}
    # Whatever keeps the readings, the sums and the records: each figure of the month is the same, to the last digit.
    for name, figure in found.items():
        assert FIRST.setdefault(name, figure) == figure
    # The gateway is gone: what follows needs the file alone.
    the_statement_is_verified_offline(file)


# -- the night --------------------------------------------------------------------------------------------------------


def the_pipe_leaks(there: Town) -> None:
    """At 02:10. Crossed at 02:11, told at 02:21 and 02:24 to who is on duty, at 02:27 to the deputy."""
    for minute in range(28):
        at = local("03-10T02:00") + timedelta(minutes=minute)
        there.go_on(at)
        there.flow(9.2 if at > BURST else 0.2, at)
        await_messages(there, sum(minute >= called for called in (21, 24, 27)))
    assert [notice.address[-1] for notice in there.phones.notices] == ["1", "1", "2"]
    first = there.phones.notices[0]
    assert first.title == "【紧急】宿舍楼水表：夜间用水不停"
    # Ten minutes of 9 m3/h beyond what is usual, at 4.00 + 1.40 + 0.60 yuan.
    assert "至今约 1.5 m³，约 9.00 元。" in first.text
    assert "03-10 02:11 起，尚无人签收。" in there.phones.notices[2].text


def await_messages(there: Town, count: int) -> None:
    until(lambda: len(there.phones.notices) == count, f"{count} messages", within_s=240)


def the_deputy_acknowledges(there: Town, browser: Browser) -> None:
    """By the link of his message, on a phone, without signing in."""
    with opened(there, browser, PHONE) as page:
        page.goto(there.phones.notices[2].link)
        expect(page.locator("body")).to_contain_text("李静，请确认您已知悉并处理此告警。")
        expect(page.locator("body")).to_contain_text("未签收")
        page.get_by_role("button", name="签收").click()
        expect(page.locator("body")).to_contain_text("已签收 03-10 02:27 · 签收人 李静 (li)")
        expect(page.get_by_role("button", name="签收")).to_have_count(0)


def the_finding_carries_cubic_metres_and_yuan(there: Town, browser: Browser) -> None:
    """The valve is closed at 04:10: those who were called hear of it. The ledger shows what the night has cost."""
    there.go_on(MENDED + timedelta(minutes=2))
    night = [local("03-10T02:28") + timedelta(minutes=i) for i in range(103)]
    there.flow(9.2, *night)
    there.flow(0.2, MENDED + timedelta(minutes=1), MENDED + timedelta(minutes=2))
    await_messages(there, 5)
    assert {n.address[-1] for n in there.phones.notices[3:]} == {"1", "2"}
    assert {n.title[:5] for n in there.phones.notices[3:]} == {"【已恢复】"}

    with opened(there, browser, DESK) as officer:
        enter(there, officer, "zhoukezhang")
        pass_hours_until_found(there, officer)
        officer.get_by_test_id("nav-findings").click()
        card = officer.get_by_test_id("finding")
        expect(card).to_have_count(1)
        # The two hours of 9 m3/h and nothing else: 18 m3 at 6 yuan.
        for words in ("短时突增", "宿舍楼水表", "18.00 m³", "108.00 元", "多 18 m³", "漏水"):
            expect(card).to_contain_text(words)
        card.get_by_role("button").first.click()
        expect(card.get_by_test_id("finding-curve")).to_be_visible()
        expect(card).to_contain_text("价格 example-water")
        card.get_by_test_id("finding-confirm").click()
        card.get_by_test_id("say-why").fill("宿舍楼水管爆裂，已换管")
        card.get_by_test_id("say-confirm").click()
        expect(officer.get_by_test_id("said")).to_contain_text("已确认")
        look_at_the_alarm(officer)


def look_at_the_alarm(officer: Page) -> None:
    officer.get_by_test_id("nav-alarms").click()
    officer.locator("main").get_by_text("宿舍楼水表：夜间用水不停").click()
    card = officer.get_by_test_id("alarm-card")
    expect(card.get_by_test_id("alarm-state")).to_contain_text("已恢复")
    expect(card.get_by_test_id("alarm-steps")).to_contain_text("李静 (li)")


def pass_hours_until_found(there: Town, officer: Page) -> None:
    """Hour by hour the registers come in and the gateway looks, until the leak is found and over."""
    for hour in range(5, 18):
        at = local(f"03-10T{hour:02}:00")
        # Whoever waits stays signed in by asking now and then.
        for minute in (-36, -18, 1):
            there.go_on(at + timedelta(minutes=minute))
            ongoing(there, officer)
        there.read(at, since=at - timedelta(hours=3))
        there.go_on(at + timedelta(minutes=6))
        if hour < SETTLED:
            continue
        with suppress(AssertionError):
            until(lambda: ongoing(there, officer) == [False], "the finding", within_s=30)
            return
    raise AssertionError(f"no finding that is over within half a day: {ongoing(there, officer)}")


def ongoing(there: Town, officer: Page) -> list[bool]:
    """Of each finding, whether it goes on."""
    answer = officer.request.get(f"http://127.0.0.1:{there.port}/api/v1/findings")
    return [finding["ongoing"] for finding in answer.json()["findings"]]


# -- the month --------------------------------------------------------------------------------------------------------


def the_month_goes_by(there: Town) -> None:
    there.go_on(local("04-02T09:00"))
    there.read(local("04-02T09:00"), since=local("03-10T05:00"))


def the_month_is_closed_with_the_leak_in_it(there: Town, browser: Browser) -> None:
    with opened(there, browser, DESK) as officer:
        enter(there, officer, "zhoukezhang")
        officer.get_by_test_id("nav-periods").click()
        march = officer.locator("[data-testid=month][data-month='2026-03']")
        march.get_by_test_id("close-month").click()
        expect(march.get_by_test_id("will-close")).to_contain_text("水 1,059.6 m³")
        expect(march.get_by_test_id("will-close")).to_contain_text("电 7,440 kWh")
        march.get_by_test_id("say-why").fill("三月月报")
        march.get_by_test_id("say-confirm").click()
        expect(march).to_have_attribute("data-closed", "true")
        expect(march).to_contain_text("三月月报")
        expect(officer.get_by_test_id("closed-month")).to_have_attribute("data-differing", "0")
    with opened(there, browser, DESK, refused=404) as school:
        enter(there, school, "tianbao")
        school.get_by_test_id("nav-periods").click()
        expect(school.get_by_test_id("in-part")).to_contain_text("由能看到全站的人办理")
        expect(school.locator("[data-testid=month][data-month='2026-03']")).to_contain_text("已关账")


def the_form_is_returned_once_and_accepted(there: Town, browser: Browser) -> None:
    """By who approves it at the school, and who reviews it at the district."""
    with opened(there, browser, DESK) as school, opened(there, browser, DESK) as reviewer:
        enter(there, school, "tianbao")
        open_filing(school)
        for cell, figure in MARCH.items():
            expect(school.get_by_test_id(cell)).to_contain_text(figure)
        take(school, "submit")
        expect(school.get_by_test_id("filing")).to_have_attribute("data-state", "submitted")

        enter(there, reviewer, "shenhe")
        open_filing(reviewer)
        take(reviewer, "return", "用水比上月多，请说明")
        expect(reviewer.get_by_test_id("filing")).to_have_attribute("data-state", "returned")

        school.reload()
        expect(school.get_by_test_id("steps")).to_contain_text("用水比上月多，请说明")
        take(school, "submit", "3 月 10 日夜间漏水 18 m³，已修复")
        expect(school.get_by_test_id("filing")).to_have_attribute("data-state", "submitted")

        reviewer.reload()
        expect(reviewer.get_by_test_id("steps")).to_contain_text("3 月 10 日夜间漏水 18 m³，已修复")
        take(reviewer, "accept")
        expect(reviewer.get_by_test_id("filing")).to_have_attribute("data-state", "accepted")
        expect(reviewer.get_by_test_id("water.quantity")).to_contain_text(MARCH["water.quantity"])


def open_filing(page: Page) -> None:
    page.get_by_test_id("nav-statistics").click()
    page.get_by_test_id("open-school").click()
    expect(page.get_by_test_id("filing")).to_be_visible()


def take(page: Page, step: str, why: str = "") -> None:
    page.get_by_test_id(step).click()
    page.get_by_test_id("why").fill(why)
    page.get_by_test_id("confirm").click()


# -- the contract -----------------------------------------------------------------------------------------------------


def both_parties_confirm_the_statement(there: Town, browser: Browser, folder: Path) -> Path:
    """The school by its officer, the company by its own account; the file that the company takes away."""
    with opened(there, browser, DESK) as officer, opened(there, browser, DESK) as company:
        enter(there, officer, "zhoukezhang")
        officer.get_by_test_id("nav-contracts").click()
        officer.get_by_test_id("draft-from").fill("2026-03-01")
        officer.get_by_test_id("draft-last").fill("2026-03-31")
        officer.get_by_test_id("draft").click()
        expect(officer.get_by_test_id("statement")).to_contain_text(DUE)
        officer.get_by_test_id("say-confirm").click()
        frozen = officer.get_by_test_id("statement")
        expect(frozen).to_have_attribute("data-state", "frozen")
        expect(frozen).to_contain_text("壹仟叁佰叁拾玖元贰角整")
        expect(frozen.get_by_test_id("line")).to_contain_text("1,860.00 kWh")
        officer.get_by_test_id("step-confirmed-client").click()
        officer.get_by_test_id("say-confirm").click()
        expect(frozen).to_have_attribute("data-state", "confirmed_by_one")

        enter(there, company, "jieneng-gongsi")
        company.get_by_test_id("nav-contracts").click()
        company.get_by_test_id("statement-row").get_by_role("button").click()
        company.get_by_test_id("step-confirmed-esco").click()
        company.get_by_test_id("say-confirm").click()
        confirmed = company.get_by_test_id("statement")
        expect(confirmed).to_have_attribute("data-state", "confirmed")
        expect(confirmed.get_by_test_id("steps")).to_contain_text("zhoukezhang")
        expect(confirmed.get_by_test_id("steps")).to_contain_text("jieneng-gongsi")
        with company.expect_download() as saved:
            company.get_by_test_id("file-json").click()
        file = folder / saved.value.suggested_filename
        saved.value.save_as(file)
        return file


def the_statement_is_verified_offline(file: Path) -> None:
    done = verified(file)
    assert done.returncode == 0, done.stderr
    assert "HT-2026-018-001: 1 lines reckoned again, 1339.20 yuan due, all as it stands" in done.stdout

    changed = file.with_name("changed.json")
    text = file.read_text(encoding="utf-8")
    assert '"amount":"1339.20"' in text
    changed.write_text(text.replace('"amount":"1339.20"', '"amount":"1439.20"'), encoding="utf-8")
    refused = verified(changed)
    assert refused.returncode == 1
    assert "all as it stands" not in refused.stdout


def verified(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jieneng", "settle", "verify", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# -- figures ----------------------------------------------------------------------------------------------------------


def figures(there: Town, browser: Browser) -> dict[str, Any]:
    """All that the gateway says of the month: what was closed, each hour of each meter, what was found."""
    with opened(there, browser, DESK) as officer:
        enter(there, officer, "zhoukezhang")
        closed = asked(there, officer, "periods/2026-03")
        found = {name: closed[name] for name in ("counters", "differing", "sums", "figures", "differences")}
        month = f"from={to_ms(local('03-01T00:00'))}&to={to_ms(local('04-01T00:00'))}"
        for meter in ("dorm-water", "main"):
            for by in ("hour", "month"):
                found[f"{meter} by {by}"] = asked(there, officer, f"consumption?of=meter/{meter}&{month}&by={by}")
            curve = f"point={meter}:{'volume' if meter == 'dorm-water' else 'active_energy_import'}&points=2000"
            found[f"curve of {meter}"] = asked(there, officer, f"series?{curve}&{month}")
        found["findings"] = [_without_when(one) for one in asked(there, officer, "findings")["findings"]]
    return found


def _without_when(finding: dict[str, Any]) -> dict[str, Any]:
    """Of what goes on while others wait nobody knows at which of the hours it is noticed."""
    return {name: said for name, said in finding.items() if not name.endswith("_at")}


def asked(there: Town, page: Page, path: str) -> Any:
    answer = page.request.get(f"http://127.0.0.1:{there.port}/api/v1/{path}")
    assert answer.ok, answer.text()
    return answer.json()


# -- browsers ---------------------------------------------------------------------------------------------------------


@contextmanager
def opened(there: Town, browser: Browser, size: ViewportSize, refused: int = 0) -> Iterator[Page]:
    """A browser of somebody; a page that breaks, complains, or asks a stranger, fails. `refused` may be answered."""
    context = at_browser(browser, locale="zh-CN", viewport=size, has_touch=size is PHONE, is_mobile=size is PHONE)
    errors: list[str] = []
    page = page_of(context)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    awaited = f"the server responded with a status of {refused} "
    page.on("request", lambda r: errors.append(r.url) if f"//127.0.0.1:{there.port}/" not in r.url else None)
    yield page
    context.close()
    assert [error for error in errors if awaited not in error] == []


def enter(there: Town, page: Page, name: str, password: str = "") -> None:
    """Sign in; the first time with the password that was given, which is changed."""
    page.goto(f"http://127.0.0.1:{there.port}/#/?lang=zh")
    first = there.passwords.pop(name, None)
    fill(page, name=name, password=first or PASSWORD)
    if first is not None:
        fill(page, new_password=PASSWORD, again=PASSWORD)
    expect(page.get_by_test_id("own-account")).to_contain_text(name)
