"""Signing in, in a real browser: the one-time link, a first password, out again, and back to where one was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.campus import command, small_site, until
from tests.journeys.test_consumption_pages import browser
from tests.real_parts import free_port

__all__ = ["browser"]
PASSWORD = "Blue-heron 27"


@dataclass
class Gateway:
    port: int
    data: Path
    link: str

    def accounts(self, *arguments: str) -> str:
        asked = [sys.executable, "-m", "jieneng", "accounts", *arguments, "--data", str(self.data)]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Without a broker: what is shown of the site is enough."""
    folder = tmp_path_factory.mktemp("accounts")
    port, log, data = free_port(), folder / "gateway.log", folder / "var"
    site = small_site(folder, free_port())
    listen, bus = f"127.0.0.1:{port}", f"mqtt://127.0.0.1:{free_port()}"
    with command("gateway", "--site", str(site), "--data", str(data), "--listen", listen, "--bus", bus, log=log):
        until(lambda: "gateway.started" in log.read_text(encoding="utf-8"), "the gateway", within_s=60)
        told = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        [link] = [line["link"] for line in told if line["event"] == "accounts.first_link"]
        yield Gateway(port, data, link)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def fill(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        page.get_by_test_id(name.replace("_", "-")).fill(text)
    page.get_by_test_id("enter").click()


def test_the_link_makes_the_first_administrator_who_sees_no_readings(gateway: Gateway, page: Page) -> None:
    page.goto(gateway.link)
    fill(page, name="anquan", new_password="weak", again="weak")
    expect(page.get_by_test_id("fault")).to_contain_text("至少 10 个字符")
    fill(page, new_password=PASSWORD, again=PASSWORD)

    expect(page.get_by_test_id("account")).to_contain_text("anquan")
    expect(page.locator(".splash")).to_contain_text("没有此项权限")


def test_a_first_password_is_changed_and_one_comes_back_to_where_one_was(gateway: Gateway, page: Page) -> None:
    first = gateway.accounts("add", "wang").removeprefix("first password: ")
    gateway.accounts("grant", "wang", "reader")
    page.goto(f"http://127.0.0.1:{gateway.port}/#/tariffs?lang=zh")

    fill(page, name="wang", password="wrong")
    expect(page.get_by_test_id("fault")).to_have_text("账户名或密码不正确")
    fill(page, password=first)
    expect(page.get_by_test_id("sign-in")).to_have_attribute("data-step", "change")
    fill(page, new_password=PASSWORD, again=PASSWORD)
    expect(page).to_have_url(re.compile("#/tariffs"))
    expect(page.get_by_test_id("account")).to_contain_text("wang")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in")).to_have_attribute("data-step", "signIn")
    expect(page.get_by_test_id("account")).to_have_count(0)


def test_who_is_disabled_is_led_to_the_sign_in_page(gateway: Gateway, page: Page) -> None:
    first = gateway.accounts("add", "li").removeprefix("first password: ")
    gateway.accounts("grant", "li", "reader")
    page.goto(f"http://127.0.0.1:{gateway.port}/#/")
    fill(page, name="li", password=first)
    fill(page, new_password=PASSWORD, again=PASSWORD)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    gateway.accounts("disable", "li")

    expect(page.get_by_test_id("sign-in")).to_have_attribute("data-step", "signIn", timeout=20_000)
    expect(page.locator(".shell")).to_be_hidden()
