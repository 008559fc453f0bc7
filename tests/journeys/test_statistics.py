"""A month of the statistics, in real browsers: who fills it in, who submits it, who returns and accepts it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_sign_in import Gateway, enter, everybody, gateway

__all__ = ["gateway"]
OFFICE = "government-office"
FIGURES = {
    "electricity.quantity": "120000",
    "electricity.fee": "84210.5",
    "water.quantity": "900",
    "water.fee": "45000",
}


def month() -> str:
    """The month that ended last, as the page opens it."""
    first = (datetime.now(UTC) + timedelta(hours=8)).replace(day=1)
    return (first - timedelta(days=1)).strftime("%Y-%m")


@pytest.fixture
def people(gateway: Gateway, browser: Browser) -> Iterator[tuple[Page, Page, Page]]:
    """A filler and an approver of an office, and a reviewer of the district, each signed in at a browser."""
    with everybody(browser, 3) as (filler, approver, reviewer):
        for page, name, role, of in (
            (filler, "tianbao", "filler", OFFICE),
            (approver, "fuzeren", "approver", OFFICE),
            (reviewer, "shenhe", "reviewer", "district"),
        ):
            first = gateway.accounts("add", name).removeprefix("first password: ")
            gateway.accounts("grant", name, role, "--organisation", of)
            enter(gateway, page, name, first)
        yield filler, approver, reviewer


def open_filing(page: Page) -> None:
    page.get_by_test_id("nav-statistics").click()
    page.get_by_test_id(f"open-{OFFICE}").click()
    expect(page.get_by_test_id("filing")).to_be_visible()


def write(page: Page, cell: str, figure: str) -> None:
    page.get_by_test_id(f"edit-{cell}").click()
    page.get_by_test_id("value").fill(figure)
    page.get_by_test_id("why").fill("账单 0731")
    page.get_by_test_id("confirm").first.click()
    expect(page.get_by_test_id(cell)).to_contain_text(f"{float(figure):,.1f}".removesuffix(".0"))


def take(page: Page, step: str, why: str = "") -> None:
    page.get_by_test_id(step).click()
    page.get_by_test_id("why").fill(why)
    page.get_by_test_id("confirm").click()


def test_a_month_is_filled_in_submitted_returned_corrected_and_accepted(people: tuple[Page, Page, Page]) -> None:
    filler, approver, reviewer = people
    open_filing(filler)
    expect(filler.get_by_test_id("submit")).to_have_count(0)
    for cell, figure in FIGURES.items():
        write(filler, cell, figure)

    open_filing(approver)
    # 45,000 yuan for 900 m3 is 50 yuan a cubic metre: it needs a reason before it is submitted.
    take(approver, "submit")
    expect(approver.get_by_test_id("faults")).to_contain_text("水单价 50.0000 元/m3")
    approver.get_by_test_id("reason-water-price:water.quantity:water.fee").fill("含上月补缴")
    approver.get_by_test_id("confirm").click()
    expect(approver.get_by_test_id("filing")).to_have_attribute("data-state", "submitted")

    open_filing(reviewer)
    expect(reviewer.get_by_test_id("edit-water.fee")).to_have_count(0)
    take(reviewer, "return", "补缴部分请从费用中扣除")
    expect(reviewer.get_by_test_id("filing")).to_have_attribute("data-state", "returned")

    filler.reload()
    expect(filler.get_by_test_id("steps")).to_contain_text("补缴部分请从费用中扣除")
    write(filler, "water.fee", "4500")
    approver.reload()
    expect(approver.get_by_test_id("water.fee")).to_contain_text("4,500")
    take(approver, "submit")
    expect(approver.get_by_test_id("filing")).to_have_attribute("data-state", "submitted")
    reviewer.reload()
    take(reviewer, "accept")
    expect(reviewer.get_by_test_id("filing")).to_have_attribute("data-state", "accepted")

    look_at_the_sums(reviewer)


def look_at_the_sums(reviewer: Page) -> None:
    """What was accepted is in the sum of the district, on the page and in the workbook."""
    reviewer.get_by_test_id("back").click()
    expect(reviewer.get_by_test_id("tally-accepted")).to_contain_text("1")
    reviewer.get_by_test_id("view-rollup").click()
    expect(reviewer.get_by_test_id("sum-district")).to_contain_text("120,000")
    reviewer.get_by_test_id("by-department").click()
    expect(reviewer.get_by_test_id("sum-none")).to_contain_text("不属于以上任何一个")
    with reviewer.expect_download() as saved:
        reviewer.get_by_test_id("excel").click()
    assert saved.value.suggested_filename == f"公共机构能源资源消费统计 {month()}.xlsx"
    sheets = load_workbook(io.BytesIO(saved.value.path().read_bytes()), read_only=True)
    [row] = [r for r in sheets["消费状况"].iter_rows(values_only=True) if r[0] == OFFICE]
    assert row[3] == "审核通过" and 120000 in row
