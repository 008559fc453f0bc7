"""`jieneng demo` as a stranger sees it: one command, one address, a campus alive in the browser."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.campus import alive, children_of, command, get, kill, named, reporting, stop, until
from tests.journeys.looking import at_browser, page_of
from tests.real_parts import free_port

# What is made of two years at the first start takes its time on a busy machine.
_FIRST_START_S = 600


@dataclass
class Demo:
    pid: int
    port: int
    log: Path
    folder: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    port, log = free_port(), folder / "demo.log"
    arguments = ("--data", str(folder / "var"), "--listen", f"127.0.0.1:{port}", "--broker-port", str(free_port()))
    # It begins at once, so that nobody waits for it.
    leaking = ("--leak-after", "0.05")
    with command("demo", *arguments, *leaking, log=log) as process:
        until(lambda: process.poll() is not None or reporting(port) >= 60, "sixty meters", within_s=_FIRST_START_S)
        assert process.poll() is None, log.read_text()
        yield Demo(process.pid, port, log, folder)
        below = children_of(process.pid)
        assert stop(process, signal.SIGINT) == 0, log.read_text()
        until(lambda: not any(alive(pid) for pid in below), "end of all children")
    # The second start finds what the first has kept.
    before = log.stat().st_size
    with command("demo", *arguments, "--leak-after", "0", log=log) as process:
        until(lambda: reporting(port) >= 60, "sixty meters again")
        history = get(port, _series("office-a-main:active_power", port, days=730))
        assert len(history["series"][0]["t"]) > 250
        assert story_of(port) == TOLD
        assert b"made of it" not in log.read_bytes()[before:]


# A contract with its statements, quotas, and the filings of last month, by state.
TOLD = (["closed", "confirmed_by_one", "payment_requested"], 3, {"accepted": 1, "draft": 1, "returned": 1})


def story_of(port: int) -> tuple[list[str], int, dict[str, int]]:
    """What was entered at the first start."""
    contract = get(port, "/api/v1/contracts/office-b-lighting")
    quotas = get(port, "/api/v1/quotas")["quotas"]
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    month = today.replace(day=1) - timedelta(days=1)
    filings = get(port, f"/api/v1/statistics/filings?month={month:%Y-%m}")
    states = {state: count for state, count in filings["states"].items() if count}
    return sorted(one["state"] for one in contract["statements"]), len(quotas), states


def _series(point: str, port: int, *, days: float = 0, minutes: float = 0, points: int = 1000) -> str:
    now = get(port, "/api/v1/latest?point=" + point)["at"]
    since = now - int(days * 86_400_000 + minutes * 60_000)
    return f"/api/v1/series?point={point}&from={since}&to={now + 1}&points={points}"


@pytest.fixture
def page(demo: Demo, browser: Browser) -> Iterator[Page]:
    context = at_browser(browser, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    opened = page_of(context)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda r: errors.append(r.url) if f"127.0.0.1:{demo.port}" not in r.url else None)
    opened.goto(f"http://127.0.0.1:{demo.port}/#/live")
    yield opened
    context.close()
    assert errors == []


def drawn(page: Page) -> tuple[int, int]:
    """How many points are drawn, and the instant of the newest [ms]."""
    curve = page.get_by_test_id("curve")
    return int(curve.get_attribute("data-points") or 0), int(curve.get_attribute("data-last") or 0)


def test_one_address_is_printed(demo: Demo) -> None:
    until(lambda: f"http://127.0.0.1:{demo.port}" in demo.log.read_text(), "the address")


def test_a_campus_of_at_least_sixty_meters_reports_without_a_refusal(demo: Demo) -> None:
    # A meter that a busy machine answers for too late is silent, until the next time.
    until(lambda: get(demo.port, "/health")["problems"] == [], "a campus without problems")
    until(lambda: reporting(demo.port) >= 60, "sixty meters")
    assert set(get(demo.port, "/health")["refused"]) <= {"duplicate"}
    until(lambda: all(total["reporting"] == total["meters"] for total in media(demo.port).values()), "all meters")
    assert set(media(demo.port)) == {"electricity", "water", "gas", "heat"}


def media(port: int) -> dict[str, Any]:
    return {total["medium"]: total for total in get(port, "/api/v1/overview")["media"]}


def test_power_is_the_slope_of_energy_in_what_is_stored(demo: Demo) -> None:
    """Over the quarter hours of the past the mean power times the time is the growth of the register."""
    end = get(demo.port, "/api/v1/latest")["at"] // 86_400_000 * 86_400_000 - 86_400_000
    asked = f"&from={end - 7 * 86_400_000}&to={end + 1}&points=10000"
    curves = {
        quantity: get(demo.port, f"/api/v1/series?point=library-main:{quantity}{asked}")["series"][0]
        for quantity in ("active_power", "active_energy_import")
    }
    power, energy = curves["active_power"], curves["active_energy_import"]
    assert power["t"] == energy["t"]
    hours = (power["t"][-1] - power["t"][0]) / 3_600_000
    trapezoid = sum((a + b) / 2 for a, b in pairwise(power["mean"])) * 0.25
    grown = energy["last"][-1] - energy["last"][0]

    assert hours == 168
    assert grown == pytest.approx(trapezoid, rel=0.01)


def test_the_curve_grows_while_one_looks(page: Page) -> None:
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    points, last = until(lambda: drawn(page)[0] and drawn(page), "a curve")

    until(lambda: drawn(page) > (points + 3, 0) and drawn(page)[1] > last + 8000, "more of it")


def test_meters_are_chosen_and_the_address_keeps_them(page: Page, demo: Demo) -> None:
    row = page.locator("[data-testid=meter][data-meter=gym-main]")
    row.scroll_into_view_if_needed()
    row.click()
    curve = page.get_by_test_id("curve")
    expect(curve).to_have_attribute("data-series", _holding("gym-main:active_power"))

    page.reload()
    expect(curve).to_have_attribute("data-series", _holding("gym-main:active_power"))


def test_a_year_is_one_click_away_and_has_its_points(page: Page) -> None:
    page.get_by_test_id("period-year").click()
    curve = page.get_by_test_id("curve")

    def a_year() -> bool:
        shown = int(curve.get_attribute("data-to") or 0) - int(curve.get_attribute("data-from") or 0)
        return drawn(page)[0] > 1000 and shown > 300 * 86_400_000

    until(a_year, "a year")


def test_the_same_in_english_and_as_a_table(page: Page) -> None:
    expect(page.locator("body")).to_contain_text("示范园区")
    page.get_by_test_id("language").click()
    expect(page.locator("body")).to_contain_text("Demo campus")
    until(lambda: drawn(page)[0], "a curve")
    page.get_by_test_id("as-table").click()
    expect(page.get_by_test_id("curve-table").locator("tr").nth(2)).to_be_visible()


def test_the_story_is_told_and_the_leak_rings_a_phone(demo: Demo, page: Page) -> None:
    assert story_of(demo.port) == TOLD
    confirmed = get(demo.port, "/api/v1/findings?state=confirmed")["findings"]
    assert {f["kind"] for f in confirmed} == {"constant"}

    link = until(lambda: re.search(r"→ \w+: (http\S+/a/\S+)", demo.log.read_text()), "the link", within_s=300)[1]
    page.goto(f"http://127.0.0.1:{demo.port}/#/alarms?view=messages")
    expect(page.get_by_test_id("phone")).to_contain_text("图书教学楼")
    page.goto(link)
    expect(page.locator("main")).to_contain_text("图书教学楼用水突增")


def test_what_nobody_decided_is_a_handful_of_what_was_planted_and_each_says_what_it_costs(demo: Demo) -> None:
    planted = {"office-a-water", "library-lighting-f2", "canteen-cold-store", "office-b-fans", "library-air-handling"}
    findings = get(demo.port, "/api/v1/findings?state=open&state=ended&limit=1000")["findings"]

    assert planted <= {f["meter"] for f in findings}, findings
    assert len(findings) <= 12, findings
    assert all((f["yuan"] is None) == (f["unpriced"] is not None) for f in findings)
    assert [f["meter"] for f in findings if f["yuan"] is None] == ["library-air-handling"]
    # What was mended a week ago is not among what needs somebody now.
    assert {"office-b-fans", "library-air-handling"} <= {f["meter"] for f in findings if f["ended"] == "normal"}
    assert {"office-a-water", "canteen-cold-store"} <= {f["meter"] for f in findings if f["state"] == "open"}


def test_a_gateway_that_is_killed_comes_back_and_so_does_the_page(page: Page, demo: Demo) -> None:
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-state", "connected")
    killed_at = get(demo.port, _series("office-a-main:active_power", demo.port))["to"]
    kill(named(children_of(demo.pid), "gateway"))

    expect(connection).not_to_have_attribute("data-state", "connected")
    expect(connection).to_have_attribute("data-state", "connected")
    until(lambda: reporting(demo.port) >= 60, "sixty meters after the kill")

    # What the gateway had not committed when it died is sent again by the edge. A busy machine answers for one meter
    # or another too late, which is a hole too; what a dead gateway lost would be missing of all.
    until(lambda: most_are_whole(demo.port, killed_at), "curves without a hole")


READ_EACH_FIVE_SECONDS = [
    f"{place}-main:active_power"
    for place in ("office-a", "office-b", "data-room", "canteen", "dormitory", "boiler-house", "library", "gym")
]


def most_are_whole(port: int, at: int) -> bool:
    """Whether most main meters have a reading every five seconds while the gateway was down, and after."""
    whole = 0
    for point in READ_EACH_FIVE_SECONDS:
        answer = get(port, f"/api/v1/series?point={point}&from={at - 8_000}&to={at + 30_000}&points=5000")
        taken = answer["series"][0]["t"] if answer else []
        whole += bool(taken) and taken[-1] > at + 20_000 and max(b - a for a, b in pairwise(taken)) < 7_500
    return whole > len(READ_EACH_FIVE_SECONDS) / 2


def _holding(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))
