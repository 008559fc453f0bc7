"""Signing in, in a real browser: the one-time link, a first password, out again, and back to where one was; and what
an administrator, a filler and an auditor do on their pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.campus import command, small_site, until
from tests.journeys.looking import at_browser, enter_on, page_of
from tests.real_parts import free_port, free_ports

PASSWORD = "Blue-heron 27"
BILL = {
    "account": "demo-electricity",
    "first": "2026-01-01",
    "last": "2026-01-31",
    "quantity": "1200",
    "amount": "880.50",
}


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
    site = small_site(folder, free_ports(2))
    listen, bus = f"127.0.0.1:{port}", f"mqtt://127.0.0.1:{free_port()}"
    with command("gateway", "--site", str(site), "--data", str(data), "--listen", listen, "--bus", bus, log=log):
        until(lambda: "gateway.started" in log.read_text(encoding="utf-8"), "the gateway")
        told = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        [link] = [line["link"] for line in told if line["event"] == "accounts.first_link"]
        yield Gateway(port, data, link)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = at_browser(browser, locale="zh-CN", viewport={"width": 1440, "height": 900})
    yield page_of(context)
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

    expect(page.get_by_test_id("own-account")).to_contain_text("anquan")
    expect(page).to_have_url(re.compile("#/accounts"))
    page.goto(f"http://127.0.0.1:{gateway.port}/#/consumption")
    expect(page.get_by_test_id("forbidden")).to_contain_text("没有此项权限")
    expect(page.get_by_test_id("nav-accounts")).to_be_visible()
    expect(page.get_by_test_id("nav-consumption")).to_have_count(0)


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
    expect(page.get_by_test_id("own-account")).to_contain_text("wang")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in")).to_have_attribute("data-step", "signIn")
    expect(page.get_by_test_id("own-account")).to_have_count(0)


def test_who_is_disabled_is_led_to_the_sign_in_page(gateway: Gateway, page: Page) -> None:
    first = gateway.accounts("add", "li").removeprefix("first password: ")
    gateway.accounts("grant", "li", "reader")
    page.goto(f"http://127.0.0.1:{gateway.port}/#/")
    fill(page, name="li", password=first)
    fill(page, new_password=PASSWORD, again=PASSWORD)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    gateway.accounts("disable", "li")

    expect(page.get_by_test_id("sign-in")).to_have_attribute("data-step", "signIn")
    expect(page.locator(".shell")).to_be_hidden()


def test_a_filler_is_made_signs_a_bill_and_the_auditor_sees_it(gateway: Gateway, browser: Browser) -> None:
    """Three people, each at a browser of his own."""
    with everybody(browser, 3) as (admin, filler, auditor):
        first = gateway.accounts("add", "shen").removeprefix("first password: ")
        gateway.accounts("grant", "shen", "security_administrator")
        enter(gateway, admin, "shen", first)
        passwords = {
            "tian": make_person(admin, "tian", "filler", "government-office"),
            "shenji": make_person(admin, "shenji", "auditor", ""),
        }
        refuse_a_second_administration(admin)

        enter(gateway, filler, "tian", passwords["tian"])
        secret = enrol(filler)
        filler.get_by_test_id("nav-tariffs").click()
        enter_bill(filler)
        filler.get_by_test_id("sign-out").click()
        fill(filler, name="tian", password=PASSWORD)
        expect(filler.get_by_test_id("sign-in")).to_have_attribute("data-step", "second")
        fill(filler, code=pyotp.TOTP(secret).at(time.time() + 30))
        expect(filler.get_by_test_id("own-account")).to_contain_text("tian")

        enter(gateway, auditor, "shenji", passwords["shenji"])
        look_for_the_bill(auditor)


@contextmanager
def everybody(browser: Browser, count: int) -> Iterator[list[Page]]:
    """So many people; a page that breaks, or that asks a stranger, fails."""
    contexts = [at_browser(browser, locale="zh-CN", viewport={"width": 1440, "height": 900}) for _ in range(count)]
    errors: list[str] = []
    pages = [page_of(context) for context in contexts]
    for page in pages:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: errors.append(r.url) if "//127.0.0.1:" not in r.url else None)
    yield pages
    for context in contexts:
        context.close()
    assert errors == []


def enter(gateway: Gateway, page: Page, name: str, first: str) -> None:
    page.goto(f"http://127.0.0.1:{gateway.port}/#/?lang=zh")
    fill(page, name=name, password=first)
    fill(page, new_password=PASSWORD, again=PASSWORD)
    expect(page.get_by_test_id("own-account")).to_contain_text(name)


def make_person(admin: Page, name: str, role: str, organisation: str) -> str:
    """By the keyboard, as far as it is the form's; the first password that is shown once."""
    admin.get_by_test_id("nav-accounts").click()
    admin.get_by_test_id("add-person").click()
    admin.get_by_test_id("person-name").fill(name)
    admin.get_by_test_id("person-name").press("Enter")
    password = admin.get_by_test_id("secret").inner_text()
    expect(admin.get_by_test_id("person")).to_have_count(1)
    enter_on(admin.get_by_test_id("grant"))
    admin.get_by_test_id("grant-role").select_option(role)
    admin.get_by_test_id("grant-of").select_option(organisation)
    enter_on(admin.get_by_test_id("grant-confirm"))
    expect(admin.get_by_test_id("person-said")).to_contain_text(name)
    admin.get_by_test_id("close-once").click()
    return password


def refuse_a_second_administration(admin: Page) -> None:
    for role in ("system_administrator", "audit_administrator"):
        admin.get_by_test_id("grant").click()
        admin.get_by_test_id("grant-role").select_option(role)
        admin.get_by_test_id("grant-confirm").click()
    expect(admin.get_by_test_id("faults")).to_contain_text("须由不同账户担任")


def enrol(page: Page) -> str:
    page.get_by_test_id("own-account").click()
    expect(page.get_by_test_id("own-grants")).to_contain_text("填报人员 · 区政府办公室及所属")
    page.get_by_test_id("enrol").click()
    page.get_by_test_id("second-password").fill(PASSWORD)
    page.get_by_test_id("second-begin").click()
    expect(page.get_by_test_id("qr")).to_be_visible()
    secret = page.get_by_test_id("totp-secret").inner_text()
    page.get_by_test_id("totp-code").fill(pyotp.TOTP(secret).now())
    page.get_by_test_id("totp-confirm").click()
    expect(page.get_by_test_id("codes-left")).to_contain_text("10")
    page.get_by_test_id("close-once").click()
    return secret


def enter_bill(page: Page) -> None:
    page.get_by_test_id("enter-bill").click()
    expect(page.get_by_test_id("signed")).to_have_text("登记人：tian")
    for field, text in BILL.items():
        page.get_by_test_id(f"bill-{field}").fill(text)
    page.get_by_test_id("confirm-bill").click()
    expect(page.get_by_test_id("bill")).to_have_count(1)


def look_for_the_bill(auditor: Page) -> None:
    auditor.get_by_test_id("nav-audit").click()
    auditor.get_by_test_id("verify").click()
    expect(auditor.get_by_test_id("whole")).to_contain_text("完整")
    auditor.get_by_test_id("audit-account").fill("tian")
    auditor.get_by_test_id("audit-subject").fill("bill/")
    auditor.get_by_test_id("audit-subject").press("Enter")
    row = auditor.get_by_test_id("audit-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("tian")
    row.get_by_role("button").click()
    expect(auditor.get_by_test_id("changes")).to_contain_text("880.50")
    with auditor.expect_download() as saved:
        auditor.get_by_test_id("audit-csv").click()
    assert "demo-electricity" in saved.value.path().read_text(encoding="utf-8-sig")


def test_what_was_being_entered_is_kept_while_one_signs_in_again(gateway: Gateway, page: Page) -> None:
    first = gateway.accounts("add", "zhao").removeprefix("first password: ")
    gateway.accounts("grant", "zhao", "filler")
    enter(gateway, page, "zhao", first)
    page.get_by_test_id("nav-tariffs").click()
    page.get_by_test_id("enter-bill").click()
    for field, text in {**BILL, "first": "2026-02-01", "last": "2026-02-28"}.items():
        page.get_by_test_id(f"bill-{field}").fill(text)
    gateway.accounts("disable", "zhao")
    gateway.accounts("disable", "zhao", "--again")

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("登录已结束")
    expect(page.get_by_test_id("name")).to_have_value("zhao")
    fill(page, password=PASSWORD)
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("bill-amount")).to_have_value(BILL["amount"])
    page.get_by_test_id("confirm-bill").click()
    expect(page.get_by_test_id("bill-form")).to_have_count(0)
