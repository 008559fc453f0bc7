"""Contract files: what is wrong is told by line, all at once, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.contracts.contract_file import contract_of, contracts_of, documents_of, notes, read_rules
from analytics.contracts.credit_code import credit_code_fault
from energy.documents import open_document
from energy.errors import ConfigurationError
from tests.analytics.contracts.contract_files import SAVINGS, TRUST, contract


def _faults(text: str, known: list[str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        contract(text, known)
    return refused.value.faults


def test_a_contract_is_read_as_a_list_of_clauses() -> None:
    made = contract(SAVINGS, ["main"])

    assert [c.kind for c in made.clauses] == ["shared_savings"]
    assert [c.kind for c in contract(TRUST).clauses] == ["trust_fee"]
    assert str(made.end) == "2031-01-01"


def test_a_share_over_a_hundred_percent_is_refused_with_its_line() -> None:
    [fault] = _faults(SAVINGS.replace("share_percent: 90", "share_percent: 120"))

    assert fault == (
        "contract.yaml:22: contracts[0].clauses[0].stages[0].share_percent = 120: must be from 0 to 100: a share is a "
        "part of what was saved"
    )


def test_stages_that_overlap_are_refused_with_the_day_on_which_to_begin() -> None:
    [fault] = _faults(SAVINGS.replace("from: 2028-01-01", "from: 2027-06-01"))

    assert fault.startswith("contract.yaml:23: contracts[0].clauses[0].stages[1].from = 2027-06-01: overlaps the stage")
    assert fault.endswith("from 2026-01-01 to 2027-12-31; begin on 2028-01-01")


def test_days_without_a_share_are_refused() -> None:
    [fault] = _faults(SAVINGS.replace("from: 2028-01-01", "from: 2028-02-01"))

    assert fault.endswith("leaves the days from 2028-01-01 without a share; begin on 2028-01-01")


def test_a_meter_that_is_not_there_is_refused_with_those_that_are() -> None:
    [fault] = _faults(SAVINGS, ["east", "west"])

    assert "contract.yaml:13" in fault
    assert fault.endswith("meter 'main' is not in the site; it has east, west")


def test_a_counter_that_counts_twice_at_a_time_is_refused() -> None:
    twice = '  - {point: "main:active_energy_import", from: 2026-06-01}\n  clauses:'

    [fault] = _faults(SAVINGS.replace("  clauses:", twice))

    assert "main:active_energy_import counts already at these dates, from 2026-01-01 to 2030-12-31" in fault
    assert fault.endswith("let one end before the other begins")


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = (
        SAVINGS.replace("91110105MA00000012", "91110105MA00000013")
        .replace("main:active_energy_import", "main:active_power")
        .replace("to: 2030-12-31", "to: 2026-12-31")
        .replace("0.80", "-1")
    )

    found = _faults(wrong)

    lines = [int(f.split(":")[1]) for f in found]
    assert lines == sorted(lines)
    text = "\n".join(found)
    for part in (
        "has the check character 3 where 2 would be right",
        "active_power is a gauge; a contract goes by counters",
        "lies outside the contract, which runs from 2026-01-01 to 2026-12-31",
        "must be 0 or more",
    ):
        assert part in text


def test_words_that_are_not_known_are_refused_with_the_nearest() -> None:
    [fault] = _faults(
        SAVINGS.replace("share_percent: 90", "share_percnt: 90").replace("share_percent: 70", "share_percent: 70")
    )[:1]

    assert "did you mean" in fault or "is missing" in fault


def test_a_guarantee_is_not_settled_yet_and_says_what_is() -> None:
    [fault] = _faults(SAVINGS.replace("kind: shared_savings", "kind: guaranteed_savings"))

    assert "shared_savings" in fault
    assert "trust_fee" in fault


def test_a_document_is_kept_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(SAVINGS, encoding="utf-8")

    [(name, text)] = documents_of(path).items()

    assert name == "lighting"
    assert contract_of(text) == contracts_of(open_document(path))[0]


def test_the_examples_that_are_shipped_are_right() -> None:
    for path in sorted(Path("config/contracts").glob("*.example.yaml")):
        assert contracts_of(open_document(path))


def test_a_rule_of_the_public_regime_is_told_and_not_enforced() -> None:
    rules = read_rules(Path("config/contract-rules.yaml"))

    [kept] = notes(contract(TRUST), rules)
    [broken] = notes(contract(TRUST.replace("to: 2030-12-31", "to: 2028-12-31")), rules)

    assert (kept.kept, broken.kept) == (True, False)
    assert broken.rule.source
    assert notes(contract(TRUST.replace("  signed_on", "  public_institution: false\n  signed_on")), rules) == []


def test_a_credit_code_is_checked_by_its_last_character() -> None:
    assert credit_code_fault("91350100M000100Y43") is None
    assert "18 digits and capital letters" in (credit_code_fault("1234") or "")
