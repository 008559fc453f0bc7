"""Settlements, each reckoned by hand, and reckoned again from their files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analytics.contracts.canonical import canonical, sealed
from analytics.contracts.inputs import Adjustment, Carried, Estimated, Factors, Inputs, Register
from analytics.contracts.lines import Outcome
from analytics.contracts.money import capitals
from analytics.contracts.settlement import bundle, reversing_bundle, settle, verify
from energy.errors import EnergyError
from tests.analytics.contracts.contract_files import SAVINGS, TRUST, baseline, document, inputs, meter

FIRST = date(2026, 3, 1)


@pytest.fixture
def savings(tmp_path: Path) -> str:
    return document(SAVINGS, tmp_path)


def _amounts(outcome: Outcome) -> dict[str, str]:
    return {line.id: str(line.amount) for line in outcome.lines}


def test_a_saving_is_shared_by_the_clause_of_the_contract(savings: str) -> None:
    # At 8, 18 and 25.5 degC the baseline says 100 + 5 x 10, 100 and 100; used were 120, 80 and 90.
    made = settle(inputs(savings, [120, 80, 90], [8, 18, 25.5]))

    [line] = made.lines
    assert (line.baseline, line.actual, line.saving) == (Decimal("350.00"), Decimal("290.00"), Decimal("60.00"))
    # 60 kWh at 0.80 are 48.00, of which 90 % are 43.20; with 6 % in it, 40.75 and 2.45.
    assert (line.price, line.benefit, line.share_percent) == (Decimal("0.8000"), Decimal("48.00"), Decimal(90))
    assert (line.amount, made.due) == (Decimal("43.20"), Decimal("43.20"))
    [total] = made.clauses
    assert (total.net, total.tax, total.gross) == (Decimal("40.75"), Decimal("2.45"), Decimal("43.20"))
    # What was used cost half a yuan each.
    assert total.metered_cost == Decimal("145.00")
    assert made.objections == []


def test_a_negative_saving_is_carried_to_the_next_period_and_set_against_it(savings: str) -> None:
    # 300 by the baseline, 380 used: -80 kWh are -64.00, of which 90 % are -57.60.
    worse = settle(inputs(savings, [120, 130, 130], [20, 20, 20]))

    assert _amounts(worse) == {"savings.1": "-57.60", "savings.forwarded": "57.60"}
    assert (worse.due, worse.clauses[0].carried_out) == (Decimal("0.00"), Decimal("-57.60"))

    # 300 less 200 are 100 kWh: 80.00, of which 72.00; less what was carried 14.40 are due.
    carried = {"savings": Carried("-57.60", "HT-2026-018-001", "f" * 64)}
    better = settle(inputs(savings, [60, 70, 70], [20, 20, 20], carried=carried))

    assert _amounts(better) == {"savings.1": "72.00", "savings.carried": "-57.60"}
    assert (better.due, better.clauses[0].carried_out) == (Decimal("14.40"), Decimal("0.00"))


@pytest.mark.parametrize(("negative", "due"), [("floor", "0.00"), ("claw_back", "-57.60")])
def test_a_contract_can_also_let_a_negative_saving_go_or_take_it_back(negative: str, due: str, tmp_path: Path) -> None:
    text = document(SAVINGS.replace("carry_forward", negative), tmp_path)

    made = settle(inputs(text, [120, 130, 130], [20, 20, 20]))

    assert str(made.due) == due
    assert made.clauses[0].carried_out == 0
    assert capitals(made.due) == {"0.00": "零元整", "-57.60": "负伍拾柒元陆角整"}[due]


def test_a_meter_that_was_exchanged_in_the_middle_counts_both_lives_and_shows_their_registers(savings: str) -> None:
    registers = [
        Register("start", 0, "9900"),
        Register("final", 1, "9990.5", event=7),
        Register("initial", 1, "0.25", event=7),
        Register("end", 2, "199.75"),
    ]
    own = meter([80, 90, 120], FIRST, registers=registers)
    given = inputs(savings, [80, 90, 120], [20, 20, 20], meters=[own])

    # 9990.5 - 9900 = 90.5 and 199.75 - 0.25 = 199.5 are the 290 of the days; 300 - 290 = 10 kWh are 8.00, and 7.20.
    assert own.by_registers == Decimal("290.00")
    assert own.total == 290_000_000
    assert settle(given).due == Decimal("7.20")
    told = bundle(given)["meters"][0]["registers"]
    assert [(r["what"], r["register"], r["event"]) for r in told][1] == ("final", "9990.5", 7)
    # Of an exchange of which nobody told the registers nothing is said.
    assert replace(own, registers=[registers[0], registers[2], registers[3]]).by_registers is None


def test_a_line_for_each_share_and_each_price(tmp_path: Path) -> None:
    text = SAVINGS.replace("price: 0.80}]", "price: 0.80}, {from: 2027-12-31, price: 1}]")
    first = date(2027, 12, 30)

    made = settle(inputs(document(text, tmp_path), [90, 80, 50], [20] * 3, first=first))

    # 10 kWh at 0.80 and 90 %; 20 at 1 and 90 %; 50 at 1 and 70 %.
    assert _amounts(made) == {"savings.1": "7.20", "savings.2": "18.00", "savings.3": "35.00"}
    assert [(line.first, line.end) for line in made.lines][1] == (date(2027, 12, 31), date(2028, 1, 1))


def test_a_non_routine_adjustment_is_added_to_the_baseline_on_its_days_alone(savings: str) -> None:
    oven = Adjustment(3, "savings", date(2026, 3, 2), date(2026, 3, 9), 12_500_000, "2.5 kW x 5 h", "D-7", "oven", "li")

    made = settle(inputs(savings, [100, 100, 100], [20] * 3, adjustments=[oven]))

    # Two of three days: 25 kWh, 20.00 yuan, 18.00.
    [line] = made.lines
    assert (line.baseline, line.adjustment, line.adjusted) == (Decimal(300), Decimal(25), Decimal(325))
    assert line.amount == Decimal("18.00")


def test_a_missing_week_is_left_out_on_both_sides_where_the_contract_says_so_and_else_refused(tmp_path: Path) -> None:
    amounts = [90, *[None] * 7, 80]
    refused = settle(inputs(document(SAVINGS, tmp_path), amounts, [20] * 9))
    left_out = settle(
        inputs(
            document(SAVINGS.replace("  station", "  missing_days: leave_out\n  station"), tmp_path), amounts, [20] * 9
        )
    )

    assert refused.objections == [
        "line savings.1: of 2026-03-02, 2026-03-03, 2026-03-04, 2026-03-05, 2026-03-06 and 2 more not all is known "
        "(readings or temperature); bring them in, or agree in the contract on `missing_days: leave_out`"
    ]
    [line] = left_out.lines
    assert (len(line.left_out), left_out.objections) == (7, [])
    # Two days: 200 - 170 = 30 kWh.
    assert (line.baseline, line.saving, line.amount) == (Decimal(200), Decimal(30), Decimal("21.60"))


def test_a_day_without_a_temperature_is_not_known_either(savings: str) -> None:
    made = settle(inputs(savings, [90, 90], [20, None]))

    assert made.lines[0].left_out == [date(2026, 3, 2)]


def test_more_estimates_than_the_contract_allows_hold_a_statement_up(tmp_path: Path) -> None:
    text = document(SAVINGS.replace("  station", "  most_estimated_percent: 10\n  station"), tmp_path)
    first = date(2026, 3, 1)
    own = meter([100, 100], first, estimated=[Estimated(0, 3_600_000, 20_000_001)])

    assert settle(inputs(text, [100, 100], [20, 20], meters=[own])).objections == [
        "main:active_energy_import: 10.0 % of its amount is estimated; the contract allows 10 %"
    ]


def test_a_baseline_of_other_counters_or_another_station_holds_a_statement_up(savings: str) -> None:
    strange = baseline(points=("other:active_energy_import",), station="1")

    assert settle(inputs(savings, [90], [20], baselines={"savings": strange})).objections == [
        "the baseline of savings is of other:active_energy_import, the contract goes by main:active_energy_import; "
        "freeze one for these",
        "the baseline of savings goes by station '1', the contract by '54511'; freeze one for it",
    ]


def test_a_price_that_is_metered_is_the_mean_of_what_was_paid(tmp_path: Path) -> None:
    text = document(SAVINGS.replace("{agreed: [{from: 2026-01-01, price: 0.80}]}", "{metered: true}"), tmp_path)
    first = date(2026, 3, 1)
    own = meter([60, 90], first, cost=[30_000_000, 70_000_000])

    [line] = settle(inputs(text, [60, 90], [20, 20], meters=[own])).lines

    # 100 yuan for 150 kWh.
    assert line.price == Decimal("0.6667")
    assert line.benefit == Decimal("33.34")
    unpriced = settle(inputs(text, [60, 90], [20, 20], meters=[replace(own, cost=[None, None])]))
    assert "has no price" in unpriced.objections[0]


def test_what_was_saved_is_told_in_coal_and_carbon_by_the_factors_of_the_bundle(savings: str) -> None:
    factors = {"savings": Factors("gb", 2026, "0.1229", "0.5306", ["gb-electricity"])}

    [total] = settle(inputs(savings, [90, 90], [20, 20], factors=factors)).clauses

    assert (total.kgce, total.kgco2) == (Decimal("2.458"), Decimal("10.612"))


def test_a_trust_fee_is_adjusted_line_by_line_and_by_days(tmp_path: Path) -> None:
    text = document(TRUST, tmp_path)

    made = settle(inputs(text, [1000] * 28, [None] * 28, first=date(2026, 2, 1), baselines={}))

    # The canteen counts 14 of 28 days; (0.77 - 0.75) x 60,000; 50,000 x 0.5 x (21,000 / 20,000 - 1).
    assert _amounts(made) == {
        "fee.2026-02.fee": "50000.00",
        "fee.2026-02.canteen.1": "1400.00",
        "fee.2026-02.price.1": "1200.00",
        "fee.2026-02.area.1": "1250.00",
    }
    # 53,850 and 6 % on it.
    [total] = made.clauses
    assert (total.due, total.tax, made.due) == (Decimal("53850.00"), Decimal("3231.00"), Decimal("57081.00"))
    assert total.metered_cost == Decimal("14000.00")
    assert made.lines[3].detail["evidence"] == "acceptance record 12"


def test_a_part_of_a_month_costs_its_days(tmp_path: Path) -> None:
    text = document(TRUST, tmp_path)

    made = settle(inputs(text, [1] * 3, [None] * 3, first=date(2026, 1, 30), baselines={}))

    # Two of 31 days of January, one of 28 of February.
    assert {k: v for k, v in _amounts(made).items() if k.endswith("fee")} == {
        "fee.2026-01.fee": "3225.81",
        "fee.2026-02.fee": "1785.71",
    }


def test_a_clause_without_a_baseline_is_not_settled(savings: str) -> None:
    with pytest.raises(EnergyError, match="clause 'savings' has no frozen baseline yet"):
        settle(inputs(savings, [1], [20], baselines={}))


# -- reckoned again ---------------------------------------------------------------------------------------------------


@pytest.fixture
def given(savings: str) -> Inputs:
    oven = Adjustment(3, "savings", FIRST, FIRST, 12_500_000, "2.5 kW x 5 h", "D-7", "oven", "li")
    carried = {"savings": Carried("-1.10", "HT-2026-018-000", "f" * 64)}
    return inputs(savings, [120, 80, 90], [8, 18, 25.5], adjustments=[oven], carried=carried)


def test_a_statement_is_reckoned_again_from_its_file_to_the_last_digit(given: Inputs) -> None:
    raw = canonical(bundle(given, {"uncertainty": "0.1"}))

    found = verify(raw)

    assert (found.faults, found.number, found.lines) == ([], "HT-2026-018-001", 2)
    assert canonical(json.loads(raw)) == raw
    assert Inputs.of_plain(json.loads(raw)).plain() == given.plain()


def test_any_byte_that_is_changed_is_found(given: Inputs) -> None:
    raw = canonical(bundle(given))

    for at in range(0, len(raw), 7):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            faults = verify(changed).faults
        except EnergyError:
            continue
        assert faults, (at, raw[at - 20 : at + 20])
    assert verify(raw + b" ").faults


def _resealed(raw: bytes, change: Any) -> list[str]:
    """What is found of a statement that somebody changed and sealed again."""
    plain = json.loads(raw)
    change(plain)
    return list(verify(canonical(sealed(plain))).faults)


def test_who_changes_a_figure_and_seals_it_again_is_told_which_line_differs(given: Inputs) -> None:
    raw = canonical(bundle(given))

    def dearer(plain: Any) -> None:
        plain["lines"][0]["amount"] = "99.00"

    def colder(plain: Any) -> None:
        plain["weather"]["temperature"][0] = "7.00"

    def richer(plain: Any) -> None:
        plain["due"] = "1.00"

    assert _resealed(raw, dearer) == ["line savings.1: amount is 99.00, reckoned again 52.20"]
    assert "line savings.1: baseline is 350.00, reckoned again 355.00" in _resealed(raw, colder)
    assert _resealed(raw, richer) == ["due is 1.00, reckoned again 51.10"]
    assert _resealed(raw, lambda plain: plain["lines"].pop()) == ["line savings.carried is missing"]
    assert any(
        "hash of the baseline" in f for f in _resealed(raw, lambda p: p["baselines"]["savings"].update(data="1"))
    )


def test_a_reversing_statement_takes_every_line_back_and_is_reckoned_again_too(given: Inputs) -> None:
    original = bundle(given)

    reversing = reversing_bundle(original, "HT-2026-018-002", 2, "exchange entered late")

    assert [line["amount"] for line in reversing["lines"]] == ["-52.20", "1.10"]
    assert reversing["due"] == "-51.10"
    assert verify(canonical(reversing)).faults == []
    forged = json.loads(canonical(reversing))
    forged["original"]["lines"][0]["amount"] = "1.00"
    assert len(verify(canonical(sealed(forged))).faults) >= 2


def test_what_is_no_statement_is_refused() -> None:
    with pytest.raises(EnergyError, match="no JSON document any more"):
        verify(b"{")
    with pytest.raises(EnergyError, match="no statement of format jieneng-settlement-1"):
        verify(b'{"format":"other"}')
