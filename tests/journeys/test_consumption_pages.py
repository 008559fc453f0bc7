"""The pages of the ledger as an officer uses them: from a building down to the readings, and a meter's exchange."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.campus import alive, children_of, command, get, reporting, stop, until
from tests.journeys.looking import at_browser, page_of
from tests.real_parts import free_port

_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Demo:
    port: int
    yesterday: datetime


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    port, log = free_port(), folder / "demo.log"
    arguments = ("--data", str(folder / "var"), "--listen", f"127.0.0.1:{port}", "--broker-port", str(free_port()))
    with command("demo", *arguments, log=log) as process:
        until(lambda: process.poll() is not None or reporting(port) >= 60, "sixty meters", within_s=600)
        assert process.poll() is None, log.read_text()
        at = datetime.fromtimestamp(get(port, "/api/v1/latest")["at"] / 1000, _ZONE)
        yesterday = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        until(lambda: of_day(port, "place/office-a", yesterday), "the ledger of yesterday")
        yield Demo(port, yesterday)
        below = children_of(process.pid)
        assert stop(process, signal.SIGINT) == 0, log.read_text()
        until(lambda: not any(alive(pid) for pid in below), "end of all children")


@pytest.fixture
def page(demo: Demo, browser: Browser) -> Iterator[Page]:
    context = at_browser(browser, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    opened = page_of(context)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda r: errors.append(r.url) if f"127.0.0.1:{demo.port}" not in r.url else None)
    yield opened
    context.close()
    assert errors == []


def day_of(day: datetime) -> str:
    after = day + timedelta(days=1)
    return f"from={int(day.timestamp() * 1000)}&to={int(after.timestamp() * 1000)}"


def of_day(port: int, of: str, day: datetime) -> Any:
    """What flowed through a node on a day; None while the ledger has not come so far."""
    answer = get(port, f"/api/v1/consumption?of={of}&by=hour&{day_of(day)}&compare=false")
    return answer["media"][0]["total"] if answer and answer["media"] and answer["media"][0]["total"]["value"] else None


def show(page: Page, demo: Demo, hash_: str) -> None:
    page.goto(f"http://127.0.0.1:{demo.port}/#{hash_}")


def test_a_building_on_the_live_page_leads_to_its_consumption(page: Page, demo: Demo) -> None:
    show(page, demo, "/live")
    page.get_by_role("row", name="办公楼A").get_by_test_id("building-consumption").first.click()

    expect(page.get_by_test_id("node-name")).to_have_text("办公楼A")
    expect(page.get_by_test_id("medium").and_(page.locator("[data-medium=electricity]"))).to_contain_text("同比")


def test_a_figure_of_the_overview_opens_what_it_is_made_of(page: Page, demo: Demo) -> None:
    show(page, demo, "/?of=place/office-a&lang=zh")
    expect(page.get_by_test_id("overview")).to_have_attribute("data-of", "place/office-a")
    used = page.get_by_test_id("span-month").locator("[data-medium=electricity]")
    expect(used).to_have_attribute("data-value", re.compile(r"\d"))
    page.get_by_test_id("trend-day").click()
    expect(page.get_by_test_id("trend-chart")).to_have_attribute("data-bars", "24")

    used.get_by_role("link").click()
    expect(page.get_by_test_id("calendar-month")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("node-name")).to_have_text("办公楼A")
    card = page.locator("[data-testid=medium][data-medium=electricity]")
    expect(card).to_have_attribute("data-value", re.compile(r"\d"))
    page.get_by_test_id("nav-overview").click()
    expect(page.get_by_test_id("overview")).to_have_attribute("data-of", "place/office-a")


def test_curves_that_were_sent_of_the_first_page_are_found_where_they_are_now(page: Page, demo: Demo) -> None:
    show(page, demo, "/?period=day&points=gym-main:active_power")

    expect(page).to_have_url(re.compile("#/live"))
    expect(page.get_by_test_id("curve")).to_have_attribute("data-series", re.compile("gym-main:active_power"))


def test_the_figure_of_a_day_is_the_ledgers_and_the_address_holds_it(page: Page, demo: Demo) -> None:
    wanted = of_day(demo.port, "place/office-a", demo.yesterday)["value"]
    show(page, demo, f"/consumption?of=place/office-a&{day_of(demo.yesterday)}&lang=zh")

    card = page.locator("[data-testid=medium][data-medium=electricity]")
    expect(card).to_have_attribute("data-value", str(wanted).removesuffix(".0"))
    expect(card).to_contain_text("全部实测")
    expect(page.get_by_test_id("bars")).to_have_attribute("data-bars", "24")

    page.get_by_test_id("earlier").click()
    before = demo.yesterday - timedelta(days=1)
    expect(page).to_have_url(re.compile(re.escape(f"from={int(before.timestamp() * 1000)}")))
    page.go_back()
    expect(card).to_have_attribute("data-value", str(wanted).removesuffix(".0"))


def test_the_way_leads_down_to_a_meter_and_to_its_readings(page: Page, demo: Demo) -> None:
    show(page, demo, f"/consumption?of=place/office-a&{day_of(demo.yesterday)}&lang=zh")
    page.get_by_test_id("part").filter(has_text="办公楼A 总表").click()
    expect(page.get_by_test_id("node-name")).to_have_text("办公楼A 总表")
    page.get_by_test_id("part").filter(has_text="电梯").click()
    expect(page.get_by_test_id("node-name")).to_contain_text("电梯")
    page.get_by_test_id("readings").first.click()

    curve = page.get_by_test_id("curve")
    expect(curve).to_have_attribute("data-series", re.compile("^office-a-lifts:"))
    expect(curve).to_have_attribute("data-from", str(int(demo.yesterday.timestamp() * 1000)))
    until(lambda: int(curve.get_attribute("data-points") or 0) > 50, "readings")


def test_a_table_and_a_file_say_what_the_bars_say(page: Page, demo: Demo) -> None:
    show(page, demo, f"/consumption?of=place/office-a&{day_of(demo.yesterday)}&lang=en&view=table")
    expect(page.get_by_test_id("figure-table").locator("tbody tr")).to_have_count(24)
    with page.expect_download() as download:
        page.get_by_test_id("csv").first.click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()

    assert len(lines) == 25
    total = sum(float(line.split(",")[2]) for line in lines[1:])
    assert total == pytest.approx(of_day(demo.port, "place/office-a", demo.yesterday)["value"])


def test_the_balance_says_which_mains_are_within_the_bound(page: Page, demo: Demo) -> None:
    show(page, demo, f"/balance?{day_of(demo.yesterday)}&lang=zh")
    row = page.locator("[data-testid=balance-row][data-meter=office-a-main]")
    expect(row).to_have_attribute("data-verdict", "within")

    page.get_by_test_id("bound").fill("1")
    page.get_by_test_id("bound").press("Enter")
    expect(row).to_have_attribute("data-verdict", "beyond")
    expect(page).to_have_url(re.compile(r"bound=0\.01"))
    row.get_by_role("link").first.click()
    expect(page.get_by_test_id("node-name")).to_have_text("办公楼A 总表")


def test_tariffs_show_a_day_in_bands(page: Page, demo: Demo) -> None:
    show(page, demo, "/tariffs?lang=zh")
    tariff = page.locator("[data-testid=tariff][data-tariff=example-tou]")

    expect(tariff).to_contain_text("峰")
    expect(tariff.get_by_test_id("band-strip")).to_be_visible()


def test_a_bill_is_entered_and_set_beside_the_meters(page: Page, demo: Demo) -> None:
    show(page, demo, "/tariffs?lang=zh&account=demo-water")
    page.get_by_test_id("enter-bill").click()
    day = demo.yesterday
    for field, text in (
        ("first", f"{day - timedelta(days=2):%Y-%m-%d}"),
        ("last", f"{day:%Y-%m-%d}"),
        ("quantity", "600"),
        ("amount", "3,600.00"),
        ("who", "王工"),
    ):
        page.get_by_test_id(f"bill-{field}").fill(text)
    page.get_by_test_id("confirm-bill").click()

    bill = page.get_by_test_id("bill")
    expect(bill).to_contain_text("3,600.00 元")
    expect(bill).to_contain_text("m³")


def test_an_exchange_is_previewed_confirmed_and_withdrawn_and_the_figures_follow(page: Page, demo: Demo) -> None:
    """Yesterday at noon the new register is said to have begun 10 kWh lower: the day is 10 kWh more than it seemed."""
    of, noon = "meter/gym-main", demo.yesterday + timedelta(hours=12, minutes=7)
    before = of_day(demo.port, of, demo.yesterday)["value"]
    register = _register_at(demo.port, "gym-main:active_energy_import", noon)
    show(page, demo, f"/meter/gym-main?lang=zh&at={int(noon.timestamp() * 1000)}&enter=exchanged")
    preview = page.get_by_test_id("preview-event")
    expect(page.get_by_test_id("field-at")).to_have_value(re.compile(f"{noon:%Y-%m-%dT%H:%M}"))
    preview.click()
    expect(page.get_by_test_id("event-form")).to_contain_text("请填登记人")

    page.get_by_test_id("field-final").fill(f"{register:.3f}")
    page.get_by_test_id("field-initial").fill(f"{register - 10:.3f}")
    page.get_by_test_id("field-who").fill("王工")
    page.get_by_test_id("field-why").fill("工单 7")
    expect(page.get_by_test_id("confirm-event")).to_have_count(0)
    preview.click()
    expect(page.get_by_test_id("preview-after")).to_be_visible()
    told = [page.get_by_test_id(f"preview-{which}").get_attribute("data-value") for which in ("before", "after")]
    was, becomes = (float(value or "nan") for value in told)
    assert becomes - was == pytest.approx(10, abs=0.01)
    expect(page.get_by_test_id("changed-day")).to_have_count(1)
    assert of_day(demo.port, of, demo.yesterday)["value"] == before, "a preview changes nothing"

    page.get_by_test_id("confirm-event").click()
    expect(page.get_by_test_id("said")).to_contain_text("已登记")
    expect(page.get_by_test_id("event")).to_contain_text("工单 7")
    until(
        lambda: of_day(demo.port, of, demo.yesterday)["value"] == pytest.approx(before + 10, abs=0.01), "the new figure"
    )

    show(page, demo, f"/consumption?of={of}&{day_of(demo.yesterday)}&lang=zh")
    after = of_day(demo.port, of, demo.yesterday)["value"]
    expect(page.get_by_test_id("medium")).to_have_attribute("data-value", str(after).removesuffix(".0"))

    show(page, demo, "/meter/gym-main?lang=zh")
    page.get_by_test_id("withdraw").click()
    page.get_by_test_id("withdraw-why").fill("登记到别的表上了")
    page.get_by_test_id("confirm-withdraw").click()
    expect(page.get_by_test_id("said")).to_contain_text("已撤销")
    until(lambda: of_day(demo.port, of, demo.yesterday)["value"] == pytest.approx(before), "the old figure")


def _register_at(port: int, point: str, at: datetime) -> float:
    end = int(at.timestamp() * 1000)
    asked = f"/api/v1/series?point={point}&from={end - 900_000}&to={end + 1}&points=2000"
    return float(get(port, asked)["series"][0]["last"][-1])


def test_tariffs_stand_beside_money_and_virtual_meters_below_the_meters(page: Page, demo: Demo) -> None:
    show(page, demo, f"/consumption?of=meter/office-a-main&{day_of(demo.yesterday)}&lang=zh")
    expect(page.get_by_test_id("tariffs-of")).to_have_text("example-tou")

    page.get_by_test_id("tree-meters").click()
    expect(page.get_by_test_id("node").filter(has_text="虚拟表")).to_be_visible()
    page.get_by_test_id("node").filter(has_text="两栋办公楼合计").get_by_role("link").click()
    expect(page.get_by_test_id("node-name")).to_have_text("两栋办公楼合计")
    expect(page.get_by_test_id("medium")).to_have_attribute("data-value", re.compile(r"^\d"))


def test_what_is_not_found_is_named(page: Page, demo: Demo) -> None:
    show(page, demo, f"/consumption?of=place/attic&{day_of(demo.yesterday)}&lang=zh")
    expect(page.get_by_role("alert")).to_contain_text("attic")


def test_a_purchase_of_diesel_is_entered_and_taken_for_use_until_it_is_counted(page: Page, demo: Demo) -> None:
    show(page, demo, f"/stock?{day_of(demo.yesterday)}&lang=zh")
    page.get_by_test_id("enter-move").click()
    page.get_by_test_id("confirm-move").click()
    expect(page.get_by_test_id("move-form")).to_contain_text("请填日期")
    for field, text in (
        ("day", f"{demo.yesterday:%Y-%m-%d}"),
        ("quantity", "400"),
        ("amount", "3,020.00"),
        ("who", "王工"),
    ):
        page.get_by_test_id(f"move-{field}").fill(text)
    page.get_by_test_id("confirm-move").click()

    expect(page.get_by_test_id("use")).to_contain_text("以购代用")
    expect(page.get_by_test_id("use")).to_contain_text("3,020.00 元")
    expect(page.get_by_test_id("move")).to_contain_text("400.00 L")
    with page.expect_download() as download:
        page.get_by_test_id("moves-csv").click()
    assert "柴油,购入,400,L,3020.00" in Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_a_month_is_closed_and_what_comes_late_is_booked_as_a_reversal_and_a_correction(page: Page, demo: Demo) -> None:
    """In the middle of last month a new register is said to have begun 10 kWh lower, after the month was closed."""
    last = (demo.yesterday.replace(day=1) - timedelta(days=1)).replace(day=1)
    month, noon = f"{last:%Y-%m}", last.replace(day=15, hour=12)
    point = "gym-main:active_energy_import"
    register = _register_at(demo.port, point, noon)
    show(page, demo, "/periods?lang=zh")
    row = page.locator(f"[data-testid=month][data-month='{month}']")
    row.get_by_test_id("close-month").click()
    expect(row.get_by_test_id("will-close")).to_contain_text("kWh")
    row.get_by_test_id("say-who").fill("王工")
    row.get_by_test_id("say-why").fill("月报")
    row.get_by_test_id("say-confirm").click()
    expect(row).to_have_attribute("data-closed", "true")
    expect(row).to_contain_text("王工")
    expect(page.get_by_test_id("closed-month")).to_have_attribute("data-differing", "0")

    late = {"meter": "gym-main", "kind": "exchanged", "at": int(noon.timestamp() * 1000)}
    registers = {"quantity": "active_energy_import", "final_register": register, "initial_register": register - 10}
    body = {"events": [late | registers], "who": "li", "why": "late"}
    assert page.request.post(f"http://127.0.0.1:{demo.port}/api/v1/events", data=body).ok
    until(lambda: get(demo.port, f"/api/v1/periods/{month}?meter=gym-main")["differing"] == 1, "the difference")

    show(page, demo, f"/consumption?of=meter/gym-main&by=month&lang=zh&{_year_to(demo.yesterday)}")
    expect(page.get_by_test_id("closed-months")).to_contain_text("与关账数不同")

    show(page, demo, f"/periods?lang=zh&month={month}")
    expect(page.get_by_test_id("differences")).to_contain_text("10.00 kWh")
    page.get_by_test_id("correct-month").click()
    expect(page.get_by_test_id("will-book")).to_contain_text("红冲")
    page.get_by_test_id("say-confirm").click()
    expect(row).to_contain_text("请填")
    page.get_by_test_id("say-why").fill("工单 7 补录")
    page.get_by_test_id("say-confirm").click()
    expect(page.get_by_test_id("closed-month")).to_have_attribute("data-booked", "2")
    expect(page.get_by_test_id("closed-month")).to_have_attribute("data-differing", "0")
    reversal, correction = get(demo.port, f"/api/v1/periods/{month}")["entries"]
    booked = float(reversal["booked"]["amount"]) + float(correction["booked"]["amount"])
    assert booked == pytest.approx(10, abs=0.01)


def _year_to(day: datetime) -> str:
    """From the first of January before last month, up to the month of the day."""
    end = day.replace(day=1)
    start = (end - timedelta(days=1)).replace(month=1, day=1)
    return f"from={int(start.timestamp() * 1000)}&to={int(end.timestamp() * 1000)}"
