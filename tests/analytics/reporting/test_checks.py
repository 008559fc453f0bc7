"""Checks of filings: each error that is seeded is found, and what is right is left alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from analytics.reporting.check_rules import Rule, RuleKind, Severity
from analytics.reporting.checks import Beside, Fault, check
from analytics.reporting.filings import Filing, Filled, Origin, Size
from analytics.reporting.forms import Cell
from tests.analytics.reporting.shipped import filing, form, rule_book

RIGHT = {
    "electricity.quantity": "21364",
    "electricity.fee": "14954.80",
    "water.quantity": "612",
    "water.fee": "3060.40",
    "petrol.quantity": "310",
    "petrol.fee": "2511.30",
    "petrol_vehicles.quantity": "310",
    "petrol_vehicles.fee": "2511.30",
}
LAST_YEAR = filing(RIGHT | {"electricity.quantity": "20800", "water.quantity": "598"}, period="2025-06")


def found(given: Filing, beside: Beside | None = None) -> dict[str, Fault]:
    faults = check(form(), given, rule_book().rules, beside or Beside(last_year=LAST_YEAR))
    return {fault.rule.id: fault for fault in faults}


def test_a_right_filing_is_not_bothered() -> None:
    assert found(filing(RIGHT)) == {}


@pytest.mark.parametrize(
    ("changed", "rule", "severity", "cells"),
    [
        ({"water.quantity": None, "water.fee": None}, "needed", Severity.ERROR, ["water.quantity"]),
        ({"water.fee": None}, "paired", Severity.ERROR, ["water.fee"]),
        ({"lpg.fee": "300"}, "paired", Severity.ERROR, ["lpg.quantity"]),
        ({"diesel.quantity": "-4", "diesel.fee": "30"}, "negative", Severity.ERROR, ["diesel.quantity"]),
        (
            {"petrol_vehicles.quantity": "311"},
            "part",
            Severity.ERROR,
            ["petrol_vehicles.quantity", "petrol.quantity"],
        ),
        ({"electricity.fee": "1.4955"}, "electricity-fee-unit", Severity.ERROR, ["electricity.fee"]),
        (
            {"electricity.fee": "42000.50"},
            "electricity-price",
            Severity.WARNING,
            ["electricity.quantity", "electricity.fee"],
        ),
        (
            {"electricity.quantity": "28000", "electricity.fee": "19600.30"},
            "electricity-last-year",
            Severity.WARNING,
            ["electricity.quantity"],
        ),
        ({"electricity.fee": "15000"}, "round-fee", Severity.NOTE, ["electricity.fee"]),
    ],
)
def test_what_is_wrong_is_found_in_its_cell(
    changed: dict[str, str | None], rule: str, severity: Severity, cells: list[str]
) -> None:
    values = {cell: value for cell, value in (RIGHT | changed).items() if value is not None}

    fault = found(filing(values))[rule]

    assert (fault.severity, [str(cell) for cell in fault.cells]) == (severity, cells)


def test_a_price_that_is_ten_thousand_times_off_is_told_as_the_wrong_unit_and_not_as_a_price_too() -> None:
    assert "electricity-price" not in found(filing(RIGHT | {"electricity.fee": "1.4955"}))


def test_what_differs_by_little_is_not_told_however_large_the_share() -> None:
    small = filing(RIGHT | {"water.quantity": "20", "water.fee": "100.40"})
    before = filing(RIGHT | {"water.quantity": "10"}, period="2025-06")

    assert "water-last-year" not in found(small, Beside(last_year=before))


def test_items_filled_in_each_others_place_are_found_by_last_year() -> None:
    exchanged = filing(RIGHT | {"water.quantity": "21300", "electricity.quantity": "600"})

    assert [str(c) for c in found(exchanged)["swapped"].cells] == ["electricity.quantity", "water.quantity"]


def test_a_figure_of_another_month_is_suspected_to_be_copied() -> None:
    may = filing(RIGHT, period="2026-05")

    assert found(filing(RIGHT), Beside(others=[may]))["copied"].text.en.endswith("is the same as in 2026-05")


def test_a_small_or_round_figure_may_be_the_same_twice() -> None:
    rules = [r for r in rule_book().rules if r.kind is RuleKind.COPIED]
    same = filing({"water.quantity": "600"}), filing({"water.quantity": "600"}, period="2026-05")

    assert check(form(), same[0], rules, Beside(others=[same[1]])) == []


def test_floor_area_and_heads_that_changed_by_more_than_a_tenth_are_asked_about() -> None:
    larger = filing(RIGHT, area="8801", people="440")

    assert "8801 m2" in found(larger)["size"].text.zh
    assert "size" not in found(replace(larger, size=Size(Decimal(8800), Decimal(440))))


def test_meters_and_bills_that_are_more_than_a_twentieth_apart_are_shown_beside_each_other() -> None:
    cells = dict(filing(RIGHT).cells)
    cells[Cell.parse("water.quantity")] = Filled(Decimal(612), Origin.METERS)
    metered = replace(filing(RIGHT), cells=cells)

    assert "meter-and-bill" in found(metered, Beside(billed={"water": Decimal(580)}))
    assert "meter-and-bill" not in found(metered, Beside(billed={"water": Decimal(600)}))


def test_a_figure_that_is_mostly_estimated_needs_a_word() -> None:
    cells = dict(filing(RIGHT).cells)
    cells[Cell.parse("water.quantity")] = Filled(Decimal(612), Origin.METERS, Decimal("0.08"), Decimal("0.03"))

    assert "3.0% missing" in found(replace(filing(RIGHT), cells=cells))["doubtful"].text.en


def test_a_rule_of_a_class_holds_for_what_is_below_it_and_for_no_other() -> None:
    rule = replace(rule_book().rules[0], institution_class="02")

    assert [rule.holds_for(c) for c in ("02", "024", "01", None)] == [True, True, False, False]


def test_the_gravest_is_told_first_and_a_reason_finds_its_fault_again() -> None:
    faults = check(form(), filing({"water.quantity": "612", "water.fee": "9000"}), rule_book().rules, Beside())

    assert [f.severity for f in faults] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    assert faults[1].key == "water-price:water.quantity:water.fee"


def test_a_bound_that_cannot_hold_anything_is_refused() -> None:
    rule = rule_book().rules[4]

    with pytest.raises(ValueError, match=r"low 3 must be below high 1\.5"):
        replace(rule, low=Decimal(3))
    with pytest.raises(ValueError, match="needs its item"):
        Rule(
            "p", RuleKind.PRICE, Severity.NOTE, rule.name, rule.source, rule.confidence, low=Decimal(1), high=Decimal(2)
        )
