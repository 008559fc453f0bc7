"""Head counts: the formula of each type of institution, and no number where a part is missing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from analytics.reporting.head_counts import HEAD_COUNTS, HeadCount, Purpose, Term, head_count
from energy.confidence import Confidence
from energy.errors import UnknownName
from energy.organisations import FactName
from energy.sites import Text

COUNTS = {
    FactName.STUDENTS: Decimal(1000),
    FactName.INTERNATIONAL_STUDENTS: Decimal(20),
    FactName.BOARDERS: Decimal(300),
    FactName.STAFF: Decimal(81),
}


@pytest.mark.parametrize(
    ("institution", "people"),
    [
        ("office", "81"),
        ("university", "1060.5"),  # 1000 + 20 + 0.5 x 81
        ("school", "1381"),  # 700 day pupils + 2 x 300 boarders + 81
        ("kindergarten", "1381"),
    ],
)
def test_people_are_counted_by_type_of_institution(institution: str, people: str) -> None:
    assert head_count(institution, Purpose.WATER).people(COUNTS).value == Decimal(people)


def test_a_count_that_is_missing_is_named() -> None:
    found = head_count("school", Purpose.WATER).people({FactName.STAFF: Decimal(81), FactName.STUDENTS: None})

    assert found.value is None
    assert found.reason == Text(
        "缺少人数：学生（含住宿生）、住宿生（再计一次）", "not given: pupils, boarders among them, boarders, once more"
    )


def test_a_hospital_has_no_number_while_its_weights_are_unknown() -> None:
    found = head_count("hospital", Purpose.ENERGY).people(COUNTS)

    assert found.value is None
    assert found.reason is not None and "out-patients" in found.reason.en


def test_a_formula_for_water_is_not_used_for_energy() -> None:
    assert head_count("office", Purpose.ENERGY).institution == "office"
    with pytest.raises(UnknownName, match="for school a head count is known for water only"):
        head_count("school", Purpose.ENERGY)
    with pytest.raises(UnknownName, match="no head count is known for 'prison'; there are office, university"):
        head_count("prison", Purpose.ENERGY)


def test_every_formula_has_a_source_and_says_how_well_it_is_founded() -> None:
    assert all(h.source and isinstance(h.confidence, Confidence) for h in HEAD_COUNTS)
    assert [h.institution for h in HEAD_COUNTS if h.confidence is Confidence.VERIFIED] == ["office"]


def test_a_formula_without_terms_or_with_a_weight_of_zero_is_refused() -> None:
    for terms in ((), (Term(FactName.STAFF, Text("人", "staff"), Decimal(0)),)):
        with pytest.raises(ValueError, match="needs terms, each with a weight above 0"):
            HeadCount("x", Text("甲", "x"), (Purpose.WATER,), terms, "own", Confidence.RECALLED)
